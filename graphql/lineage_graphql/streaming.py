"""``POST /api/v1/answers``: a whole answer as NDJSON (:mod:`lineage_graphql.whole`), one line per hit, then a verdict.

A thread asks, and hands the lines over a page at a time; it waits for a client that reads slowly, and stops when the
client is gone. What goes wrong before the first line is a problem with its HTTP status; what goes wrong later is the
last line, ``{"error": {"code", "message"}}``, in place of the verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import suppress
from itertools import islice
from threading import Lock, Semaphore
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from lineage.errors import LineageError, UnavailableError
from lineage_graphql.context import GraphQLContext
from lineage_graphql.router import dump, read_json
from lineage_graphql.schema import Schema
from lineage_graphql.whole import PAGE, WholeAnswer

_NDJSON = "application/x-ndjson"
_UNREAD_SECONDS = 10.0
"""How much longer than the answer's own time a client may take to read what is said last."""

Problem = Callable[[LineageError], Response]


def answers_router(context: GraphQLContext, schema: Schema, problem: Problem) -> APIRouter:
    """The route of ``/api/v1/answers``, to be included with that prefix; ``problem`` makes the answer of an error."""
    places = Semaphore(context.caps.whole_at_once)

    async def post(request: Request) -> Response:
        """The whole answer to one question, line by line."""
        try:
            whole = WholeAnswer(schema, await read_json(request, context.caps.body_bytes))
        except LineageError as error:
            return problem(error)
        if not places.acquire(blocking=False):
            return problem(UnavailableError("Too many whole answers are being told.", hint="Ask again in a moment."))
        lines = _Lines(whole.lines(context), places.release)
        try:
            first = await lines.next()
        except LineageError as error:
            await lines.close()
            return problem(error)
        except BaseException:
            await lines.close()
            raise
        return _Streamed(_stream(first, lines), context.caps.whole_timeout + _UNREAD_SECONDS)

    router = APIRouter()
    router.add_api_route("", post, methods=["POST"], summary="A whole answer, line by line", response_class=Response)
    return router


class _Streamed(StreamingResponse):
    """Ends after ``seconds``, when the answer's own time has long been over: its client no longer reads."""

    def __init__(self, lines: AsyncGenerator[bytes, None], seconds: float) -> None:
        super().__init__(lines, media_type=_NDJSON)
        self._lines = lines
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await super().__call__(scope, receive, send)
        finally:
            await self._lines.aclose()


class _Lines:
    """The lines of an answer a page at a time, made in threads one after the other; the last one lets go of the view,
    however many who waited for them have left."""

    def __init__(self, lines: Generator[dict[str, Any], None, None], on_close: Callable[[], None]) -> None:
        self._lines = lines
        self._on_close = on_close
        self._lock = Lock()
        self._closed = False

    async def next(self) -> bytes:
        """The next lines; empty at the end."""
        return await asyncio.to_thread(self._take)

    async def close(self) -> None:
        """Let go of the view, once the page in the making is made."""
        await asyncio.shield(asyncio.create_task(asyncio.to_thread(self._finish)))

    def _take(self) -> bytes:
        with self._lock:
            return b"" if self._closed else b"".join(dump(line) + b"\n" for line in islice(self._lines, PAGE))

    def _finish(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                with suppress(LineageError):  # nobody hears any more whether the view has held
                    self._lines.close()
            finally:
                self._on_close()


async def _stream(first: bytes, lines: _Lines) -> AsyncGenerator[bytes, None]:
    try:
        while first:
            yield first
            first = await lines.next()
    except LineageError as error:
        yield orjson.dumps({"error": {"code": error.code, "message": str(error)}}) + b"\n"
    finally:
        await lines.close()
