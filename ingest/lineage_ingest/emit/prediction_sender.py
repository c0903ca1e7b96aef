"""One attempt to hand prediction records to the server, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore  # noqa: F401 - httpx would import it in the recorder's thread, where a fork can catch it halfway
import httpx

ENDPOINT = "api/v1/predictions"
LONGEST_WAIT = 60.0
"""Seconds. A Retry-After beyond this is cut to it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: taken, refused for good, to be sent ``again`` after ``wait`` seconds if the server said
    so."""

    taken: int = 0
    refused: int = 0
    again: tuple[bytes, ...] = ()
    wait: float | None = None
    reason: str = ""

    def __add__(self, other: Outcome) -> Outcome:
        waits = [wait for wait in (self.wait, other.wait) if wait is not None]
        return Outcome(
            self.taken + other.taken,
            self.refused + other.refused,
            self.again + other.again,
            max(waits, default=None),
            self.reason or other.reason,
        )


def connect(
    url: str, *, api_key: str | None = None, timeout: float = 5.0, transport: httpx.BaseTransport | None = None
) -> httpx.Client:
    """A client for the server at ``url``; ``timeout`` in seconds, ``transport`` replaces the network in tests."""
    headers = {"Content-Type": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    return httpx.Client(base_url=url.rstrip("/") + "/", headers=headers, timeout=timeout, transport=transport)


def send_batch(client: httpx.Client, batch: Sequence[bytes]) -> Outcome:
    """POST the records as one JSON array. Never raises for what the network or the server does."""
    try:
        response = client.post(ENDPOINT, content=b"[" + b",".join(batch) + b"]")
    except httpx.RequestError as error:
        return Outcome(again=tuple(batch), reason=f"{type(error).__name__}: {error}")
    status = response.status_code
    if response.is_success:
        return _read_answer(response, batch)
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE and len(batch) > 1:
        middle = len(batch) // 2
        return send_batch(client, batch[:middle]) + send_batch(client, batch[middle:])
    reason = f"HTTP {status} {response.text[:200]}".rstrip()
    if status >= 500 or status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY, httpx.codes.TOO_MANY_REQUESTS):
        return Outcome(again=tuple(batch), wait=parse_retry_after(response.headers.get("Retry-After")), reason=reason)
    return Outcome(refused=len(batch), reason=reason)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3), at most ``LONGEST_WAIT``; None where it says
    nothing."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _read_answer(response: httpx.Response, batch: Sequence[bytes]) -> Outcome:
    failures = _failures(response)
    again = tuple(record for index, record in enumerate(batch) if failures.get(index, {}).get("retriable") is True)
    refused = len(failures) - len(again)
    reason = next((str(failure.get("reason", "")) for failure in failures.values()), "")
    return Outcome(len(batch) - len(failures), refused, again, reason=reason)


def _failures(response: httpx.Response) -> dict[int, Mapping[str, Any]]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    listed = answer.get("failed_events") if isinstance(answer, dict) else None
    failures = [each for each in listed or [] if isinstance(each, dict)]
    return {each["index"]: each for each in failures if isinstance(each.get("index"), int)}
