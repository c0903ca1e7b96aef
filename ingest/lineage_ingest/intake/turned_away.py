"""Requests with records that the guard turned away, kept as refusals: "why is my job not there?" may be a missing key.

Who they are from is not known, so little is kept of them: when, where to and why. Never the body, which is not read,
nor `Authorization`; of other headers only the Origin or Host that the reason names. One a second of each code and
address, so that they are no way to slow the intake; :class:`~lineage_ingest.intake.rejected.RejectedLog` lets them take
a small share of its rows only.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import Scope

from lineage.errors import LineageError
from lineage_ingest.intake.rejected import Rejection

RECORD_PATHS = frozenset({"/api/v1/lineage", "/api/v1/lineage/batch", "/api/v1/predictions"})
"""The addresses that take records."""

PAUSE = 1.0
"""Seconds between two that are kept of one code and address."""


class TurnedAway:
    """Hands refusals on to ``keep``, which is :meth:`RejectedLog.add`; ``clock`` gives seconds. For one event loop."""

    def __init__(self, keep: Callable[[Rejection], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}

    def __call__(self, scope: Scope, error: LineageError) -> None:
        """Keep that the request of ``scope`` was refused with ``error``, if it would have brought records."""
        path = scope["path"].removesuffix("/")
        if scope.get("method") != "POST" or path not in RECORD_PATHS:
            return
        now = self._clock()
        if now - self._last.get((error.code, path), float("-inf")) < PAUSE:
            return
        self._last[error.code, path] = now
        self._keep(
            Rejection(
                time=time.time_ns() // 1000,
                code=error.code,
                reason=str(error),
                field=None,
                sender=None,
                target=path,
                content_type=None,
                element=None,
                size=_declared(scope),
                body=b"",
            )
        )


def _declared(scope: Scope) -> int:
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(told) if told.isdigit() and len(told) < 19 else 0
