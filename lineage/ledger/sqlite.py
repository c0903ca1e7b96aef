"""The ledger in one SQLite file (apsw): WAL, synchronous FULL, append-only. See :class:`lineage.ledger.Ledger`.

One thread appends; any thread reads, each through a pooled connection of its own that holds no transaction open
between two pages. The file holds all that it needs: its id, its key, and the dictionaries of its payloads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from lineage.errors import BadInputError, DataFolderError, IndexAheadError, LedgerUnavailableError
from lineage.ledger import Entry, Envelope, KeptRoot, Progress, Receipt, Submission, database
from lineage.ledger.batch import Batch, Hashed, RecordHasher
from lineage.ledger.check import check
from lineage.ledger.damage import damaged
from lineage.ledger.envelope import stored_members
from lineage.ledger.feed import read_entries
from lineage.ledger.payload import PayloadCodec
from lineage.ledger.tree import StoredTree
from lineage.proof import merkle

_PAGE = 64


def _now() -> int:
    return time.time_ns() // 1000


class SQLiteLedger:
    """A :class:`lineage.ledger.Ledger` in the file ``path``.

    With ``create`` a missing or empty file becomes a new ledger; ``read_only`` opens an existing one beside the process
    that writes it, and with ``even_damaged`` also one of whose payloads none may be readable, to be verified. ``clock``
    gives UTC microseconds since the epoch. Raises DataFolderError on a missing, foreign or damaged file,
    LedgerUnavailableError where the disk refuses.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = True,
        read_only: bool = False,
        even_damaged: bool = False,
        clock: Callable[[], int] = _now,
    ) -> None:
        self._path = Path(path)
        self._read_only = read_only
        self._clock = clock
        self._idle: list[apsw.Connection] = []
        self._closed = False
        self._writing = threading.Lock()
        self._writer: _Writer | None = None
        if not self._path.exists() and (read_only or not create):
            raise DataFolderError(f"There is no ledger at {self._path}.", hint="Name the data folder of a server.")
        with database.translated(self._path):
            with _closing(database.connect(self._path, read_only=read_only)) as db:
                self._set_up(db, create=create and not read_only)
                meta: dict[str, Any] = dict(database.fetch(db, "SELECT name, value FROM meta"))
                self._codec = PayloadCodec(dict(database.fetch(db, "SELECT number, zipped FROM dictionaries")))
            if not (read_only and even_damaged):
                self._codec.require_whole()
            if not {"id", "key"} <= meta.keys():
                raise damaged("The id or the key")
            self._id, self._hasher = str(meta["id"]), RecordHasher(bytes(meta["key"]))
            if not read_only:
                self._writer = _Writer(self._path)

    def _set_up(self, db: apsw.Connection, *, create: bool) -> None:
        if create and database.is_empty(db):
            database.create_tables(db)
        database.check_format(db, self._path)
        if create:
            database.add_shipped_dictionary(db)

    @property
    def id(self) -> str:
        """The random id that the ledger got when it was created: 32 hexadecimal digits."""
        return self._id

    def append(self, submissions: Sequence[Submission]) -> list[list[Receipt]]:
        """As :meth:`lineage.ledger.Ledger.append`. After an error the file is opened anew by the next append."""
        hashed = [self._hasher.hash(submission) for submission in submissions]
        with self._writing, database.translated(self._path):
            writer = self._open_writer()
            try:
                return writer.append(submissions, hashed, self._codec, self._clock())
            except BaseException:
                self._writer = None
                writer.close()
                raise

    def _open_writer(self) -> _Writer:
        if self._closed:
            raise LedgerUnavailableError("The ledger is closed.")
        if self._writer is None:
            if self._read_only:
                raise LedgerUnavailableError("The ledger was opened to be read only.")
            self._writer = _Writer(self._path)
        return self._writer

    def size(self) -> int:
        """The number of entries."""
        writer = self._writer
        if writer is not None:
            return writer.size
        with self._reading() as db:
            return StoredTree(db).size()

    def entries(self, after: int = -1, limit: int | None = None) -> Iterator[Entry]:
        """As :meth:`lineage.ledger.Ledger.entries`. Raises DataFolderError at an entry that is damaged."""
        end = self.size() if limit is None else min(self.size(), max(after, -1) + 1 + max(limit, 0))
        return self._pages(max(after, -1) + 1, end)

    def _pages(self, start: int, end: int) -> Iterator[Entry]:
        while start < end:
            with self._reading() as db:
                page = read_entries(db, self._codec, start, min(start + _PAGE, end))
            for entry in page:
                yield entry
                start = entry.index + 1

    def root(self, size: int | None = None) -> bytes:
        """The RFC 6962 root over the first ``size`` leaves (all by default). Raises IndexAheadError past the end."""
        with self._tree_of(size) as (tree, of):
            return tree.frontier(of).root()

    def leaf(self, index: int) -> bytes:
        """The exact bytes of leaf ``index``. Raises IndexAheadError past the end."""
        with self._tree_of(None) as (tree, of):
            _require_entry(index, of)
            return tree.leaf(index)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """RFC 6962 section 2.1.1 audit path. Raises IndexAheadError past the end, also of ``size``."""
        with self._tree_of(size) as (tree, of):
            _require_entry(index, of)
            return merkle.inclusion_proof(tree.subtree_hash, index, of)

    def consistency_proof(self, first: int, second: int | None = None) -> list[bytes]:
        """RFC 6962 section 2.1.2 proof. Raises IndexAheadError, BadInputError unless ``1 <= first <= second``."""
        with self._tree_of(second) as (tree, of):
            if not 1 <= first <= of:
                raise BadInputError(f"No proof from {first} to {of} entries: the first must be 1 to {of}.")
            return merkle.consistency_proof(tree.subtree_hash, first, of)

    def verify(self, kept: KeptRoot | None = None) -> Iterator[Progress]:
        """Recompute every commitment, leaf and tree node from what is stored, as the ledger stood at the call, and
        compare the root with the one that was ``kept``.

        Gives progress from time to time; the last one is complete and has the root, or names all faults. No fault ends
        the check, save a file that SQLite can't read any further.
        """
        return check(self._reading, self._codec, self._hasher, self.size(), kept)

    def close(self) -> None:
        """Release the files, the writer last: it moves what the WAL holds into the file. Later calls are refused."""
        with self._writing:
            self._closed = True
            while self._idle:
                self._idle.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    @contextmanager
    def _tree_of(self, size: int | None) -> Iterator[tuple[StoredTree, int]]:
        """The stored tree, and ``size`` or all of it. Raises BadInputError below 0, IndexAheadError past the end."""
        with self._reading() as db:
            tree = StoredTree(db)
            whole = tree.size()
            if size is not None and size < 0:
                raise BadInputError("A number of entries can't be negative.")
            if size is not None and size > whole:
                raise IndexAheadError(f"The ledger has {whole} entries, not {size}.")
            yield tree, whole if size is None else size

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """Lend a connection to the calling thread."""
        if self._closed:
            raise LedgerUnavailableError("The ledger is closed.")
        with database.translated(self._path):
            try:
                db = self._idle.pop()
            except IndexError:
                db = database.connect(self._path, read_only=True)
            keep = True
            try:
                yield db
            except apsw.Error:
                keep = False
                raise
            finally:
                if keep and not self._closed:
                    self._idle.append(db)
                else:
                    db.close()


class _Writer:
    """The one connection that appends, and what it remembers between two appends."""

    def __init__(self, path: Path) -> None:
        self._db = database.connect(path, read_only=False)
        database.prepare(self._db)
        self._senders: dict[str, int] = {}
        self._load()

    @property
    def size(self) -> int:
        """The number of entries that are durable."""
        return self._frontier.size

    def _load(self) -> None:
        tree = StoredTree(self._db)
        self._frontier = tree.frontier(tree.size())
        self._received = int(self._db.execute("SELECT received FROM leaves ORDER BY idx DESC LIMIT 1").get or 0)

    def append(
        self, submissions: Sequence[Submission], hashed: Sequence[Sequence[Hashed]], codec: PayloadCodec, now: int
    ) -> list[list[Receipt]]:
        """One transaction; on any error the caller throws this writer away."""
        self._db.execute("BEGIN IMMEDIATE")
        if StoredTree(self._db).size() != self._frontier.size:
            self._load()
        keys = [one.key for of_submission in hashed for one in of_submission]
        known = self._known(keys)
        batch = Batch(self._frontier, max(now, self._received), len(keys), self._sender)
        receipts = [batch.add(one, its, known) for one, its in zip(submissions, hashed, strict=True)]
        for table, rows in batch.tables(codec).items():
            database.insert(self._db, table, rows)
        self._db.execute("COMMIT")
        self._frontier, self._received = batch.frontier, batch.received
        return receipts

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        if not keys:
            return {}
        query = "SELECT key, place FROM carray(?) CROSS JOIN duplicates ON key = value"
        return dict(database.fetch(self._db, query, (apsw.carray(tuple(keys)),)))

    def _sender(self, envelope: Envelope) -> int:
        """The number under which the envelope's parts that repeat are kept."""
        members = stored_members(envelope)
        number = self._senders.get(members)
        if number is None:
            self._db.execute("INSERT OR IGNORE INTO senders (members) VALUES (?)", (members,))
            number = int(self._db.execute("SELECT id FROM senders WHERE members = ?", (members,)).get)
            if len(self._senders) >= 4096:
                self._senders.clear()
            self._senders[members] = number
        return number

    def close(self) -> None:
        """Give up the connection; an open transaction is rolled back."""
        with suppress(apsw.Error):
            self._db.close(True)


def _require_entry(index: int, size: int) -> None:
    if index < 0:
        raise BadInputError("An index can't be negative.")
    if index >= size:
        raise IndexAheadError(f"There is no entry {index} among the first {size}.")


@contextmanager
def _closing(db: apsw.Connection) -> Iterator[apsw.Connection]:
    try:
        yield db
    finally:
        db.close()
