"""Records to send, and what is told in answer."""

from __future__ import annotations

import copy
import json
import time
import zlib
from collections.abc import Callable
from typing import Any

import httpx

from tests.integration.server_process import ServerProcess

QUICK = 5.0
"""Seconds: clients send the same event again after so long."""

RUN_EVENT: dict[str, Any] = {
    "eventTime": "2026-05-01T10:00:00Z",
    "eventType": "COMPLETE",
    "producer": "urn:tests",
    "schemaURL": "urn:schema",
    "run": {"runId": "01890000-0000-7000-8000-000000000000", "facets": {}},
    "job": {"namespace": "jobs", "name": "job", "facets": {}},
    "inputs": [{"namespace": "db", "name": "source", "facets": {}, "inputFacets": {}}],
    "outputs": [{"namespace": "db", "name": "target", "facets": {}, "outputFacets": {}}],
}
DATASET_EVENT: dict[str, Any] = {
    "eventTime": "2026-05-01T10:00:00Z",
    "producer": "urn:tests",
    "schemaURL": "urn:schema",
    "dataset": {"namespace": "db", "name": "thing", "facets": {}},
}
PREDICTION: dict[str, Any] = {
    "id": "p1",
    "time": "2026-05-01T10:00:00Z",
    "deployment": {"namespace": "jobs", "name": "scorer"},
}
IMPACT = """query ($of: SubjectInput!) { impact(of: $of) { complete ledgerIndex behind
    actual(first: 100) { nodes { node { namespace name label } } } } }"""


def run_event(**members: Any) -> bytes:
    """A run of its own that writes ``outputs``."""
    event = {**copy.deepcopy(RUN_EVENT), "inputs": [], **members}
    event["run"]["runId"] = run_id(event["outputs"][0]["name"])
    return json.dumps(event).encode()


def run_id(name: str) -> str:
    return f"01890000-0000-7000-8000-{zlib.crc32(name.encode('utf-8', 'replace')):012d}"


def dataset(name: str, **facets: Any) -> dict[str, Any]:
    return {"namespace": "db", "name": name, "facets": facets}


def told_outputs(server: ServerProcess, of: dict[str, Any]) -> list[str]:
    """The names of the versions that ``of`` leads to."""
    told = server.ask(IMPACT, {"of": of})
    assert "errors" not in told, told
    assert told["data"]["impact"]["complete"]
    return [each["node"]["name"] for each in told["data"]["impact"]["actual"]["nodes"]]


def timed(call: Callable[[], httpx.Response], bound: float = QUICK) -> httpx.Response:
    begun = time.monotonic()
    answer = call()
    assert time.monotonic() - begun < bound
    return answer


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (told["status"], told["code"]) == (status, code)
    return told
