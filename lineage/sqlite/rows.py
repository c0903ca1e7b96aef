"""Nodes and edges to what stands in a row, and back.

A node's body is a MessagePack array of its field values in the order of the struct, the key apart and trailing
defaults left out. What MessagePack can't hold (integers past 64 bits) is written as JSON behind a byte that no
MessagePack starts with. Edges are mostly defaults: their enums and flags are one small integer, and few have a body.
"""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import msgspec

from lineage.keys import Base
from lineage.model import (
    Binding,
    Column,
    Dataset,
    Edge,
    EdgeKind,
    Evidence,
    Flow,
    Gap,
    Job,
    NameScope,
    Node,
    Role,
    Run,
    Transformation,
    Version,
)
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

_JSON_MARK = b"\xc1"

_CLASSES: dict[Base, type[Node]] = {
    Base.DATASET: Dataset,
    Base.COLUMN: Column,
    Base.JOB: Job,
    Base.RUN: Run,
    Base.FLOW: Flow,
    Base.VERSION: Version,
}


def _row_of(node: type[Node]) -> type[msgspec.Struct]:
    """The struct that decodes a body of ``node``: its fields but the key, as an array."""
    hints = get_type_hints(node)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(node):
        if field.name != "key":
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            told = () if default is msgspec.NODEFAULT else (default,)
            fields.append((field.name, hints[field.name], *told))
    return msgspec.defstruct(f"{node.__name__}Row", fields, array_like=True, frozen=True)


_ROWS = {base: _row_of(node) for base, node in _CLASSES.items()}
_DEFAULTS: dict[type[Node], list[object]] = {
    _CLASSES[base]: [
        field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        for field in msgspec.structs.fields(row)
    ]
    for base, row in _ROWS.items()
}

_encode = msgspec.msgpack.Encoder().encode
_decoders = {base: msgspec.msgpack.Decoder(row).decode for base, row in _ROWS.items()}

_EdgeBody = tuple[tuple[Transformation, ...], tuple[Gap, ...]]
_decode_edge = msgspec.msgpack.Decoder(_EdgeBody).decode


def encode_node(node: Node) -> bytes:
    """The body of ``node``."""
    values = msgspec.structs.astuple(node)[1:]
    defaults = _DEFAULTS[type(node)]
    end = len(values)
    while end and values[end - 1] == defaults[end - 1]:
        end -= 1
    return _pack(values[:end])


def decode_node(key: bytes, base: Base, body: bytes) -> Node:
    """The node whose body that is."""
    row = _decoders[base](body) if body[:1] != _JSON_MARK else msgspec.convert(json.loads(body[1:]), _ROWS[base])
    return _CLASSES[base](key, *msgspec.structs.astuple(row))


def _pack(values: tuple[object, ...]) -> bytes:
    try:
        return _encode(values)
    except OverflowError:
        return _JSON_MARK + json.dumps(msgspec.to_builtins(values)).encode()


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
    [get_type_hints(_CLASSES[base]) for base in BASES],
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


def encode_edge_body(edge: Edge) -> bytes | None:
    """What few edges have: transformations and gaps."""
    if not edge.transformations and not edge.gaps:
        return None
    return _encode((edge.transformations, edge.gaps))


def decode_edge(
    kind: int, source: bytes, target: bytes, flags: int, at: int | None, until: int | None, body: bytes | None
) -> Edge:
    """The edge of a row whose ids were resolved to keys."""
    transformations, gaps = _decode_edge(body) if body is not None else ((), ())
    return Edge(
        EDGE_KINDS[kind],
        source,
        target,
        evidence=_EVIDENCE[flags & EVIDENCE_MASK],
        certain=not flags & UNCERTAIN,
        stale=bool(flags & STALE),
        undivided=bool(flags & _UNDIVIDED),
        binding=_BINDINGS[flags >> 5 & 15],
        role=_ROLES[flags >> 9 & 15],
        at=at,
        until=until,
        transformations=transformations,
        gaps=gaps,
    )
