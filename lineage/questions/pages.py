"""Pages of things by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lineage.answer import ProvenanceHit, Thing, View
from lineage.questions.found import Found
from lineage.questions.spread import Spread, things, transformation_of


@dataclass(frozen=True, slots=True)
class ThingPages:
    """``Pages[Thing]`` in the order of ``keys``."""

    keys: Sequence[bytes]

    @property
    def total(self) -> int:
        """The number of things."""
        return len(self.keys)

    def page(self, view: View, start: int, stop: int) -> list[Thing]:
        """Things ``start`` up to but without ``stop``."""
        return list(things(view.graph, self.keys[max(start, 0) : max(stop, 0)]).values())


@dataclass(frozen=True, slots=True)
class FoundPages:
    """``Pages[ProvenanceHit]``."""

    spread: Spread
    hits: Sequence[Found]

    @property
    def total(self) -> int:
        """The number of hits."""
        return len(self.hits)

    def page(self, view: View, start: int, stop: int) -> list[ProvenanceHit]:
        """Hits ``start`` up to but without ``stop``."""
        hits = self.hits[max(start, 0) : max(stop, 0)]
        nodes = things(view.graph, (hit.key for hit in hits))
        return [
            ProvenanceHit(node, hit.kind, hit.distance, hit.evidence, hit.certain, transformation_of(self.spread, node))
            for hit in hits
            if (node := nodes.get(hit.key)) is not None
        ]
