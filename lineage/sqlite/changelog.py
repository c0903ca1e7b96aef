"""What each commit told, by id: how a topology that reflects one stamp is brought to another.

A row of ``changed`` has ids of nodes and triples (source, kind, target) of edges, packed; what became of them is read
from the tables. There is a row for every stamp from the one that was last trimmed to, so a stamp without a row is not
of this file's history, or too old.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import apsw
import numpy as np

from lineage.body import decode_node
from lineage.model import Changes, Edge, EdgeKey, Node
from lineage.sqlite.rows import BASES, EDGE_KIND_CODES, EDGE_KINDS, decode_edge
from lineage.topology.marks import LAYER_OF

EdgeId = tuple[int, int, int]
"""Source, code of the kind, target."""

_CODE = "i"
_TRIPLE = 3
_KIND_CODES = frozenset(EDGE_KIND_CODES[kind] for kind in LAYER_OF)

_ADVANCE = "UPDATE state SET watermark = ?, stamp = stamp + 1 + abs(random() % 1073741824) RETURNING stamp"
_LENGTH = "SELECT min(stamp) = ?1, sum(length(nodes)), sum(length(edges)) FROM changed WHERE stamp >= ?1"
_TOLD = "SELECT nodes, edges FROM changed WHERE stamp > ?"
_NODES = "SELECT n.id, n.key, n.base, n.body FROM carray(?) c CROSS JOIN node n ON n.id = c.value"
_KEYS = "SELECT n.id, n.key FROM carray(?) c CROSS JOIN node n ON n.id = c.value"
_EDGE = "SELECT source, kind, target, flags, at, until FROM edge WHERE (source, kind, target) = (?, ?, ?)"


def stamp_of(connection: apsw.Connection) -> int:
    """The stamp of the last commit that ``connection`` sees."""
    stamp: int = connection.execute("SELECT stamp FROM state").get
    return stamp


def record(connection: apsw.Connection, watermark: int, nodes: Iterable[int], edges: Iterable[EdgeId]) -> int:
    """Write the watermark and what the commit tells; its stamp. Edges that no topology has are left out."""
    stamp: int = connection.execute(_ADVANCE, (watermark,)).get
    triples = array(_CODE, [part for edge in edges if edge[1] in _KIND_CODES for part in edge])
    connection.execute("INSERT INTO changed VALUES (?, ?, ?)", (stamp, array(_CODE, nodes), triples))
    return stamp


def length(connection: apsw.Connection, stamp: int) -> int | None:
    """How many nodes and edges were told since ``stamp``, repeats included; None if the log does not know it."""
    ((known, nodes, edges),) = connection.execute(_LENGTH, (stamp,))
    size = array(_CODE).itemsize
    return nodes // size + edges // (size * _TRIPLE) if known else None


def told_since(connection: apsw.Connection, stamp: int) -> Changes | None:
    """All that was told since ``stamp``, as it is now; None if the log does not know it. Edges come without a body."""
    if length(connection, stamp) is None:
        return None
    rows: list[tuple[bytes, bytes]] = list(connection.execute(_TOLD, (stamp,)))
    nodes = np.unique(np.frombuffer(b"".join(row[0] for row in rows), _CODE))
    triples = np.frombuffer(b"".join(row[1] for row in rows), _CODE).reshape(-1, _TRIPLE)
    edges = list(map(tuple, np.unique(triples, axis=0).tolist())) if len(triples) else []
    return Changes(_nodes(connection, nodes.tolist()), _edges(connection, edges), {})


def trim(connection: apsw.Connection, stamp: int) -> None:
    """Forget what was told before ``stamp`` and with it."""
    connection.execute("DELETE FROM changed WHERE stamp < ?", (stamp,))
    connection.execute("UPDATE changed SET nodes = x'', edges = x'' WHERE stamp = ?", (stamp,))


def _nodes(connection: apsw.Connection, ids: list[int]) -> dict[bytes, Node | None]:
    if not ids:
        return {}
    rows = connection.execute(_NODES, (apsw.carray(array("q", ids)),))
    return {key: None if base is None else decode_node(key, BASES[base], body) for _, key, base, body in rows}


def _edges(connection: apsw.Connection, edges: list[EdgeId]) -> dict[EdgeKey, Edge | None]:
    if not edges:
        return {}
    ends = {end for source, _, target in edges for end in (source, target)}
    keys: dict[int, bytes] = dict(connection.execute(_KEYS, (apsw.carray(array("q", ends)),)))
    told: dict[EdgeKey, Edge | None] = {
        (EDGE_KINDS[kind], keys[source], keys[target]): None for source, kind, target in edges
    }
    for source, kind, target, flags, at, until in connection.executemany(_EDGE, edges):
        edge = decode_edge(kind, keys[source], keys[target], flags, at, until, None)
        told[edge.key] = edge
    return told
