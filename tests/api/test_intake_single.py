"""One record a request: receipts, and every refusal of the contract's table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

URL = "/api/v1/lineage"
Make = Callable[..., bytes]


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, body
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= body.keys()
    assert (body["status"], body["code"]) == (status, code)
    return body


def test_an_event_is_answered_with_its_receipt_when_it_is_durable(client: TestClient, house: Any, event: Make) -> None:
    data = event()
    answer = client.post(URL, content=data)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    digest = hashlib.sha256(data).hexdigest()
    expected = {"index": 0, "position": 0, "eventHash": f"sha256:{digest}", "duplicate": False, "warnings": []}
    assert answer.json() == expected
    assert house.stored() == [data]


def test_the_same_bytes_again_get_the_first_receipt(client: TestClient, house: Any, event: Make) -> None:
    first = client.post(URL, content=event(1)).json()
    client.post(URL, content=event(2))
    again = client.post(URL, content=event(1))
    assert again.status_code == 200
    assert again.json() == {**first, "duplicate": True}
    assert house.ledger.size() == 2


def test_a_prediction_and_an_event_of_the_same_bytes_are_not_duplicates(
    client: TestClient, event: Make, prediction: Make
) -> None:
    both = json.dumps({**json.loads(event(run=None, eventType=None)), **json.loads(prediction())}).encode()
    assert client.post(URL, content=both).status_code == 201
    assert client.post("/api/v1/predictions", content=both).status_code == 201


def test_the_envelope_says_how_it_came(client: TestClient, house: Any, event: Make) -> None:
    client.post(URL, content=event(), headers={"content-type": "application/json; charset=UTF-8"})
    envelope = next(house.ledger.entries()).envelope
    assert (envelope.sender, envelope.transport) == (None, "http")
    assert envelope.content_type == "application/json; charset=UTF-8"


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"eventTime": "2026-05-01T10:00:00"}, "NO_ZONE"),
        ({"eventTime": "2099-01-01T00:00:00Z"}, "FUTURE_EVENT_TIME"),
        ({"eventType": "PONDERING"}, "UNKNOWN_EVENT_TYPE"),
        ({"run": None, "schemaURL": "https://example.org/s.json#/$defs/JobEvent"}, "NO_RUN"),
    ],
)
def test_what_is_odd_is_taken_and_said(client: TestClient, event: Make, change: dict[str, Any], warning: str) -> None:
    answer = client.post(URL, content=event(**change))
    assert answer.status_code == 201
    assert answer.json()["warnings"] == [warning]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  \n",
        b"{",
        b'{"a": 1} x',
        b"nonsense",
        b"\xff\xfe",
        b'{"eventTime": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1e999}',
        b"[" * 50_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": "\xed\xa0\x80"}',
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_json_is_refused_with_400(client: TestClient, house: Any, data: bytes) -> None:
    assert_problem(client.post(URL, content=data), 400, "NOT_JSON")
    assert house.ledger.size() == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"eventTime": None}, "/eventTime"),
        ({"eventTime": 5}, "/eventTime"),
        ({"eventTime": "yesterday"}, "/eventTime"),
        ({"producer": None}, "/producer"),
        ({"producer": []}, "/producer"),
        ({"schemaURL": None}, "/schemaURL"),
        ({"run": {}}, "/run/runId"),
        ({"run": {"runId": "17"}}, "/run/runId"),
        ({"run": "01890000-0000-7000-8000-000000000000"}, "/run"),
        ({"job": {"namespace": "n"}}, "/job/name"),
        ({"job": {"namespace": 1, "name": "j"}}, "/job/namespace"),
        ({"job": []}, "/job"),
        ({"inputs": {}}, "/inputs"),
        ({"outputs": [1]}, "/outputs/0"),
        ({"outputs": [{"namespace": "n", "name": None}]}, "/outputs/0/name"),
    ],
)
def test_what_is_no_event_is_refused_with_422_and_the_field(
    client: TestClient, house: Any, event: Make, change: dict[str, Any], field: str
) -> None:
    assert assert_problem(client.post(URL, content=event(**change)), 422, "INVALID_EVENT")["field"] == field
    assert house.ledger.size() == 0


def test_an_array_is_sent_to_the_batch_address(client: TestClient, event: Make) -> None:
    body = assert_problem(client.post(URL, content=b"[" + event() + b"]"), 422, "INVALID_EVENT")
    assert "/api/v1/lineage/batch" in body["detail"]


def test_ndjson_is_sent_to_the_batch_address(client: TestClient, event: Make) -> None:
    data = event(1) + b"\n" + event(2)
    answer = client.post(URL, content=data, headers={"content-type": "application/x-ndjson"})
    assert "/api/v1/lineage/batch" in assert_problem(answer, 400, "NOT_JSON")["detail"]


def test_names_that_look_like_code_are_only_names(client: TestClient, house: Any, event: Make) -> None:
    names = ["'; DROP TABLE records; --", "`n` DETACH DELETE n //", "a.b:c@d", "größe\u200d📈", "", "\u0001"]
    for name in names:
        assert client.post(URL, content=event(job={"namespace": name, "name": name})).status_code == 201
    assert [json.loads(record)["job"]["name"] for record in house.stored()] == names


def test_a_lone_surrogate_and_large_integers_are_kept_byte_for_byte(
    client: TestClient, house: Any, event: Make
) -> None:
    data = event(run={"runId": "01890000-0000-7000-8000-000000000000", "facets": {"x": {"big": 9007199254740993}}})
    data = data.replace(b'"big"', rb'"cut \ud83d": 1, "big"')
    assert client.post(URL, content=data).status_code == 201
    assert house.stored() == [data]


def test_a_refusal_can_name_a_field_that_no_utf8_holds(client: TestClient, event: Make) -> None:
    data = event(job={"namespace": "\udc80", "name": 5})
    assert_problem(client.post(URL, content=data), 422, "INVALID_EVENT")


@pytest.mark.parametrize("path", ["/api/v1/lineage/", "/api/v1/lineage/batch/", "/api/v1/predictions/"])
def test_a_trailing_slash_is_the_same_address_and_never_a_redirect(
    client: TestClient, event: Make, prediction: Make, path: str
) -> None:
    data = {"/api/v1/lineage/": event(), "/api/v1/lineage/batch/": b"[" + event() + b"]"}.get(path, prediction())
    answer = client.post(path, content=data, follow_redirects=False)
    assert answer.status_code in (200, 201)
    assert answer.content


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/api/v1/lineage", "/api/v1/lineage/batch", "/api/v1/predictions"])
def test_any_method_but_post_is_refused_with_405(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path, follow_redirects=False)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_other_addresses_are_left_to_the_rest_of_the_server(client: TestClient) -> None:
    assert client.get("/api/v1/elsewhere").status_code == 404


def test_a_run_event_without_run_is_refused_with_the_field(client: TestClient, event: Make) -> None:
    assert assert_problem(client.post(URL, content=event(run=None)), 422, "INVALID_EVENT")["field"] == "/run"


def test_a_prediction_with_an_odd_hash_is_taken_and_said(client: TestClient, prediction: Make) -> None:
    answer = client.post("/api/v1/predictions", content=prediction(inputHash="7"))
    assert (answer.status_code, answer.json()["warnings"]) == (201, ["UNKNOWN_HASH_FORM"])


@pytest.mark.parametrize("change", [{"id": None}, {"id": 5}, {"time": "noon"}, {"deployment": None}])
def test_what_is_no_prediction_is_refused_with_the_field(
    client: TestClient, prediction: Make, change: dict[str, Any]
) -> None:
    answer = client.post("/api/v1/predictions", content=prediction(**change))
    assert assert_problem(answer, 422, "INVALID_EVENT")["field"] == f"/{next(iter(change))}"
