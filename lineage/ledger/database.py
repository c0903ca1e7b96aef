"""The ledger's SQLite file: its tables, how a connection is opened, and how SQLite's errors become ours."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import apsw

from lineage.errors import DataFolderError, LedgerUnavailableError
from lineage.ledger import EntryKind
from lineage.ledger.damage import damaged
from lineage.ledger.payload import NEWEST_DICTIONARY, shipped_dictionary

Value = int | bytes | str | None
Row = tuple[Value, ...]

APPLICATION_ID = 0x4C4E4731
"""The file's mark: LNG1."""
FORMAT = 1
KINDS: tuple[EntryKind, ...] = ("lineage", "predictions")
"""A leaf's kind is stored as its number here; new kinds go to the end."""
POSITION_BITS = 24
"""A record's place is ``index << 24 | position``: one integer that sorts like the pair."""

# leaves and nodes are never changed; whatever can be erased stands in tables of its own. Who erases a row of records or
# envelopes puts its commitment into erased_records or erased_envelopes: all that proofs need of it.
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE dictionaries (number INTEGER PRIMARY KEY, zipped BLOB NOT NULL) STRICT;
CREATE TABLE leaves (
    idx INTEGER PRIMARY KEY, received INTEGER NOT NULL, kind INTEGER NOT NULL, records INTEGER NOT NULL,
    records_commitment BLOB NOT NULL
) STRICT;
CREATE TABLE nodes (id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE senders (id INTEGER PRIMARY KEY, members TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE envelopes (
    idx INTEGER PRIMARY KEY, nonce BLOB NOT NULL, sender INTEGER NOT NULL, source_offset TEXT
) STRICT;
CREATE TABLE records (
    place INTEGER PRIMARY KEY, nonce BLOB NOT NULL, dictionary INTEGER NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE TABLE erased_envelopes (idx INTEGER PRIMARY KEY, commitment BLOB NOT NULL) STRICT;
CREATE TABLE erased_records (place INTEGER PRIMARY KEY, commitment BLOB NOT NULL) STRICT;
CREATE TABLE duplicates (key BLOB PRIMARY KEY, place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER leaves_stay BEFORE DELETE ON leaves BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER leaves_hold BEFORE UPDATE ON leaves BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER nodes_stay BEFORE DELETE ON nodes BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER nodes_hold BEFORE UPDATE ON nodes BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
_ROWS_AT_ONCE = 32
# A page is left when the next row doesn't fit: of 4 KiB, a tenth is lost to records that take 700 bytes.
_PAGE_BYTES = 8192
_CHECKPOINT_PAGES = 2000
_DAMAGED = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError, UnicodeDecodeError)
_UNAVAILABLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.AuthError,
    apsw.ProtocolError,
    apsw.ConnectionClosedError,
)


def kind_of(number: int) -> EntryKind:
    """The kind that is stored as ``number``. Raises DataFolderError where there is none."""
    if not 0 <= number < len(KINDS):
        raise damaged("The kind of an entry")
    return KINDS[number]


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what the disk or the file is to blame for into LedgerUnavailableError or DataFolderError."""
    try:
        yield
    except _DAMAGED as error:
        raise DataFolderError(
            f"{path} is damaged or no ledger: {error}.", hint="Restore it from a backup; nothing was changed."
        ) from error
    except _UNAVAILABLE as error:
        raise LedgerUnavailableError(
            f"The ledger {path} can't be used now: {error}.", hint="Check the disk's space, rights and health."
        ) from error


def connect(path: Path, *, read_only: bool) -> apsw.Connection:
    """A connection for one thread at a time. Raises apsw's errors: call it inside :func:`translated`."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    db = apsw.Connection(os.fspath(path), flags=flags)
    db.set_busy_timeout(5000)
    return db


def fetch(db: apsw.Connection, sql: str, bindings: Sequence[Value | apsw.CArrayBinding] = ()) -> list[Any]:
    """All rows of a query, whose columns' types only the query knows."""
    return list(db.execute(sql, bindings))


def prepare(db: apsw.Connection) -> None:
    """Make a connection the writer's: WAL, every commit synced, checkpoints rarer than SQLite's default."""
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "full")
    db.pragma("wal_autocheckpoint", _CHECKPOINT_PAGES)
    db.pragma("cache_size", -65536)


def insert(db: apsw.Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert whole rows, up to 32 by one statement: each statement gives up the interpreter's lock once."""
    done = 0
    while done < len(rows):
        count = 1 << (min(len(rows) - done, _ROWS_AT_ONCE).bit_length() - 1)
        db.execute(_insertion(table, len(rows[0]), count), [*chain.from_iterable(rows[done : done + count])])
        done += count


@cache
def _insertion(table: str, width: int, count: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {','.join([row] * count)}"  # noqa: S608


def is_empty(db: apsw.Connection) -> bool:
    """Whether nothing was ever written to the file, which is then free to become a ledger."""
    return not db.pragma("application_id") and not db.execute("SELECT count(*) FROM sqlite_schema").get


def check_format(db: apsw.Connection, path: Path) -> None:
    """Raises DataFolderError on a file that is no ledger, or one of a later format."""
    if db.pragma("application_id") != APPLICATION_ID:
        raise DataFolderError(f"{path} is no ledger of Lineage.", hint="Name another data folder.")
    if db.pragma("user_version") != FORMAT:
        raise DataFolderError(f"{path} was written by another version of Lineage.", hint="Use that version.")


def create_tables(db: apsw.Connection) -> None:
    """Make an empty file a ledger, with an id and a key of its own; all in one transaction."""
    db.pragma("page_size", _PAGE_BYTES)
    prepare(db)
    with db:
        db.execute(_TABLES)
        db.execute("INSERT INTO meta VALUES ('id', ?), ('key', ?)", (secrets.token_hex(16), secrets.token_bytes(32)))
        add_shipped_dictionary(db)
        db.pragma("user_version", FORMAT)
        db.pragma("application_id", APPLICATION_ID)


def add_shipped_dictionary(db: apsw.Connection) -> None:
    """Give a ledger made by an older version the dictionary that this one compresses with."""
    if db.execute("SELECT 1 FROM dictionaries WHERE number = ?", (NEWEST_DICTIONARY,)).get is None:
        db.execute("INSERT OR IGNORE INTO dictionaries VALUES (?, ?)", (NEWEST_DICTIONARY, shipped_dictionary()))
