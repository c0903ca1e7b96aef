"""Is the ledger what it says? All that can be recomputed is, and compared: payloads, leaves, tree, duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import apsw

from lineage.errors import DataFolderError, LineageError
from lineage.ledger import EntryKind, Progress, Submission
from lineage.ledger.batch import RecordHasher
from lineage.ledger.database import KINDS, POSITION_BITS, fetch
from lineage.ledger.payload import PayloadCodec
from lineage.ledger.tree import LEAVES, LeafRow, completed_nodes, leaf_bytes
from lineage.proof import leaf, merkle

_ENTRIES_AT_ONCE = 256

Reading = Callable[[], AbstractContextManager[apsw.Connection]]


class _FaultError(Exception):
    """The first mismatch, as a sentence."""


@dataclass(slots=True)
class _Checker:
    """Walks the entries in order; ``received`` is the last entry's."""

    codec: PayloadCodec
    hasher: RecordHasher
    frontier: merkle.Frontier
    received: int = 0

    def entry(self, db: apsw.Connection, index: int) -> None:
        rows: list[LeafRow] = fetch(db, LEAVES, (index, index + 1))
        if not rows:
            raise _FaultError("its leaf is missing")
        row = rows[0]
        if row[0] < self.received:
            raise _FaultError("it was received before the entry before it")
        self.received = row[0]
        commitments = [self._record(db, index, position, KINDS[row[1]]) for position in range(row[2])]
        try:
            data = leaf_bytes(row)
            leaf.verify_entry(data, commitments)
        except LineageError as error:
            raise _FaultError(error.message) from error
        self._nodes(db, data)

    def _record(self, db: apsw.Connection, index: int, position: int, kind: EntryKind) -> bytes:
        """The commitment of one record, recomputed, or told where the record was erased."""
        place = index << POSITION_BITS | position
        stored: Any = db.execute("SELECT nonce, dictionary, payload FROM records WHERE place = ?", (place,)).fetchone()
        if stored is None:
            told = db.execute("SELECT commitment FROM erased_records WHERE place = ?", (place,)).get
            if told is None:
                raise _FaultError(f"record {position} is missing")
            return bytes(told)
        nonce, dictionary, payload = stored
        try:
            record = self.codec.decompress(dictionary, payload)
        except DataFolderError as error:
            raise _FaultError(f"record {position} can't be decompressed") from error
        key = self.hasher.hash(Submission(kind, (record,)))[0].key
        if db.execute("SELECT place FROM duplicates WHERE key = ?", (key,)).get != place:
            raise _FaultError(f"duplicates of record {position} would not be found")
        return leaf.record_commitment(nonce, record)

    def _nodes(self, db: apsw.Connection, data: bytes) -> None:
        completed = self.frontier.push(merkle.leaf_hash(data))
        for key, hashed in completed_nodes(completed, self.frontier.size):
            if db.execute("SELECT hash FROM nodes WHERE id = ?", (key,)).get != hashed:
                raise _FaultError("the Merkle tree above it does not follow from the leaves")


def check(reading: Reading, codec: PayloadCodec, hasher: RecordHasher, size: int) -> Iterator[Progress]:
    """Check the first ``size`` entries; see :meth:`lineage.ledger.sqlite.SQLiteLedger.verify`."""
    checker = _Checker(codec, hasher, merkle.Frontier())
    while checker.frontier.size < size:
        with reading() as db:
            for index in range(checker.frontier.size, min(checker.frontier.size + _ENTRIES_AT_ONCE, size)):
                try:
                    checker.entry(db, index)
                except _FaultError as fault:
                    yield Progress(index, size, fault=f"Entry {index}: {fault}.")
                    return
        if checker.frontier.size < size:
            yield Progress(checker.frontier.size, size)
    yield Progress(size, size, root=checker.frontier.root())
