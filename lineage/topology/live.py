"""A topology that follows a store: each change list makes a new state of it, which shares all that stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray, pack
from lineage.model import Changes, Edge, EdgeKey, Node
from lineage.topology.adjacency import Killed
from lineage.topology.base import Base, first_state
from lineage.topology.marks import ALWAYS, FOREVER, LAYER_OF, LAYERS, edge_mark, kind_mark
from lineage.topology.nodes import NodeRows, Nodes, moment, owner, trait
from lineage.topology.run import EdgeColumns, Numbers
from lineage.topology.state import State


class Topology:
    """The newest state, ``changed`` by so many nodes and edges since its ``base_size``. One thread writes at a time:
    ``prepare``, then ``commit`` or ``rollback``."""

    def __init__(self, base: Base) -> None:
        self.state = first_state(base)
        self.base_size = base.size
        self.changed = 0
        self._prepared: State | None = None
        self._killed: list[Killed] = []
        self._touched = 0

    def prepare(self, changes: Changes) -> State:
        """The state after ``changes``. Readers of it are right from now on, those of older states stay so; it must be
        committed or rolled back before the next."""
        old, batch = self.state, _Batch(changes)
        nodes, numbers = batch.numbered(old.nodes)
        nodes = nodes.told(batch.node_rows(numbers), old.nodes.count)
        ordinal = old.ordinal + 1
        adjacencies = []
        for adjacency, (put, gone) in zip(old.adjacencies, batch.edge_columns(numbers), strict=True):
            changed, killed = adjacency.changed(put, gone, ordinal, nodes.capacity)
            self._killed += killed
            adjacencies.append(changed)
        self._touched = batch.size
        self._prepared = State(ordinal, nodes, tuple(adjacencies), old.scratch)
        return self._prepared

    def commit(self) -> None:
        """The prepared state is now the newest."""
        if self._prepared is not None:
            self.state, self._prepared = self._prepared, None
            self.changed += self._touched
            self._killed.clear()

    def rollback(self) -> None:
        """The prepared state never was."""
        self._prepared = None
        for run, edges in self._killed:
            run.died[edges] = 0
        self._killed.clear()


class _Batch:
    """A change list by rows of its keys, each key once."""

    def __init__(self, changes: Changes) -> None:
        self._rows: dict[bytes, int] = {}
        self._nodes = _table([self._node(key, node) for key, node in changes.nodes.items()], 5)
        self._edges = [_EdgeTables(_table(put, 5), _table(gone, 3)) for put, gone in self._by_layer(changes.edges)]
        self.size = len(self._nodes) + sum(len(edges.put) + len(edges.gone) for edges in self._edges)

    def numbered(self, nodes: Nodes) -> tuple[Nodes, Numbers]:
        """The number of each row, 0 for a key that nobody knows and that is only deleted; and ``nodes`` with those that
        are new to it."""
        keys: KeyArray = pack(list(self._rows))
        numbers = nodes.find(keys)
        told = self._nodes[self._nodes[:, _TOLD] > 0]
        needed: NDArray[np.bool_] = np.zeros(len(keys), np.bool_)
        for rows in (told[:, _KEY], told[told[:, _OWNER] >= 0, _OWNER], *(edges.put[:, :2] for edges in self._edges)):
            needed[rows] = True
        missing = np.flatnonzero(needed & (numbers == 0))
        numbers[missing] = np.arange(nodes.count, nodes.count + len(missing))
        return nodes.appended(keys[missing]), numbers

    def node_rows(self, numbers: Numbers) -> NodeRows:
        """What the list tells of nodes, in ascending order of their numbers; not of those that nobody knows."""
        table = self._nodes[np.argsort(numbers[self._nodes[:, _KEY]])]
        table = table[numbers[table[:, _KEY]] > 0]
        owners = np.where(table[:, _OWNER] < 0, 0, numbers[table[:, _OWNER]])
        return NodeRows(
            numbers[table[:, _KEY]], table[:, _TRAIT].astype(np.uint8), owners.astype(np.int32), table[:, _TIME]
        )

    def edge_columns(self, numbers: Numbers) -> Iterator[tuple[EdgeColumns, EdgeColumns]]:
        """Of each layer what is put and what goes."""
        for tables in self._edges:
            put, gone = tables.put, tables.gone
            sources, targets = numbers[gone[:, 0]], numbers[gone[:, 1]]
            marks, no_time = gone[:, 2].astype(np.uint8), np.zeros(len(gone), np.int64)
            yield (
                EdgeColumns(numbers[put[:, 0]], numbers[put[:, 1]], put[:, 2].astype(np.uint8), put[:, 3], put[:, 4]),
                EdgeColumns(sources, targets, marks, no_time, no_time).only((sources > 0) & (targets > 0)),
            )

    def _node(self, key: bytes, node: Node | None) -> tuple[int, ...]:
        by = owner(node)
        return self._row(key), node is not None, trait(node), -1 if by is None else self._row(by), moment(node)

    def _row(self, key: bytes) -> int:
        return self._rows.setdefault(key, len(self._rows))

    def _by_layer(self, edges: Mapping[EdgeKey, Edge | None]) -> list[tuple[_Rows, _Rows]]:
        layers: list[tuple[_Rows, _Rows]] = [([], []) for _ in LAYERS]
        row = self._row
        for (kind, source, target), edge in edges.items():
            layer = LAYER_OF.get(kind)
            if layer is None:
                continue
            put, gone = layers[layer]
            if edge is None:
                gone.append((row(source), row(target), kind_mark(kind)))
            else:
                at = ALWAYS if edge.at is None else edge.at
                until = FOREVER if edge.until is None else edge.until
                put.append((row(source), row(target), edge_mark(edge), at, until))
        return layers


_Rows = list[tuple[int, ...]]
_Table = NDArray[np.int64]
_KEY, _TOLD, _TRAIT, _OWNER, _TIME = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class _EdgeTables:
    """Edges of one layer: rows of a batch's keys and byte; of those that are put also their times."""

    put: _Table
    gone: _Table


def _table(rows: _Rows, width: int) -> _Table:
    return np.array(rows, np.int64).reshape(-1, width)
