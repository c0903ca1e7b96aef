"""The graph as one commit left it, in arrays: what readers of that commit ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray, pack
from lineage.store import Direction, EdgeFilter, Level, Limits, Reach
from lineage.topology.adjacency import Adjacency
from lineage.topology.marks import LEVEL_LAYERS, VERSIONS_LAYER
from lineage.topology.nodes import Nodes
from lineage.topology.search import reach
from lineage.topology.standing import stand_latest
from lineage.topology.sweep import Scratch

_WAYS = {Direction.DOWNSTREAM: 0, Direction.UPSTREAM: 1}


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Immutable to who reads it. ``ordinal`` counts the commits since the base was built; ``adjacencies`` stand in the
    order of :data:`lineage.topology.marks.LAYERS`."""

    ordinal: int
    nodes: Nodes
    adjacencies: tuple[Adjacency, ...]
    scratch: Scratch

    def reach(
        self, level: Level, seeds: Sequence[bytes], direction: Direction, edges: EdgeFilter, limits: Limits
    ) -> Reach:
        """As :meth:`lineage.store.GraphReader.reach` promises it. Raises no error."""
        adjacency = self.adjacencies[LEVEL_LAYERS[level]]
        with self.scratch.lent(self.nodes.capacity) as flags:
            return reach(
                self.nodes, adjacency, self.ordinal, flags, level, pack(seeds), _WAYS[direction], edges, limits
            )

    def are_latest(self, versions: KeyArray, as_of: int | None) -> NDArray[np.bool_]:
        """As :meth:`lineage.store.GraphReader.are_latest` promises it."""
        return stand_latest(self.nodes, self.adjacencies[VERSIONS_LAYER], self.ordinal, versions, as_of)
