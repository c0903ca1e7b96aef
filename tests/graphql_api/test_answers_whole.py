"""Whole answers line by line: the same hits as GraphQL's, from one view, however long and however it ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from starlette.testclient import TestClient

from lineage.errors import LineageError
from lineage_graphql import answers_router, whole

Tell = Callable[[Any, Any], Any]


def refused(error: LineageError) -> Response:
    return Response(json.dumps({"code": error.code, "field": error.field}), error.status)


@pytest.fixture
def tell() -> Tell:
    """Asks for a whole answer: the response."""

    def make(asker: Any, asked: Any) -> Any:
        app = FastAPI()
        app.include_router(answers_router(asker.context, asker.schema, refused), prefix="/api/v1/answers")
        with TestClient(app) as client:
            return client.post("/api/v1/answers", json=asked)

    return make


def lines_of(answer: Any) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers.get("content-type")) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def of_raw(pipe: SimpleNamespace) -> dict[str, Any]:
    return {"dataset": {"namespace": pipe.raw.namespace, "name": pipe.raw.name}}


@pytest.mark.parametrize("page", [1, 2, 1_000])
def test_lines_are_the_hits_of_graphql_in_their_order(
    ask: Any, tell: Tell, pipe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(whole, "PAGE", page)
    *hits, last = lines_of(tell(ask, {"impact": {"of": of_raw(pipe), "evidence": "COLUMN"}}))
    fields = "node { id label } distance consequence certain via { id }"
    query = (
        "query ($of: SubjectInput!) { impact(of: $of, evidence: COLUMN) { complete ledgerIndex score "
        "summary { kind potential actual standing } "
        f"potential {{ nodes {{ {fields} stale }} }} actual {{ nodes {{ {fields} standing remediated }} }} }} }}"
    )
    told = ask.data(query, of=of_raw(pipe))["impact"]
    for name in ("potential", "actual"):
        assert told[name]["nodes"], name
        own = [hit for hit in hits if hit["list"] == name]
        assert [shown(hit, like) for hit, like in zip(own, told[name]["nodes"], strict=True)] == told[name]["nodes"]
    assert {name: last["verdict"][name] for name in ("complete", "ledgerIndex", "score", "summary")} == {
        name: told[name] for name in ("complete", "ledgerIndex", "score", "summary")
    }


def shown(hit: Any, like: Any) -> Any:
    """Of ``hit`` what ``like`` shows."""
    if not isinstance(like, dict) or hit is None:
        return hit
    return {name: shown(hit[name], value) for name, value in like.items()}


def test_the_other_questions_are_told_whole_too(ask: Any, tell: Tell, pipe: SimpleNamespace) -> None:
    model = {"namespace": pipe.model.namespace, "name": pipe.model.name}
    upstream = lines_of(tell(ask, {"provenance": {"of": {"version": model}}}))
    assert {line.get("list") for line in upstream} == {"nodes", "links", None}
    training = lines_of(tell(ask, {"trainingData": {"of": {"model": model}}}))
    assert {line.get("list") for line in training} == {"datasets", "links", None}
    assert training[-1]["verdict"]["models"]


def test_what_is_written_meanwhile_is_not_seen(
    ask: Any, pipe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "PAGE", 1)
    lines = whole.WholeAnswer(ask.schema, {"impact": {"of": of_raw(pipe)}}).lines(ask.context)
    first = next(lines)
    ask.write(pipe.graph().changes)
    *rest, last = lines
    assert last["verdict"]["ledgerIndex"] == 4
    assert len([first, *rest]) == sum(row["potential"] + row["actual"] for row in last["verdict"]["summary"])


@pytest.mark.parametrize(
    ("asked", "status", "code", "field"),
    [
        ([], 400, "BAD_INPUT", None),
        ({}, 400, "BAD_INPUT", None),
        ({"search": {"text": "x"}}, 400, "BAD_INPUT", None),
        ({"impact": {}, "provenance": {}}, 400, "BAD_INPUT", None),
        ({"impact": []}, 400, "BAD_INPUT", "/impact"),
        ({"impact": {"off": 1}}, 400, "BAD_INPUT", "/impact"),
        ({"impact": {"of": 7}}, 400, "BAD_INPUT", None),
        ({"impact": {}}, 400, "BAD_INPUT", None),
        ({"impact": {"of": {"dataset": {"namespace": "no", "name": "where"}}}}, 404, "NOT_FOUND", None),
    ],
)
def test_what_is_wrong_is_said_before_the_first_line(
    ask: Any, tell: Tell, asked: Any, status: int, code: str, field: str | None
) -> None:
    answer = tell(ask, asked)
    assert (answer.status_code, answer.json()) == (status, {"code": code, "field": field})


def test_an_answer_that_runs_out_of_time_says_so_in_its_last_line(
    quick: Callable[..., Any], tell: Tell, pipe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "PAGE", 1)
    monkeypatch.setattr("lineage_graphql.streaming.PAGE", 1)
    asker = quick()
    lines = whole.WholeAnswer.lines

    def slowly(self: Any, context: Any) -> Iterator[dict[str, Any]]:
        for told, line in enumerate(lines(self, context)):
            if told == 1:
                from lineage_graphql.context import timeout_error

                raise timeout_error(300)
            yield line

    monkeypatch.setattr(whole.WholeAnswer, "lines", slowly)
    first, last = lines_of(tell(asker, {"impact": {"of": of_raw(pipe)}}))
    assert first["list"] == "potential"
    assert last["error"]["code"] == "TIMEOUT"


def test_no_more_are_told_at_once_than_there_are_places(
    quick: Callable[..., Any], tell: Tell, pipe: SimpleNamespace
) -> None:
    asked = {"impact": {"of": of_raw(pipe)}}
    assert tell(quick(whole_at_once=0), asked).json()["code"] == "UNAVAILABLE"
    asker = quick(whole_at_once=1)
    app = FastAPI()
    app.include_router(answers_router(asker.context, asker.schema, refused), prefix="/a")
    with TestClient(app) as client:
        for body in (asked, {"impact": {"of": {"dataset": {"namespace": "no", "name": "where"}}}}, asked):
            assert client.post("/a", json=body).status_code in (200, 404)


def test_places_are_free_again_when_clients_leave_early(
    quick: Callable[..., Any], pipe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client leaves while its page is in the making, which goes on in its thread."""
    asker = quick(whole_at_once=1)
    making, go_on = threading.Event(), threading.Event()
    lines = whole.WholeAnswer.lines

    def slowly(self: Any, context: Any) -> Iterator[dict[str, Any]]:
        making.set()
        go_on.wait(10)
        yield from lines(self, context)

    monkeypatch.setattr(whole.WholeAnswer, "lines", slowly)
    router = answers_router(asker.context, asker.schema, refused)
    (route,) = router.routes

    async def leave() -> int:
        body = json.dumps({"impact": {"of": of_raw(pipe)}}).encode()
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        asked = asyncio.create_task(route.endpoint(Request(scope, receive)))  # type: ignore[attr-defined]
        await asyncio.to_thread(making.wait, 10)
        asked.cancel()
        asyncio.get_running_loop().call_later(0.2, go_on.set)
        with suppress(asyncio.CancelledError):
            await asked
        await asyncio.sleep(0.5)
        answer = await route.endpoint(Request(scope, receive))  # type: ignore[attr-defined]
        return int(answer.status_code)

    assert asyncio.run(leave()) == 200
