"""What columns came from: along column lineage, and where it ends, from the datasets.

The mirror of :mod:`lineage.questions.columns`. A dataset X that a job reads for the dataset of a reached column is
*covered* if column lineage ties some column of X to some column of that dataset: then the column came from what is
told, be it nothing. From any other X nothing says which of its columns count: there the provenance goes on as that of
the dataset, through the job's flow, at the column's distance plus one, with gap UNDIVIDED.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from lineage.answer import GraphThing, label
from lineage.key_array import unpack
from lineage.model import Column, Dataset, Edge, EdgeKind
from lineage.questions.assessment import Concluded
from lineage.questions.column_map import columns_of, home_of, is_direct
from lineage.questions.column_walk import distances_by, gaps_of, merged, rows, spread_of, widest
from lineage.questions.spread import ColumnReads, Spread, edges_of, owners_of, things
from lineage.store import Direction, EdgeFilter, GraphReader, Level, Limits
from lineage.topology import Walked, reach_by_walking


@dataclass(frozen=True, slots=True)
class _Wire:
    """A dataset that a flow reads for the dataset ``home``: the edges into and out of the flow."""

    home: bytes
    read: Edge
    write: Edge

    def counts(self, edges: EdgeFilter) -> bool:
        return edges.admits(self.read) and edges.admits(self.write)


def spread_sources(graph: GraphReader, columns: Sequence[bytes], edges: EdgeFilter, limits: Limits) -> Spread:
    """What ``columns`` came from, on the logical level. ``columns.taken`` of what is given: flow → its edges to the
    columns that may come from all of what it reads."""
    seeds = sorted(set(columns))
    walk = _Walk(graph, seeds, edges, limits)
    full = reach_by_walking(Level.LOGICAL, edges, walk.walk, graph.fetch)
    taken = walk.taken({**dict.fromkeys(seeds, 0), **{key: at for at, key in rows(full)}}, edges)
    jobs = owners_of(graph, sorted(taken))
    reads = ColumnReads(walk.homes, {}, jobs, {}, taken, frozenset(walk.distances(edges, is_direct)))
    return spread_of(full, seeds, edges, limits, reads)


def undivided_sources(graph: GraphReader, spread: Spread) -> tuple[Concluded, ...]:
    """The gaps of the flows that were taken up, each about its job or, of a flow of no job, about what it feeds."""
    told = spread.columns
    taken = {
        (spread.distance(flow) or 0, told.homes[edge.target], told.jobs.get(flow))
        for flow, edges in told.taken.items()
        if spread.holds(flow)
        for edge in edges
    }
    return gaps_of(graph, sorted(taken, key=lambda each: (each[0], each[1], each[2] or b"")), _came_whole)


def _came_whole(by: str, dataset: GraphThing | None) -> str:
    return f"Not all column lineage is told{by} into {label(dataset) if dataset else 'here'}: the rest is taken whole."


class _Walk:
    """The traversal of the widest filter comes first; what does not hang on the filter is then looked up once."""

    def __init__(self, graph: GraphReader, seeds: Sequence[bytes], edges: EdgeFilter, limits: Limits) -> None:
        self._graph = graph
        self._seeds = seeds
        self._limits = limits
        self._widest = widest(graph, seeds, Direction.UPSTREAM, edges, limits)
        reached = things(graph, [*seeds, *unpack(self._widest.keys)])
        self.homes = {key: home_of(node) for key, node in reached.items() if isinstance(node, Column)}
        self._fed_by: dict[bytes, list[Edge]] = defaultdict(list)
        self._wires = self._look_up()

    def walk(self, edges: EdgeFilter) -> Walked:
        if self._widest.cut:
            return Walked((), self._widest.cut)
        distances = self.distances(edges)
        columns = tuple((at, key) for key, at in distances.items() if at)
        beyond: dict[int, set[bytes]] = defaultdict(set)
        flows: list[tuple[int, bytes]] = []
        nearest = self._nearest(distances)
        for wire in self._wires:
            if wire.home in nearest and wire.counts(edges):
                distance = 1 + nearest[wire.home][0]
                flows.append((distance, wire.read.target))
                beyond[distance].add(wire.read.source)
        onward = [self._from_datasets(datasets, at, edges) for at, datasets in sorted(beyond.items())]
        return merged([Walked(columns), Walked(tuple(flows)), *onward], self._limits)

    def taken(self, distances: Mapping[bytes, int], edges: EdgeFilter) -> dict[bytes, tuple[Edge, ...]]:
        """By flow its edges to the columns that have ``distances``, each in place of its dataset."""
        nearest = self._nearest({key: at for key, at in distances.items() if key in self.homes})
        taken: dict[bytes, dict[bytes, Edge]] = defaultdict(dict)
        for wire in self._wires:
            if wire.home in nearest and wire.counts(edges):
                column = nearest[wire.home][1]
                taken[wire.read.target][column] = replace(wire.write, target=column)
        return {flow: tuple(edges.values()) for flow, edges in taken.items()}

    def _look_up(self) -> list[_Wire]:
        """The wires into the datasets of the columns, of what no column lineage ties to them."""
        datasets = sorted(set(self.homes.values()))
        columns = {**self.homes, **columns_of(self._graph, datasets)}
        into = self._into(sorted(columns))
        sources = things(self._graph, (edge.source for edge in into))
        told = {
            (home_of(source), columns[edge.target])
            for edge in into
            if isinstance(source := sources.get(edge.source), Column)
        }
        for edge in into:
            if edge.source in self.homes and edge.target in self.homes:
                self._fed_by[edge.target].append(edge)
        writes = {edge.source: edge for edge in self._into(datasets)}
        reads = self._into(sorted(writes))
        known = things(self._graph, (edge.source for edge in reads))
        return [
            _Wire(home, read, writes[read.target])
            for read in reads
            if isinstance(known.get(read.source), Dataset)
            and (read.source, home := writes[read.target].target) not in told
        ]

    def _into(self, keys: Iterable[bytes]) -> list[Edge]:
        return list(edges_of(self._graph, keys, [EdgeKind.FEEDS], Direction.UPSTREAM))

    def distances(self, edges: EdgeFilter, takes: Callable[[Edge], bool] = lambda _: True) -> dict[bytes, int]:
        """The columns that those of ``edges`` lead back to that ``takes`` takes, seeds among them."""
        fed_by = self._fed_by
        return distances_by(
            self._seeds,
            lambda key: (edge.source for edge in fed_by.get(key, ()) if edges.admits(edge) and takes(edge)),
        )

    def _nearest(self, distances: Mapping[bytes, int]) -> dict[bytes, tuple[int, bytes]]:
        """Of the columns of each dataset that of least (distance, key)."""
        nearest: dict[bytes, tuple[int, bytes]] = {}
        for key, distance in distances.items():
            if key in self.homes:
                rank = distance, key
                nearest[self.homes[key]] = min(nearest.get(self.homes[key], rank), rank)
        return nearest

    def _from_datasets(self, datasets: set[bytes], distance: int, edges: EdgeFilter) -> Walked:
        part = self._graph.reach(Level.LOGICAL, sorted(datasets), Direction.UPSTREAM, edges, self._limits)
        own = [(distance, dataset) for dataset in sorted(datasets)]
        return Walked((*own, *((distance + at, key) for at, key in rows(part))), part.cut)
