"""What a change spreads to, or what a thing comes from: a traversal, what it began from, and what its nodes are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from lineage.answer import Cut, GraphThing
from lineage.model import Column, Edge, EdgeKind, Evidence, Flow, Node
from lineage.questions.found import Hits
from lineage.questions.marks import Marks
from lineage.store import EVIDENCE_CODES, Direction, EdgeFilter, GraphReader, Level, Limits, Reach

_CHUNK = 10_000

Item = TypeVar("Item")


Pair = tuple[bytes, bytes]
"""Two datasets of which one feeds the other."""


@dataclass(frozen=True, slots=True)
class ColumnReads:
    """Which jobs the change of a column goes through.

    ``homes``: column → its dataset. ``wires``: of datasets that column lineage ties, the admitted edges from one into
    the flows that feed the other; ``jobs``: flow → job. The edges of ``crossed`` (by job) and ``taken`` (by flow, where
    no column lineage is told) are such wires too, each from the nearest column in place of its dataset. ``direct``: the
    columns to which some path has a DIRECT transformation at each step, or one that tells none.
    """

    homes: Mapping[bytes, bytes]
    wires: Mapping[Pair, tuple[Edge, ...]]
    jobs: Mapping[bytes, bytes]
    crossed: Mapping[bytes, tuple[Edge, ...]]
    taken: Mapping[bytes, tuple[Edge, ...]]
    direct: frozenset[bytes] = frozenset()


NO_COLUMNS = ColumnReads({}, {}, {}, {}, {})


@dataclass(frozen=True, slots=True)
class Spread:
    """All nodes that ``seeds`` lead to over ``edges``, flows among them, seeds apart. ``entry``: seed → the key of the
    thing that an answer names in its place (a flow's run or job). Of columns the jobs that they go through are there
    too: ``columns``."""

    level: Level
    edges: EdgeFilter
    seeds: frozenset[bytes]
    marks: Marks
    entry: Mapping[bytes, bytes]
    cut: Cut | None
    columns: ColumnReads = NO_COLUMNS

    def distance(self, key: bytes) -> int | None:
        """The distance of ``key``, 0 for a seed, None if it is not there."""
        return 0 if key in self.seeds else self.marks.distance(key)

    def holds(self, key: bytes) -> bool:
        """Whether ``key`` is a seed or was reached."""
        return key in self.marks or key in self.seeds

    def followed(self, edges: Iterable[Edge]) -> list[Edge]:
        """Those of ``edges`` that are admitted and lead from a seed or from what was reached."""
        admitted = self.edges.admitted(edges)
        held = {key for key in {edge.source for edge in admitted} if self.holds(key)}
        return [edge for edge in admitted if edge.source in held]


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
    full = graph.reach(level, keys, direction, edges, limits)
    return Spread(level, edges, frozenset(keys), Marks(full), dict(seeds), cut_of(full, limits))


def cut_of(reach: Reach, limits: Limits) -> Cut | None:
    """What ``reach`` left out, as an answer says it."""
    if reach.cut is None:
        return None
    farthest = int(reach.distances.max(initial=0))
    return Cut(reach.cut, limits.nodes if reach.cut == "NODES" else None, farthest)


def found(spread: Spread) -> Hits:
    """The things that were reached, without what a seed stands for."""
    return Hits(spread.marks.reach, without={*spread.seeds, *spread.entry.values()})


def stronger(one: Evidence, other: Evidence) -> Evidence:
    """The stronger of two evidences."""
    return min(one, other, key=EVIDENCE_CODES.__getitem__)


def weaker(one: Evidence, other: Evidence) -> Evidence:
    """The weaker of two evidences."""
    return max(one, other, key=EVIDENCE_CODES.__getitem__)


def transformation_of(spread: Spread, node: GraphThing) -> str | None:
    """How the value of a column that columns were asked of goes along: DIRECT or INDIRECT; None of anything else."""
    if not isinstance(node, Column) or not spread.columns.homes:
        return None
    return "DIRECT" if node.key in spread.columns.direct else "INDIRECT"


def owners_of(graph: GraphReader, flows: Sequence[bytes]) -> dict[bytes, bytes]:
    """The run or job of each of ``flows``; those that belong to none are left out."""
    return {
        node.key: node.owner
        for nodes in fetched(graph, flows)
        for node in nodes
        if isinstance(node, Flow) and node.owner is not None
    }


def fetched(graph: GraphReader, keys: Iterable[bytes]) -> Iterator[list[Node]]:
    """The nodes of ``keys`` that there are, in their order, ten thousand at a time: no more are held at once."""
    for chunk in chunks(keys):
        yield [node for node in graph.fetch(chunk) if node is not None]


def edges_of(
    graph: GraphReader, keys: Iterable[bytes], kinds: Sequence[EdgeKind], direction: Direction
) -> Iterator[Edge]:
    """The edges of ``kinds`` that leave or enter any of ``keys``, which may be many: they are asked for in chunks."""
    for chunk in chunks(keys):
        yield from graph.neighbours(chunk, kinds, direction)


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
    edges = edges_of(graph, owners, [EdgeKind.HAS_FLOW], Direction.DOWNSTREAM)
    return {edge.target: edge.source for edge in edges}
