"""The exact record of a node or an edge as bytes, for stores that keep it beside what they search by.

A node's body is a MessagePack array of its field values in the order of the struct, the key apart and trailing
defaults left out. What MessagePack can't hold (integers past 64 bits) is written as JSON behind a byte that no
MessagePack starts with. Of edges few have a body: it is what a small row can't hold.
"""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import msgspec

from lineage.keys import Base
from lineage.model import (
    Column,
    Dataset,
    Edge,
    Flow,
    Gap,
    Job,
    Node,
    Run,
    Transformation,
    Version,
)

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


def encode_edge_body(edge: Edge) -> bytes | None:
    """What few edges have: transformations and gaps."""
    if not edge.transformations and not edge.gaps:
        return None
    return _encode((edge.transformations, edge.gaps))


def decode_edge_body(body: bytes | None) -> _EdgeBody:
    """The transformations and the gaps of an edge with that body."""
    return _decode_edge(body) if body is not None else ((), ())


LAYOUT = [get_type_hints(_CLASSES[base]) for base in sorted(Base, key=lambda base: base.value)]
"""What the meaning of a body hangs on besides this module's code."""
