"""Whether the ledger can be written: by what the last commit said, and by trying, at most every other second."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lineage.errors import LedgerUnavailableError, LineageError

PROBE_SECONDS = 2.0
_PROBE_BYTES = 256 << 10


class LedgerHealth:
    """Remembers failed commits until one succeeds or a probe does. May be used from any thread.

    ``probe`` tries to write and raises LedgerUnavailableError.
    """

    def __init__(self, probe: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe
        self._clock = clock
        self._probed = float("-inf")
        self._fault: str | None = None

    def failed(self, error: LedgerUnavailableError) -> None:
        """A commit failed."""
        self._fault = error.message
        self._probed = self._clock()

    def succeeded(self) -> None:
        """A commit is durable."""
        self._fault = None

    def fault(self) -> str | None:
        """Why the ledger can't be written, or None when it can. May wait for the disk; call it in a thread."""
        now = self._clock()
        if now - self._probed >= PROBE_SECONDS:
            self._probed = now
            try:
                self._probe()
                self._fault = None
            except LineageError as error:
                self._fault = error.message
        return self._fault


def probe_folder(folder: Path) -> None:
    """Write a quarter of a megabyte durably into ``folder``, and take it away again.

    Raises LedgerUnavailableError when the disk is full, read-only or failing.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise LedgerUnavailableError(f"The data folder can't be written: {error.strerror}.") from error
