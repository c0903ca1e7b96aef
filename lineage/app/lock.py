"""The lock of a data folder: one process owns it (``flock``, so that the system lets go of it however that ends)."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from lineage.errors import DataFolderError

_LAST_SECONDS = 10.0
"""The process that folds for one that was killed has the lock too, and gets so long to end."""
_AGAIN_SECONDS = 0.05


class FolderLock:
    """Held from its making to :meth:`close`, and by who keeps ``file`` open. Raises DataFolderError, which names the
    process that holds it already."""

    def __init__(self, folder: Path) -> None:
        path = folder / "lock"
        try:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DataFolderError(f"{path} can't be written: {error.strerror}.", hint="Check the rights.") from error
        until = time.monotonic() + _LAST_SECONDS
        while not self._try_to_take():
            holder = os.pread(self.file, 20, 0).decode("ascii", "replace").strip()
            if time.monotonic() > until or not _has_ended(holder):
                self.close()
                if _has_ended(holder):
                    raise DataFolderError(
                        f"What process {holder} has left behind still writes into {folder}.",
                        hint="Wait a moment, and try again.",
                    )
                whose = f"process {holder}" if holder else "another process"
                raise DataFolderError(
                    f"{folder} is in use by {whose}.", hint="Ask that server by its URL, or stop it first."
                )
            time.sleep(_AGAIN_SECONDS)
        os.ftruncate(self.file, 0)
        os.pwrite(self.file, b"%d\n" % os.getpid(), 0)

    def _try_to_take(self) -> bool:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of the folder; may be called twice."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


def _has_ended(holder: str) -> bool:
    """Whether there is no process with the number ``holder``, or only what its parent has not asked for yet."""
    try:
        os.kill(int(holder), 0)
        return Path(f"/proc/{holder}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except ProcessLookupError:
        return True
    except (ValueError, OverflowError, OSError):
        return False
