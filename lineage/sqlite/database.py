"""SQLite files through apsw: opening, the write transaction, pooled readers, and errors translated once.

Write-ahead log, synchronous NORMAL: a projection that loses its last transactions with the power is caught up from the
ledger. What is deleted within a page is overwritten (``secure_delete`` FAST), and ``clear`` gives free pages back, so
that what was erased does not live on in the file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from lineage.errors import DataFolderError, UnavailableError

_IDLE_READERS = 8
_BUSY_MS = 5_000
_WRITER_CACHE_KIB = 65_536
_READER_CACHE_KIB = 16_384
_JOURNAL_LIMIT_BYTES = 67_108_864
_CHECKPOINT_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file holds: ``application_id`` marks it as ours, ``version`` its tables, ``create`` makes them."""

    application_id: int
    version: int
    create: str
    tables: tuple[str, ...]


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn apsw's errors into DataFolderError (foreign or damaged file) and UnavailableError (all else)."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError, apsw.FormatError) as error:
        raise DataFolderError(f"{path.name} is damaged or no file of ours ({error}).", hint=_REBUILD) from error
    except apsw.CantOpenError as error:
        raise DataFolderError(
            f"{path.name} can't be opened ({error}).", hint="Check that the folder exists."
        ) from error
    except apsw.Error as error:
        raise UnavailableError(
            f"{path.name} can't be used now ({error}).", hint="Check free space and permissions."
        ) from error


_REBUILD = "It can be made anew from the ledger: move it away and rebuild."


class Database:
    """One file: one connection that writes, and a pool of connections that read, each in a transaction of its own.

    A file whose layout has another version is emptied on opening: it is a projection, and made anew from the ledger.
    With ``read_only`` the file must exist. Raises DataFolderError for a foreign, damaged or, read-only, outdated file.
    """

    def __init__(self, path: Path, layout: Layout, *, read_only: bool = False) -> None:
        self.path = path
        self._layout = layout
        self._write_lock = threading.Lock()
        self._pool_lock = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._closed = False
        self._read_only = read_only
        with translated(path):
            self._check()
            self._writer = None if read_only else self._open_writer()

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """The write connection inside one transaction: committed at the end, rolled back by any error."""
        with self._write_lock, translated(self.path):
            if self._writer is None:
                raise UnavailableError(f"{self.path.name} is closed or open for reading only.")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def sync(self) -> None:
        """Have the system write the log through: what is committed then outlives a crash of the machine. Raises
        UnavailableError where it refuses."""
        try:
            file = os.open(f"{self.path}-wal", os.O_RDONLY)
            try:
                os.fdatasync(file)
            finally:
                os.close(file)
        except FileNotFoundError:
            return
        except OSError as error:
            raise UnavailableError(f"{self.path.name} can't be written through: {error.strerror}.") from error

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection inside one read transaction: it sees one state, whatever is written meanwhile."""
        with translated(self.path):
            connection = self._take()
            try:
                connection.execute("BEGIN")
                connection.execute("PRAGMA user_version").fetchone()
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._give(connection)

    def clear(self) -> None:
        """Drop all tables and make them anew, then give the space back to the file system."""
        with self.writing() as connection:
            self._drop(connection)
            self._create(connection)
        with self._write_lock, translated(self.path):
            if self._writer is not None:
                self._writer.execute("VACUUM")
                self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close all connections; those that still read, when they are given back."""
        with self._write_lock, self._pool_lock, translated(self.path):
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _check(self) -> None:
        if not self.path.exists():
            if self._read_only:
                raise DataFolderError(f"{self.path} does not exist.", hint="Start the server once, or rebuild.")
            return
        connection = apsw.Connection(str(self.path), flags=self._read_flags())
        try:
            connection.set_busy_timeout(_BUSY_MS)
            found = connection.pragma("application_id"), connection.pragma("user_version")
            empty = connection.pragma("schema_version") == 0
        finally:
            connection.close()
        ours = found[0] == self._layout.application_id
        if not ours and (self._read_only or not empty):
            raise DataFolderError(f"{self.path.name} is no file of ours.", hint="Give another folder.")
        if self._read_only and found[1] != self._layout.version:
            raise DataFolderError(f"{self.path.name} was made by another release.", hint=_REBUILD)

    def _open_writer(self) -> apsw.Connection:
        connection = apsw.Connection(str(self.path), statementcachesize=200)
        connection.set_busy_timeout(_BUSY_MS)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "normal")
        connection.pragma("secure_delete", "fast")
        connection.pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)
        connection.pragma("journal_size_limit", _JOURNAL_LIMIT_BYTES)
        connection.pragma("cache_size", -_WRITER_CACHE_KIB)
        if connection.pragma("user_version") != self._layout.version:
            with connection:
                self._drop(connection)
                self._create(connection)
        return connection

    def _drop(self, connection: apsw.Connection) -> None:
        for table in self._layout.tables:
            connection.execute(f"DROP TABLE IF EXISTS {table}")

    def _create(self, connection: apsw.Connection) -> None:
        connection.execute(self._layout.create)
        connection.pragma("application_id", self._layout.application_id)
        connection.pragma("user_version", self._layout.version)

    def _read_flags(self) -> int:
        return apsw.SQLITE_OPEN_READONLY if self._read_only else apsw.SQLITE_OPEN_READWRITE

    def _take(self) -> apsw.Connection:
        with self._pool_lock:
            if self._closed:
                raise UnavailableError(f"{self.path.name} is closed.")
            if self._idle:
                return self._idle.pop()
        connection = apsw.Connection(str(self.path), flags=self._read_flags(), statementcachesize=100)
        connection.set_busy_timeout(_BUSY_MS)
        connection.pragma("query_only", True)
        connection.pragma("cache_size", -_READER_CACHE_KIB)
        return connection

    def _give(self, connection: apsw.Connection) -> None:
        with self._pool_lock:
            if not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()
