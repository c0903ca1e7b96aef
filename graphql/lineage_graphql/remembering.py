"""A view of the graph that reads each thing once: what a page shows is looked at from several sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter

from lineage.model import Edge, EdgeKind, Node
from lineage.store import Direction, GraphReader

_MOST = 100_000

_Side = tuple[EdgeKind, Direction]
_NEAR = {Direction.DOWNSTREAM: attrgetter("source"), Direction.UPSTREAM: attrgetter("target")}
_order = attrgetter("kind", "source", "target")


class Remembering:
    """A :class:`~lineage.store.GraphReader` that keeps what it read, at most a hundred thousand nodes and as many
    edges."""

    def __init__(self, reader: GraphReader) -> None:
        self._fetch = reader.fetch
        self._neighbours = reader.neighbours
        self._nodes: dict[bytes, Node | None] = {}
        self._edges: dict[_Side, dict[bytes, list[Edge]]] = defaultdict(dict)
        self._kept = 0
        self.ledger_size = reader.ledger_size
        self.reach = reader.reach
        self.are_latest = reader.are_latest
        self.lookup = reader.lookup
        self.search = reader.search
        self.count = reader.count
        self.dump = reader.dump

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there is none."""
        nodes = self._nodes
        missing = [key for key in dict.fromkeys(keys) if key not in nodes]
        if missing:
            if len(nodes) + len(missing) > _MOST:
                nodes.clear()
                missing = list(dict.fromkeys(keys))
            nodes.update(zip(missing, self._fetch(missing), strict=True))
        return [nodes[key] for key in keys]

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        """All edges of ``kinds`` that leave or enter any of ``keys``, ordered by (kind's value, source, target)."""
        sides = [self._edges[kind, direction] for kind in dict.fromkeys(kinds)]
        wanted = dict.fromkeys(keys)
        missing = [key for key in wanted if not all(key in side for side in sides)]
        found = self._neighbours(missing, kinds, direction) if missing else []
        told = found
        if len(missing) < len(wanted):
            known = wanted.keys() - missing
            told = [*found, *(edge for side in sides for key in known for edge in side[key])]
            told.sort(key=_order)
        self._learn(found, missing, kinds, direction)
        return told

    def _learn(
        self, edges: Sequence[Edge], keys: Sequence[bytes], kinds: Iterable[EdgeKind], direction: Direction
    ) -> None:
        """``edges`` are all of ``kinds`` at ``keys``."""
        near = _NEAR[direction]
        if self._kept + len(edges) + len(keys) > _MOST:
            self._edges.clear()
            self._kept = 0
            if len(edges) + len(keys) > _MOST:
                return
        self._kept += len(edges) + len(keys)
        for kind in kinds:
            self._edges[kind, direction].update((key, []) for key in keys)
        for edge in edges:
            self._edges[edge.kind, direction][near(edge)].append(edge)
