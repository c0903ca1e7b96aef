"""What a text named in the past: candidates are what it names now, and what may have been withdrawn since."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lineage.keys import Base
from lineage.label import labels_of
from lineage.memory import label_rank
from lineage.model import Node
from lineage.past.folding import Folding, Needs
from lineage.past.index import Index
from lineage.past.need import Need
from lineage.store import GraphReader

_BASES = {"D": Base.DATASET, "J": Base.JOB, "C": Base.COLUMN}
_LEAST = 20


class PastSearch:
    """Searches what is folded, after having candidates folded: whatever is named now no worse than the last one
    given, as nothing was ever named that isn't among these or withdrawn. ``have`` has folded what keys need."""

    def __init__(
        self,
        folding: Folding,
        present: GraphReader,
        index: Index,
        have: Callable[[Sequence[bytes]], bool],
    ) -> None:
        self._folding = folding
        self._present = present
        self._index = index
        self._have = have

    def search(self, text: str, bases: Sequence[Base], limit: int) -> list[Node]:
        """As :meth:`lineage.store.GraphReader.search`."""
        wanted = text.casefold()
        self._folding.fold(self._withdrawn(wanted, bases))
        asked = max(limit, _LEAST)
        while limit > 0:
            candidates = self._present.search(text, bases, asked)
            self._have([node.key for node in candidates])
            found = self._settled(text, bases, limit)
            if len(candidates) < asked:
                return found
            last = _rank(candidates[-1], wanted)
            if len(found) == limit and _rank(found[-1], wanted) <= last:
                return found
            asked *= 2
        return []

    def _settled(self, text: str, bases: Sequence[Base], limit: int) -> list[Node]:
        """The first ones of what is folded; as they are when all that they depend on is."""
        while self._have([node.key for node in self._folding.reader.search(text, bases, limit)]):
            pass
        return self._folding.reader.search(text, bases, limit)

    def _withdrawn(self, wanted: str, bases: Sequence[Base]) -> Needs:
        for kind, name, field in self._index.withdrawn():
            base = _BASES[kind]
            texts = (field,) if field is not None else name
            if base not in bases or all(wanted not in text.casefold() for text in texts):
                continue
            if base is Base.JOB:
                yield from ((Need.JOB, name), (Need.SILENT_RUNS, name))
            else:
                yield Need.EXISTS, name
            if base is Base.COLUMN:
                yield from ((Need.INTO, name), (Need.OUT_OF, name))


def _rank(node: Node, wanted: str) -> tuple[object, ...]:
    return min((*label_rank(label, wanted), node.key) for label in labels_of(node) if label.holds(wanted))
