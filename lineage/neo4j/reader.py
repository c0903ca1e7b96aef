"""One consistent view of the graph in Neo4j: what holds the lock of :mod:`lineage.neo4j.gate` while it is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from neo4j import AsyncTransaction
from numpy.typing import NDArray

from lineage.errors import UnavailableError
from lineage.key_array import KeyArray, unpack
from lineage.keys import Base
from lineage.model import Edge, EdgeKind, NameScope, Node
from lineage.neo4j import dump
from lineage.neo4j.connection import Connection, rows
from lineage.neo4j.properties import EDGE_COLUMNS, edge_of, name_value_key, node_of
from lineage.neo4j.reach import Traversal
from lineage.neo4j.schema import State
from lineage.neo4j.search import search
from lineage.neo4j.walk import Marks, Walk
from lineage.store import EVERYTHING, Direction, EdgeFilter, Level, Limits, Reach

_T = TypeVar("_T")

_PIECE = 5_000
_HOLD_SECONDS = 20.0
"""How often a view that lasts finds out whether it has the lock still, which keeps its connection in use, too."""
_LABELS = {base: base.value.capitalize() for base in Base}

_FETCH = "MATCH (n:Lineage) WHERE n.key IN $keys AND n.body IS NOT NULL RETURN collect([n.key, n.kind, n.body])"
_ENTERING = f"MATCH (b:Lineage)<-[r:%s]-(a:Lineage) WHERE b.key IN $keys RETURN collect([{EDGE_COLUMNS}])"
_LOOKUP = "MATCH (m:LineageName {key: $key})-[:NAMES]->(n) RETURN collect(n.key)"
_LATEST = """
MATCH (v:Lineage:Version) WHERE v.key IN $keys WITH collect(DISTINCT v.dataset) AS datasets
MATCH (d:Lineage)-[:HAS_VERSION]->(w:Version)
WHERE d.key IN datasets AND w.certain AND ($asOf IS NULL OR w.writtenMicros <= $asOf)
WITH DISTINCT w
WITH w.dataset AS dataset, max([w.writtenMicros, w.key]) AS latest
RETURN collect(latest[1])"""
_COUNT = (
    "RETURN "
    + ", ".join(f"COUNT {{ (:Lineage&{label}) }}" for label in _LABELS.values())
    + ", "
    + ", ".join(f"COUNT {{ (:Lineage)-[:{kind.value}]->() }}" for kind in EdgeKind)
)


class Neo4jReader:
    """A :class:`~lineage.store.GraphReader` on a transaction that holds the lock shared, until the moment ``ends``
    (time.monotonic seconds). ``state`` is what that found; ``missing`` says whether any end of an edge is. Raises
    UnavailableError after that moment, or once the transaction is lost, as the graph may have changed."""

    def __init__(
        self, connection: Connection, transaction: AsyncTransaction, state: State, ends: float, *, missing: bool
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._held = time.monotonic()
        self._state = state
        self._ends = ends
        self._missing = missing

    @property
    def ledger_size(self) -> int:
        """The watermark of this view."""
        return self._state.watermark

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there is none."""
        wanted = [key.hex() for key in dict.fromkeys(keys)]
        found: dict[bytes, Node] = {}
        for told in self._pieces(_FETCH, wanted):
            for key, kind, body in told:
                node = node_of(key, kind, body)
                found[node.key] = node
        return [found.get(key) for key in keys]

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        """All edges of ``kinds`` that leave or enter any of ``keys``, ordered by (kind's value, source, target)."""
        if not kinds:
            return []
        types = "|".join(sorted({kind.value for kind in kinds}))
        query = (dump.EDGES if direction is Direction.DOWNSTREAM else _ENTERING) % types
        wanted = [key.hex() for key in dict.fromkeys(keys)]
        found = [row for told in self._pieces(query, wanted) for row in told]
        return [edge_of(*row) for row in sorted(found, key=lambda row: row[:3])]

    def reach(
        self,
        level: Level,
        seeds: Sequence[bytes],
        direction: Direction,
        edges: EdgeFilter = EVERYTHING,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
    ) -> Reach:
        """Everything that a path from any seed leads to; see :meth:`lineage.store.GraphReader.reach`."""
        kinds = {kind.value for kind in level.edge_kinds}
        marks = Marks(self._missing, bool(kinds & self._state.weak), bool(kinds & self._state.replaced))
        walk = Walk(level, direction, edges, marks)
        return self._call(lambda: Traversal(self._connection, walk, limits).run(seeds))

    def are_latest(self, versions: KeyArray, as_of: int | None = None) -> NDArray[np.bool_]:
        """Which of ``versions`` is the latest certain version of its dataset."""
        keys = [key.hex() for key in unpack(versions)]
        latest = {key for told in self._pieces(_LATEST, sorted(set(keys)), asOf=as_of) for key in told}
        return np.array([key in latest for key in keys], dtype=np.bool_)

    def lookup(self, scope: NameScope, value: str) -> list[bytes]:
        """The keys of the nodes with that name, ascending; empty if none."""
        ((found,),) = self._rows(_LOOKUP, {"key": name_value_key(scope, value)})
        return sorted(map(bytes.fromhex, found))

    def search(self, text: str, bases: Sequence[Base], limit: int, *, names_only: bool = False) -> list[Node]:
        """Datasets, columns and jobs that ``text`` names in part; see :meth:`lineage.store.GraphReader.search`."""
        if not bases or limit <= 0:
            return []
        keys = self._call(lambda: search(self._connection, text, bases, limit))
        return [node for node in self.fetch(keys) if node is not None]

    def count(self) -> dict[str, int]:
        """How many nodes there are of each base kind and edges of each kind, those with none too."""
        (counts,) = self._rows(_COUNT, {})
        return dict(zip([kind.value for kind in (*Base, *EdgeKind)], counts, strict=True))

    def dump(self) -> Iterator[bytes]:
        """The whole graph as canonical lines, streamed."""
        return dump.lines(self._rows, self.fetch)

    def _pieces(self, query: str, keys: Sequence[str], **told: Any) -> Iterator[list[Any]]:
        for start in range(0, len(keys), _PIECE):
            ((found,),) = self._rows(query, {"keys": keys[start : start + _PIECE], **told})
            yield found

    def _rows(self, query: str, told: dict[str, Any]) -> Sequence[Sequence[Any]]:
        async def ask() -> Sequence[Sequence[Any]]:
            async with self._connection.session() as session:
                return await rows(session, query, told)

        return self._call(ask)

    def _call(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        found = self._connection.call(work)
        now = time.monotonic()
        if now - self._held > _HOLD_SECONDS:
            self._connection.call(lambda: rows(self._transaction, "RETURN 1", {}))
            self._held = now
        if now >= self._ends:
            raise UnavailableError("The view of the graph in Neo4j has lasted too long.", hint="Ask for less at once.")
        return found
