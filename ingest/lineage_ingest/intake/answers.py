"""Answers over HTTP: JSON, and problems as RFC 9457 has them, made from the errors of :mod:`lineage.errors`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Send

from lineage.errors import BusyError, LineageError, NotFoundError, RefusedError

JSON = b"application/json"
PROBLEM = b"application/problem+json"
PROBLEM_TYPE = "urn:lineage-graph:problem:"
MAX_DETAIL = 2000

Headers = tuple[tuple[bytes, bytes], ...]

CLOSE: Headers = ((b"connection", b"close"),)

_TITLES = {
    "REFUSED": "The request is not taken",
    "NOT_JSON": "The body is not JSON",
    "INVALID_EVENT": "The record is not valid",
    "TOO_LARGE": "The body is too large",
    "QUEUE_FULL": "The server is busy",
    "LEDGER_UNAVAILABLE": "The ledger can't be written",
    "UNAUTHENTICATED": "An API key is needed",
    "FORBIDDEN": "This is not allowed",
    "BAD_INPUT": "A parameter is malformed",
    "INDEX_AHEAD": "This ledger index does not exist yet",
    "NOT_FOUND": "There is nothing here",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole HTTP answer."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: Headers = ()


def json_answer(status: int, value: Any, headers: Headers = ()) -> Answer:
    """An answer with ``value`` as its JSON body."""
    return Answer(status, dump(value), headers=headers)


def problem(error: LineageError, status: int | None = None, headers: Headers = ()) -> Answer:
    """The RFC 9457 problem that says ``error``; ``status`` where HTTP is finer than the error's own."""
    status = status or error.status
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE + error.code,
        "title": _TITLES.get(error.code, "The server failed"),
        "status": status,
        "detail": str(error)[:MAX_DETAIL],
        "code": error.code,
    }
    if error.field is not None:
        body["field"] = error.field[:MAX_DETAIL]
    if isinstance(error, BusyError):
        headers = (*headers, (b"retry-after", b"%d" % error.retry_after))
    return Answer(status, dump(body), PROBLEM, headers)


def no_address(path: str) -> Answer:
    """404 for an address that is not there."""
    return problem(NotFoundError(f"There is nothing at {path[:200]!r}.", hint="/docs has all addresses."))


def wrong_method(method: str, allowed: str) -> Answer:
    """405 for a method that an address does not take; ``allowed`` are those that it does, separated by commas."""
    refusal = RefusedError(f"{method[:40]} is not for this address.", hint=f"It takes {allowed}.")
    return problem(refusal, 405, ((b"allow", allowed.encode("ascii")),))


def dump(value: Any) -> bytes:
    """JSON in UTF-8; a lone surrogate in a quoted name is written as its escape."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode("ascii")


async def send_answer(send: Send, answer: Answer) -> None:
    """Send ``answer`` whole, with its length."""
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
