"""What says which ledger, how much of it, and which graph store facts go along with, and by which rules."""

from __future__ import annotations

from lineage.fold.fold import RULES
from lineage.fold.store import FactStore, Table
from lineage.ledger import Ledger
from lineage.projector.apart import FactsApart

SEAL = b"ledger"
"""Key of the record among ROWS that holds it; no unit of rows has a key of six bytes."""

_STORE = b"stores"
_HEAD = b"unseen"
"""Keys of the records that name the graph store, and keep a head; as long, for the same reason."""

FEWER = "the ledger has fewer entries than were projected"


def seal(ledger: Ledger, size: int) -> bytes:
    """Names the rules, the ledger and its first ``size`` entries: its id and their Merkle root."""
    return RULES.to_bytes(4) + ledger.id.encode() + ledger.root(size)


class Seals:
    """Seals ``facts`` as those of ``ledger`` and of the graph store that is called ``store``.

    One folder has facts for one store at a time: a graph that was left for another store may be of other rules, and of
    entries that a restored ledger does not have, which nothing in it would tell.
    """

    def __init__(self, ledger: Ledger, facts: FactStore | FactsApart, store: str) -> None:
        self._ledger = ledger
        self._facts = facts
        self._store = store.encode()

    def fault(self, head: int) -> str | None:
        """Why the facts are not those of the first entries of this ledger, which has ``head``, and of this store; or
        None. Facts that name no store are of any."""
        kept, sealed = self._facts.watermark(), self._facts.get(Table.ROWS, SEAL)
        if sealed is None:
            return "there are no facts"
        if kept > head:
            return FEWER
        if sealed != seal(self._ledger, kept):
            return "it was made from another ledger, or by other rules"
        told = self._facts.get(Table.ROWS, _STORE)
        return None if told in (None, self._store) else f"it was last kept in another store, {told.decode()}"

    def least_head(self, head: int) -> int:
        """``head``, or the one that :meth:`keep_head` kept, if that is less."""
        kept = self._facts.get(Table.ROWS, _HEAD)
        return head if kept is None else min(head, int.from_bytes(kept))

    def keep_head(self, head: int | None) -> None:
        """Keep for later processes how many entries the ledger had before this one added any, or, with None, no more.
        Nothing else may wait to be committed."""
        kept = None if head is None else head.to_bytes(8)
        if self._facts.get(Table.ROWS, _HEAD) != kept:
            self._facts.put(Table.ROWS, _HEAD, kept)
            self._facts.commit(self._facts.watermark())

    def put(self, size: int) -> None:
        """Seal the facts as those of the first ``size`` entries."""
        self._facts.put(Table.ROWS, SEAL, seal(self._ledger, size))
        self._facts.put(Table.ROWS, _STORE, self._store)
