"""GraphQL over HTTP: POST with JSON, GET with ``?query=``, GraphiQL for browsers (its scripts come from a public CDN).

Queries run in a few threads of their own, never on the event loop. When time is out the client is told at once; the
thread stops at its next look at the clock. One request holds one query: batches are refused.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Semaphore
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from strawberry.http.ides import get_graphql_ide_html

from lineage.errors import BadInputError, LineageError, NotJSONError, TooLargeError, UnavailableError
from lineage_graphql.context import GraphQLContext, timeout_error
from lineage_graphql.problems import refusal
from lineage_graphql.schema import Schema, build_schema, execute

_JSON = "application/json"
_LOADING = (
    "Loading… The scripts of GraphiQL come from a public CDN (unpkg.com). Where a browser can't reach that, POST "
    "queries to this address as JSON, or ask with the command `lineage`."
)
"""What the page says until its scripts are there."""


@dataclass(frozen=True, slots=True)
class _Asked:
    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None


def graphql_router(context: GraphQLContext, schema: Schema | None = None) -> APIRouter:
    """The routes of ``/graphql``, to be included with that prefix."""
    service = _Service(context, schema or build_schema(context.caps))
    router = APIRouter(lifespan=service.lifespan)
    router.add_api_route("", service.post, methods=["POST"], summary="Ask a question", response_class=Response)
    router.add_api_route("", service.get, methods=["GET"], summary="Ask, or open GraphiQL", response_class=Response)
    return router


class _Service:
    def __init__(self, context: GraphQLContext, schema: Schema) -> None:
        self._context = context
        self._schema = schema
        self._pool: ThreadPoolExecutor | None = None
        self._places = Semaphore(context.caps.threads + context.caps.waiting)

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Ends the threads with the application."""
        try:
            yield
        finally:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None

    async def post(self, request: Request) -> Response:
        """A query as JSON: `query`, `variables`, `operationName`."""
        arrived = time.monotonic()
        try:
            asked = await _read_body(request, self._context.caps.body_bytes)
        except LineageError as error:
            return _response(refusal(error), error.status)
        return await self._answer(asked, arrived)

    async def get(self, request: Request) -> Response:
        """A query in the address, or GraphiQL."""
        arrived = time.monotonic()
        told = request.query_params
        if "query" not in told and "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(get_graphql_ide_html(graphql_ide="graphiql").replace(">Loading...<", f">{_LOADING}<"))
        try:
            variables = _parse(told["variables"].encode()) if told.get("variables") else None
            asked = _asked({**told, "variables": variables})
        except LineageError as error:
            return _response(refusal(error), error.status)
        return await self._answer(asked, arrived)

    async def _answer(self, asked: _Asked, arrived: float) -> Response:
        caps = self._context.caps
        if not self._places.acquire(blocking=False):
            error = UnavailableError("Too many queries are waiting.", hint="Ask again in a moment.")
            return _response(refusal(error), error.status)
        work = self._threads().submit(self._run, asked, arrived)
        work.add_done_callback(lambda _: self._places.release())
        future = asyncio.wrap_future(work)
        left = max(0.0, arrived + caps.timeout + caps.grace - time.monotonic())
        done, _ = await asyncio.wait([future], timeout=left)
        if done:
            return Response(future.result(), media_type=_JSON)
        future.cancel()
        return _response(refusal(timeout_error(caps.timeout)))

    def _run(self, asked: _Asked, arrived: float) -> bytes:
        told = execute(self._schema, self._context, asked.query, asked.variables, asked.operation_name, arrived=arrived)
        return dump(told)

    def _threads(self) -> ThreadPoolExecutor:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._context.caps.threads, thread_name_prefix="graphql")
        return self._pool


def dump(response: Mapping[str, Any]) -> bytes:
    """``response`` as JSON; what orjson can't write (integers beyond 64 bits, lone surrogates) as ``json`` does."""
    try:
        return orjson.dumps(response)
    except TypeError:
        return json.dumps(response, separators=(",", ":"), default=str).encode()


def _response(told: Mapping[str, Any], status: int = 200) -> Response:
    return Response(dump(told), status, media_type=_JSON)


async def _read_body(request: Request, most: int) -> _Asked:
    return _asked(await read_json(request, most))


async def read_json(request: Request, most: int) -> Any:
    """The JSON of a body of at most ``most`` bytes. Raises BadInputError, TooLargeError, NotJSONError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise BadInputError(f"The content type has to be {_JSON}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLargeError(f"The request has more than {most} bytes, which is the limit.")
    return _parse(bytes(body))


def _parse(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJSONError(f"This is not JSON: {error}.") from error


def _asked(told: Any) -> _Asked:
    if isinstance(told, list):
        raise BadInputError("Batches are not taken.", hint="Send one query per request; it may have many fields.")
    if not isinstance(told, dict):
        raise BadInputError("The request has to be a JSON object.", hint='{"query": "…", "variables": {…}}')
    query, variables, name = told.get("query"), told.get("variables"), told.get("operationName")
    for field, value, kind in (("query", query, str), ("variables", variables, dict), ("operationName", name, str)):
        if value is not None and not isinstance(value, kind):
            expected = "an object" if kind is dict else "a string"
            raise BadInputError(f"`{field}` has to be {expected} or null.", field=f"/{field}")
    return _Asked(query, variables, name or None)
