"""Content hashes of files (``lineageGraph_contentHash``, method ``file``), streaming, in bounded
memory."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Literal, NamedTuple

from lineage_ingest.emit.errors import ContentMovingError, HashingError

Scope = Literal["FULL", "SAMPLE", "METADATA"]

ATTEMPTS = 3
"""How often content that changes while it is hashed is hashed again before that is given up."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One content hash: lower-case hex, and the number of bytes and rows that went into it, None where not counted.

    Comparable only with digests of the same algorithm, scope and method.
    """

    digest: str
    method: str
    algorithm: str = "sha256"
    scope: Scope = "FULL"
    bytes: int | None = None
    rows: int | None = None


class FileState(NamedTuple):
    """What of a file's metadata changes when its content does: device, inode, size in bytes, change times in
    nanoseconds."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileState:
        """The state that a ``stat`` or ``fstat`` tells."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def hash_file(path: str | os.PathLike[str]) -> Digest:
    """SHA-256 of a file's bytes: method ``file``, scope FULL; symlinks are followed.

    A file whose size, times or inode change meanwhile is hashed again, up to ``ATTEMPTS`` times in all. A writer that
    keeps the size, and is quicker than the clock of the file system, can't be noticed. Raises ContentMovingError when
    each attempt met a change, HashingError for what is no regular file or can't be read.
    """
    for _ in range(ATTEMPTS):
        hashed = digest_if_still(Path(path))
        if hashed is not None:
            digest, state = hashed
            return Digest(digest.hex(), method="file", bytes=state.size)
    msg = f"{path} changed each of the {ATTEMPTS} times that it was being hashed; hash it when its writer is done."
    raise ContentMovingError(msg)


def digest_if_still(path: Path) -> tuple[bytes, FileState] | None:
    """The SHA-256 of a regular file and its state, or None if it changed meanwhile. Raises HashingError."""
    try:
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            return _digest_open(file, path)
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}."
        raise HashingError(msg) from error


def _digest_open(file: FileIO, path: Path) -> tuple[bytes, FileState] | None:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        msg = f"{path} is no regular file."
        raise HashingError(msg)
    digest = hashlib.file_digest(file, "sha256").digest()
    before, after, named = FileState.of(status), FileState.of(os.fstat(file.fileno())), FileState.of(path.stat())
    return (digest, before) if before == after == named else None
