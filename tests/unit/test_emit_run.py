"""Runs as they are told, event by event."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.serde import Serde

from lineage_ingest.emit import (
    ColumnSource,
    Dataset,
    EmitError,
    Emitter,
    HashingError,
    ListTransport,
    Model,
    ModelCard,
    Parent,
    Role,
    RunReference,
    RunStateError,
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


def test_run_tells_start_with_what_is_known_and_complete_with_all(emitter: Emitter, told: Told, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a\n1\n")
    (tmp_path / "late.csv").write_text("b\n2\n")
    run = emitter.run("job")
    run.reads(tmp_path / "in.csv")
    with run:
        run.reads(str(tmp_path / "late.csv"))
        run.writes(tmp_path / "out.csv", mode="OVERWRITE")
        (tmp_path / "out.csv").write_text("written after it was told\n")
    start, complete = told.json
    assert told.types == ["START", "COMPLETE"]
    assert [each["name"] for each in start["inputs"]] == [str(tmp_path / "in.csv")]
    assert [each["name"] for each in complete["inputs"]] == [str(tmp_path / name) for name in ("in.csv", "late.csv")]
    assert start["outputs"] == []
    [output] = complete["outputs"]
    assert (output["namespace"], output["name"]) == ("file", str(tmp_path / "out.csv"))
    assert digest_of(output) == hash_file(tmp_path / "out.csv").digest
    assert output["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "OVERWRITE"
    assert output["outputFacets"]["outputStatistics"]["size"] == 26
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert uuid.UUID(start["run"]["runId"]).version == 7
    assert start["eventTime"] < complete["eventTime"]


def test_input_is_hashed_as_it_was_when_it_was_told(emitter: Emitter, told: Told, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("before")
    before = hash_file(path).digest
    with emitter.run("job") as run:
        run.reads(path)
        path.write_text("after")
    assert digest_of(told.json[1]["inputs"][0]) == before


def test_exception_fails_the_run_with_the_error_and_reaches_the_caller(
    emitter: Emitter, told: Told, tmp_path: Path
) -> None:
    run = emitter.run("job")
    run.writes(tmp_path / "never-written.csv")
    with pytest.raises(ZeroDivisionError), run:
        _ = 1 / 0
    assert told.types == ["START", "FAIL"]
    error = told.json[1]["run"]["facets"]["errorMessage"]
    assert (error["message"], error["programmingLanguage"]) == ("division by zero", "PYTHON")
    assert "ZeroDivisionError" in error["stackTrace"]
    assert "_ = 1 / 0" in error["stackTrace"]
    assert [each["name"] for each in told.json[1]["outputs"]] == [str(tmp_path / "never-written.csv")]
    assert emitter.counts.problems == 0


@pytest.mark.parametrize(
    ("error", "event"),
    [(KeyboardInterrupt(), "ABORT"), (GeneratorExit(), "ABORT"), (SystemExit(0), "ABORT"), (SystemExit(3), "FAIL")],
)
def test_what_stops_a_run_from_outside_aborts_it(
    emitter: Emitter, told: Told, error: BaseException, event: str
) -> None:
    with pytest.raises(type(error)), emitter.run("job"):
        raise error
    assert told.types == ["START", event]


def test_error_text_that_utf8_can_not_hold_is_told_all_the_same(emitter: Emitter, told: Told) -> None:
    with pytest.raises(ValueError, match="bad"), emitter.run("job"):
        raise ValueError("bad \udcff name")
    assert told.json[1]["run"]["facets"]["errorMessage"]["message"] == "bad \\udcff name"


def test_missing_output_is_told_without_hash_and_counted(
    emitter: Emitter, told: Told, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), emitter.run("job") as run:
        run.reads(tmp_path / "absent.csv")
        run.writes(tmp_path / "missing.csv")
    assert told.types == ["START", "COMPLETE"]
    assert "lineageGraph_contentHash" not in told.json[1]["outputs"][0]["facets"]
    assert emitter.counts.problems == 2
    assert "missing.csv can't be read: No such file" in caplog.text


def test_strict_emitter_raises_what_others_log(told: Told, tmp_path: Path) -> None:
    with Emitter(transport=told, strict=True) as emitter:
        with pytest.raises(HashingError), emitter.run("job") as run:
            run.reads(tmp_path / "absent.csv")
        with pytest.raises(EmitError, match="nan"), emitter.run("job") as run:
            run.metrics({"loss": float("nan")})
    assert told.types == ["START", "FAIL"] * 2


def test_append_also_reads_and_tells_no_lifecycle(emitter: Emitter, told: Told, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("1\n")
    with emitter.run("job") as run:
        run.writes(tmp_path / "log.csv", mode="APPEND")
    complete = told.json[1]
    assert [each["name"] for each in complete["inputs"]] == [str(tmp_path / "log.csv")]
    assert "lineageGraph_contentHash" not in complete["inputs"][0]["facets"]
    assert "lifecycleStateChange" not in complete["outputs"][0]["facets"]


def test_training_tells_roles_parameters_metrics_environment_and_card(emitter: Emitter, told: Told) -> None:
    card = ModelCard("scikit-learn", "LogisticRegression", parameters={"C": 0.1, "solver": None})
    with emitter.run("train") as run:
        run.reads(Dataset("db", "train"), role=Role.TRAIN, version="7")
        test = run.reads(Dataset("db", "test"), role="TEST")
        run.parameters({"C": 0.1, "layers": (8, 4), "solver": None, "kind": "l2"})
        run.metrics({"auc": 0.9, "loss": float("inf")}, split="TEST", dataset=test)
        run.environment(packages=["httpx", "no-such-package"], seed=3)
        run.writes(Model("ml", "model", version="2", card=card))
    event = told.json[1]
    facets = event["run"]["facets"]
    assert [each["facets"]["lineageGraph_role"]["role"] for each in event["inputs"]] == ["TRAIN", "TEST"]
    assert event["inputs"][0]["facets"]["version"]["datasetVersion"] == "7"
    parameters = {each["key"]: each["value"] for each in facets["executionParameters"]["parameters"]}
    assert parameters == {"C": "0.1", "layers": "[8, 4]", "solver": "null", "kind": "l2"}
    dataset = {"namespace": "db", "name": "test"}
    assert facets["lineageGraph_metrics"]["metrics"] == [
        {"name": "auc", "value": 0.9, "split": "TEST", "dataset": dataset}
    ]
    environment = facets["lineageGraph_environment"]
    assert (list(environment["packages"]), environment["seed"]) == (["httpx"], 3)
    output = event["outputs"][0]["facets"]
    assert output["datasetType"]["datasetType"] == "MODEL"
    assert output["lineageGraph_model"]["parameters"] == {"C": 0.1}
    assert emitter.counts.problems == 1


def test_columns_are_told_with_their_sources(emitter: Emitter, told: Told) -> None:
    source = Dataset("db", "raw")
    with emitter.run("job") as run:
        run.writes(
            Dataset("db", "clean"),
            columns={"x": [ColumnSource(source, "y", subtype="IDENTITY")]},
            conditions=[ColumnSource(source, "z", "INDIRECT", "FILTER")],
        )
    lineage = told.json[1]["outputs"][0]["facets"]["columnLineage"]
    [field] = lineage["fields"]["x"]["inputFields"]
    assert (field["namespace"], field["name"], field["field"]) == ("db", "raw", "y")
    assert lineage["dataset"][0]["transformations"] == [{"type": "INDIRECT", "subtype": "FILTER"}]


def test_child_names_its_parent_and_the_root_of_all(emitter: Emitter, told: Told) -> None:
    with emitter.run("dag") as dag, dag.child("task") as task, emitter.run("step", parent=task) as step:
        pass
    parent = told.json[2]["run"]["facets"]["parent"]
    assert (parent["run"]["runId"], parent["job"]["name"]) == (task.run_id, "task")
    assert (parent["root"]["run"]["runId"], parent["root"]["job"]["name"]) == (dag.run_id, "dag")
    assert step.job.namespace == "ml"


def test_orchestrator_names_the_parent_in_the_environment(
    emitter: Emitter, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = str(uuid.uuid4())
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", f"airflow/dag.with/slash/{run_id}")
    with emitter.run("job"):
        pass
    parent = told.json[0]["run"]["facets"]["parent"]
    assert (parent["job"]["name"], parent["run"]["runId"]) == ("dag.with/slash", run_id)
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", "no parent at all")
    with emitter.run("job"):
        pass
    assert "parent" not in told.json[2]["run"]["facets"]


def test_parent_may_be_told_by_its_names(emitter: Emitter, told: Told) -> None:
    reference = RunReference("airflow", "dag", str(uuid.uuid4()))
    with emitter.run("job", parent=Parent(reference, reference)):
        pass
    assert told.json[0]["run"]["facets"]["parent"]["run"]["runId"] == reference.run_id


def test_run_does_nothing_twice_and_nothing_after_its_end(emitter: Emitter) -> None:
    run = emitter.run("job")
    with pytest.raises(RunStateError, match="was not started"):
        run.complete()
    with run:
        run.running()
        with pytest.raises(RunStateError, match="started before"):
            run.start()
    with pytest.raises(RunStateError, match="has ended"):
        run.abort()
    for late in (lambda: run.reads(Dataset("a", "b")), lambda: run.parameters({}), lambda: run.metrics({})):
        with pytest.raises(RunStateError, match="has ended"):
            late()


def test_run_may_end_itself_inside_with(emitter: Emitter, told: Told) -> None:
    with emitter.run("job") as run:
        run.abort()
    assert told.types == ["START", "ABORT"]


def test_a_uri_is_not_taken_for_a_file() -> None:
    with pytest.raises(ValueError, match=r"Dataset\(namespace, name\)"):
        Dataset.file("postgres://db/orders")
