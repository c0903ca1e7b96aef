"""Every event that the emitters make is valid by OpenLineage's schemas and by our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from openlineage.client.serde import Serde

from lineage_ingest.demo.pipeline import DemoResult, change_source, run_pipeline
from lineage_ingest.emit import (
    ColumnSource,
    Dataset,
    DeliveryPipeline,
    Digest,
    Emitter,
    Feature,
    ListTransport,
    Model,
    ModelCard,
    Role,
    hash_file,
)
from lineage_ingest.emit import facet as own
from lineage_ingest.emit.code import CodeLocation
from lineage_ingest.facets import URN, facet_id, facet_names, load_facet_schema, read_facet_schema

JSON = dict[str, Any]

SPECIFICATION = Path(__file__).parents[2] / ".." / "shared" / "data" / "openlineage-spec"
CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json"

needs_specification = pytest.mark.skipif(
    not SPECIFICATION.is_dir(), reason="OpenLineage's schemas (shared/data/openlineage-spec) are not here"
)


class Schemas:
    """All schemas by the facet's name, official ones and ours."""

    def __init__(self) -> None:
        official = [json.loads(path.read_text()) for path in sorted((SPECIFICATION / "facets").glob("*.json"))]
        core = json.loads((SPECIFICATION / "OpenLineage.json").read_text())
        documents = [core, *official, *map(load_facet_schema, facet_names())]
        self.registry = jsonschema_rs.Registry([(document["$id"], document) for document in documents])
        self.event = self._validator({"$ref": CORE})
        self.facets = {
            (key, document["$id"]): self._validator({"$ref": document["$id"]})
            for document in documents[1:]
            for key in document.get("properties", {})
        }

    def _validator(self, schema: JSON) -> Any:
        return jsonschema_rs.validator_for(schema, registry=self.registry)

    def check(self, event: JSON) -> None:
        self.event.validate(event)
        for facets in facet_groups(event):
            for name, content in facets.items():
                document = content["_schemaURL"].partition("#")[0]
                self.facets[name, document].validate({name: content})


def facet_groups(event: JSON) -> Iterator[JSON]:
    for holder in ("run", "job", "dataset"):
        yield event.get(holder, {}).get("facets", {})
    for dataset in event.get("inputs", []) + event.get("outputs", []):
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield dataset.get(kind, {})


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas()


def accept(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "failed_events": []})


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoResult, list[JSON], list[JSON]]:
    told, predictions, lines = ListTransport(), list[JSON](), list[str]()

    def take(request: httpx.Request) -> httpx.Response:
        predictions.extend(json.loads(request.content))
        return accept(request)

    folder = tmp_path_factory.mktemp("demo")
    url = "http://lineage.test"
    emitter = Emitter(url, transport=told, namespace="clinic", owners=["team:ml"], strict=True)
    result = run_pipeline(url, folder, lines.append, emitter=emitter, network=httpx.MockTransport(take))
    assert len(lines) >= 5
    return result, [Serde.to_dict(event) for event in told.events], predictions


@needs_specification
def test_every_event_of_the_demo_is_valid(demo: tuple[DemoResult, list[JSON], list[JSON]], schemas: Schemas) -> None:
    result, events, _ = demo
    assert result.events == len(events) > 15
    for event in events:
        schemas.check(event)


def roll_out(emitter: Emitter) -> None:
    model = Model("ml", "m", version="1")
    deployment = emitter.deployment("scoring", environment="production")
    pipeline = DeliveryPipeline("https://ci.example", "1")
    with deployment.rollout(
        [model],
        endpoint="/",
        traffic=[(model, 50.5)],
        approved_by="ada",
        pipeline=pipeline,
        log=Dataset("db", "log"),
    ):
        pass
    with deployment.rollout([model]):
        pass


@needs_specification
def test_every_facet_that_an_emitter_can_tell_is_valid(schemas: Schemas, tmp_path: Path) -> None:
    told = ListTransport()
    (tmp_path / "in.csv").write_text("a\n")
    code = CodeLocation("https://git.example/repo", "0" * 40, "main", "train.py")
    card = ModelCard("f", "E", "1", "t", {"depth": None, "C": 1}, (Feature("a", 0.5), Feature("b")), "shap")
    with Emitter(transport=told, owners=["team:ml"], code=code) as emitter:
        with emitter.run("dag") as dag, dag.child("job", description="d") as run:
            source = run.reads(tmp_path / "in.csv", role=Role.TRAIN, version="1")
            run.parameters({"C": 1, "none": None})
            run.metrics({"auc": 1}, split="TEST", dataset=source)
            run.environment(packages=["httpx"], seed=1, image="sha256:1", hardware="one core")
            digests = (Digest("0" * 64, "table", rows=3), Digest("ab", "etag", "md5", "METADATA"))
            out = Dataset("db", "out", digests=digests, schema={"a": "int", "b": None}, kind="TABLE", owners=("x",))
            run.writes(out, mode="CREATE", columns={"a": [ColumnSource(source, "a")]}, conditions=[])
            run.writes(Model("ml", "m", version="1", card=card), mode="OVERWRITE")
            run.running()
        with pytest.raises(ValueError, match="no luck"), emitter.run("failing"):
            raise ValueError("no luck")
        roll_out(emitter)
        emitter.emit_dataset(tmp_path / "in.csv")
    events = [Serde.to_dict(event) for event in told.events]
    for event in events:
        schemas.check(event)
    names = {name for event in events for group in facet_groups(event) for name in group}
    ours = {own.CONTENT_HASH, own.MODEL, own.METRICS, own.ENVIRONMENT, own.ROLE, own.ROLLOUT}
    assert ours | {"parent", "errorMessage", "sourceCodeLocation", "columnLineage", "outputStatistics"} <= names


@needs_specification
@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("lineageGraph_contentHash", {"digests": []}),
        (
            "lineageGraph_contentHash",
            {"digests": [{"algorithm": "sha256", "digest": "ab", "scope": "FULL", "method": "file"}]},
        ),
        (
            "lineageGraph_contentHash",
            {"digests": [{"algorithm": "md5", "digest": "AB", "scope": "FULL", "method": "file"}]},
        ),
        (
            "lineageGraph_contentHash",
            {"digests": [{"algorithm": "md5", "digest": "ab", "scope": "SOME", "method": "file"}]},
        ),
        ("lineageGraph_role", {"role": "TRAINING"}),
        ("lineageGraph_model", {"framework": "f"}),
        ("lineageGraph_metrics", {"metrics": [{"name": "auc"}]}),
        ("lineageGraph_environment", {"packages": {"a": 1}}),
        ("lineageGraph_rollout", {"traffic": [{"namespace": "a", "name": "b", "percent": 101}]}),
    ],
)
def test_our_schemas_refuse_what_the_contract_does_not_allow(schemas: Schemas, key: str, content: JSON) -> None:
    [validator] = [validator for (name, _), validator in schemas.facets.items() if name == key]
    base = {"_producer": "urn:x", "_schemaURL": "urn:y"}
    assert not validator.is_valid({key: base | content})


def test_each_of_our_schemas_is_found_by_its_name_and_names_its_id() -> None:
    assert len(facet_names()) == 6
    for name in facet_names():
        schema = load_facet_schema(name)
        assert schema["$id"] == facet_id(name) == f"{URN}{name}:1-0-0"
        [key] = schema["properties"]
        assert key.startswith(own.PREFIX)
        assert schema["properties"][key]["$ref"] == f"#/$defs/{name}"
        assert json.loads(read_facet_schema(name)) == schema
    with pytest.raises(KeyError):
        load_facet_schema("../pyproject")


def test_each_facet_class_names_a_schema_that_exists() -> None:
    classes = [
        own.ContentHashDatasetFacet,
        own.ModelDatasetFacet,
        own.MetricsRunFacet,
        own.EnvironmentRunFacet,
        own.RoleDatasetFacet,
        own.RolloutRunFacet,
    ]
    urls = [facet_class._get_schema() for facet_class in classes]
    assert sorted(urls) == sorted(f"{facet_id(name)}#/$defs/{name}" for name in facet_names())


def test_demo_builds_on_two_sources_and_serves_two_versions(demo: tuple[DemoResult, list[JSON], list[JSON]]) -> None:
    result, events, predictions = demo
    raw = [event["dataset"]["name"] for event in events if "dataset" in event]
    assert len(raw) == 2
    assert result.source.name in raw
    assert [served.version for served in result.rollouts] == ["1", "2"]
    assert {served.model for served in result.rollouts} == {result.champion}
    assert len(result.models) == 2
    for served in result.rollouts:
        of_rollout = [record for record in predictions if record["run"] == served.run_id]
        assert len(of_rollout) == served.predictions == 300
        assert served.prediction_id in [record["id"] for record in of_rollout]
        assert {record["model"]["version"] for record in of_rollout} == {served.version}


def test_demo_reads_exactly_what_was_written(demo: tuple[DemoResult, list[JSON], list[JSON]]) -> None:
    _, events, _ = demo
    known = {digest_of(event["dataset"]) for event in events if "dataset" in event}
    for event in events:
        known |= {digest_of(dataset) for dataset in event.get("outputs", [])}
        assert {digest_of(dataset) for dataset in event.get("inputs", [])} <= known


def digest_of(dataset: JSON) -> tuple[str, str]:
    return dataset["name"], dataset["facets"][own.CONTENT_HASH]["digests"][0]["digest"]


def test_demo_starts_tell_their_inputs(demo: tuple[DemoResult, list[JSON], list[JSON]]) -> None:
    _, events, _ = demo
    starts = [event for event in events if event.get("eventType") == "START"]
    without = [event["job"]["name"] for event in starts if not event["inputs"]]
    assert without == ["progression-pipeline"]


def test_demo_is_the_same_each_time(demo: tuple[DemoResult, list[JSON], list[JSON]], tmp_path: Path) -> None:
    _, events, predictions = demo
    told, again = ListTransport(), list[JSON]()

    def take(request: httpx.Request) -> httpx.Response:
        again.extend(json.loads(request.content))
        return accept(request)

    emitter = Emitter("http://lineage.test", transport=told, namespace="clinic", strict=True)
    run_pipeline("http://lineage.test", tmp_path, str, emitter=emitter, network=httpx.MockTransport(take))
    digests = [[digest_of(dataset)[1] for dataset in event.get("outputs", [])] for event in events]
    events_again = [Serde.to_dict(event) for event in told.events]
    assert digests == [[digest_of(dataset)[1] for dataset in event.get("outputs", [])] for event in events_again]
    hashes = [
        [(record["id"], record["inputHash"], record["outputHash"]) for record in each] for each in (predictions, again)
    ]
    assert hashes[0] == hashes[1]


def test_changing_the_source_changes_one_value_on_disk(demo: tuple[DemoResult, list[JSON], list[JSON]]) -> None:
    result, _, _ = demo
    before, digest = result.source.path.read_text().splitlines(), hash_file(result.source.path)
    change_source(result)
    after = result.source.path.read_text().splitlines()
    assert hash_file(result.source.path) != digest
    assert len([pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]) == 1
