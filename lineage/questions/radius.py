"""One radius of an impact: what was reached, as columns; and a page of it."""

from __future__ import annotations

from dataclasses import dataclass

from lineage.answer import ImpactHit, View
from lineage.questions.details import PageDetails
from lineage.questions.found import Hits
from lineage.questions.spread import Spread


@dataclass(frozen=True, slots=True)
class Radius:
    """The hits of one level, in the order (distance, kind, key): ``Pages[ImpactHit]``."""

    spread: Spread
    hits: Hits

    @property
    def total(self) -> int:
        """The number of hits."""
        return len(self.hits)

    def page(self, view: View, start: int, stop: int) -> list[ImpactHit]:
        """Hits ``start`` up to but without ``stop``."""
        hits = self.hits[max(start, 0) : max(stop, 0)]
        details = PageDetails(view, self.spread, hits)
        return [
            ImpactHit(
                node=details.nodes[hit.key],
                kind=hit.kind,
                distance=hit.distance,
                evidence=hit.evidence,
                certain=hit.certain,
                stale=hit.stale,
                details=details,
            )
            for hit in hits
            if hit.key in details.nodes
        ]
