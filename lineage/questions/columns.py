"""What a change of columns may affect: along column lineage, and past its end along the datasets.

Columns feed columns. Where a job told no column lineage from a dataset to an output, nothing says which columns that
output takes: there the change of a column goes on as one of the dataset, at the job. A flow of a reached column's
dataset counts as *covered* if some column of its output is fed by one of that dataset's known columns (those of its
schema facet, and those reached); every other flow is taken up, at the column's distance plus one. Of a dataset that no
column lineage leaves, that is every flow: the dataset stands for its column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lineage.keys import Base, column_key, dataset_key
from lineage.model import Column, Dataset, Edge, EdgeKind, Flow
from lineage.questions.spread import Spread, chunks, cut_of, fetched, marked, things
from lineage.store import Direction, EdgeFilter, GraphReader, Hit, Level, Limits, Reach


def spread_columns(graph: GraphReader, columns: Sequence[bytes], edges: EdgeFilter, limits: Limits) -> Spread:
    """What ``columns`` lead to downstream, on the logical level; flows taken up are entered from the column of least
    (distance, key) of their dataset."""
    seeds = sorted(set(columns))
    walk = _Walk(graph, seeds, limits)
    full, marks = marked(edges, walk.reach)
    entry = walk.entries({**dict.fromkeys(seeds, 0), **{key: mark.distance for key, mark in marks.items()}}, edges)
    return Spread(Level.LOGICAL, edges, frozenset(seeds), marks, entry, cut_of(full, limits))


class _Walk:
    """What does not hang on the filter is looked up once: the full traversal comes first, and reaches the most."""

    def __init__(self, graph: GraphReader, seeds: Sequence[bytes], limits: Limits) -> None:
        self._graph = graph
        self._seeds = seeds
        self._limits = limits
        self._columns: dict[bytes, Column] = {}
        self._flows: list[Edge] = []
        self._covered: set[tuple[bytes, bytes]] = set()

    def reach(self, edges: EdgeFilter) -> Reach:
        columns = self._graph.reach(Level.LOGICAL, self._seeds, Direction.DOWNSTREAM, edges, self._limits)
        distances = {**dict.fromkeys(self._seeds, 0), **{hit.key: hit.distance for hit in columns.hits}}
        if not self._columns:
            self._look_up(distances)
        by_distance: dict[int, list[bytes]] = defaultdict(list)
        for flow, (distance, _) in self._entered(distances, edges).items():
            by_distance[distance].append(flow)
        parts = [columns, *(self._from_flows(flows, at, edges) for at, flows in sorted(by_distance.items()))]
        return _merged(parts, self._limits)

    def entries(self, marks: Mapping[bytes, int], edges: EdgeFilter) -> dict[bytes, bytes]:
        return {flow: column for flow, (_, column) in self._entered(marks, edges).items()}

    def _look_up(self, distances: Mapping[bytes, int]) -> None:
        self._columns = {key: node for key, node in things(self._graph, distances).items() if isinstance(node, Column)}
        datasets = {dataset_key(node.namespace, node.name) for node in self._columns.values()}
        self._flows = _edges(self._graph, sorted(datasets))
        self._covered = _covered(self._graph, sorted(datasets), self._columns, self._flows)

    def _entered(self, distances: Mapping[bytes, int], edges: EdgeFilter) -> dict[bytes, tuple[int, bytes]]:
        """Each flow that is taken up, with (distance, key) of the column from which."""
        nearest: dict[bytes, tuple[int, bytes]] = {}
        for key, node in self._columns.items():
            if key in distances:
                dataset, rank = dataset_key(node.namespace, node.name), (distances[key], key)
                nearest[dataset] = min(nearest.get(dataset, rank), rank)
        entered: dict[bytes, tuple[int, bytes]] = {}
        for edge in self._flows:
            if edge.source in nearest and (edge.source, edge.target) not in self._covered and edges.admits(edge):
                rank = nearest[edge.source]
                entered[edge.target] = min(entered.get(edge.target, rank), rank)
        return entered

    def _from_flows(self, flows: list[bytes], distance: int, edges: EdgeFilter) -> Reach:
        part = self._graph.reach(Level.LOGICAL, sorted(flows), Direction.DOWNSTREAM, edges, self._limits)
        own = [Hit(flow, Base.FLOW, distance + 1) for flow in flows]
        return Reach((*own, *(Hit(hit.key, hit.base, hit.distance + distance) for hit in part.hits)), part.cut)


def _merged(parts: Sequence[Reach], limits: Limits) -> Reach:
    """All hits of ``parts`` at their least distance; past the nearest place where a part was cut, nothing."""
    least: dict[bytes, Hit] = {}
    for hit in (hit for part in parts for hit in part.hits):
        if hit.key not in least or hit.distance < least[hit.key].distance:
            least[hit.key] = hit
    cut = next((part.cut for part in parts if part.cut), None)
    horizon = min((max((hit.distance for hit in part.hits), default=0) for part in parts if part.cut), default=None)
    hits = sorted(least.values(), key=lambda hit: (hit.distance, hit.key))
    if horizon is not None:
        hits = [hit for hit in hits if hit.distance <= horizon]
    if len(hits) > limits.nodes:
        return Reach(tuple(hits[: limits.nodes]), "NODES")
    return Reach(tuple(hits), cut)


def _edges(graph: GraphReader, keys: Iterable[bytes]) -> list[Edge]:
    return [edge for chunk in chunks(keys) for edge in graph.neighbours(chunk, [EdgeKind.FEEDS], Direction.DOWNSTREAM)]


def _covered(
    graph: GraphReader, datasets: Sequence[bytes], columns: Mapping[bytes, Column], flows: Sequence[Edge]
) -> set[tuple[bytes, bytes]]:
    """(dataset, flow) where column lineage is told from that dataset to the flow's output."""
    homes = {key: dataset_key(node.namespace, node.name) for key, node in columns.items()}
    for node in things(graph, datasets).values():
        if isinstance(node, Dataset):
            homes.update((column_key(node.namespace, node.name, field), node.key) for field in _fields(node))
    feeding = _edges(graph, sorted(homes))
    fed = {key: _home(node) for key, node in things(graph, (edge.target for edge in feeding)).items()}
    told = {(homes[edge.source], fed.get(edge.target)) for edge in feeding}
    outputs = {
        node.key: dataset_key(*node.output)
        for nodes in fetched(graph, {edge.target for edge in flows})
        for node in nodes
        if isinstance(node, Flow) and node.output is not None
    }
    return {
        (edge.source, edge.target)
        for edge in flows
        if edge.target in outputs and (edge.source, outputs[edge.target]) in told
    }


def _home(node: object) -> bytes | None:
    return dataset_key(node.namespace, node.name) if isinstance(node, Column) else None


def _fields(dataset: Dataset) -> list[str]:
    """The columns that the dataset's schema facet names, nested ones by their dotted path."""
    schema = dataset.facets.get("schema")
    return list(_paths(schema.get("fields"), "")) if isinstance(schema, dict) else []


def _paths(fields: Any, prefix: str) -> Iterable[str]:
    for each in fields if isinstance(fields, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield prefix + each["name"]
            yield from _paths(each.get("fields"), f"{prefix}{each['name']}.")
