"""The whole graph file as the base of a topology: what a missing or damaged snapshot costs."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import numpy as np
from numpy.typing import NDArray

from lineage.body import decode_node
from lineage.key_array import KeyArray, pack
from lineage.sqlite.rows import BASES, EDGE_KIND_CODES
from lineage.topology.base import Base, build_base
from lineage.topology.key_index import KeyIndex
from lineage.topology.marks import (
    ALWAYS,
    EVIDENCE_MASK,
    FOREVER,
    LAYER_OF,
    LAYERS,
    REPLACED,
    STALE,
    TIMED,
    UNCERTAIN,
    kind_mark,
)
from lineage.topology.nodes import NOBODY, NodeRows, moment, owner, trait
from lineage.topology.run import EdgeColumns, Numbers

_NODES = "SELECT id, key, base, body FROM node ORDER BY id"
_MARKS = {kind: kind_mark(kind) for kind in LAYER_OF}
_EDGES = f"""
SELECT source, target, (flags & {EVIDENCE_MASK | UNCERTAIN | STALE})
    | CASE kind {" ".join(f"WHEN {EDGE_KIND_CODES[kind]} THEN {mark}" for kind, mark in _MARKS.items())} END
    | iif(at IS NULL, 0, {TIMED}) | iif(until IS NULL, 0, {REPLACED}),
    coalesce(at, {ALWAYS}), coalesce(until, {FOREVER}),
    CASE kind {" ".join(f"WHEN {EDGE_KIND_CODES[kind]} THEN {layer}" for kind, layer in LAYER_OF.items())} END
FROM edge WHERE kind IN ({", ".join(str(EDGE_KIND_CODES[kind]) for kind in LAYER_OF)})"""  # noqa: S608 - numbers of ours

_EDGE_ROW = np.dtype(
    [("source", "i4"), ("target", "i4"), ("mark", "u1"), ("at", "i8"), ("until", "i8"), ("layer", "u1")]
)
_NODE_ROW = np.dtype([("id", "i8"), ("trait", "u1"), ("owner", "i4"), ("time", "i8")])
_KEY_BYTES = 16


def scan_base(connection: apsw.Connection) -> Base:
    """All that ``connection`` sees. With millions of edges it takes the interpreter for seconds in all, never for long
    at once."""
    keys, owners, rows = _read_nodes(connection)
    numbers = KeyIndex.of(keys).find(owners, keys)
    missing, where = np.unique(owners[numbers == 0], axis=0, return_inverse=True)
    numbers[numbers == 0] = len(keys) + where
    count = len(keys) + len(missing)
    nodes = NodeRows(
        np.arange(count),
        np.concatenate([rows["trait"], np.full(len(missing), NOBODY, np.uint8)]),
        np.concatenate([np.concatenate([[0], numbers])[rows["owner"]], np.zeros(len(missing), np.intp)]).astype("i4"),
        np.concatenate([rows["time"], np.zeros(len(missing), np.int64)]),
    )
    return build_base(np.concatenate([keys, missing]), nodes, _read_edges(connection, rows["id"].astype(np.intp)))


def _read_nodes(connection: apsw.Connection) -> tuple[KeyArray, KeyArray, NDArray[np.void]]:
    """Keys of the nodes, nobody's first; keys of owners; and rows in which an owner is a place in these, from 1 on."""
    keys, owners = bytearray(_KEY_BYTES), bytearray()

    def rows() -> Iterator[tuple[int, int, int, int]]:
        yield 0, NOBODY, 0, 0
        for id, key, base, body in connection.execute(_NODES):
            node = None if base is None else decode_node(key, BASES[base], body)
            by = owner(node)
            keys.extend(key)
            owners.extend(by or b"")
            yield id, trait(node), 0 if by is None else len(owners) // _KEY_BYTES, moment(node)

    table = np.fromiter(rows(), _NODE_ROW)
    return pack([bytes(keys)]), pack([bytes(owners)]), table


def _read_edges(connection: apsw.Connection, ids: Numbers) -> list[EdgeColumns]:
    """The edges of each layer, where ``ids`` are those of the nodes by number, ascending."""
    rows = np.fromiter(connection.execute(_EDGES), _EDGE_ROW)
    layers = []
    for layer in range(len(LAYERS)):
        of = rows[rows["layer"] == layer]
        sources, targets = np.searchsorted(ids, of["source"]), np.searchsorted(ids, of["target"])
        layers.append(EdgeColumns(sources, targets, of["mark"].copy(), of["at"].copy(), of["until"].copy()))
    return layers
