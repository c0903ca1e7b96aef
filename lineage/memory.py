"""The reference store: the graph in dictionaries, as plainly as it can be said. Every other store is held against it.

Also the canonical dump, the bytes by which two stores are compared: one JSON object a line, nodes by (base kind, key),
then edges by (kind, source, target), then names by (scope, value, node). Keys are hexadecimal, members sorted, text
ASCII, what equals its default left out, numbers as exact as they came.

>>> from lineage.keys import dataset_key
>>> from lineage.model import Dataset
>>> node = Dataset(dataset_key("db", "orders"), "db", "orders")
>>> [json.loads(line)["name"] for line in canonical_lines([node], [], [])]
['orders']
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray
from lineage.keys import Base
from lineage.label import Label, labels_of
from lineage.model import Changes, Edge, EdgeKey, EdgeKind, NameKey, NameScope, Node, base_of
from lineage.store import EVERYTHING, Direction, EdgeFilter, Level, Limits, Reach
from lineage.topology import Place, Walked, are_latest, reach_by_walking, traverse

_K = TypeVar("_K")
_V = TypeVar("_V")


def canonical_lines(nodes: Iterable[Node], edges: Iterable[Edge], names: Iterable[NameKey]) -> Iterator[bytes]:
    """The canonical dump of a graph, whatever order its parts come in; no line ends in a line feed."""
    yield from map(node_line, sorted(nodes, key=lambda node: (base_of(node).value, node.key)))
    yield from map(edge_line, sorted(edges, key=lambda edge: edge.key))
    yield from map(name_line, sorted(names))


def node_line(node: Node) -> bytes:
    """The canonical line of one node; its base kind is the member ``node``."""
    return _line("node", base_of(node).value, node)


def edge_line(edge: Edge) -> bytes:
    """The canonical line of one edge; its kind is the member ``edge``."""
    return _line("edge", edge.kind.value, edge)


def name_line(name: NameKey) -> bytes:
    """The canonical line of one name; its scope is the member ``name``."""
    scope, value, key = name
    return _json({"name": scope.value, "value": value, "key": key})


def _line(what: str, kind: str, thing: Node | Edge) -> bytes:
    values = msgspec.structs.astuple(thing)
    told = {
        name: value for (name, default), value in zip(_fields(type(thing)), values, strict=True) if value != default
    }
    return _json({**told, what: kind})


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, object], ...]:
    """Name and default of each field; NODEFAULT, which equals no value, where there is none."""
    return tuple(
        (field.name, field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory())
        for field in msgspec.structs.fields(kind)
    )


def _json(members: dict[str, object]) -> bytes:
    plain = msgspec.to_builtins(members, builtin_types=(bytes,))
    return json.dumps(plain, default=bytes.hex, sort_keys=True, separators=(",", ":")).encode()


class _Graph:
    """Nodes, edges both ways, names. Shared with readers it is never changed again."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, Node] = {}
        self.edges: dict[EdgeKey, Edge] = {}
        self.leaving: dict[bytes, set[EdgeKey]] = {}
        self.entering: dict[bytes, set[EdgeKey]] = {}
        self.names: dict[tuple[NameScope, str], set[bytes]] = {}
        self.watermark = 0

    def copy(self) -> _Graph:
        twin = _Graph()
        twin.nodes = self.nodes.copy()
        twin.edges = self.edges.copy()
        twin.leaving = {key: edges.copy() for key, edges in self.leaving.items()}
        twin.entering = {key: edges.copy() for key, edges in self.entering.items()}
        twin.names = {name: keys.copy() for name, keys in self.names.items()}
        twin.watermark = self.watermark
        return twin

    def put_node(self, key: bytes, node: Node | None) -> None:
        if node is None:
            self.nodes.pop(key, None)
        else:
            self.nodes[key] = node

    def put_edge(self, key: EdgeKey, edge: Edge | None) -> None:
        _, source, target = key
        if edge is None:
            self.edges.pop(key, None)
        else:
            self.edges[key] = edge
        _put(self.leaving, source, key, edge is not None)
        _put(self.entering, target, key, edge is not None)

    def put_name(self, name: NameKey, present: bool) -> None:
        scope, value, key = name
        _put(self.names, (scope, value), key, present)


def _put(sets: dict[_K, set[_V]], key: _K, value: _V, present: bool) -> None:
    if present:
        sets.setdefault(key, set()).add(value)
    elif key in sets:
        sets[key].discard(value)
        if not sets[key]:
            del sets[key]


class MemoryStore:
    """A :class:`~lineage.store.GraphStore` in this process's memory, gone with it.

    A reader shares the graph as it stands, and the next ``apply`` copies it: readers cost nothing, and a write after
    one costs as much as the graph is large.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._graph = _Graph()
        self._shared = False

    def watermark(self) -> int:
        """How many ledger entries the store reflects; 0 if new."""
        return self._graph.watermark

    def settle(self) -> None:
        """Nothing waits to be written, and nothing outlives the process."""

    def apply(self, changes: Changes, watermark: int) -> None:
        """Write all changes and the watermark; see :meth:`lineage.store.GraphStore.apply`."""
        with self._lock:
            graph = self._graph.copy() if self._shared else self._graph
            for key, node in changes.nodes.items():
                graph.put_node(key, node)
            for edge_key, edge in changes.edges.items():
                graph.put_edge(edge_key, edge)
            for name, present in changes.names.items():
                graph.put_name(name, present)
            graph.watermark = watermark
            self._graph, self._shared = graph, False

    @contextmanager
    def reader(self) -> Iterator[MemoryReader]:
        """A consistent view; see :meth:`lineage.store.GraphStore.reader`."""
        with self._lock:
            self._shared = True
            graph = self._graph
        yield MemoryReader(graph)

    def live(self) -> MemoryReader:
        """What there is whenever it is asked, for the one thread that also writes: it is never copied for that."""
        return MemoryReader(self._graph)

    def outdate(self) -> bool:
        """Remove everything: what is in memory is made anew as quickly as compared."""
        self.clear()
        return False

    def clear(self) -> None:
        """Remove everything, watermark included."""
        with self._lock:
            self._graph, self._shared = _Graph(), False

    def close(self) -> None:
        """Nothing is held."""


class MemoryReader:
    """A :class:`~lineage.store.GraphReader` over one state of a MemoryStore."""

    def __init__(self, graph: _Graph) -> None:
        self._graph = graph

    @property
    def ledger_size(self) -> int:
        """The watermark of this view."""
        return self._graph.watermark

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there is none."""
        return [self._graph.nodes.get(key) for key in keys]

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        """All edges of ``kinds`` that leave or enter any of ``keys``, ordered by (kind's value, source, target)."""
        found = {edge for key in keys for edge in self._adjacent(direction).get(key, ()) if edge[0] in kinds}
        return [self._graph.edges[edge] for edge in sorted(found)]

    def reach(
        self,
        level: Level,
        seeds: Sequence[bytes],
        direction: Direction,
        edges: EdgeFilter = EVERYTHING,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
    ) -> Reach:
        """Everything that a path from any seed leads to; see :meth:`lineage.store.GraphReader.reach`."""
        adjacent, kinds = self._adjacent(direction), level.edge_kinds

        def walk(admitted: EdgeFilter) -> Walked:
            def step(keys: Sequence[bytes]) -> Iterator[bytes]:
                for key in keys:
                    for edge in adjacent.get(key, ()):
                        if edge[0] in kinds and admitted.admits(self._graph.edges[edge]):
                            yield edge[2] if direction is Direction.DOWNSTREAM else edge[1]

            return traverse(self._places(seeds), step, self._places, limits)

        return reach_by_walking(level, edges, walk, self.fetch)

    def are_latest(self, versions: KeyArray, as_of: int | None = None) -> NDArray[np.bool_]:
        """Which of ``versions`` is the latest certain version of its dataset."""
        return are_latest(versions, as_of, self.fetch, self.neighbours)

    def lookup(self, scope: NameScope, value: str) -> list[bytes]:
        """The keys of the nodes with that name, ascending; empty if none."""
        return sorted(self._graph.names.get((scope, value), ()))

    def search(self, text: str, bases: Sequence[Base], limit: int, *, names_only: bool = False) -> list[Node]:
        """Datasets, columns and jobs that ``text`` names in part; see :meth:`lineage.store.GraphReader.search`."""
        wanted = text.casefold()
        found = []
        for node in self._graph.nodes.values():
            if base_of(node) in bases:
                held = [label for label in labels_of(node) if label.holds(wanted)]
                ranks = [(*label_rank(label, wanted), node.key) for label in held]
                found += [min(ranks)] if ranks else []
        return [self._graph.nodes[key] for *_, key in sorted(found)[: max(limit, 0)]]

    def count(self) -> dict[str, int]:
        """How many nodes there are of each base kind and edges of each kind, those with none too."""
        counts = {kind.value: 0 for kind in (*Base, *EdgeKind)}
        for node in self._graph.nodes.values():
            counts[base_of(node).value] += 1
        for kind, _, _ in self._graph.edges:
            counts[kind.value] += 1
        return counts

    def dump(self) -> Iterator[bytes]:
        """The whole graph as canonical lines."""
        names = ((scope, value, key) for (scope, value), keys in self._graph.names.items() for key in keys)
        return canonical_lines(self._graph.nodes.values(), self._graph.edges.values(), names)

    def _adjacent(self, direction: Direction) -> dict[bytes, set[EdgeKey]]:
        return self._graph.leaving if direction is Direction.DOWNSTREAM else self._graph.entering

    def _places(self, keys: Sequence[bytes]) -> list[Place[bytes]]:
        nodes = self._graph.nodes
        return [(key, key, base_of(nodes[key])) for key in keys if key in nodes]


def label_rank(label: Label, wanted: str) -> tuple[bool, bool, int, str, str]:
    """What stands first: the whole name, a part of it, the namespace alone; then the shortest."""
    folded = label.name.casefold()
    return folded != wanted, wanted not in folded, len(label.name), label.name, label.namespace
