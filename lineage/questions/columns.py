"""What a change of columns may affect: along column lineage, and past its end along the datasets.

Columns feed columns. Which job takes a column to the next one column lineage doesn't say: the jobs that feed the next
column's dataset from this one's are those that are *crossed*, at the column's distance plus one. Their wires say in
which role the column is read, and how sure that is: where none of them counts, neither does the step.

Where a job told no column lineage from a dataset to an output, nothing says which columns that output takes: there the
change of a column goes on as one of the dataset, at the job. A wire of a reached column's dataset is *covered* if some
column of the flow's output is fed by one of that dataset's known columns (those of its schema facet, and those
reached); the flow of any other is *taken* up, at the column's distance plus one, with gap UNDIVIDED. Of a dataset that
no column lineage leaves, that is every flow: the dataset stands for its column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace as replace_fields

from msgspec.structs import replace

from lineage.answer import GraphThing, label
from lineage.key_array import unpack
from lineage.model import Edge
from lineage.questions.assessment import Concluded
from lineage.questions.column_map import is_direct, map_of
from lineage.questions.column_walk import distances_by, gaps_of, merged, rows, spread_of, widest
from lineage.questions.spread import ColumnReads, Pair, Spread
from lineage.store import Direction, EdgeFilter, GraphReader, Level, Limits
from lineage.topology import Walked, reach_by_walking

_Wires = dict[Pair, tuple[Edge, ...]]
_Rank = tuple[int, bytes]
"""Distance and key of a column."""


def spread_columns(graph: GraphReader, columns: Sequence[bytes], edges: EdgeFilter, limits: Limits) -> Spread:
    """What ``columns`` lead to downstream, on the logical level; of several columns of one dataset that a job or flow
    reads, the one of least (distance, key) counts."""
    seeds = sorted(set(columns))
    walk = _Walk(graph, seeds, edges, limits)
    full = reach_by_walking(Level.LOGICAL, edges, walk.walk, graph.fetch)
    distances = {**dict.fromkeys(seeds, 0), **{key: distance for distance, key in rows(full)}}
    reads = replace_fields(walk.reads(distances, edges), direct=frozenset(walk.distances(edges, is_direct)))
    return spread_of(full, seeds, edges, limits, reads)


def undivided(graph: GraphReader, spread: Spread) -> tuple[Concluded, ...]:
    """The gaps of the flows that were taken up: each about its job or, of a flow of no job, about what it takes."""
    reads = spread.columns
    taken = [
        (spread.distance(flow) or 0, reads.homes[edge.source], reads.jobs.get(flow))
        for flow, edges in reads.taken.items()
        if spread.holds(flow)
        for edge in edges
    ]
    return gaps_of(graph, taken, _taken_whole)


def _taken_whole(by: str, dataset: GraphThing | None) -> str:
    return f"No column lineage is told{by} from {label(dataset) if dataset else 'here'}: any column of it may count."


class _Walk:
    """The traversal of the widest filter comes first; what does not hang on the filter is then looked up once."""

    def __init__(self, graph: GraphReader, seeds: Sequence[bytes], edges: EdgeFilter, limits: Limits) -> None:
        self._graph = graph
        self._seeds = seeds
        self._limits = limits
        self._widest = widest(graph, seeds, Direction.DOWNSTREAM, edges, limits)
        self._map = map_of(graph, [*seeds, *unpack(self._widest.keys)])

    def walk(self, edges: EdgeFilter) -> Walked:
        if self._widest.cut:
            return Walked((), self._widest.cut)
        distances = self.distances(edges)
        reads = self.reads(distances, edges)
        columns = tuple((at, key) for key, at in distances.items() if at)
        jobs = tuple((1 + _least(distances, wires), job) for job, wires in reads.crossed.items())
        by_distance: dict[int, list[bytes]] = defaultdict(list)
        for flow, wires in reads.taken.items():
            by_distance[_least(distances, wires)].append(flow)
        onward = [self._from_flows(flows, at, edges) for at, flows in sorted(by_distance.items())]
        return merged([Walked(columns), Walked(jobs), *onward], self._limits)

    def reads(self, distances: Mapping[bytes, int], edges: EdgeFilter) -> ColumnReads:
        """How the columns that have ``distances`` are read."""
        wires = self._wires(edges)
        of_pair: dict[Pair, _Rank] = {}
        of_home: dict[bytes, _Rank] = {}
        for key, home in self._map.homes.items():
            if key in distances:
                rank = (distances[key], key)
                of_home[home] = min(of_home.get(home, rank), rank)
                for pair in {self._map.pair(edge) for edge in self._steps(key, edges, wires)}:
                    of_pair[pair] = min(of_pair.get(pair, rank), rank)
        crossed: dict[bytes, tuple[Edge, ...]] = defaultdict(tuple)
        for pair, (_, key) in of_pair.items():
            for wire in wires.get(pair, ()):
                if wire.target in self._map.jobs:
                    crossed[self._map.jobs[wire.target]] += (replace(wire, source=key),)
        taken: dict[bytes, tuple[Edge, ...]] = defaultdict(tuple)
        for wire in self._map.beyond:
            if wire.source in of_home and edges.admits(wire):
                taken[wire.target] += (replace(wire, source=of_home[wire.source][1]),)
        return ColumnReads(self._map.homes, wires, self._map.jobs, crossed, taken)

    def _wires(self, edges: EdgeFilter) -> _Wires:
        return {pair: tuple(filter(edges.admits, wires)) for pair, wires in self._map.between.items()}

    def _steps(self, column: bytes, edges: EdgeFilter, wires: _Wires) -> Iterable[Edge]:
        """The edges that lead on from ``column``: those that count, and whose wires do, if there are any."""
        return (
            edge
            for edge in self._map.feeding.get(column, ())
            if edges.admits(edge) and wires.get(self._map.pair(edge)) != ()
        )

    def distances(self, edges: EdgeFilter, takes: Callable[[Edge], bool] = lambda _: True) -> dict[bytes, int]:
        """The columns that those of ``edges`` lead to that ``takes`` takes, seeds among them."""
        wires = self._wires(edges)
        return distances_by(
            self._seeds, lambda key: (edge.target for edge in self._steps(key, edges, wires) if takes(edge))
        )

    def _from_flows(self, flows: list[bytes], distance: int, edges: EdgeFilter) -> Walked:
        part = self._graph.reach(Level.LOGICAL, sorted(flows), Direction.DOWNSTREAM, edges, self._limits)
        own = [(distance + 1, flow) for flow in flows]
        return Walked((*own, *((distance + at, key) for at, key in rows(part))), part.cut)


def _least(distances: Mapping[bytes, int], wires: Iterable[Edge]) -> int:
    return min(distances[wire.source] for wire in wires)
