"""The lock of a data folder: one process owns it (``flock``, so that the system lets go of it however that ends)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from lineage.errors import DataFolderError


class FolderLock:
    """Held from its making to :meth:`close`. Raises DataFolderError, which names the process that holds it already."""

    def __init__(self, folder: Path) -> None:
        path = folder / "lock"
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DataFolderError(f"{path} can't be written: {error.strerror}.", hint="Check the rights.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip()
            os.close(self._file)
            whose = f"process {holder}" if holder else "another process"
            raise DataFolderError(
                f"{folder} is in use by {whose}.", hint="Ask that server by its URL, or stop it first."
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, b"%d\n" % os.getpid(), 0)

    def close(self) -> None:
        """Let go of the folder; may be called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
