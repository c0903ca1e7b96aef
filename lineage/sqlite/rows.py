"""Edges to what stands in a row, and back; nodes are :mod:`lineage.body`.

Edges are mostly defaults: their enums and flags are one small integer, and few have a body.
"""

from __future__ import annotations

from functools import cache

from lineage import body as bodies
from lineage.body import decode_edge_body
from lineage.keys import Base
from lineage.model import Binding, Edge, EdgeKind, Evidence, NameScope, Role
from lineage.topology.marks import EVIDENCE_MASK, STALE, UNCERTAIN

BASES = sorted(Base, key=lambda base: base.value)
"""By code: a base kind's place in this list, so that codes order as the values do."""

EDGE_KINDS = sorted(EdgeKind, key=lambda kind: kind.value)
"""By code, likewise."""

SCOPES = sorted(NameScope, key=lambda scope: scope.value)
"""By code, likewise."""

BASE_CODES = {base: code for code, base in enumerate(BASES)}
EDGE_KIND_CODES = {kind: code for code, kind in enumerate(EDGE_KINDS)}
SCOPE_CODES = {scope: code for code, scope in enumerate(SCOPES)}

_EVIDENCE = list(Evidence)
_BINDINGS = [None, *Binding]
_ROLES = [None, *Role]
_EVIDENCE_CODES = {value: code for code, value in enumerate(_EVIDENCE)}
_BINDING_CODES = {value: code << 5 for code, value in enumerate(_BINDINGS)}
_ROLE_CODES = {value: code << 9 for code, value in enumerate(_ROLES)}

_BITS = (EVIDENCE_MASK, UNCERTAIN, STALE)
LAYOUT = (
    BASES,
    EDGE_KINDS,
    SCOPES,
    _EVIDENCE,
    _BINDINGS,
    _ROLES,
    _BITS,
    bodies.LAYOUT,
)
"""What the meaning of a row hangs on besides this module's code."""

_UNDIVIDED = 16


def evidence_code(evidence: Evidence) -> int:
    """The rank of ``evidence``, the strongest 0: what the bits of EVIDENCE_MASK in an edge's flags hold."""
    return _EVIDENCE_CODES[evidence]


def encode_flags(edge: Edge) -> int:
    """Evidence, certainty, binding and role of an edge in 13 bits; 0 for an edge of defaults."""
    flags = _EVIDENCE_CODES[edge.evidence] | _BINDING_CODES[edge.binding] | _ROLE_CODES[edge.role]
    if not edge.certain:
        flags |= UNCERTAIN
    if edge.stale:
        flags |= STALE
    if edge.undivided:
        flags |= _UNDIVIDED
    return flags


def decode_edge(
    kind: int, source: bytes, target: bytes, flags: int, at: int | None, until: int | None, body: bytes | None
) -> Edge:
    """The edge of a row whose ids were resolved to keys."""
    return Edge(EDGE_KINDS[kind], source, target, *_decode_flags(flags), at, until, *decode_edge_body(body))


@cache
def _decode_flags(flags: int) -> tuple[Evidence, bool, bool, bool, Binding | None, Role | None]:
    """What :func:`encode_flags` put there, in the order of the fields of an edge."""
    return (
        _EVIDENCE[flags & EVIDENCE_MASK],
        not flags & UNCERTAIN,
        bool(flags & STALE),
        bool(flags & _UNDIVIDED),
        _BINDINGS[flags >> 5 & 15],
        _ROLES[flags >> 9 & 15],
    )
