"""The facts of a data folder as they were committed last, read by another thread or process than the fold's.

They lag the ledger by about a second, with Neo4j by five, and say by how much. A session of reading sees one state of
them, whatever the fold commits meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import apsw

from lineage.errors import UnavailableError
from lineage.fold.sqlite import is_current
from lineage.fold.store import FactStore, MemoryFacts, Table
from lineage.sqlite.database import translated

_BUSY_MS = 5_000
_CACHE_KIB = 16_384
_PAGE = 256

_GET = "SELECT value FROM records WHERE tbl = ? AND key = ?"
_LINKS = "SELECT other, value FROM links WHERE tbl = ? AND key = ? ORDER BY other"
_FROM = "SELECT other, value FROM links WHERE tbl = ? AND key = ? AND other >= ? ORDER BY other LIMIT ?"
_LINKED = "SELECT value FROM links WHERE tbl = ? AND key = ? AND other = ?"


@contextmanager
def kept_facts(path: Path | None) -> Iterator[FactStore]:
    """The facts in the file ``path`` as they are now, for one thread, until the block ends; none of them (watermark 0)
    where there is no such file, or one of another release. Raises DataFolderError for a damaged file, UnavailableError
    where it can't be read now."""
    if path is None or not path.exists():
        yield MemoryFacts()
        return
    with translated(path):
        db = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            db.set_busy_timeout(_BUSY_MS)
            db.pragma("cache_size", -_CACHE_KIB)
            db.execute("BEGIN")
            yield _KeptFacts(db) if is_current(db) else MemoryFacts()
        finally:
            db.close()


class _KeptFacts:
    """A :class:`~lineage.fold.store.FactStore` that is only read, on a connection inside a read transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def watermark(self) -> int:
        return int(self._db.execute("SELECT watermark FROM state").get)

    def get(self, table: Table, key: bytes) -> bytes | None:
        return self._value(_GET, table, key)

    def links(self, table: Table, key: bytes) -> list[tuple[bytes, bytes]]:
        return self._rows(_LINKS, table, key)

    def sparse_links(self, table: Table, key: bytes, prefix: int) -> list[tuple[bytes, bytes]]:
        return self._rows(_LINKS, table, key)

    def links_from(self, table: Table, key: bytes, other: bytes) -> Iterator[tuple[bytes, bytes]]:
        while page := self._rows(_FROM, table, key, other, _PAGE):
            yield from page
            other = page[-1][0] + b"\0"

    def linked(self, table: Table, key: bytes, other: bytes) -> bytes | None:
        return self._value(_LINKED, table, key, other)

    def put(self, table: Table, key: bytes, value: bytes | None) -> NoReturn:
        self._refuse()

    def link(self, table: Table, key: bytes, other: bytes, value: bytes | None = b"") -> NoReturn:
        self._refuse()

    def commit(self, watermark: int) -> NoReturn:
        self._refuse()

    def rollback(self) -> NoReturn:
        self._refuse()

    def clear(self) -> NoReturn:
        self._refuse()

    def close(self) -> None:
        """The session closes the file."""

    def _refuse(self) -> NoReturn:
        raise UnavailableError("These facts are open for reading only.")

    def _value(self, query: str, *bindings: int | bytes) -> bytes | None:
        found: bytes | None = self._db.execute(query, bindings).get
        return found

    def _rows(self, query: str, *bindings: int | bytes) -> list[tuple[bytes, bytes]]:
        return self._db.execute(query, bindings).fetchall()  # type: ignore[return-value]
