"""Batches: OpenLineage's answer, receipts, and neighbours that cost each other nothing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

URL = "/api/v1/lineage/batch"
NDJSON = {"content-type": "application/x-ndjson"}
Make = Callable[..., bytes]

BAD = [
    b"{",
    b"5",
    b"null",
    b"[]",
    b'{"a": NaN}',
    b'{"a": 1, "a": 2}',
    b"{}",
    b'{"eventTime": 5}',
    b'"text"',
    b"[[1], {}]",
]


def array(*records: bytes) -> bytes:
    return b"[" + b", ".join(records) + b"]"


def test_a_batch_is_one_entry(client: TestClient, house: Any, event: Make) -> None:
    records = [event(number) for number in range(5)]
    answer = client.post(URL, content=array(*records))
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "success"
    assert body["summary"] == {"received": 5, "successful": 5, "failed": 0, "retriable": 0, "non_retriable": 0}
    assert body["failed_events"] == []
    assert [(r["index"], r["position"], r["element"]) for r in body["receipts"]] == [(0, n, n) for n in range(5)]
    assert [entry.records for entry in house.ledger.entries()] == [tuple(records)]


@pytest.mark.parametrize("headers", [NDJSON, {}, {"content-type": "text/plain"}])
def test_ndjson_is_taken_as_declared_or_as_it_looks(
    client: TestClient, house: Any, event: Make, headers: dict[str, str]
) -> None:
    records = [event(number) for number in range(3)]
    body = client.post(URL, content=b"\r\n\n".join(records) + b"\n", headers=headers).json()
    assert body["summary"]["successful"] == 3
    assert house.stored() == records


def test_bad_elements_are_named_and_cost_their_neighbours_nothing(client: TestClient, house: Any, event: Make) -> None:
    good = event(1), event(2)
    invalid = event(3, run={"runId": "x"})
    answer = client.post(URL, content=b"\n".join([good[0], b"{", invalid, good[1]]), headers=NDJSON)
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "partial_success"
    assert [(f["index"], f["code"], f["field"]) for f in body["failed_events"]] == [
        (1, "NOT_JSON", None),
        (2, "INVALID_EVENT", "/run/runId"),
    ]
    assert all(f["retriable"] is False and f["reason"] for f in body["failed_events"])
    assert [r["element"] for r in body["receipts"]] == [0, 3]
    assert house.stored() == [*good]


def test_a_batch_of_nothing_good_makes_no_entry(client: TestClient, house: Any) -> None:
    body = client.post(URL, content=array(b"1", b"{}")).json()
    assert body["status"] == "partial_success"
    assert body["summary"]["failed"] == 2
    assert house.ledger.size() == 0


@pytest.mark.parametrize(("content", "headers"), [(b"[]", {}), (b" [ ] ", {}), (b"", NDJSON), (b"\n\n", NDJSON)])
def test_an_empty_batch_is_a_success(client: TestClient, house: Any, content: bytes, headers: dict[str, str]) -> None:
    answer = client.post(URL, content=content, headers=headers)
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["summary"]["received"]) == ("success", 0)
    assert house.ledger.size() == 0


@pytest.mark.parametrize("content", [b"", b"[", b'[{"a": "]', b"[1, 2}", b"[" * 50_000, b"[1] 2"])
def test_elements_that_cannot_be_told_apart_are_refused_whole(client: TestClient, content: bytes) -> None:
    answer = client.post(URL, content=content)
    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_JSON")


def test_one_event_declared_as_json_is_no_batch(client: TestClient, event: Make) -> None:
    answer = client.post(URL, content=event(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_EVENT")
    assert "/api/v1/lineage" in answer.json()["detail"]


def test_an_element_past_the_limit_of_one_event_is_refused_alone(client: TestClient, house: Any, event: Make) -> None:
    large = event(2, producer="x" * 100_000)
    body = client.post(URL, content=array(event(1), large, event(3))).json()
    assert [(f["index"], f["code"]) for f in body["failed_events"]] == [(1, "TOO_LARGE")]
    assert house.stored() == [event(1), event(3)]


@pytest.mark.parametrize(
    ("content", "headers"),
    [(array(*[b"1"] * 201), {}), (b"1\n" * 201, NDJSON), (b"[" + b"," * 150_000 + b"]", {})],
    ids=["array", "lines", "commas"],
)
def test_more_records_than_the_limit_are_refused(client: TestClient, content: bytes, headers: dict[str, str]) -> None:
    answer = client.post(URL, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


def test_as_many_records_as_the_limit_are_taken(client: TestClient, event: Make) -> None:
    records = [event(number) for number in range(200)]
    assert client.post(URL, content=array(*records)).json()["summary"]["successful"] == 200


def test_predictions_come_as_one_or_several(client: TestClient, house: Any, prediction: Make) -> None:
    url = "/api/v1/predictions"
    pretty = json.dumps(json.loads(prediction(0)), indent=2).encode()
    assert client.post(url, content=pretty).status_code == 201
    json_type = {"content-type": "application/json"}
    assert client.post(url, content=prediction(1), headers=json_type).status_code == 201
    assert client.post(url, content=array(prediction(2), prediction(3))).json()["summary"]["successful"] == 2
    lines = prediction(4) + b"\n" + prediction(5)
    assert client.post(url, content=lines).json()["summary"]["successful"] == 2
    assert client.post(url, content=prediction(6), headers=NDJSON).json()["summary"]["successful"] == 1
    assert [(entry.kind, len(entry.records)) for entry in house.ledger.entries()] == [
        ("predictions", count) for count in (1, 1, 2, 2, 1)
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    picks=st.lists(st.one_of(st.integers(0, 6), st.sampled_from(BAD)), max_size=30),
    as_lines=st.booleans(),
    seen=st.sets(st.integers(0, 6)),
)
def test_receipts_and_failures_partition_any_batch(
    make_house: Callable[[Path], Any], event: Make, picks: list[int | bytes], as_lines: bool, seen: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = make_house(Path(folder))
        try:
            with TestClient(house.serve()) as client:
                for number in sorted(seen):
                    client.post("/api/v1/lineage", content=event(number))
                records = [event(pick) if isinstance(pick, int) else pick for pick in picks]
                content = b"\n".join(records) if as_lines else array(*records)
                answer = client.post(URL, content=content, headers=NDJSON if as_lines else {})
            if not as_lines and b"{" in picks:
                assert answer.status_code == 400
                assert len(house.stored()) == len(seen)
                return
            body = answer.json()
            good = [place for place, pick in enumerate(picks) if isinstance(pick, int)]
            bad = [place for place, pick in enumerate(picks) if not isinstance(pick, int)]
            assert [receipt["element"] for receipt in body["receipts"]] == good
            assert [failure["index"] for failure in body["failed_events"]] == bad
            assert body["summary"]["received"] == len(picks)
            assert_first_copies(house, body["receipts"], records, event, sorted(seen))
        finally:
            house.close()


def assert_first_copies(
    house: Any, receipts: list[dict[str, Any]], records: list[bytes], event: Make, seen: list[int]
) -> None:
    """The ledger holds each good record once, where its receipts say, and what was new in the batch is one entry."""
    entries = {entry.index: entry.records for entry in house.ledger.entries()}
    known = {event(number) for number in seen}
    for receipt in receipts:
        record = records[receipt["element"]]
        assert entries[receipt["index"]][receipt["position"]] == record
        assert receipt["duplicate"] is (record in known)
        known.add(record)
    stored = house.stored()
    assert len(stored) == len(set(stored))
    assert set(stored) == known
    assert len(entries) == len(seen) + (len(known) > len(seen))
