"""What a change spreads to, or what a thing comes from: a traversal, and how strong the best path to each node is.

The strength takes further traversals of the same seeds over narrower edges: a node that is reached over DECLARED edges
alone has a path whose weakest edge is DECLARED. At most two for the evidence, one for certainty and, on the logical
level, one for what is stale; none that could tell nothing new. In a cut answer a narrower traversal may stop elsewhere
than the full one: what is found may then be told weaker than it is, never stronger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import msgspec

from lineage.answer import Cut, GraphThing, Kind, kind_of
from lineage.keys import Base
from lineage.model import Edge, EdgeKind, Evidence, Flow, Node
from lineage.store import Direction, EdgeFilter, GraphReader, Level, Limits, Reach

_CHUNK = 10_000

Item = TypeVar("Item")


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How a node was reached: its least distance, its best path's weakest evidence and certainty, and whether each path
    has a stale edge (R9)."""

    distance: int
    base: Base
    evidence: Evidence
    certain: bool
    stale: bool


class Found(msgspec.Struct, frozen=True):
    """One thing found, as an answer keeps it."""

    key: bytes
    kind: Kind
    distance: int
    evidence: Evidence
    certain: bool
    stale: bool = False


Pair = tuple[bytes, bytes]
"""Two datasets of which one feeds the other."""


@dataclass(frozen=True, slots=True)
class ColumnReads:
    """Which jobs the change of a column goes through.

    ``homes``: column → its dataset. ``wires``: of datasets that column lineage ties, the admitted edges from one into
    the flows that feed the other; ``jobs``: flow → job. The edges of ``crossed`` (by job) and ``taken`` (by flow, where
    no column lineage is told) are such wires too, each from the nearest column in place of its dataset.
    """

    homes: Mapping[bytes, bytes]
    wires: Mapping[Pair, tuple[Edge, ...]]
    jobs: Mapping[bytes, bytes]
    crossed: Mapping[bytes, tuple[Edge, ...]]
    taken: Mapping[bytes, tuple[Edge, ...]]


NO_COLUMNS = ColumnReads({}, {}, {}, {}, {})


@dataclass(frozen=True, slots=True)
class Spread:
    """All nodes that ``seeds`` lead to over ``edges``, flows among them, seeds apart. ``entry``: seed → the key of the
    thing that an answer names in its place (a flow's run or job). Of columns the jobs that they go through are there
    too: ``columns``."""

    level: Level
    edges: EdgeFilter
    seeds: frozenset[bytes]
    marks: Mapping[bytes, Mark]
    entry: Mapping[bytes, bytes]
    cut: Cut | None
    columns: ColumnReads = NO_COLUMNS

    def distance(self, key: bytes) -> int | None:
        """The distance of ``key``, 0 for a seed, None if it is not there."""
        mark = self.marks.get(key)
        return 0 if key in self.seeds else None if mark is None else mark.distance

    def holds(self, key: bytes) -> bool:
        """Whether ``key`` is a seed or was reached."""
        return key in self.marks or key in self.seeds


def spread(
    graph: GraphReader,
    level: Level,
    seeds: Mapping[bytes, bytes],
    direction: Direction,
    edges: EdgeFilter,
    limits: Limits,
) -> Spread:
    """Follow ``edges`` from ``seeds`` (seed → the thing that it stands for; itself, or a flow's run or job)."""
    keys = sorted(seeds)
    if not keys:
        return Spread(level, edges, frozenset(), {}, {}, None)
    full, marks = marked(level, edges, lambda narrower: graph.reach(level, keys, direction, narrower, limits))
    return Spread(level, edges, frozenset(keys), marks, dict(seeds), cut_of(full, limits))


def marked(level: Level, edges: EdgeFilter, reach: Callable[[EdgeFilter], Reach]) -> tuple[Reach, dict[bytes, Mark]]:
    """What ``reach`` finds over ``edges``, each with the strength of its best path. Only wiring can be stale."""
    full = reach(edges)
    evidence = _evidence(full, edges, reach)
    certain = _all_or_those(full, edges, replace(edges, certain_only=True), reach)
    wiring = level is Level.LOGICAL
    fresh = _all_or_those(full, edges, replace(edges, fresh_only=True) if wiring else edges, reach)
    return full, {
        hit.key: Mark(
            hit.distance,
            hit.base,
            evidence.get(hit.key, edges.evidence),
            certain is None or hit.key in certain,
            fresh is not None and hit.key not in fresh,
        )
        for hit in full.hits
    }


def _evidence(full: Reach, edges: EdgeFilter, reach: Callable[[EdgeFilter], Reach]) -> dict[bytes, Evidence]:
    """The evidence of those whose best path is stronger than the weakest that ``edges`` admits."""
    stronger: dict[bytes, Evidence] = {}
    for evidence in Evidence:
        if evidence is edges.evidence or len(stronger) == len(full.hits):
            break
        for hit in reach(replace(edges, evidence=evidence)).hits:
            stronger.setdefault(hit.key, evidence)
    return stronger


def _all_or_those(
    full: Reach, edges: EdgeFilter, narrower: EdgeFilter, reach: Callable[[EdgeFilter], Reach]
) -> frozenset[bytes] | None:
    """The keys that some path of ``narrower`` edges leads to; None for all."""
    if narrower == edges or not full.hits:
        return None
    return frozenset(hit.key for hit in reach(narrower).hits)


def cut_of(reach: Reach, limits: Limits) -> Cut | None:
    """What ``reach`` left out, as an answer says it."""
    if reach.cut is None:
        return None
    farthest = reach.hits[-1].distance if reach.hits else 0
    return Cut(reach.cut, limits.nodes if reach.cut == "NODES" else None, farthest)


def found(graph: GraphReader, spread: Spread) -> tuple[Found, ...]:
    """The things that were reached, in the order (distance, kind, key): each flow stands for its run or job (at the
    least distance of its flows, with the best of their evidence), or for nothing if it belongs to none; what a seed
    stands for is left out."""
    best = _shown(graph, spread)
    for subject in {*spread.seeds, *(spread.entry[seed] for seed in spread.seeds if seed in spread.entry)}:
        best.pop(subject, None)
    kinds = kinds_of(graph, best)
    hits = (
        Found(key, kinds[key], mark.distance, mark.evidence, mark.certain, mark.stale)
        for key, mark in best.items()
        if key in kinds
    )
    return tuple(sorted(hits, key=lambda hit: (hit.distance, hit.kind.value, hit.key)))


def _shown(graph: GraphReader, spread: Spread) -> dict[bytes, Mark]:
    shown = {key: mark for key, mark in spread.marks.items() if mark.base is not Base.FLOW}
    flows = [key for key, mark in spread.marks.items() if mark.base is Base.FLOW]
    for flow, owner in owners_of(graph, flows).items():
        known, mark = shown.get(owner), spread.marks[flow]
        shown[owner] = mark if known is None else _best(known, mark)
    return shown


def _best(one: Mark, other: Mark) -> Mark:
    return Mark(
        min(one.distance, other.distance),
        one.base,
        stronger(one.evidence, other.evidence),
        one.certain or other.certain,
        one.stale and other.stale,
    )


_STRENGTH = {evidence: rank for rank, evidence in enumerate(Evidence)}


def stronger(one: Evidence, other: Evidence) -> Evidence:
    """The stronger of two evidences."""
    return min(one, other, key=_STRENGTH.__getitem__)


def weaker(one: Evidence, other: Evidence) -> Evidence:
    """The weaker of two evidences."""
    return max(one, other, key=_STRENGTH.__getitem__)


def owners_of(graph: GraphReader, flows: Sequence[bytes]) -> dict[bytes, bytes]:
    """The run or job of each of ``flows``; those that belong to none are left out."""
    return {
        node.key: node.owner
        for nodes in fetched(graph, flows)
        for node in nodes
        if isinstance(node, Flow) and node.owner is not None
    }


_BY_BASE = {Base.VERSION: Kind.VERSION, Base.COLUMN: Kind.COLUMN}


def kinds_of(graph: GraphReader, marks: Mapping[bytes, Mark]) -> dict[bytes, Kind]:
    """The kind of each key that a node has; nodes are fetched only where the base kind leaves it open."""
    kinds = {key: _BY_BASE[mark.base] for key, mark in marks.items() if mark.base in _BY_BASE}
    for nodes in fetched(graph, [key for key in marks if key not in kinds]):
        kinds.update((node.key, kind_of(node)) for node in nodes if not isinstance(node, Flow))
    return kinds


def fetched(graph: GraphReader, keys: Iterable[bytes]) -> Iterator[list[Node]]:
    """The nodes of ``keys`` that there are, in their order, ten thousand at a time: no more are held at once."""
    for chunk in chunks(keys):
        yield [node for node in graph.fetch(chunk) if node is not None]


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """``items`` in lists of at most ten thousand."""
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def things(graph: GraphReader, keys: Iterable[bytes]) -> dict[bytes, GraphThing]:
    """The nodes of ``keys`` that an answer may show, by key."""
    return {
        node.key: node for nodes in fetched(graph, dict.fromkeys(keys)) for node in nodes if not isinstance(node, Flow)
    }


def flows_of(graph: GraphReader, owners: Iterable[bytes]) -> dict[bytes, bytes]:
    """The flows of runs or jobs, each with its owner."""
    edges = (
        edge for chunk in chunks(owners) for edge in graph.neighbours(chunk, [EdgeKind.HAS_FLOW], Direction.DOWNSTREAM)
    )
    return {edge.target: edge.source for edge in edges}
