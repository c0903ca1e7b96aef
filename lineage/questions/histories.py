"""All that the sides of a diff came from: two closures of the version graph, and what stands in one of them alone.

The nodes here are the graph's own, versions and flows. A flow feeds one output, so whatever leads to a node that one
closure lacks is lacking from it too: what only one side has is whole from its beginnings to the subject, and only that
is ever loaded, with what it is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lineage.answer import Cut, Kind
from lineage.key_array import unpack
from lineage.kind import KIND_CODES
from lineage.model import Edge, EdgeKind, Flow, Name, Run, Version
from lineage.questions.spread import edges_of, fetched
from lineage.store import Direction, EdgeFilter, GraphReader, Level, Limits

_ENTERING = (EdgeKind.READ_BY, EdgeKind.WROTE)
_VERSION = KIND_CODES[Kind.VERSION]
_NO_KEY = bytes(16)


@dataclass(frozen=True, slots=True)
class Closure:
    """``distances`` of all nodes, seeds (0) among them; of these the ``versions``, and the ``runs`` of the flows."""

    distances: Mapping[bytes, int]
    versions: frozenset[bytes]
    runs: frozenset[bytes]
    cut: Cut | None


def closure_of(graph: GraphReader, seeds: Mapping[bytes, bytes], edges: EdgeFilter, limits: Limits) -> Closure:
    """Everything upstream of ``seeds`` (seed → the version itself, or the run of a flow)."""
    reach = graph.reach(Level.VERSION, sorted(seeds), Direction.UPSTREAM, edges, limits)
    keys, things, kinds = unpack(reach.keys), unpack(reach.things), reach.kinds.tolist()
    distances = dict(zip(keys, reach.distances.tolist(), strict=True))
    versions = {key for key, kind in zip(keys, kinds, strict=True) if kind == _VERSION}
    runs = {thing for thing, kind in zip(things, kinds, strict=True) if kind != _VERSION and thing != _NO_KEY}
    farthest = max(distances.values(), default=0)
    cut = None if reach.cut is None else Cut(reach.cut, limits.nodes if reach.cut == "NODES" else None, farthest)
    return Closure(
        {**distances, **dict.fromkeys(seeds, 0)},
        frozenset(versions | {seed for seed, thing in seeds.items() if seed == thing}),
        frozenset(runs | {thing for seed, thing in seeds.items() if seed != thing}),
        cut,
    )


class History:
    """One side: its closure, and of the nodes that were loaded what they are and what leads to them."""

    def __init__(self, graph: GraphReader, closure: Closure, other: Closure, edges: EdgeFilter) -> None:
        self._graph = graph
        self._edges = edges
        self._nodes: dict[bytes, Version | Flow] = {}
        self._runs: dict[bytes, Run] = {}
        self._entering: dict[bytes, list[Edge]] = {}
        self.closure = closure
        self.own = closure.distances.keys() - other.distances.keys()
        self.load(self.own)

    def load(self, keys: Iterable[bytes]) -> None:
        """Load what leads to ``keys``, and what these and their sources are."""
        fresh = sorted({key for key in keys if key not in self._entering})
        self._entering.update((key, []) for key in fresh)
        for edge in edges_of(self._graph, fresh, _ENTERING, Direction.UPSTREAM):
            if self._edges.admits(edge) and edge.source in self.closure.distances:
                self._entering[edge.target].append(edge)
        sources = {edge.source for key in fresh for edge in self._entering[key]}
        self._know(sorted(key for key in {*fresh, *sources} if key not in self._nodes))

    def _know(self, keys: Sequence[bytes]) -> None:
        owners: set[bytes] = set()
        for nodes in fetched(self._graph, keys):
            for node in nodes:
                if isinstance(node, Version | Flow):
                    self._nodes[node.key] = node
                    owners.update({node.owner} if isinstance(node, Flow) and node.owner is not None else ())
        for nodes in fetched(self._graph, sorted(owners - self._runs.keys())):
            self._runs.update((node.key, node) for node in nodes if isinstance(node, Run))

    def into(self, key: bytes) -> Sequence[Edge]:
        """The edges of this history that lead to ``key``, by (kind, source); none if it was not loaded."""
        return self._entering.get(key, ())

    def known(self, key: bytes) -> bool:
        """Whether the node ``key``, which was loaded, is there."""
        return key in self._nodes

    def version(self, key: bytes) -> Version | None:
        """The version ``key``; None for a flow."""
        node = self._nodes.get(key)
        return node if isinstance(node, Version) else None

    def run(self, key: bytes) -> Run | None:
        """The run of flow ``key``; None for a version, and for a flow that belongs to no run."""
        node = self._nodes.get(key)
        return self._runs.get(node.owner or b"") if isinstance(node, Flow) else None

    def output(self, key: bytes) -> Name | None:
        """What flow ``key`` feeds."""
        node = self._nodes.get(key)
        return node.output if isinstance(node, Flow) else None

    def time(self, key: bytes) -> int:
        """When the version was written, or the flow's moment or start; the least of all if not known."""
        node = self._nodes.get(key)
        if isinstance(node, Version):
            return node.written_at
        run = self.run(key)
        moment = node.moment if isinstance(node, Flow) else None
        started = run.started_at if run is not None else None
        return next((time for time in (moment, started) if time is not None), -(1 << 63))

    def ways(self, seeds: Iterable[bytes]) -> dict[bytes, bytes]:
        """Of each node that only this side has, the next on a shortest way to a seed: of several the least key."""
        ways: dict[bytes, bytes] = {}
        level = sorted(seed for seed in seeds if seed in self.own)
        begun = set(level)
        while level:
            found: dict[bytes, bytes] = {}
            for target in level:
                for source in self._own_sources(target):
                    if source not in ways and source not in begun:
                        found.setdefault(source, target)
            ways.update(found)
            level = sorted(found)
        return ways

    def _own_sources(self, key: bytes) -> Iterator[bytes]:
        return (edge.source for edge in self._entering[key] if edge.source in self.own)
