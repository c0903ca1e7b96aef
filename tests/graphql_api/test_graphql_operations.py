"""The named operations, each as it stands in graphql/operations, and the schema file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import build_schema as parse_sdl
from graphql import parse, validate

from lineage.keys import Base, column_key, dataset_key, decode_id, encode_id, job_key, run_key
from lineage_graphql.export import main, schema_text

GRAPHQL = Path(__file__).parents[2] / "graphql"
OPERATIONS = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((GRAPHQL / "operations").glob("*.graphql"))
}


def ref(name: Any) -> dict[str, str]:
    return {"namespace": name.namespace, "name": name.name}


def test_every_operation_is_valid_against_the_schema_file() -> None:
    schema = parse_sdl((GRAPHQL / "schema.graphql").read_text(encoding="utf-8"))
    assert sorted(OPERATIONS) == ["Diff", "Impact", "Node", "Path", "Provenance", "Search", "TrainingData"]
    for name, text in OPERATIONS.items():
        assert validate(schema, parse(text)) == [], name


def test_schema_file_is_what_the_code_says(tmp_path: Path) -> None:
    stale = "graphql/schema.graphql is stale: python -m lineage_graphql.export graphql/schema.graphql"
    assert (GRAPHQL / "schema.graphql").read_text(encoding="utf-8") == schema_text(), stale
    assert main([str(tmp_path / "out")]) == 0
    assert (tmp_path / "out").read_text(encoding="utf-8") == schema_text()


def test_training_data_names_models_versions_and_what_is_missing(ask: Any, pipe: SimpleNamespace) -> None:
    of = {"prediction": {"deployment": ref(pipe.service), "id": "p-1"}}
    told = ask.data(OPERATIONS["TrainingData"], of=of)["trainingData"]
    assert (told["complete"], told["ledgerIndex"], told["behind"], told["certainty"]) == (True, 4, 0, "EXACT")
    assert 0 < told["score"] < 1
    assert {gap["kind"] for gap in told["gaps"]["nodes"]} == {"NO_PRODUCER", "NO_CONTENT_HASH"}
    (model,) = told["models"]
    assert model["version"]["version"] == "1"
    assert model["version"]["dataset"] == ref(pipe.model)
    assert model["version"]["contentHashes"][0]["digest"] == pipe.digest_of(101).digest
    assert [run["runId"] for run in model["servedBy"]] == [pipe.run_id(12)]
    trained = model["trainedBy"]
    assert (trained["runId"], trained["job"], trained["codeVersion"]) == (pipe.run_id(11), ref(pipe.train), "t1")
    assert trained["parameters"] == {"max_depth": 2**60 + 1, "eta": 0.3}
    assert trained["metrics"] == [{"name": "auc", "value": 0.9}]
    hits = told["datasets"]["nodes"]
    assert [(h["version"]["dataset"]["name"], h["role"], h["distance"]) for h in hits] == [
        ("sales.features", "TRAIN", 1),
        ("raw.orders", "UPSTREAM", 2),
    ]
    assert hits[1]["version"]["version"] == "v1"


@pytest.mark.parametrize("of", ["run", "window", "model"])
def test_training_data_of_whatever_was_served(ask: Any, pipe: SimpleNamespace, of: str) -> None:
    asked = {
        "run": {"prediction": {"deployment": ref(pipe.service), "id": "p-2"}},
        "window": {
            "served": {
                "deployment": ref(pipe.service),
                "from": "2026-05-01T10:30:00Z",
                "to": "2026-05-01T12:30:00+02:00",
            }
        },
        "model": {"model": {**ref(pipe.model), "version": "2"}},
    }
    told = ask.data(OPERATIONS["TrainingData"], of=asked[of])["trainingData"]
    assert [model["version"]["version"] for model in told["models"]] == ["2"]
    assert told["datasets"]["totalCount"] == 2


def test_impact_has_both_radii_and_what_to_do(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(OPERATIONS["Impact"], of={"dataset": ref(pipe.raw)})["impact"]
    potential = {hit["node"]["label"]: hit for hit in told["potential"]["nodes"]}
    assert potential["churn"]["consequence"] == "RETRAIN"
    assert potential["churn"]["node"]["kind"] == "MODEL"
    assert potential["churn"]["via"]["label"] == "train"
    assert potential["etl"]["owners"] == [{"name": "etl-team", "type": None}]
    kinds = {row["kind"]: row for row in told["summary"]}
    assert kinds["ROLLOUT"]["actual"] == 2
    assert told["actual"]["totalCount"] == sum(row["actual"] for row in told["summary"])
    order = [(h["distance"], h["node"]["kind"]) for h in told["actual"]["nodes"]]
    assert order == sorted(order)
    assert told["predictions"]["count"] == 3
    assert told["predictions"]["firstAt"] == "2026-05-01T10:15:00.000000Z"


def test_impact_since_leaves_out_what_was_written_before(ask: Any, pipe: SimpleNamespace) -> None:
    everything = ask.data(OPERATIONS["Impact"], of={"dataset": ref(pipe.raw)})
    nothing = ask.data(OPERATIONS["Impact"], of={"dataset": ref(pipe.raw)}, since="2027-01-01T00:00:00Z")
    assert everything["impact"]["actual"]["totalCount"] > nothing["impact"]["actual"]["totalCount"] == 0


def test_provenance_gives_nodes_and_links(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(OPERATIONS["Provenance"], of={"version": {**ref(pipe.model), "version": "2"}})["provenance"]
    assert [hit["node"]["kind"] for hit in told["nodes"]["nodes"]] == ["RUN", "VERSION", "RUN", "VERSION"]
    assert {link["kind"] for link in told["links"]["nodes"]} == {"READ_BY", "WROTE"}
    assert told["links"]["totalCount"] == 4


def test_path_leads_from_source_to_target(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(OPERATIONS["Path"], **{"from": {"dataset": ref(pipe.raw)}, "to": {"dataset": ref(pipe.model)}})
    potential, actual = told["path"]["potential"], told["path"]["actual"]
    assert [node["label"] for node in potential["nodes"]] == ["raw.orders", "etl", "sales.features", "train", "churn"]
    for route in (potential, actual):
        ids = [node["id"] for node in route["nodes"]]
        assert [(link["source"]["id"], link["target"]["id"]) for link in route["links"]] == list(pairwise(ids))


def test_path_back_is_no_path(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(OPERATIONS["Path"], **{"from": {"dataset": ref(pipe.model)}, "to": {"dataset": ref(pipe.raw)}})
    assert (told["path"]["potential"], told["path"]["actual"]) == (None, None)


def test_search_finds_by_part_of_a_name_and_by_kind(ask: Any, pipe: SimpleNamespace) -> None:
    (hit,) = ask.data(OPERATIONS["Search"], text="ORDERS")["search"]["hits"]
    assert (hit["name"], hit["tags"]) == (
        "raw.orders",
        [{"key": "pii", "value": None}, {"key": "tier", "value": "1"}],
    )
    told = ask.data(OPERATIONS["Search"], text="a", kinds=["JOB", "DEPLOYMENT"])["search"]["hits"]
    assert {one["kind"] for one in told} <= {"JOB", "DEPLOYMENT"}


def test_node_shows_each_kind_with_what_belongs_to_it(ask: Any, pipe: SimpleNamespace) -> None:
    def node(base: Base, key: bytes) -> dict[str, Any]:
        told: dict[str, Any] = ask.data(OPERATIONS["Node"], id=encode_id(base, key))["node"]
        assert told["id"] == encode_id(base, key)
        return told

    raw = node(Base.DATASET, dataset_key(*pipe.raw))
    assert [(c["column"], c["type"]) for c in raw["columns"]["nodes"]] == [
        ("amount", "int"),
        ("who", None),
        ("who.id", None),
    ]
    assert [version["version"] for version in raw["versions"]["nodes"]] == ["v2", "v1"]
    assert [job["label"] for job in raw["consumers"]["nodes"]] == ["etl"]
    features = node(Base.DATASET, dataset_key(*pipe.features))
    assert [job["label"] for job in features["producers"]["nodes"]] == ["etl"]
    assert features["aliases"] == [{"namespace": "file", "name": "/tmp/features"}]
    job = node(Base.JOB, job_key(*pipe.etl))
    assert [run["runId"] for run in job["runs"]["nodes"]] == [pipe.run_id(20), pipe.run_id(10)]
    run = node(Base.RUN, run_key(pipe.run_id(11), *pipe.train))
    assert run["parent"]["runId"] == pipe.run_id(10)
    assert [read["role"] for read in run["reads"]["nodes"]] == ["TRAIN"]
    version = node(Base.VERSION, decode_id(run["writes"]["nodes"][0]["version"]["id"])[1])
    assert version["writtenBy"]["runId"] == pipe.run_id(11)
    assert version["contentHashes"][0]["bytes"] == 2**40 + 101
    column = node(Base.COLUMN, column_key(pipe.raw.namespace, pipe.raw.name, "amount"))
    assert (column["columnDescription"], column["dataset"]["name"]) == ("In cents.", "raw.orders")


def test_a_predictions_id_leads_back_to_the_record(ask: Any, pipe: SimpleNamespace) -> None:
    of = {"prediction": {"deployment": ref(pipe.service), "id": 'ü"1\\'}}
    query = "query($of: ServedInput!) { trainingData(of: $of) { records { id kind label predictionId position } } }"
    (record,) = ask.data(query, of=of)["trainingData"]["records"]
    assert (record["kind"], record["predictionId"], record["position"]) == ("PREDICTION", 'ü"1\\', 7)
    told = ask.data(OPERATIONS["Node"], id=record["id"])["node"]
    assert told["deployment"]["name"] == "fraud-api"
    assert (told["ledgerIndex"], told["rolloutRunId"], told["modelVersion"]) == (4, pipe.run_id(22), "2")


def test_names_with_quotes_dots_colons_and_unicode_come_back_as_they_are(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(OPERATIONS["Search"], text="注文")["search"]["hits"]
    assert [(hit["namespace"], hit["name"]) for hit in told] == [tuple(pipe.odd)]
    told = ask.data(OPERATIONS["Provenance"], of={"dataset": ref(pipe.odd)})["provenance"]
    assert told["nodes"]["totalCount"] == 0


def test_several_nodes_by_id_are_null_where_there_is_none(ask: Any, pipe: SimpleNamespace) -> None:
    ids = [encode_id(Base.JOB, job_key(*pipe.etl)), encode_id(Base.JOB, b"0" * 16), "nonsense"]
    told = ask.data("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)["nodes"]
    assert told == [{"__typename": "Job", "id": ids[0]}, None, None]
