"""Whether the graph store answers, for the metrics."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lineage.errors import LineageError
from lineage.store import GraphStore

_SECONDS = 2.0
"""What was found holds so long."""


class StoreProbe:
    """Asks ``store`` for a view, at most every other second. May be used from any thread: while one waits for
    the answer, the others are told what was found before."""

    def __init__(self, store: GraphStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._asking = threading.Lock()
        self._asked = float("-inf")
        self._answers = False

    def __call__(self) -> bool:
        """Whether the store answers."""
        if self._asking.acquire(blocking=False):
            try:
                if self._clock() - self._asked >= _SECONDS:
                    self._answers = self._ask()
                    self._asked = self._clock()
            finally:
                self._asking.release()
        return self._answers

    def _ask(self) -> bool:
        try:
            with self._store.reader():
                pass
        except LineageError:
            return False
        return True
