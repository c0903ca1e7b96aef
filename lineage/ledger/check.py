"""Is the ledger what it says? All that can be recomputed is, and compared: payloads, leaves, tree, duplicates.

Where nothing else is stored that follows from a value, a change of it can't be seen: in a ledger of fewer than 32
entries no hash stands above the leaves, and only a root that was kept elsewhere (:class:`lineage.ledger.KeptRoot`)
shows that a leaf was changed along with all that it commits to.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import apsw

from lineage.errors import DataFolderError, LineageError
from lineage.ledger import KeptRoot, Progress, Submission
from lineage.ledger.batch import RecordHasher
from lineage.ledger.database import POSITION_BITS, fetch, kind_of
from lineage.ledger.payload import PayloadCodec
from lineage.ledger.tree import LEAVES, LeafRow, completed_nodes, leaf_bytes
from lineage.proof import leaf, merkle

_ENTRIES_AT_ONCE = 256
_SHOWN = 20

Reading = Callable[[], AbstractContextManager[apsw.Connection]]


class _DamagedError(Exception):
    """A record can't be read; the rest of a sentence about its entry."""


class _MissingError(_DamagedError):
    """A record is not there, and then no further one need be: how many there should be may be what is wrong."""


@dataclass(slots=True)
class _Faults:
    """The first faults found, as sentences, and how many there are."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, sentence: str) -> None:
        self.count += 1
        if len(self.shown) < _SHOWN:
            self.shown.append(sentence)

    def told(self) -> tuple[str, ...]:
        more = self.count - len(self.shown)
        return (*self.shown, f"The ledger has {more:,} faults more.") if more else tuple(self.shown)


@dataclass(slots=True)
class _Checker:
    """Walks the entries in order. ``whole`` says that every leaf so far is there, ``joined`` that the tree stored above
    them follows from them; ``received`` is the last entry's."""

    codec: PayloadCodec
    hasher: RecordHasher
    kept: KeptRoot
    frontier: merkle.Frontier
    faults: _Faults
    whole: bool = True
    joined: bool = True
    received: int = 0

    def entry(self, db: apsw.Connection, index: int) -> None:
        """Check one entry and take its leaf into the tree."""
        rows: list[LeafRow] = fetch(db, LEAVES, (index, index + 1))
        if not rows:
            self.whole = False
            self._tell(index, "its leaf is missing")
            return
        row = rows[0]
        if row[0] < self.received:
            self._tell(index, "it was received before the entry before it")
        self.received = row[0]
        try:
            data = leaf_bytes(row)
        except LineageError as error:
            self.whole = False
            self._tell(index, error.message.rstrip("."))
            return
        self._records(db, index, row, data)
        self._tree(db, index, data)

    def _tell(self, index: int, what: str) -> None:
        self.faults.add(f"Entry {index}: {what}.")

    def _records(self, db: apsw.Connection, index: int, row: LeafRow, data: bytes) -> None:
        count, faults = row[2], self.faults.count
        commitments: list[bytes] = []
        keys: dict[int, bytes] = {}
        for place in range(index << POSITION_BITS, (index << POSITION_BITS) + count):
            try:
                commitments.append(self._record(db, place, row[1], keys))
            except _DamagedError as fault:
                self._tell(index, str(fault))
                if isinstance(fault, _MissingError):
                    break
        if self.faults.count > faults:
            return
        try:
            leaf.verify_entry(data, commitments)
        except LineageError as error:
            self._tell(
                index, f"{'record 0' if count == 1 else 'a record'} or the leaf is damaged: {error.message[:-1]}"
            )
            return
        for place, key in keys.items():
            if db.execute("SELECT place FROM duplicates WHERE key = ?", (key,)).get != place:
                self._tell(index, f"duplicates of {_named(place)} would not be found")

    def _record(self, db: apsw.Connection, place: int, kind: int, keys: dict[int, bytes]) -> bytes:
        """The commitment of one record: recomputed, and its duplicate key put into ``keys``, or told where the record
        was erased."""
        stored: Any = db.execute("SELECT nonce, dictionary, payload FROM records WHERE place = ?", (place,)).fetchone()
        if stored is None:
            told = db.execute("SELECT commitment FROM erased_records WHERE place = ?", (place,)).get
            if told is None:
                raise _MissingError(f"{_named(place)} is missing")
            return bytes(told)
        nonce, dictionary, payload = stored
        try:
            record = self.codec.decompress(dictionary, payload)
        except DataFolderError as error:
            raise _DamagedError(f"{_named(place)} is damaged: it can't be decompressed") from error
        keys[place] = self.hasher.hash(Submission(kind_of(kind), (record,)))[0].key
        return leaf.record_commitment(nonce, record)

    def _tree(self, db: apsw.Connection, index: int, data: bytes) -> None:
        if not self.whole:
            return
        completed = self.frontier.push(merkle.leaf_hash(data))
        for key, hashed in completed_nodes(completed, self.frontier.size):
            # Above a wrong hash all others are wrong too.
            if self.joined and db.execute("SELECT hash FROM nodes WHERE id = ?", (key,)).get != hashed:
                self.joined = False
                self._tell(index, "the Merkle tree above it does not follow from the leaves")
        self.compare_root()

    def compare_root(self) -> None:
        """Hold the root against the one that was kept, if it is over so many entries."""
        size = self.frontier.size
        if size == self.kept.size and not hmac.compare_digest(self.frontier.root(), self.kept.root):
            self.faults.add(
                f"The Merkle root over the first {size:,} entries is {self.frontier.root().hex()}, not the one that "
                "was kept: what they hold was changed since, or the one that was kept is of another ledger or size."
            )

    def end(self, size: int) -> None:
        """Tell what can't be compared with the root that was kept."""
        kept = self.kept.size
        if kept is None:
            return
        if kept > size:
            self.faults.add(f"The root that was kept is over {kept:,} entries; the ledger has {size:,}.")
        elif kept > self.frontier.size:
            self.faults.add(f"The Merkle root over the first {kept:,} entries can't be recomputed from the leaves.")


def check(
    reading: Reading, codec: PayloadCodec, hasher: RecordHasher, size: int, kept: KeptRoot | None = None
) -> Iterator[Progress]:
    """Check the first ``size`` entries; see :meth:`lineage.ledger.sqlite.SQLiteLedger.verify`."""
    aim = KeptRoot(b"", None) if kept is None else KeptRoot(kept.root, size if kept.size is None else kept.size)
    checker = _Checker(codec, hasher, aim, merkle.Frontier(), _Faults())
    for number in codec.damaged:
        checker.faults.add(f"Dictionary {number} is damaged: no record that is compressed with it can be read.")
    checker.compare_root()
    done = 0
    while done < size:
        try:
            with reading() as db:
                for index in range(done, min(done + _ENTRIES_AT_ONCE, size)):
                    checker.entry(db, index)
                    done = index + 1
        except DataFolderError as error:
            checker.faults.add(f"Entry {done} and all after it can't be checked: {error.message}")
            break
        if done < size:
            yield Progress(done, size)
    checker.end(size)
    faults = checker.faults.told()
    yield Progress(done, size, None if faults else checker.frontier.root(), faults)


def _named(place: int) -> str:
    return f"record {place & (1 << POSITION_BITS) - 1}"
