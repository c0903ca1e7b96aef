"""The ledger's Merkle tree at rest: leaf data, and the hashes of complete subtrees of 32 leaves and more.

Smaller subtrees are recomputed from the leaves, which are needed anyhow; so a leaf costs no stored hash of its own.
"""

from __future__ import annotations

import apsw

from lineage.errors import DataFolderError
from lineage.ledger.damage import HINT, damaged
from lineage.ledger.database import fetch, kind_of
from lineage.ledger.envelope import canonical_envelope, stored_envelope
from lineage.proof import leaf, merkle

LOWEST_STORED_LEVEL = 5
_LEVEL_BITS = 6

LEAVES = """
SELECT received, kind, records, records_commitment, nonce, members, source_offset, commitment
FROM leaves LEFT JOIN envelopes ON envelopes.idx = leaves.idx LEFT JOIN senders ON senders.id = sender
LEFT JOIN erased_envelopes ON erased_envelopes.idx = leaves.idx
WHERE leaves.idx >= ? AND leaves.idx < ? ORDER BY leaves.idx
"""

LeafRow = tuple[int, int, int, bytes, bytes | None, str | None, str | None, bytes | None]
"""A row of :data:`LEAVES`; ``commitment`` is told only of an envelope that was erased."""


def node_id(level: int, number: int) -> int:
    """The key of a stored node: by the tree size that completes it, then by level, so that nodes are appended."""
    return (number + 1) << level << _LEVEL_BITS | level


def completed_nodes(completed: list[bytes], size: int) -> list[tuple[int, bytes]]:
    """The rows for the subtrees that the leaf which made the tree ``size`` large has completed, from level 1 up."""
    stored = enumerate(completed[LOWEST_STORED_LEVEL - 1 :], LOWEST_STORED_LEVEL)
    return [(node_id(level, (size >> level) - 1), hashed) for level, hashed in stored]


def leaf_bytes(row: LeafRow) -> bytes:
    """The exact bytes of the leaf that a row tells of. Raises DataFolderError where a part is lost or damaged."""
    received, kind, records, records_commitment, nonce, members, source_offset, enveloped = row
    if nonce is not None:
        enveloped = leaf.envelope_commitment(nonce, canonical_envelope(stored_envelope(members, source_offset)))
    if enveloped is None:
        raise DataFolderError("An envelope is missing from the ledger.", hint=HINT)
    try:
        told = leaf.timestamp(received)
    except (OverflowError, ValueError) as error:
        raise damaged("The time of an entry") from error
    return leaf.encode_parts(kind_of(kind), told, records, records_commitment, enveloped)


class StoredTree:
    """Reads subtree hashes through one connection."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def size(self) -> int:
        """The number of leaves."""
        return int(self._db.execute("SELECT coalesce(max(idx) + 1, 0) FROM leaves").get)

    def leaf(self, index: int) -> bytes:
        """The bytes of one leaf; the caller guarantees that it exists."""
        return leaf_bytes(self._leaves(index, index + 1)[0])

    def subtree_hash(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) as :data:`lineage.proof.merkle.SubtreeHash` has it."""
        return merkle.join([self._complete(level, number) for level, number in merkle.complete_subtrees(start, end)])

    def frontier(self, size: int) -> merkle.Frontier:
        """The tree of ``size`` leaves, ready to grow."""
        roots = [self._complete(level, number) for level, number in merkle.complete_subtrees(0, size)]
        return merkle.Frontier(size, roots)

    def _complete(self, level: int, number: int) -> bytes:
        if level < LOWEST_STORED_LEVEL:
            rows = self._leaves(number << level, (number + 1) << level)
            return merkle.root([merkle.leaf_hash(leaf_bytes(row)) for row in rows])
        hashed = self._db.execute("SELECT hash FROM nodes WHERE id = ?", (node_id(level, number),)).get
        if hashed is None:
            raise DataFolderError("The ledger's Merkle tree has a hole.", hint=HINT)
        return bytes(hashed)

    def _leaves(self, start: int, end: int) -> list[LeafRow]:
        rows: list[LeafRow] = fetch(self._db, LEAVES, (start, end))
        if len(rows) != end - start:
            raise DataFolderError("Leaves are missing from the ledger.", hint=HINT)
        return rows
