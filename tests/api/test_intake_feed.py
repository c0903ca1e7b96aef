"""The ledger feed: complete, resumable, and it waits without costing a thread."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lineage.errors import BadInputError
from lineage.ledger import Entry, Envelope
from lineage.proof.merkle import leaf_hash
from lineage.proof.merkle import root as root_of
from lineage_ingest.intake.feed import Request, describe, read_request

URL = "/api/v1/ledger/entries"
Make = Callable[..., bytes]


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_an_empty_ledger_gives_an_empty_feed(client: TestClient) -> None:
    assert lines(client.get(URL)) == []


def test_an_entry_is_given_with_its_bytes_and_its_leaf(client: TestClient, house: Any, event: Make) -> None:
    client.post("/api/v1/lineage", content=event(1), headers={"content-type": "application/json"})
    client.post("/api/v1/lineage/batch", content=b"[" + event(2) + b"," + event(3) + b"]")
    answer = client.get(URL)
    first, second = lines(answer)
    assert answer.headers["lineage-ledger"] == house.ledger.id
    assert (first["index"], first["kind"]) == (0, "lineage")
    assert first["envelope"] == {
        "sender": None,
        "transport": "http",
        "contentType": "application/json",
        "sourceOffset": None,
    }
    assert [record.encode() for record in second["records"]] == [event(2), event(3)]
    hashes = [base64.b64decode(line["leafHash"]) for line in (first, second)]
    assert hashes == [leaf_hash(house.ledger.leaf(0)), leaf_hash(house.ledger.leaf(1))]
    assert root_of(hashes) == house.ledger.root()


def test_it_goes_on_where_a_reader_stopped(client: TestClient, event: Make) -> None:
    for number in range(7):
        client.post("/api/v1/lineage", content=event(number))
    seen: list[int] = []
    after = -1
    while page := lines(client.get(URL, params={"after": after, "limit": 3})):
        seen += [line["index"] for line in page]
        after = seen[-1]
    assert seen == list(range(7))


def test_it_streams_more_than_a_page(house: Any, event: Make) -> None:
    house.limits = replace(house.limits, event_bytes=1 << 20)
    with TestClient(house.serve()) as client:
        for number in range(5):
            client.post("/api/v1/lineage", content=event(number, producer="x" * 500_000))
        assert [line["index"] for line in lines(client.get(URL))] == list(range(5))
        assert [line["index"] for line in lines(client.get(URL, params={"limit": 4}))] == list(range(4))


def test_a_reader_that_waits_is_given_the_next_entry(client: TestClient, event: Make) -> None:
    client.post("/api/v1/lineage", content=event(1))
    sender = threading.Timer(0.3, client.post, ("/api/v1/lineage",), {"content": event(2)})
    sender.start()
    begun = time.monotonic()
    page = lines(client.get(URL, params={"after": 0, "wait": 4}))
    sender.join()
    assert [line["index"] for line in page] == [1]
    assert time.monotonic() - begun < 3


def test_a_wait_ends_with_an_empty_answer(client: TestClient) -> None:
    begun = time.monotonic()
    assert lines(client.get(URL, params={"wait": 0.25})) == []
    assert 0.25 <= time.monotonic() - begun < 3


def test_a_server_that_stops_ends_the_waits(client: TestClient, house: Any) -> None:
    stopper = threading.Timer(0.2, lambda: setattr(house.router._feed, "_closing", True))
    stopper.start()
    begun = time.monotonic()
    assert lines(client.get(URL, params={"wait": 5})) == []
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-2", "after=1.5", "after=", "wait=-1", "wait=nan", "wait=inf", "limit=0", "limit=-3", "x=1"],
)
def test_a_malformed_parameter_is_refused_by_name(client: TestClient, query: str) -> None:
    answer = client.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_INPUT")
    assert answer.json()["field"] == query.partition("=")[0]


def test_an_index_that_does_not_exist_yet_is_refused(client: TestClient, event: Make) -> None:
    client.post("/api/v1/lineage", content=event())
    assert client.get(URL, params={"after": 0}).status_code == 200
    answer = client.get(URL, params={"after": 1})
    assert (answer.status_code, answer.json()["code"]) == (400, "INDEX_AHEAD")


def test_wait_and_limit_past_the_maximum_mean_the_maximum() -> None:
    assert read_request(b"wait=1e9&limit=999999&after=7", 30.0, 50) == Request(7, 30.0, 50)


@given(query=st.binary(max_size=40))
def test_any_query_is_read_or_refused(query: bytes) -> None:
    try:
        request = read_request(query, 30.0, 50)
    except BadInputError:
        return
    assert request.after >= -1
    assert 0 <= request.wait <= 30
    assert 1 <= request.limit <= 50


def test_erased_records_and_bytes_that_are_no_utf8_are_told_apart() -> None:
    entry = Entry(0, "lineage", 1_777_629_600_000_001, Envelope(), (b'{"a": "\xc3\xa9"}', None, b"\xff"))
    described = describe(entry, b"leaf")
    assert described["records"] == ['{"a": "é"}', None, {"base64": "/w=="}]
    assert described["received"] == "2026-05-01T10:00:00.000001Z"


def test_the_feed_is_read_only(client: TestClient) -> None:
    answer = client.post(URL)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
