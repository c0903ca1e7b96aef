"""GraphQL over HTTP: the ways in, what is refused at the door, and that the event loop stays free."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lineage_graphql.router import dump, graphql_router

JSON = {"content-type": "application/json"}
ClientOf = Callable[[Any], TestClient]


def test_post_answers_as_execute_does(ask: Any, client_of: ClientOf, pipe: SimpleNamespace) -> None:
    query = "query Q($of: SubjectInput!) { impact(of: $of) { potential(first: 9) { nodes { node { label } } } } }"
    variables = {"of": {"dataset": {"namespace": pipe.raw.namespace, "name": pipe.raw.name}}}
    answer = client_of(ask).post("/graphql", json={"query": query, "variables": variables, "operationName": "Q"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == ask(query, **variables)


def test_get_answers_a_query_in_the_address(quick: Callable[..., Any], client_of: ClientOf) -> None:
    client = client_of(quick())
    query = "query A($t: String!) { search(text: $t) { hits { label } } } query B { __typename }"
    told = client.get("/graphql", params={"query": query, "variables": '{"t": "raw"}', "operationName": "A"})
    assert told.json() == {"data": {"search": {"hits": [{"label": "raw.orders"}]}}}
    assert client.get("/graphql", params={"query": query, "operationName": "B"}).json()["data"] == {
        "__typename": "Query"
    }
    assert client.get("/graphql", params={"query": query, "operationName": "C"}).json()["errors"]


def test_browser_gets_graphiql(quick: Callable[..., Any], client_of: ClientOf) -> None:
    page = client_of(quick()).get("/graphql", headers={"accept": "text/html,*/*"})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "graphiql" in page.text.lower()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "NOT_JSON"),
        (b"{", 400, "NOT_JSON"),
        (b'{"query": NaN}', 400, "NOT_JSON"),
        (b'{"query": "\\ud800"}', 400, "NOT_JSON"),
        (b"\xff", 400, "NOT_JSON"),
        (b"[" * 100_000, 400, "NOT_JSON"),
        (b'[{"query": "{__typename}"}]', 400, "BAD_INPUT"),
        (b'"x"', 400, "BAD_INPUT"),
        (b"5", 400, "BAD_INPUT"),
        (b'{"query": 5}', 400, "BAD_INPUT"),
        (b'{"query": "{__typename}", "variables": []}', 400, "BAD_INPUT"),
        (b'{"query": "{__typename}", "operationName": {}}', 400, "BAD_INPUT"),
        (b'{"query": "' + b"x" * 2_000_000 + b'"}', 413, "TOO_LARGE"),
        (b"{}", 200, "BAD_INPUT"),
        (b'{"query": null}', 200, "BAD_INPUT"),
    ],
)
def test_body_that_is_wrong_is_refused_with_a_code(
    quick: Callable[..., Any], client_of: ClientOf, body: bytes, status: int, code: str
) -> None:
    client = client_of(quick())
    answer = client.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == status
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == [code]
    assert client.post("/graphql", json={"query": "{__typename}"}).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_content_types_are_refused(quick: Callable[..., Any], client_of: ClientOf, content_type: str) -> None:
    headers = {"content-type": content_type}
    answer = client_of(quick()).post("/graphql", content=b'{"query": "{__typename}"}', headers=headers)
    assert answer.status_code == 400
    charset = {"content-type": "application/json; charset=utf-8"}
    assert client_of(quick()).post("/graphql", content=b'{"query": "{__typename}"}', headers=charset).status_code == 200


def test_other_methods_and_bad_variables_are_refused(quick: Callable[..., Any], client_of: ClientOf) -> None:
    client = client_of(quick())
    assert client.put("/graphql", json={}).status_code == 405
    assert client.get("/graphql", params={"query": "{__typename}", "variables": "{"}).status_code == 400
    assert client.get("/graphql", params={"query": "{__typename}", "variables": "[1]"}).status_code == 400
    assert client.get("/graphql", params={"query": "mutation {x}"}).json()["errors"]


class Gate:
    """A question that waits until it is let go, and says when its thread ended."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.free = threading.Event()

    def __call__(self, *_: Any, **__: Any) -> Any:
        self.entered.release()
        self.free.wait(10)
        raise RuntimeError("let go")


def test_time_out_is_told_at_once_and_the_next_query_is_answered(
    quick: Callable[..., Any], client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setattr("lineage_graphql.query.ask_search", gate)
    client = client_of(quick(timeout=1.0, grace=0.2))
    start = time.monotonic()
    answer = client.post("/graphql", json={"query": '{search(text: "x") {behind}}'})
    assert time.monotonic() - start < 8
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["TIMEOUT"]
    gate.free.set()
    assert client.post("/graphql", json={"query": "{__typename}"}).json() == {"data": {"__typename": "Query"}}


def test_too_many_waiting_queries_are_asked_to_come_again(
    quick: Callable[..., Any], client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setattr("lineage_graphql.query.ask_search", gate)
    client = client_of(quick(threads=1, waiting=1, timeout=20))
    query = {"query": '{search(text: "x") {behind}}'}
    told: list[Any] = []
    refused = threading.Event()

    def post() -> None:
        told.append(client.post("/graphql", json=query))
        refused.set()

    threads = [threading.Thread(target=post) for _ in range(3)]
    threads[0].start()
    assert gate.entered.acquire(timeout=10)
    threads[1].start()
    threads[2].start()
    assert refused.wait(10)
    gate.free.set()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in told) == [200, 200, 503]
    codes = {answer.json()["errors"][0]["extensions"]["code"] for answer in told}
    assert codes == {"UNAVAILABLE", "INTERNAL"}
    assert client.post("/graphql", json={"query": "{__typename}"}).status_code == 200


def test_threads_end_with_the_application(quick: Callable[..., Any]) -> None:
    app = FastAPI()
    asker = quick()
    app.include_router(graphql_router(asker.context, asker.schema), prefix="/graphql")
    before = set(threading.enumerate())
    with TestClient(app) as client:
        client.post("/graphql", json={"query": "{__typename}"})
        made = {thread for thread in threading.enumerate() if thread.name.startswith("graphql")} - before
        assert made
    for thread in made:
        thread.join(10)
        assert not thread.is_alive()


def test_values_that_orjson_can_not_write_are_written_all_the_same() -> None:
    odd = {"data": {"big": 2**70, "half": "\ud800", "rows": (1, 2)}}
    assert json.loads(dump(odd)) == {"data": {"big": 2**70, "half": "\ud800", "rows": [1, 2]}}
