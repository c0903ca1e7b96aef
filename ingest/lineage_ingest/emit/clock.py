"""The time that events and predictions carry: UTC with microseconds, strictly later with each call in one process.

What happens later must not look earlier or simultaneous when the system clock is coarse, or is set back a little.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

STEP_BACK_LIMIT = 60_000_000
"""Microseconds. A clock set back further than this was wrong before, and is followed."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Hands out the moments; safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def now(self) -> datetime:
        """The current moment in UTC, at least 1 µs after the one given before."""
        with self._lock:
            microseconds = time.time_ns() // 1_000
            if self._last - STEP_BACK_LIMIT < microseconds <= self._last:
                microseconds = self._last + 1
            self._last = microseconds
        return _EPOCH + timedelta(microseconds=microseconds)


CLOCK = Clock()


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with six digits, ``2026-05-01T10:00:00.000000Z``. Raises ValueError for a time with no zone."""
    if moment.tzinfo is None:
        msg = f"{moment.isoformat()} has no zone; say which with datetime(..., tzinfo=...)."
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
