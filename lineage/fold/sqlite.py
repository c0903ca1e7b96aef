"""Facts in one SQLite file (``facts.sqlite``): see :class:`lineage.fold.store.FactStore`.

What is put stays in memory until ``commit`` writes it in one transaction; reads look there first, and ask the file only
for keys that it may hold. One process writes the file; others read what was committed. Write-ahead log,
synchronous NORMAL: what the power takes is folded again from the ledger. What is deleted is overwritten
(``secure_delete`` FAST), so that what was erased does not live on in the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from operator import itemgetter
from pathlib import Path
from zlib import crc32

import apsw
import msgspec

from lineage.errors import DataFolderError, LineageError, UnavailableError
from lineage.facts.claims import Claims
from lineage.fold.presence import Presence, learn
from lineage.fold.records import DICTIONARY, DatasetRecord, JobRecord, RunRecord
from lineage.fold.references import Reference
from lineage.fold.store import Table
from lineage.model import EdgeKind, NameScope
from lineage.timeline.contents import Content
from lineage.timeline.touch import Touch

_APPLICATION_ID = 0x4C696E46
_BUSY_MS = 5_000
_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 4_000
_JOURNAL_LIMIT_BYTES = 67_108_864
_PAGE_BYTES = 8_192
_SHORT = 32
"""Links of one key up to which they are kept in memory, as they stand with what is not yet committed."""
_KEPT_SHORT = 50_000
_PAGE = 16
"""Links read at once, of those that are read one after the other."""
_LONGEST = 64
"""More bytes than a link has after a prefix that is asked for."""

_CREATE = """
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), watermark INTEGER NOT NULL);
INSERT INTO state VALUES (1, 0);
CREATE TABLE records (tbl INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (tbl, key))
    WITHOUT ROWID;
CREATE TABLE links (tbl INTEGER NOT NULL, key BLOB NOT NULL, other BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (tbl, key, other)) WITHOUT ROWID;
"""
_DROP = "DROP TABLE IF EXISTS state; DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS links;"

_GET = "SELECT value FROM records WHERE tbl = ? AND key = ?"
_PUT = "INSERT INTO records VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3"
_REMOVE = "DELETE FROM records WHERE tbl = ? AND key = ?"
_LINKS = "SELECT other, value FROM links WHERE tbl = ? AND key = ? ORDER BY other"
_FIRST = "SELECT other, value FROM links WHERE tbl = ? AND key = ? AND other >= ? ORDER BY other LIMIT ?"
_LAST = "SELECT other, value FROM links WHERE tbl = ? AND key = ? AND other <= ? ORDER BY other DESC LIMIT ?"
_LINKED = "SELECT value FROM links WHERE tbl = ? AND key = ? AND other = ?"
_LINK = "INSERT INTO links VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET value = ?4 WHERE value <> ?4"
_UNLINK = "DELETE FROM links WHERE tbl = ? AND key = ? AND other = ?"


def is_current(db: apsw.Connection) -> bool:
    """Whether a file of facts has the layout that this release reads and writes."""
    return bool(db.pragma("application_id") == _APPLICATION_ID and db.pragma("user_version") == _version())


@cache
def _version() -> int:
    """Follows from the tables, and from what is encoded into them and how: any changes, and the file is made anew."""
    kinds = [
        msgspec.inspect.type_info(kind)
        for kind in (RunRecord, Claims, DatasetRecord, JobRecord, Touch, Reference, Content)
    ]
    codes = [*Table, *EdgeKind, *NameScope]
    return crc32(repr((_CREATE, kinds, codes, crc32(DICTIONARY))).encode()) & 0x7FFFFFFF


class SQLiteFacts:
    """A :class:`~lineage.fold.store.FactStore` in the file ``path``; in memory, yet with rollback, where that is None.

    A file of another layout is emptied (watermark 0). Raises DataFolderError for a foreign or damaged file,
    UnavailableError where the disk refuses; nothing of the batch is then written, and ``commit`` may be tried again.
    """

    def __init__(self, path: Path | None) -> None:
        self._name = "the facts in memory" if path is None else path.name
        self._records: dict[tuple[Table, bytes], bytes | None] = {}
        self._links: dict[tuple[Table, bytes], dict[bytes, bytes | None]] = {}
        self._short: dict[tuple[Table, bytes], dict[bytes, bytes]] = {}
        self._known: Presence | None = None
        with self._translated():
            self._db = apsw.Connection(":memory:" if path is None else os.fspath(path))
            try:
                self._set_up()
            except BaseException:
                self._db.close()
                raise

    def watermark(self) -> int:
        """How many ledger entries the facts reflect."""
        with self._translated():
            return int(self._db.execute("SELECT watermark FROM state").get)

    def get(self, table: Table, key: bytes) -> bytes | None:
        """The record, or None."""
        place = table, key
        if place in self._records:
            return self._records[place]
        if not self._presence().may_hold(table, key):
            return None
        return self._value(_GET, table, key)

    def put(self, table: Table, key: bytes, value: bytes | None) -> None:
        """Set the record, or remove it."""
        self._records[table, key] = value

    def links(self, table: Table, key: bytes) -> Sequence[tuple[bytes, bytes]]:
        """All (other, value) linked from ``key``, by other."""
        place = table, key
        known = self._short.get(place)
        if known is None:
            there = self._presence().may_hold(table, key)
            known = self._current(place, self._rows(_LINKS, *place) if there else ())
        return sorted(known.items())

    def sparse_links(self, table: Table, key: bytes, prefix: int) -> Sequence[tuple[bytes, bytes]]:
        """As :meth:`links`; of many that have the first ``prefix`` bytes of ``other`` in common, at least the two first
        and the two last. Costs two look-ups for each prefix."""
        place = table, key
        known = self._short.get(place)
        if known is None:
            there = self._presence().may_hold(table, key)
            stored = self._rows(_FIRST, *place, b"", _SHORT + 1) if there else ()
            if len(stored) <= _SHORT:
                known = self._current(place, stored)
            else:
                removed = sum(value is None for value in self._links.get(place, {}).values())
                known = self._with_fresh(place, self._ends_by_prefix(place, prefix, 2 + removed))
        return sorted(known.items())

    def _ends_by_prefix(self, place: tuple[Table, bytes], prefix: int, most: int) -> Iterable[tuple[bytes, bytes]]:
        found: dict[bytes, bytes] = {}
        start = b""
        while first := self._rows(_FIRST, *place, start, most):
            shared = first[0][0][:prefix]
            end = shared + b"\xff" * _LONGEST
            last = self._rows(_LAST, *place, end, most)
            found.update(row for row in (*first, *last) if row[0].startswith(shared))
            start = end
        return found.items()

    def links_from(self, table: Table, key: bytes, other: bytes) -> Iterator[tuple[bytes, bytes]]:
        """As :meth:`links`, from ``other`` on, a page at a time."""
        place, start = (table, key), other
        fresh = self._links.get(place, {})
        while True:
            page: dict[bytes, bytes | None] = dict(self._rows(_FIRST, *place, start, _PAGE))
            last = max(page) if len(page) == _PAGE else None
            page |= {each: v for each, v in fresh.items() if start <= each and (last is None or each <= last)}
            yield from sorted((each, value) for each, value in page.items() if value is not None)
            if last is None:
                return
            start = last + b"\0"

    def linked(self, table: Table, key: bytes, other: bytes) -> bytes | None:
        """The value of one link, or None if there is none."""
        known = self._short.get((table, key))
        if known is not None:
            return known.get(other)
        fresh = self._links.get((table, key))
        if fresh is not None and other in fresh:
            return fresh[other]
        if not self._presence().may_hold(table, key):
            return None
        return self._value(_LINKED, table, key, other)

    def link(self, table: Table, key: bytes, other: bytes, value: bytes | None = b"") -> None:
        """Set a link, or remove it (None)."""
        place = table, key
        self._links.setdefault(place, {})[other] = value
        known = self._short.get(place)
        if known is not None:
            if value is None:
                known.pop(other, None)
            else:
                known[other] = value
                if len(known) > _SHORT:
                    del self._short[place]

    def commit(self, watermark: int) -> None:
        """Write everything put so far, and the watermark."""
        with self._translated(), self._db:
            self._write_records()
            self._write_links()
            self._db.execute("UPDATE state SET watermark = ? WHERE watermark <> ?1", (watermark,))
        self._presence().add(self._records)
        self._presence().add(self._links)
        self._records.clear()
        self._links.clear()

    def rollback(self) -> None:
        """Forget everything put since the last commit."""
        for place in self._links:
            self._short.pop(place, None)
        self._records.clear()
        self._links.clear()

    def clear(self) -> None:
        """Remove everything, watermark included, and give the space back."""
        self.rollback()
        self._short.clear()
        self._known = None
        with self._translated():
            self._create()
            self._db.execute("VACUUM")

    def close(self) -> None:
        """Close the file; what was not committed is forgotten."""
        self.rollback()
        with self._translated():
            self._db.close()

    def _presence(self) -> Presence:
        """What the file may hold; learnt when it is first asked for: a third of a second for a million links."""
        if self._known is None:
            with self._translated():
                self._known = learn(self._db)
        return self._known

    def _value(self, query: str, *bindings: int | bytes) -> bytes | None:
        try:
            found: bytes | None = self._db.execute(query, bindings).get
        except apsw.Error as error:
            raise self._failure(error) from error
        return found

    def _rows(self, query: str, *bindings: int | bytes) -> list[tuple[bytes, bytes]]:
        try:
            return self._db.execute(query, bindings).fetchall()  # type: ignore[return-value]
        except apsw.Error as error:
            raise self._failure(error) from error

    def _current(self, place: tuple[Table, bytes], stored: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
        """All links of ``place`` as they stand; few, or none, are asked for again and again, and kept."""
        known = self._with_fresh(place, stored)
        if len(known) <= _SHORT:
            if len(self._short) >= _KEPT_SHORT:
                self._short.clear()
            self._short[place] = known
        return known

    def _with_fresh(self, place: tuple[Table, bytes], stored: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
        known = dict(stored)
        for other, value in self._links.get(place, {}).items():
            if value is None:
                known.pop(other, None)
            else:
                known[other] = value
        return known

    def _write_records(self) -> None:
        rows = sorted(self._records.items(), key=itemgetter(0))
        self._db.executemany(_PUT, [(table, key, value) for (table, key), value in rows if value is not None])
        self._db.executemany(_REMOVE, [place for place, value in rows if value is None])

    def _write_links(self) -> None:
        rows = [
            (table, key, other, value)
            for (table, key), fresh in sorted(self._links.items(), key=itemgetter(0))
            for other, value in sorted(fresh.items(), key=itemgetter(0))
        ]
        self._db.executemany(_LINK, [row for row in rows if row[3] is not None])
        self._db.executemany(_UNLINK, [row[:3] for row in rows if row[3] is None])

    def _set_up(self) -> None:
        db = self._db
        db.set_busy_timeout(_BUSY_MS)
        if db.pragma("application_id") != _APPLICATION_ID and db.pragma("schema_version"):
            raise DataFolderError(f"{self._name} is no file of ours.", hint="Give another folder.")
        db.pragma("page_size", _PAGE_BYTES)
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", "normal")
        db.pragma("secure_delete", "fast")
        db.pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)
        db.pragma("journal_size_limit", _JOURNAL_LIMIT_BYTES)
        db.pragma("cache_size", -_CACHE_KIB)
        if db.pragma("user_version") != _version():
            self._create()

    def _create(self) -> None:
        with self._db as db:
            db.execute(_DROP)
            db.execute(_CREATE)
            db.pragma("application_id", _APPLICATION_ID)
            db.pragma("user_version", _version())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except apsw.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: apsw.Error) -> LineageError:
        if isinstance(error, apsw.NotADBError | apsw.CorruptError | apsw.FormatError):
            return DataFolderError(f"{self._name} is damaged or no file of ours ({error}).", hint=_REMAKE)
        if isinstance(error, apsw.CantOpenError):
            return DataFolderError(f"{self._name} can't be opened ({error}).", hint="Check that the folder exists.")
        return UnavailableError(f"{self._name} can't be used now ({error}).", hint="Check free space and permissions.")


_REMAKE = "It can be made anew from the ledger: move it away and rebuild."
