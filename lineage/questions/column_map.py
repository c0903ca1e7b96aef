"""What surrounds columns on the logical level: their datasets, what they feed, and the flows that their datasets feed.

Which columns an output takes is told by (output, job), and kept by output: a column edge names no job. So the wires of
a dataset, its edges into flows, are told apart by the flow's output alone: those *between* two datasets that column
lineage ties, and those *beyond* it, where nothing says which columns the output takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lineage.facts.schema import schema_fields
from lineage.keys import column_key, dataset_key
from lineage.model import Column, Dataset, Edge, EdgeKind, Flow
from lineage.questions.spread import Pair, edges_of, fetched, things
from lineage.store import Direction, GraphReader


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """``homes``: column → dataset. ``feeding``: column → its edges to other columns of the map. ``between`` and
    ``beyond``: the wires. ``jobs``: the job of each flow that they enter."""

    homes: Mapping[bytes, bytes]
    feeding: Mapping[bytes, Sequence[Edge]]
    between: Mapping[Pair, Sequence[Edge]]
    beyond: Sequence[Edge]
    jobs: Mapping[bytes, bytes]

    def pair(self, edge: Edge) -> Pair:
        """The datasets that ``edge``, of ``feeding``, ties."""
        return self.homes[edge.source], self.homes[edge.target]


def map_of(graph: GraphReader, columns: Iterable[bytes]) -> ColumnMap:
    """The map of those ``columns`` that there are."""
    known = {key: home_of(node) for key, node in things(graph, columns).items() if isinstance(node, Column)}
    datasets = sorted(set(known.values()))
    homes = {**columns_of(graph, datasets), **known}
    feeding = list(edges_of(graph, sorted(homes), [EdgeKind.FEEDS], Direction.DOWNSTREAM))
    fed = things(graph, (edge.target for edge in feeding))
    told = {(homes[edge.source], home_of(node)) for edge in feeding if isinstance(node := fed.get(edge.target), Column)}
    among: dict[bytes, list[Edge]] = defaultdict(list)
    for edge in feeding:
        if edge.source in known and edge.target in known:
            among[edge.source].append(edge)
    wires = list(edges_of(graph, datasets, [EdgeKind.FEEDS], Direction.DOWNSTREAM))
    flows = _flows(graph, wires)
    between: dict[Pair, list[Edge]] = defaultdict(list)
    beyond: list[Edge] = []
    for wire in wires:
        output = flows[wire.target].output if wire.target in flows else None
        pair = (wire.source, b"" if output is None else dataset_key(*output))
        (between[pair] if pair in told else beyond).append(wire)
    jobs = {key: flow.owner for key, flow in flows.items() if flow.owner is not None}
    return ColumnMap(known, among, between, beyond, jobs)


def home_of(column: Column) -> bytes:
    """The dataset of ``column``."""
    return dataset_key(column.namespace, column.name)


def _flows(graph: GraphReader, wires: Iterable[Edge]) -> dict[bytes, Flow]:
    keys = dict.fromkeys(wire.target for wire in wires)
    return {node.key: node for nodes in fetched(graph, keys) for node in nodes if isinstance(node, Flow)}


def columns_of(graph: GraphReader, datasets: Sequence[bytes]) -> dict[bytes, bytes]:
    """The columns that the schema facets of ``datasets`` name, each with its dataset."""
    return {
        column_key(node.namespace, node.name, field["name"]): node.key
        for node in things(graph, datasets).values()
        if isinstance(node, Dataset)
        for field in schema_fields(node.facets)
    }


def is_direct(edge: Edge) -> bool:
    """Whether a column's value goes into the other, and not only into which rows there are (columnLineage facet:
    DIRECT and INDIRECT); so it is taken where nothing is told of how."""
    return not edge.transformations or any(each.type == "DIRECT" for each in edge.transformations)
