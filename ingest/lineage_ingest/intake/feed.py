"""The ledger as a feed: ``GET /api/v1/ledger/entries?after=N&wait=S&limit=L``, NDJSON, resumable by index, long poll.

Entries with an index larger than ``after`` (all by default), one line each, up to ``limit`` or the ledger's head. Where
there is none yet, the answer waits up to ``wait`` seconds (0 by default) for the first, and is empty when none came. A
reader goes on with the last ``index`` it got. The header ``Lineage-Ledger`` names the ledger: a reader that sees it
change reads another ledger. A line that does not end with a line feed was cut off, and is to be read again.

A line: ``{"index", "kind", "received", "envelope": {"sender", "transport", "contentType", "sourceOffset"}, "leafHash",
"records": [...]}``. ``received`` is UTC to the microsecond, ``leafHash`` the base64 of the RFC 6962 leaf hash. A record
is a string that holds its exact bytes as UTF-8, ``{"base64": "..."}`` where they are no UTF-8, null where erased.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from lineage.errors import BadInputError, IndexAheadError, LineageError
from lineage.ledger import Entry, Ledger
from lineage.proof.leaf import timestamp
from lineage.proof.merkle import leaf_hash
from lineage_ingest.intake.answers import Headers, dump, problem, send_answer

NDJSON = b"application/x-ndjson"
DEFAULT_LIMIT = 1000

_T = TypeVar("_T")

_PAGE_BYTES = 1 << 20
_POLL_SECONDS = 0.1
_PARAMETERS = ("after", "wait", "limit")


@dataclass(frozen=True, slots=True)
class Request:
    """What a reader asks for; ``wait`` in seconds."""

    after: int = -1
    wait: float = 0.0
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class _Page:
    """Lines as bytes, the index of the last, how many there are, and whether the ledger's head was reached."""

    lines: bytes
    last: int
    count: int
    head: bool


class Feed:
    """Answers the feed. The ledger is read in threads, a megabyte at a time, and no read is left open between two."""

    def __init__(self, ledger: Ledger, max_wait: float, max_limit: int) -> None:
        self._ledger = ledger
        self._max_wait = max_wait
        self._max_limit = max_limit
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="feed")
        self._closing = False

    def close(self) -> None:
        """End all waits at the next look, as if their time were over, and let go of the threads."""
        self._closing = True
        self._threads.shutdown(wait=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one reader (ASGI)."""
        try:
            request = read_request(scope["query_string"], self._max_wait, self._max_limit)
            size = await self._in_thread(self._ledger.size)
            if request.after >= size:
                raise IndexAheadError(f"The ledger has {size} entries; {request.after} is none of them.", field="after")
            if request.after + 1 == size and not await self._wait(request, receive):
                return
            await self._stream(request, send)
        except LineageError as error:
            await send_answer(send, problem(error))

    async def _wait(self, request: Request, receive: Receive) -> bool:
        """Wait for the first entry or the end of the time; False when the reader went away."""
        gone = asyncio.ensure_future(_disconnected(receive))
        deadline = asyncio.get_running_loop().time() + request.wait
        try:
            while not self._closing and await self._in_thread(self._ledger.size) <= request.after + 1:
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    break
                await asyncio.wait((gone,), timeout=min(left, _POLL_SECONDS))
                if gone.done():
                    return False
            return True
        finally:
            gone.cancel()

    async def _stream(self, request: Request, send: Send) -> None:
        page = await self._in_thread(self._page, request.after, request.limit)
        headers: Headers = ((b"content-type", NDJSON), (b"lineage-ledger", self._ledger.id.encode("latin-1")))
        await send({"type": "http.response.start", "status": 200, "headers": [*headers]})
        left = request.limit - page.count
        while left and not page.head and not self._closing:
            await send({"type": "http.response.body", "body": page.lines, "more_body": True})
            page = await self._in_thread(self._page, page.last, left)
            left -= page.count
        await send({"type": "http.response.body", "body": page.lines})

    def _page(self, after: int, limit: int) -> _Page:
        lines: list[bytes] = []
        size, last = 0, after
        entries = self._ledger.entries(after, limit)
        for entry in entries:
            line = dump(describe(entry, self._ledger.leaf(entry.index))) + b"\n"
            lines.append(line)
            size, last = size + len(line), entry.index
            if size >= _PAGE_BYTES:
                return _Page(b"".join(lines), last, len(lines), head=False)
        return _Page(b"".join(lines), last, len(lines), head=True)

    async def _in_thread(self, function: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def describe(entry: Entry, leaf: bytes) -> dict[str, Any]:
    """One entry as its line in the feed says it; ``leaf`` is the exact bytes of its leaf."""
    return {
        "index": entry.index,
        "kind": entry.kind,
        "received": timestamp(entry.received),
        "envelope": {
            "sender": entry.envelope.sender,
            "transport": entry.envelope.transport,
            "contentType": entry.envelope.content_type,
            "sourceOffset": entry.envelope.source_offset,
        },
        "leafHash": base64.b64encode(leaf_hash(leaf)).decode("ascii"),
        "records": [None if record is None else _record(record) for record in entry.records],
    }


def read_request(query: bytes, max_wait: float, max_limit: int) -> Request:
    """The query string as a request; ``wait`` and ``limit`` past the maximum mean the maximum. Raises BadInputError."""
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    for name in given:
        if name not in _PARAMETERS:
            raise BadInputError(f"There is no parameter {name[:80]!r}.", hint="after, wait, limit.", field=name[:80])
    return Request(
        after=_whole(given, "after", -1, -1),
        wait=min(_seconds(given.get("wait", "0")), max_wait),
        limit=min(_whole(given, "limit", min(DEFAULT_LIMIT, max_limit), 1), max_limit),
    )


def _whole(given: dict[str, str], name: str, default: int, least: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19 and int(text) >= least):
        raise BadInputError(f"{name} must be a whole number, {least} or more.", field=name)
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise BadInputError("wait must be a number of seconds, 0 or more.", field="wait")
    return value


def _record(record: bytes) -> str | dict[str, str]:
    try:
        return record.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(record).decode("ascii")}


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
