"""All of a graph in arrays, each adjacency in one run: what a topology begins with, and what a snapshot holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lineage.key_array import KeyArray
from lineage.topology.adjacency import adjacency_of
from lineage.topology.key_index import KeyIndex
from lineage.topology.marks import LAYERS, LEVEL_LAYERS
from lineage.topology.nodes import NOBODY, NodeRows, Nodes, with_room
from lineage.topology.order import flow_order
from lineage.topology.run import EdgeColumns, Run, build_run
from lineage.topology.state import State
from lineage.topology.sweep import Scratch

_SPARE = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """Nodes (number 0 is nobody) and a run for each of :data:`lineage.topology.marks.LAYERS`."""

    keys: KeyArray
    nodes: NodeRows
    runs: tuple[Run, ...]

    @property
    def size(self) -> int:
        """Nodes and edges."""
        return len(self.keys) + sum(map(len, self.runs))


def build_base(keys: KeyArray, nodes: NodeRows, edges: list[EdgeColumns]) -> Base:
    """A base of nodes whose number is their row, nobody being the first, and of the edges of each layer. The nodes are
    numbered anew, as the data flows."""
    order = flow_order(nodes.owners, [edges[layer] for layer in LEVEL_LAYERS.values()])
    place = np.empty(len(keys), np.int32)
    place[order] = np.arange(len(keys), dtype=np.int32)
    moved = nodes.only(order)
    nodes = NodeRows(np.arange(len(keys)), moved.traits, place[moved.owners], moved.times)
    runs = []
    for columns in edges:
        sources, targets = place[columns.sources].astype(np.intp), place[columns.targets].astype(np.intp)
        renamed = EdgeColumns(sources, targets, columns.marks, columns.at, columns.until)
        runs.append(build_run(renamed, len(keys)))
    return Base(keys[order], nodes, tuple(runs))


def empty_base() -> Base:
    """A base of nothing."""
    none = np.zeros(0, np.intp)
    edges = EdgeColumns(none, none, none.astype(np.uint8), none.astype(np.int64), none.astype(np.int64))
    nobody = NodeRows(np.zeros(1, np.intp), np.full(1, NOBODY, np.uint8), np.zeros(1, np.int32), np.zeros(1, np.int64))
    return build_base(np.zeros((1, 2), np.uint64), nobody, [edges] * len(LAYERS))


def consolidated(state: State) -> Base:
    """All that ``state`` holds in one base; what was deleted is left out."""
    nodes = state.nodes
    edges = [adjacency.living(state.ordinal) for adjacency in state.adjacencies]
    return build_base(nodes.keys[: nodes.count], nodes.rows(np.arange(nodes.count)), edges)


def first_state(base: Base) -> State:
    """A state of ``base``, with room for nodes to come."""
    count = len(base.keys)
    room = count + count // 4 + _SPARE
    keys = with_room(base.keys, count, room)
    nodes = Nodes(
        count,
        keys,
        with_room(base.nodes.traits, count, room),
        with_room(base.nodes.owners, count, room),
        with_room(base.nodes.times, count, room),
        KeyIndex.of(base.keys),
    )
    return State(0, nodes, tuple(adjacency_of(run, room) for run in base.runs), Scratch())
