"""Rollouts, datasets and dataset events as they are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.serde import Serde

from lineage_ingest.emit import (
    Dataset,
    DeliveryPipeline,
    Emitter,
    HashingError,
    ListTransport,
    Model,
    hash_file,
)

JSON = dict[str, Any]


class Told(ListTransport):
    """The events as JSON."""

    @property
    def json(self) -> list[JSON]:
        return [Serde.to_dict(event) for event in self.events]

    @property
    def types(self) -> list[str]:
        return [event["eventType"] for event in self.json]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def emitter(told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emitter]:
    for name in (
        "OPENLINEAGE_PARENT_ID",
        "OPENLINEAGE_ROOT_PARENT_ID",
        "OPENLINEAGE_NAMESPACE",
        "OPENLINEAGE_DISABLED",
    ):
        monkeypatch.delenv(name, raising=False)
    with Emitter(transport=told, namespace="ml") as made:
        yield made


def digest_of(dataset: JSON) -> str:
    digests: list[JSON] = dataset["facets"]["lineageGraph_contentHash"]["digests"]
    return str(digests[0]["digest"])


def test_rollout_starts_when_it_serves_and_completes_when_it_stops(emitter: Emitter, told: Told) -> None:
    deployment = emitter.deployment("scoring", environment="production")
    model, log = Model("ml", "model", version="1"), Dataset("db", "predictions")
    pipeline = DeliveryPipeline(url="https://ci.example/7", id="7")
    rollout = deployment.rollout([model], traffic=[(model, 90)], approved_by="ada", pipeline=pipeline, log=log)
    assert told.events == []
    rollout.start()
    rollout.stop()
    start, complete = told.json
    assert told.types == ["START", "COMPLETE"]
    job_type = start["job"]["facets"]["jobType"]
    assert (job_type["processingType"], job_type["jobType"]) == ("SERVICE", "DEPLOYMENT")
    facet = start["run"]["facets"]["lineageGraph_rollout"]
    assert facet["traffic"] == [{"namespace": "ml", "name": "model", "version": "1", "percent": 90}]
    assert (facet["environment"], facet["approvedBy"], facet["pipeline"]["id"]) == ("production", "ada", "7")
    assert [each["name"] for each in start["inputs"]] == ["model"]
    assert [each["name"] for each in start["outputs"]] == ["predictions"] == [x["name"] for x in complete["outputs"]]


def test_model_that_a_living_rollout_loads_is_told_at_once(emitter: Emitter, told: Told) -> None:
    with emitter.deployment("scoring").rollout([Model("ml", "model", version="1")]) as rollout:
        rollout.reads(Model("ml", "model", version="2"))
    assert told.types == ["START", "RUNNING", "COMPLETE"]
    assert [each["facets"]["version"]["datasetVersion"] for each in told.json[1]["inputs"]] == ["1", "2"]


def test_interrupted_rollout_is_aborted(emitter: Emitter, told: Told) -> None:
    with pytest.raises(KeyboardInterrupt), emitter.deployment("scoring").rollout([]):
        raise KeyboardInterrupt
    assert told.types == ["START", "ABORT"]


def test_dataset_event_tells_the_hash_of_a_file(emitter: Emitter, told: Told, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("1\n")
    hashed = emitter.emit_dataset(Dataset.file(tmp_path / "raw.csv", owners=("team:a",)))
    [event] = told.json
    assert "run" not in event
    assert digest_of(event["dataset"]) == hashed.digests[0].digest == hash_file(tmp_path / "raw.csv").digest
    assert event["dataset"]["facets"]["ownership"]["owners"] == [{"name": "team:a"}]
    with pytest.raises(HashingError):
        emitter.emit_dataset(tmp_path / "absent.csv")


def test_files_are_named_by_their_absolute_path_without_dots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v1").mkdir()
    (tmp_path / "current").symlink_to("v1")
    assert Dataset.file("a/../x.csv").name == str(tmp_path / "x.csv")
    assert Dataset.file("current/model").name == str(tmp_path / "current" / "model")
    assert Dataset.file("x.csv", namespace="s3://lake", name="x").name == "x"
    assert Dataset.file("bad\udcffname").name.endswith("bad\\udcffname")


def test_events_name_their_producer_and_leave_others_alone(emitter: Emitter, told: Told) -> None:
    with emitter.run("job") as run:
        run.writes(Dataset("db", "out", version="1"))
    event = told.json[1]
    assert event["producer"].startswith("urn:lineage-graph:emitter:")
    assert event["outputs"][0]["facets"]["version"]["_producer"] == event["producer"]
    from openlineage.client.facet_v2 import PRODUCER

    assert PRODUCER.startswith("https://github.com/OpenLineage")
