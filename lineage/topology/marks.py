"""One byte for an edge, one for all edges of a node, and which of them a filter refuses.

An edge's byte begins as its row in a store does: evidence, certainty, staleness. The byte of a node's edges joins
theirs, so that one look at a node says whether its edges need a second one. It may say too much, never too little.
"""

from __future__ import annotations

from dataclasses import dataclass

from lineage.model import Edge, EdgeKind, Evidence
from lineage.store import EdgeFilter, Level

COLUMN = 1
INFERRED = 2
EVIDENCE_MASK = COLUMN | INFERRED
"""Bits that hold the rank of the edge's evidence, the strongest 0; no edge has both of them."""
UNCERTAIN = 4
STALE = 8
WROTE = 16
"""Of an edge: that its kind is WROTE; two nodes may be tied by an edge of each kind of a layer."""
TIMED = 32
"""The edge was not there before its ``at``."""
REPLACED = 64
"""The edge was not there from its ``until`` on."""

GROWN = 16
"""Of a node: that it has edges in later runs than the first."""
DEAD = 128
"""Of a node: that edges of its were deleted from the first run."""

LAYERS = (Level.LOGICAL.edge_kinds, Level.VERSION.edge_kinds, frozenset({EdgeKind.HAS_VERSION}))
"""The kinds of edge that stand together in one adjacency; the first two are what the levels traverse."""
LAYER_OF = {kind: layer for layer, kinds in enumerate(LAYERS) for kind in kinds}
LEVEL_LAYERS = {Level.LOGICAL: 0, Level.VERSION: 1}
VERSIONS_LAYER = 2

_RANKS = {evidence: rank for rank, evidence in enumerate(Evidence)}

ALWAYS = -(2**63)
"""From when on an edge was there that has no ``at``."""
FOREVER = 2**63 - 1
"""Until when an edge was there that has no ``until``."""

_WEAKER = {Evidence.DECLARED: COLUMN | INFERRED, Evidence.COLUMN: INFERRED, Evidence.INFERRED: 0}


def edge_mark(edge: Edge) -> int:
    """The byte of an edge."""
    mark = _RANKS[edge.evidence] | kind_mark(edge.kind)
    if not edge.certain:
        mark |= UNCERTAIN
    if edge.stale:
        mark |= STALE
    if edge.at is not None:
        mark |= TIMED
    return mark if edge.until is None else mark | REPLACED


def kind_mark(kind: EdgeKind) -> int:
    """What tells an edge of ``kind`` from others of its layer."""
    return WROTE if kind is EdgeKind.WROTE else 0


@dataclass(frozen=True, slots=True)
class Admission:
    """A filter as bits: ``refused`` without a further look, ``as_of`` compared with the times of those that have any,
    and ``wary``: a node without any of these bits has only edges that are admitted."""

    refused: int
    as_of: int | None
    wary: int


def admission(edges: EdgeFilter) -> Admission:
    """What refuses exactly the edges that ``edges`` does not admit."""
    refused = _WEAKER[edges.evidence]
    if edges.certain_only:
        refused |= UNCERTAIN
    if edges.fresh_only:
        refused |= STALE
    if edges.as_of is None:
        return Admission(refused | REPLACED, None, refused | REPLACED | DEAD)
    return Admission(refused, min(max(edges.as_of, ALWAYS), FOREVER), refused | TIMED | REPLACED | DEAD)
