"""What was refused, kept so that "why is my job not there?" has an answer.

The newest refusals, bounded in number and bytes, in one SQLite file that other processes may read at any time. They are
written in the background, without waiting for the disk: refusals must not be a way to slow the intake. When they
come faster than they can be written, the oldest of those that wait are dropped, as the bound would drop them anyway.
Refusals of access hold a tenth of the rows at most: who has no key can't push out what the others sent.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import apsw

from lineage.errors import ForbiddenError, UnauthenticatedError

_LOG = logging.getLogger(__name__)
_MAX_WAITING_BYTES = 16 << 20
_MAX_REASON = 2000
_BUSY_MILLISECONDS = 5000

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS rejected(
  id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, field TEXT,
  sender TEXT, target TEXT NOT NULL, content_type TEXT, element INTEGER, size INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
"""
_COLUMNS = "time, code, reason, field, sender, target, content_type, element, size, body"
_INSERT = f"INSERT INTO rejected({_COLUMNS}) VALUES(?,?,?,?,?,?,?,?,?,?)"
_LIST = f"SELECT {_COLUMNS} FROM rejected ORDER BY id DESC LIMIT ?"  # noqa: S608 - a constant
_NO_ACCESS = (UnauthenticatedError.code, ForbiddenError.code)
_PRUNE_NO_ACCESS = """
DELETE FROM rejected WHERE code IN (?1, ?2) AND id NOT IN (
  SELECT id FROM rejected WHERE code IN (?1, ?2) ORDER BY id DESC LIMIT ?3)
"""
_NO_ACCESS_SHARE = 10
_HAS_TABLE = "SELECT count(*) FROM sqlite_schema WHERE name = 'rejected'"
_PRUNE = """
DELETE FROM rejected WHERE id <= (
  SELECT max(id) FROM (SELECT id, row_number() OVER newest AS number, sum(length(body)) OVER newest AS bytes
                       FROM rejected WINDOW newest AS (ORDER BY id DESC))
  WHERE number > ? OR bytes > ?)
"""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refused body, one refused element of a batch, or a request that was turned away unread: ``size`` is then its
    Content-Length.

    ``time`` is UTC microseconds since the epoch, ``target`` the path it was sent to, ``element`` its place in its
    batch, ``size`` the bytes as sent; ``body`` may hold fewer of them, or none.
    """

    time: int
    code: str
    reason: str
    field: str | None
    sender: str | None
    target: str
    content_type: str | None
    element: int | None
    size: int
    body: bytes

    @property
    def cut(self) -> bool:
        """Whether ``body`` is only the beginning of what was sent."""
        return len(self.body) < self.size


class RejectedLog:
    """The newest refusals, in the file at ``path``, which is made with the first of them.

    At most ``records`` rows with ``total_bytes`` bytes of bodies, ``body_bytes`` of each. May be used from any thread.
    """

    def __init__(
        self, path: Path, *, records: int = 1000, total_bytes: int = 64 << 20, body_bytes: int = 1 << 20
    ) -> None:
        self._path = path
        self._records = records
        self._total_bytes = total_bytes
        self._body_bytes = min(body_bytes, total_bytes)
        self._waiting: deque[Rejection] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._writing = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self.dropped = 0
        """Refusals that were never written, because they came too fast or the disk would not take them."""

    def add(self, rejection: Rejection) -> None:
        """Keep ``rejection``; its body is cut to what is kept of one. Returns at once, and never fails."""
        kept = _storable(rejection, self._body_bytes)
        with self._changed:
            if self._closed:
                return
            self._waiting.append(kept)
            self._waiting_bytes += len(kept.body)
            while len(self._waiting) > self._records or (
                self._waiting_bytes > _MAX_WAITING_BYTES and len(self._waiting) > 1
            ):
                self._waiting_bytes -= len(self._waiting.popleft().body)
                self.dropped += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_all, name="rejected", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def list(self, limit: int = 100) -> tuple[Rejection, ...]:
        """The newest ``limit`` refusals that are written, newest first; also while a server writes."""
        if not self._path.exists():
            return ()
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(_BUSY_MILLISECONDS)
            connection.execute("PRAGMA query_only = ON")
            if not connection.execute(_HAS_TABLE).get:
                return ()
            return tuple(Rejection(*row) for row in connection.execute(_LIST, (limit,)))
        finally:
            connection.close()

    def flush(self) -> None:
        """Wait until all that was added is written or dropped."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._writing)

    def close(self) -> None:
        """Write what waits, then stop."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _write_all(self) -> None:
        connection: apsw.Connection | None = None
        while batch := self._next_batch():
            try:
                connection = connection or self._open()
                self._write(connection, batch)
            except apsw.Error as error:
                self.dropped += len(batch)
                _LOG.warning("%d refused bodies could not be kept: %s", len(batch), error)
            finally:
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()
        if connection is not None:
            connection.close()

    def _next_batch(self) -> tuple[Rejection, ...]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch = tuple(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            self._writing = bool(batch)
            return batch

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(_BUSY_MILLISECONDS)
        connection.execute(_SCHEMA).fetchall()
        return connection

    def _write(self, connection: apsw.Connection, batch: tuple[Rejection, ...]) -> None:
        rows = [
            (r.time, r.code, r.reason, r.field, r.sender, r.target, r.content_type, r.element, r.size, r.body)
            for r in batch
        ]
        with connection:
            connection.executemany(_INSERT, rows)
            if any(rejection.code in _NO_ACCESS for rejection in batch):
                connection.execute(_PRUNE_NO_ACCESS, (*_NO_ACCESS, max(1, self._records // _NO_ACCESS_SHARE)))
            connection.execute(_PRUNE, (self._records, self._total_bytes))


def _storable(rejection: Rejection, body_bytes: int) -> Rejection:
    return Rejection(
        time=rejection.time,
        code=rejection.code,
        reason=_text(rejection.reason[:_MAX_REASON]),
        field=None if rejection.field is None else _text(rejection.field[:_MAX_REASON]),
        sender=rejection.sender,
        target=_text(rejection.target[:_MAX_REASON]),
        content_type=None if rejection.content_type is None else _text(rejection.content_type[:_MAX_REASON]),
        element=rejection.element,
        size=rejection.size,
        body=bytes(rejection.body[:body_bytes]),
    )


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()
