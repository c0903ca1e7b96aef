"""Wrong types and missing fields are named, and cost their neighbours in a batch nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.hostile.answers import (
    DATASET_EVENT,
    PREDICTION,
    RUN_EVENT,
    dataset,
    problem,
    run_event,
    run_id,
    timed,
    told_outputs,
)
from tests.integration.server_process import ServerProcess

MIB = 1 << 20

WRONG: list[Any] = [None, True, 7, 1.5, "", "no", [], {}, [{}], {"a": 1}]
RUN_FIELDS = {
    "/eventTime": str, "/eventType": str, "/producer": str, "/schemaURL": str,
    "/run": dict, "/run/runId": str, "/run/facets": dict,
    "/job": dict, "/job/namespace": str, "/job/name": str, "/job/facets": dict,
    "/inputs": list, "/inputs/0": dict, "/inputs/0/namespace": str, "/inputs/0/name": str, "/inputs/0/facets": dict,
    "/inputs/0/inputFacets": dict,
    "/outputs": list, "/outputs/0": dict, "/outputs/0/namespace": str, "/outputs/0/name": str,
    "/outputs/0/facets": dict, "/outputs/0/outputFacets": dict,
}  # fmt: skip
DATASET_FIELDS = {"/eventTime": str, "/dataset": dict, "/dataset/namespace": str, "/dataset/name": str}
PREDICTION_FIELDS = {
    "/id": str, "/time": str, "/deployment": dict, "/deployment/namespace": str, "/deployment/name": str,
}  # fmt: skip


def wrong_types(whole: dict[str, Any], fields: dict[str, type]) -> Iterator[tuple[str, bytes]]:
    """(pointer, a record that is wrong there and nowhere else)."""
    for pointer, right in fields.items():
        for value in WRONG:
            if type(value) is not right:
                yield pointer, replaced(whole, pointer, value)


def replaced(whole: dict[str, Any], pointer: str, value: Any) -> bytes:
    whole = copy.deepcopy(whole)
    *path, last = pointer[1:].split("/")
    at: Any = whole
    for step in path:
        at = at[int(step) if isinstance(at, list) else step]
    at[int(last) if isinstance(at, list) else last] = value
    return json.dumps(whole).encode()


def test_a_wrong_type_at_any_field_is_named(server: ServerProcess) -> None:
    told = 0
    for path, whole, fields in (
        ("/api/v1/lineage", RUN_EVENT, RUN_FIELDS),
        ("/api/v1/lineage", DATASET_EVENT, DATASET_FIELDS),
        ("/api/v1/predictions", PREDICTION, PREDICTION_FIELDS),
    ):
        for pointer, record in wrong_types(whole, fields):
            answer = problem(timed(lambda: server.post(path, record)), 422, "INVALID_EVENT")  # noqa: B023
            assert answer["field"].startswith(pointer), record
            told += 1
    assert told > 250


@pytest.mark.parametrize(
    "pointer", ["/eventTime", "/producer", "/schemaURL", "/run/runId", "/job/namespace", "/job/name"]
)
def test_a_missing_field_is_named(server: ServerProcess, pointer: str) -> None:
    event = copy.deepcopy(RUN_EVENT)
    *path, last = pointer[1:].split("/")
    del (event[path[0]] if path else event)[last]
    assert problem(server.post("/api/v1/lineage", json.dumps(event).encode()), 422, "INVALID_EVENT")["field"] == pointer


@pytest.mark.parametrize("run", ["", "1", "not-a-uuid", "01890000-0000-7000-8000-00000000000g", "0" * 100_000])
def test_a_run_id_that_is_no_uuid_is_refused(server: ServerProcess, run: str) -> None:
    answer = server.post("/api/v1/lineage", replaced(RUN_EVENT, "/run/runId", run))
    assert problem(answer, 422, "INVALID_EVENT")["field"] == "/run/runId"


def test_a_bad_element_costs_its_neighbours_in_a_batch_nothing(server: ServerProcess) -> None:
    bad = [
        b"7", b"null", b"[]", b'"text"', b"{}", b'{"eventTime": NaN}', b'{"a": 1, "a": 2}', b"[" * 400 + b"]" * 400,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000, b'{"n": 1e999}',
        *(record for _, record in list(wrong_types(RUN_EVENT, RUN_FIELDS))[::10]),
    ]  # fmt: skip
    good = [run_event(outputs=[dataset(f"neighbour {number}")]) for number in range(len(bad) + 1)]
    elements = [each for pair in zip(good, bad, strict=False) for each in pair] + [good[-1]]
    for body, kind in (
        (b"[" + b",".join(elements) + b"]", "application/json"),
        (b"\n".join(elements), "application/x-ndjson"),
    ):
        answer = timed(lambda body=body, kind=kind: server.post("/api/v1/lineage/batch", body, content_type=kind))  # type: ignore[misc]
        assert answer.status_code == 200, answer.text[:500]
        told = answer.json()
        assert told["status"] == "partial_success"
        assert [each["element"] for each in told["receipts"]] == list(range(0, len(elements), 2))
        assert [each["index"] for each in told["failed_events"]] == list(range(1, len(elements), 2))
        assert all(each["retriable"] is False for each in told["failed_events"])
    for number in range(len(good)):
        name = f"neighbour {number}"
        assert told_outputs(server, {"run": {"runId": run_id(name)}}) == [name]


def test_a_batch_of_nothing_but_commas_or_lines_is_answered_at_once(server: ServerProcess) -> None:
    commas = timed(lambda: server.post("/api/v1/lineage/batch", b"[" + b"," * (16 * MIB) + b"]"))
    assert commas.status_code in (400, 413)
    ones = timed(lambda: server.post("/api/v1/lineage/batch", b"[" + b"1," * (8 * MIB) + b"1]"))
    problem(ones, 413, "TOO_LARGE")
    lines = timed(lambda: server.post("/api/v1/lineage/batch", b"1\n" * (8 * MIB), content_type="application/x-ndjson"))
    problem(lines, 413, "TOO_LARGE")
