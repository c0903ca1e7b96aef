"""Which edges a traversal follows, as Cypher."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lineage.model import Evidence
from lineage.store import Direction, EdgeFilter, Level


@dataclass(frozen=True, slots=True)
class Marks:
    """What has to be looked for: whether an end of an edge is ``missing``, any edge of these kinds ``weak`` or
    ``replaced``."""

    missing: bool
    weak: bool
    replaced: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """Which way, and which edges count."""

    level: Level
    direction: Direction
    edges: EdgeFilter
    marks: Marks

    def pattern(self, start: str, *, probed: bool) -> str:
        """The MATCH of all that ``start``, the pattern of a node, leads to."""
        kinds = "|".join(sorted(kind.value for kind in self.level.edge_kinds) + ["PROBE"] * probed)
        arrow = f"-[r:{kinds}*1..]->" if self.direction is Direction.DOWNSTREAM else f"<-[r:{kinds}*1..]-"
        admitted = self._admitted()
        where = [f"all(x IN r WHERE {' AND '.join(admitted)})"] if admitted and not probed else []
        if admitted and probed:
            where = [f"all(x IN r WHERE type(x) = 'PROBE' OR ({' AND '.join(admitted)}))"]
        if self.marks.missing:
            where.append("all(n IN nodes(p) WHERE NOT n:LineageMissing)")
        return f"MATCH p = {start}{arrow}(t)" + (f" WHERE {' AND '.join(where)}" if where else "")

    def _admitted(self) -> list[str]:
        edges, found = self.edges, []
        if self.marks.weak:
            if edges.evidence is Evidence.DECLARED:
                found.append("x.evidence = 'DECLARED'")
            elif edges.evidence is Evidence.COLUMN:
                found.append("x.evidence <> 'INFERRED'")
            if edges.certain_only:
                found.append("x.certain IS NULL")
            if edges.fresh_only:
                found.append("x.stale IS NULL")
        if edges.as_of is not None:
            found.append("(x.atMicros IS NULL OR x.atMicros <= $asOf)")
        if self.marks.replaced:
            found.append("x.untilMicros IS NULL" if edges.as_of is None else "coalesce($asOf < x.untilMicros, true)")
        return found

    def narrower(self, **told: Any) -> Walk:
        """The same over fewer edges."""
        return replace(self, edges=replace(self.edges, **told))
