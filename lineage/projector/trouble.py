"""What the projection waits for, in one sentence, and told in the log without flooding it."""

from __future__ import annotations

import logging
import time

from lineage.errors import BusyError, DataFolderError, LineageError, UnavailableError, UnusableStoreError

PASSING = (UnavailableError, BusyError, DataFolderError, MemoryError)
"""Errors that say nothing about what was worked on: nothing is passed over because of them."""

_AGAIN_SECONDS = 60.0
"""How often what lasts is told."""
_UNKNOWN = "The projection failed, and is tried again; the server's log says how."

_log = logging.getLogger(__name__)


class Trouble:
    """What went wrong last, until it is :meth:`over`. Told when it begins or changes, each minute, and at its end."""

    def __init__(self) -> None:
        self.sentence: str | None = None
        """Why the projection stands still, and what to do; None when it goes on."""
        self._told = ""
        self._began = 0.0
        self._told_at = 0.0

    def met(self, error: Exception, reached: int) -> None:
        """Work failed with ``error`` when ``reached`` entries were projected."""
        now, begins, told = time.monotonic(), self.sentence is None, repr(error)
        if begins:
            self._began = now
        if begins or told != self._told or now - self._told_at >= _AGAIN_SECONDS:
            self._told, self._told_at = told, now
            _tell(error, reached)
        self.sentence = str(error) if isinstance(error, LineageError) else _UNKNOWN

    def over(self) -> None:
        """Work succeeded."""
        if self.sentence is not None:
            self.sentence = None
            _log.warning("The projection goes on, after %.1f s.", time.monotonic() - self._began)


def _tell(error: Exception, reached: int) -> None:
    if isinstance(error, DataFolderError | UnusableStoreError):
        _log.error("The projection stands still after %d entries: %s", reached, error)
    elif isinstance(error, UnavailableError | BusyError):
        _log.warning("The projection waits: %s", error)
    else:
        _log.error("The projection failed, and is tried again.", exc_info=error)
