"""Strange values that are taken come out as they went in."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.integration.hostile.answers import (
    RUN_EVENT,
    dataset,
    run_event,
    run_id,
    told_outputs,
)
from tests.integration.server_process import ServerProcess

NAMES = [
    "a.b.c", "a.b:c", "a:b.c", "a/b\\c", "", " ", "..", "%", "_", "*", "'", '"', "`",
    "Straße ÀÉ İ ﬁ 日本 🦜", "e\u0301", "\u00e9", "\u202egnirts", "\u2028", "line\nfeed\ttab\x7f",
    "'; DROP TABLE node; --", "x' OR '1'='1", "MATCH (n) DETACH DELETE n //", "`) DETACH DELETE n //", "${jndi:ldap://x}",
    "{{7*7}}", "$1", ":name", "?1", "@p", "<script>alert(1)</script>", "../../etc/passwd", "null", "NaN", "0",
    "x" * 4_000, "sha256:" + "0" * 64, "DEADBEEF", "deadbeef", "00000000-0000-0000-0000-000000000000",
]  # fmt: skip


def test_every_name_is_kept_apart_and_found_as_it_was_sent(server: ServerProcess) -> None:
    assert len(set(NAMES)) == len(NAMES)
    for number, name in enumerate(NAMES):
        event = copy.deepcopy(RUN_EVENT)
        event["run"]["runId"] = f"02000000-0000-7000-8000-{number:012d}"
        event["job"] |= {"namespace": f"names {name}", "name": name}
        event["inputs"] = [{"namespace": name, "name": "source"}]
        event["outputs"] = [{"namespace": "names", "name": name}]
        assert server.post("/api/v1/lineage", json.dumps(event).encode()).status_code == 201
    for name in NAMES:
        assert told_outputs(server, {"dataset": {"namespace": name, "name": "source"}})[-1:] == [name]
        assert told_outputs(server, {"job": {"namespace": f"names {name}", "name": name}})[-1:] == [name]
        search = server.ask("query ($text: String!) { search(text: $text) { ledgerIndex } }", {"text": name})
        assert "errors" not in search or search["errors"][0]["extensions"]["code"] == "BAD_INPUT", search


def test_names_that_join_alike_are_two_datasets(server: ServerProcess) -> None:
    for number, (namespace, name) in enumerate([("ab", "c.d"), ("ab.c", "d"), ("ab:c", "d"), ("ab", "c:d")]):
        event = copy.deepcopy(RUN_EVENT)
        event["run"]["runId"] = f"02100000-0000-7000-8000-{number:012d}"
        event |= {"inputs": [{"namespace": namespace, "name": name}], "outputs": [dataset(f"joined {number}")]}
        event["job"]["name"] = f"join {number}"
        assert server.post("/api/v1/lineage", json.dumps(event).encode()).status_code == 201
    assert told_outputs(server, {"dataset": {"namespace": "ab", "name": "c.d"}})[-1:] == ["joined 0"]
    assert told_outputs(server, {"dataset": {"namespace": "ab.c", "name": "d"}})[-1:] == ["joined 1"]


def test_integers_beyond_53_bits_stay_exact(server: ServerProcess) -> None:
    numbers = [2**53 + 1, 2**63 - 1, 2**63, 2**64 + 1, -(2**70), 10**1000]
    parameters = [{"key": f"k{place}", "value": number} for place, number in enumerate(numbers)]
    digests = [{"algorithm": "sha256", "digest": "a" * 64, "scope": "FULL", "method": "file", "bytes": 2**53 + 1}]
    event = copy.deepcopy(RUN_EVENT)
    event["run"]["runId"] = run_id("integers")
    event["run"]["facets"] = {"executionParameters": {"parameters": parameters}}
    event["outputs"] = [
        dataset(
            "integers",
            lineageGraph_contentHash={"digests": digests},
            datasetType={"datasetType": "MODEL"},
            version={"datasetVersion": 2**63 + 1},
        )
    ]
    event["outputs"][0]["outputFacets"] = {"outputStatistics": {"rowCount": 2**70, "size": -(2**65)}}
    assert server.post("/api/v1/lineage", json.dumps(event).encode()).status_code == 201
    query = "query ($of: ServedInput!) { trainingData(of: $of) { models { trainedBy { parameters } } } }"
    answer = server.client.post(
        "/graphql", json={"query": query, "variables": {"of": {"model": {"namespace": "db", "name": "integers"}}}}
    )
    told = answer.json()["data"]["trainingData"]["models"][0]["trainedBy"]["parameters"]
    assert [int(told[f"k{place}"]) for place in range(len(numbers))] == numbers


def test_lone_surrogates_and_nul_are_taken_with_a_warning(server: ServerProcess) -> None:
    event = run_event(outputs=[dataset("cut \ud83d here"), dataset("nul \0 here")])
    answer = server.post("/api/v1/lineage", event)
    assert answer.status_code == 201, answer.text
    assert sorted(answer.json()["warnings"]) == ["LONE_SURROGATE", "NUL_CHARACTER"]
    found = told_outputs(server, {"run": {"runId": run_id("cut \ud83d here")}})
    assert sorted(found) == ["cut \ufffd here", "nul \ufffd here"]


@pytest.mark.parametrize(
    "time_told", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2099-01-01T00:00:00+14:00", "2026-05-01"]
)
def test_times_at_the_ends_of_time_are_answered(server: ServerProcess, time_told: str) -> None:
    event = run_event(outputs=[dataset(f"at {time_told}")], eventTime=time_told)
    answer = server.post("/api/v1/lineage", event)
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert told_outputs(server, {"run": {"runId": run_id(f"at {time_told}")}}) == [f"at {time_told}"]


def test_facets_of_any_content_are_projected(server: ServerProcess) -> None:
    known = [
        "schema", "version", "symlinks", "columnLineage", "lifecycleStateChange", "datasetType", "ownership", "tags",
        "lineageGraph_contentHash", "lineageGraph_model", "lineageGraph_role", "lineage", "documentation", "storage",
        "dataSource", "outputStatistics", "catalog",
    ]  # fmt: skip
    inner = [
        "fields",
        "datasetVersion",
        "identifiers",
        "lifecycleStateChange",
        "datasetType",
        "owners",
        "tags",
        "digests",
    ]
    number = 0
    for name in known:
        for value in (None, 7, "x", [], [None], [7], [{}], {}, {"a": {"inputFields": 7}}, {"a": {"inputFields": [{}]}}):
            facet = dict.fromkeys(inner, value)
            output = {
                "namespace": "db",
                "name": f"facet {number}",
                "facets": {name: facet},
                "outputFacets": {name: facet},
            }
            event = copy.deepcopy(RUN_EVENT)
            event["run"] = {"runId": f"03000000-0000-7000-8000-{number:012d}", "facets": run_facets(value)}
            event["job"]["facets"] = dict.fromkeys(("jobType", "sourceCodeLocation", "ownership", "tags"), facet)
            event |= {
                "inputs": [output | {"name": f"input {number}", "inputFacets": {name: facet}}],
                "outputs": [output],
            }
            assert server.post("/api/v1/lineage", json.dumps(event).encode()).status_code == 201
            number += 1
    assert told_outputs(server, {"dataset": {"namespace": "db", "name": f"facet {number - 1}"}}) is not None
    assert server.metric("lineage_projection_skipped") == 0


def run_facets(value: Any) -> dict[str, Any]:
    """Run facets whose members are all ``value``."""
    members = ["run", "job", "root", "parameters", "metrics", "packages", "traffic", "environment", "errors"]
    names = [
        "parent",
        "executionParameters",
        "lineageGraph_metrics",
        "lineageGraph_environment",
        "lineageGraph_rollout",
    ]
    return {name: dict.fromkeys(members, value) for name in names}


def test_a_deep_event_within_the_limit_is_projected(server: ServerProcess) -> None:
    deep: Any = "bottom"
    for _ in range(480):
        deep = {"d": deep}
    model = {"framework": "x", "estimator": "y", "parameters": deep}
    answer = server.post("/api/v1/lineage", run_event(outputs=[dataset("deep", lineageGraph_model=model, other=deep)]))
    assert answer.status_code == 201
    assert told_outputs(server, {"run": {"runId": run_id("deep")}}) == ["deep"]
