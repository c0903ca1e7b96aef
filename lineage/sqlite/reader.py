"""One consistent view of the graph file: every answer comes from the same read transaction."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from lineage.body import decode_node
from lineage.key_array import KeyArray
from lineage.keys import Base
from lineage.memory import edge_line, name_line, node_line
from lineage.model import Edge, EdgeKind, NameScope, Node
from lineage.sqlite.rows import (
    BASE_CODES,
    BASES,
    EDGE_KIND_CODES,
    SCOPE_CODES,
    SCOPES,
    decode_edge,
    evidence_code,
)
from lineage.sqlite.text import pack, unpack
from lineage.sqlite.topology import FileTopology
from lineage.store import EVERYTHING, Direction, EdgeFilter, Level, Limits, Reach
from lineage.topology import Place, Walked, are_latest, reach_by_walking, traverse
from lineage.topology.marks import EVIDENCE_MASK, STALE, UNCERTAIN
from lineage.topology.state import State

_FETCH = "SELECT n.key, n.base, n.body FROM carray(?) c CROSS JOIN node n ON n.key = c.value WHERE n.base IS NOT NULL"
_SEEDS = "SELECT n.id, n.key, n.base FROM carray(?) c CROSS JOIN node n ON n.key = c.value WHERE n.base IS NOT NULL"
_PLACES = "SELECT n.id, n.key, n.base FROM carray(?) c CROSS JOIN node n ON n.id = c.value WHERE n.base IS NOT NULL"

_NEIGHBOURS = {
    Direction.DOWNSTREAM: """
SELECT e.kind, c.value, e.target, e.flags, e.at, e.until, e.body FROM carray(?1) c CROSS JOIN node s ON s.key = c.value
CROSS JOIN carray(?2) k CROSS JOIN edge e ON e.source = s.id AND e.kind = k.value""",
    Direction.UPSTREAM: """
SELECT e.kind, e.source, c.value, e.flags, e.at, e.until, e.body FROM carray(?1) c CROSS JOIN node t ON t.key = c.value
CROSS JOIN carray(?2) k CROSS JOIN edge e INDEXED BY edge_up ON e.target = t.id AND e.kind = k.value""",
}
_KEYS = "SELECT n.id, n.key FROM carray(?) c CROSS JOIN node n ON n.id = c.value"

# A refused edge leads to 0, which is no node's id: rows go on coming and the clock is looked at, whatever is refused.
_ADMITTED = """(e.flags & ?3) <= ?4 AND (e.flags & ?5) = 0 AND iif(?6 IS NULL,
    e.until IS NULL, (e.at IS NULL OR e.at <= ?6) AND (e.until IS NULL OR ?6 < e.until))"""
_STEP = {
    Direction.DOWNSTREAM: f"""
SELECT iif({_ADMITTED}, e.target, 0) FROM carray(?1) c CROSS JOIN carray(?2) k
CROSS JOIN edge e ON e.source = c.value AND e.kind = k.value""",  # noqa: S608
    Direction.UPSTREAM: f"""
SELECT iif({_ADMITTED}, e.source, 0) FROM carray(?1) c CROSS JOIN carray(?2) k
CROSS JOIN edge e INDEXED BY edge_up ON e.target = c.value AND e.kind = k.value""",  # noqa: S608
}

_LOOKUP = "SELECT n.key FROM name m CROSS JOIN node n ON n.id = m.node WHERE m.value = ? AND m.scope = ? ORDER BY n.key"
# Each in the order of the index, so that nothing is sorted. Case folding makes up to three characters of one.
_SEARCHES = (
    """
SELECT key FROM label INDEXED BY label_order
WHERE length BETWEEN :length / 3 AND :length AND coalesce(folded, name) = :text
    AND base IN (SELECT value FROM carray(:bases))
ORDER BY length, name, namespace, key""",
    """
SELECT key FROM label INDEXED BY label_order
WHERE instr(coalesce(folded, name), :text) AND base IN (SELECT value FROM carray(:bases))
ORDER BY length, name, namespace, key""",
    """
SELECT key FROM label INDEXED BY label_order
WHERE instr(coalesce(also, namespace), :text) AND base IN (SELECT value FROM carray(:bases))
ORDER BY length, name, namespace, key""",
)

_DUMP_NODES = "SELECT key, base, body FROM node WHERE base IS NOT NULL ORDER BY base, key"
_DUMP_EDGES = """
SELECT e.kind, s.key, t.key, e.flags, e.at, e.until, e.body
FROM edge e JOIN node s ON s.id = e.source JOIN node t ON t.id = e.target
ORDER BY e.kind, s.key, t.key"""
_DUMP_NAMES = """
SELECT m.scope, unpack(m.value) AS text, n.key FROM name m JOIN node n ON n.id = m.node ORDER BY m.scope, text, n.key"""


class SQLiteReader:
    """A :class:`~lineage.store.GraphReader` on a connection that is inside a read transaction."""

    def __init__(self, connection: apsw.Connection, topology: FileTopology) -> None:
        self._execute = connection.execute
        self._connection = connection
        self._ledger_size: int
        self._stamp: int
        ((self._ledger_size, self._stamp),) = self._execute("SELECT watermark, stamp FROM state")
        self._topology = topology
        self._state = topology.state(self._stamp)

    @property
    def ledger_size(self) -> int:
        """The watermark of this view."""
        return self._ledger_size

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there is none."""
        if not keys:
            return []
        rows = self._execute(_FETCH, (apsw.carray(tuple(dict.fromkeys(keys))),))
        nodes = {key: decode_node(key, BASES[base], body) for key, base, body in rows}
        return [nodes.get(key) for key in keys]

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        """All edges of ``kinds`` that leave or enter any of ``keys``, ordered by (kind's value, source, target)."""
        if not keys or not kinds:
            return []
        bound = apsw.carray(tuple(dict.fromkeys(keys))), _integers({EDGE_KIND_CODES[kind] for kind in kinds})
        rows = list(self._execute(_NEIGHBOURS[direction], bound))
        if direction is Direction.DOWNSTREAM:
            key_of = self._keys_of({far for _, _, far, *_ in rows})
            told = [(kind, near, key_of[far], *rest) for kind, near, far, *rest in rows]
        else:
            key_of = self._keys_of({far for _, far, *_ in rows})
            told = [(kind, key_of[far], *rest) for kind, far, *rest in rows]
        return [decode_edge(*row) for row in sorted(told)]

    def reach(
        self,
        level: Level,
        seeds: Sequence[bytes],
        direction: Direction,
        edges: EdgeFilter = EVERYTHING,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
    ) -> Reach:
        """Everything that a path from any seed leads to; see :meth:`lineage.store.GraphReader.reach`."""
        state = self._state_of_this()
        if state is not None:
            return state.reach(level, seeds, direction, edges, limits)
        kinds = _integers(EDGE_KIND_CODES[kind] for kind in level.edge_kinds)
        places = self._places(_SEEDS, apsw.carray(tuple(dict.fromkeys(seeds)))) if seeds else []

        def describe(ids: Sequence[int]) -> list[Place[int]]:
            return self._places(_PLACES, _integers(ids))

        def walk(admitted: EdgeFilter) -> Walked:
            bound = _bound(admitted)

            def step(ids: Sequence[int]) -> Iterable[int]:
                return (id for (id,) in self._execute(_STEP[direction], (_integers(ids), kinds, *bound)))

            return traverse(places, step, describe, limits)

        return reach_by_walking(level, edges, walk, self.fetch)

    def are_latest(self, versions: KeyArray, as_of: int | None = None) -> NDArray[np.bool_]:
        """Which of ``versions`` is the latest certain version of its dataset."""
        state = self._state_of_this()
        if state is not None:
            return state.are_latest(versions, as_of)
        return are_latest(versions, as_of, self.fetch, self.neighbours)

    def lookup(self, scope: NameScope, value: str) -> list[bytes]:
        """The keys of the nodes with that name, ascending; empty if none."""
        return [key for (key,) in self._execute(_LOOKUP, (pack(value), SCOPE_CODES[scope]))]

    def search(self, text: str, bases: Sequence[Base], limit: int, *, names_only: bool = False) -> list[Node]:
        """Datasets, columns and jobs that ``text`` names in part; see :meth:`lineage.store.GraphReader.search`."""
        if not bases or limit <= 0:
            return []
        codes = [BASE_CODES[base] for base in bases]
        folded = text.casefold()
        keys: dict[bytes, None] = {}
        for (key,) in chain.from_iterable(
            self._execute(query, {"text": folded, "length": len(folded), "bases": _integers(codes)})
            for query in _SEARCHES
        ):
            keys[key] = None
            if len(keys) == limit:
                break
        return [node for node in self.fetch(list(keys)) if node is not None]

    def count(self) -> dict[str, int]:
        """How many nodes there are of each base kind and edges of each kind, those with none too."""
        return {kind.value: 0 for kind in (*Base, *EdgeKind)} | dict(self._execute("SELECT what, number FROM tally"))

    def dump(self) -> Iterator[bytes]:
        """The whole graph as canonical lines, streamed."""
        for key, base, body in self._execute(_DUMP_NODES):
            yield node_line(decode_node(key, BASES[base], body))
        for row in self._execute(_DUMP_EDGES):
            yield edge_line(decode_edge(*row))
        self._connection.create_scalar_function("unpack", _unpack, 1, deterministic=True)
        for scope, text, key in self._execute(_DUMP_NAMES):
            yield name_line((SCOPES[scope], text, key))

    def _state_of_this(self) -> State | None:
        if self._state is None:
            self._state = self._topology.followed(self._connection, self._stamp)
        return self._state

    def _keys_of(self, ids: Collection[int]) -> dict[int, bytes]:
        """The keys of nodes: each is read once, however many edges lead there."""
        return dict(self._execute(_KEYS, (_integers(ids),))) if ids else {}

    def _places(self, query: str, handles: apsw.CArrayBinding) -> list[Place[int]]:
        return [(id, key, BASES[base]) for id, key, base in self._execute(query, (handles,))]


def _bound(edges: EdgeFilter) -> tuple[int | None, ...]:
    """What _STEP takes to refuse edges: the mask and the weakest of the evidence, the flags, and the moment."""
    refused = (UNCERTAIN if edges.certain_only else 0) | (STALE if edges.fresh_only else 0)
    return EVIDENCE_MASK, evidence_code(edges.evidence), refused, edges.as_of


def _unpack(*values: Any) -> str:
    return unpack(values[0])


def _integers(values: Iterable[int]) -> apsw.CArrayBinding:
    """``values``, at least one, as a table for SQLite."""
    return apsw.carray(array("q", values))
