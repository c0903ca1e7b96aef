"""Under which names a dataset goes, went, or may come to go (R2): more of them than at any one moment."""

from __future__ import annotations

from lineage.model import Name
from lineage.past.index import Index


class Spellings:
    """Names that symlinks or a model folder ever tied together."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[Name, frozenset[Name]] = {}

    def of(self, name: Name) -> frozenset[Name]:
        """All names of the dataset; ``name`` is one of them."""
        found = self._known.get(name)
        if found is None:
            found = self._tied(name)
            self._known.update(dict.fromkeys(found, found))
        return found

    def _tied(self, name: Name) -> frozenset[Name]:
        index, found, waiting = self._index, set[Name](), [name]
        while waiting:
            each = waiting.pop()
            root = index.root(each)
            tied = {root, *index.identifiers(each), *index.carriers(each)}
            if root != each or index.is_root(each):
                tied.update(index.inside(root))
            found.add(each)
            waiting.extend(tied - found)
        return frozenset(found)
