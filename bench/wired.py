"""A made world that is only wired, in a store and in C: the same questions to both."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from c_reach import CReach, Wiring, wiring_of
from figures import seconds
from numpy.typing import NDArray
from world import WAREHOUSE, Shape, World
from world_names import Names, job_flow

from lineage.keys import dataset_key
from lineage.model import EdgeKey, EdgeKind
from lineage.sqlite import SQLiteStore
from lineage.store import EVERYTHING, Direction, EdgeFilter, GraphReader, Level

INPUTS = 11.0
"""Of a job on average: 4 edges for each node."""
FILES = ("graph.sqlite", "graph.sqlite-wal", "graph.sqlite-shm")
"""Of the graph's files those without which it is lost."""

_CANDIDATES = 2_000


def wired_shape(datasets: int) -> Shape:
    """A world in which nothing runs, of two nodes and eight edges for each dataset."""
    return Shape(datasets, inputs=INPUTS, days=0)


@contextmanager
def reading(path: Path) -> Iterator[GraphReader]:
    """The graph in a data folder, once its topology is in memory."""
    store = SQLiteStore(path / "graph.sqlite")
    try:
        store.topology.settle()
        with store.reader() as reader:
            yield reader
    finally:
        store.close()


def counted(path: Path) -> tuple[int, int]:
    """All nodes and all edges of the graph in a data folder."""
    with reading(path) as reader:
        counts = reader.count()
    edges = sum(counts[kind.value] for kind in EdgeKind)
    return sum(counts.values()) - edges, edges


@dataclass(slots=True, eq=False)
class InC:
    """A wiring in one direction, under the numbers it was laid with and under random ones."""

    laid: CReach
    mixed: CReach
    numbers: NDArray[np.int32]

    def laid_seconds(self, dataset: int, times: int = 5) -> float:
        """The time of one search."""
        return seconds(lambda: self.laid.reach(dataset), times)

    def mixed_seconds(self, dataset: int, times: int = 5) -> float:
        """The time of one search under random numbers: the floor."""
        number = int(self.numbers[dataset])
        return seconds(lambda: self.mixed.reach(number), times)


@dataclass(slots=True, eq=False)
class Wired:
    """``world`` with its ``wiring``; compiled code goes into ``folder``."""

    world: World
    wiring: Wiring
    folder: Path
    _in_c: dict[Direction, InC] = field(default_factory=dict)

    def in_c(self, direction: Direction) -> InC:
        """The wiring in C."""
        if direction not in self._in_c:
            self._in_c[direction] = compiled(self.wiring, self.folder, direction)
        return self._in_c[direction]

    def key(self, dataset: int) -> bytes:
        """The store key of a dataset."""
        return dataset_key(*Names(self.world).dataset(dataset))

    def subject(self, direction: Direction, size: int) -> tuple[int, int]:
        """The dataset of which about ``size`` nodes are reached, and how many they are."""
        candidates = self.world.roots()
        if direction is Direction.UPSTREAM:
            warehouse = self.world.domains[WAREHOUSE]
            drawn = random.Random(size).choices(range(self.world.shape.datasets), k=_CANDIDATES)
            candidates = [warehouse.first + warehouse.size - 1, *drawn]
        reach = self.in_c(direction).laid.reach
        sizes = {dataset: reach(dataset) - 1 for dataset in candidates}
        return min(sizes.items(), key=lambda item: abs(math.log(max(item[1], 1) / size)))

    def ask(
        self, reader: GraphReader, dataset: int, direction: Direction, edges: EdgeFilter = EVERYTHING, times: int = 5
    ) -> tuple[float, int]:
        """The time that ``reader`` takes for the same, and how many nodes it finds."""
        seed = [self.key(dataset)]
        found = len(reader.reach(Level.LOGICAL, seed, direction, edges))
        return seconds(lambda: reader.reach(Level.LOGICAL, seed, direction, edges), times), found

    def edge_keys(self, places: NDArray[np.int64]) -> Iterator[EdgeKey]:
        """The edges into flows that stand at ``places`` of the wiring."""
        names = Names(self.world)
        flows = [(job.number, output) for job in self.world.jobs for output in job.outputs]
        for place in places.tolist():
            job, output = flows[self.wiring.targets[place] - self.wiring.datasets]
            flow = job_flow(names.job(job), names.dataset(output))
            yield EdgeKind.FEEDS, self.key(int(self.wiring.sources[place])), flow


def wired(world: World, folder: Path) -> Wired:
    """The wiring of ``world``."""
    return Wired(world, wiring_of(world), folder)


def compiled(wiring: Wiring, folder: Path, direction: Direction) -> InC:
    """``wiring`` in C, in one direction."""
    mixed, numbers = wiring.shuffled(1)
    is_flow = (np.arange(wiring.nodes) >= wiring.datasets).astype(np.uint8)
    weights = np.empty_like(is_flow)
    weights[numbers] = is_flow
    upstream = direction is Direction.UPSTREAM
    laid = CReach(wiring, is_flow, folder, upstream=upstream)
    return InC(laid, CReach(mixed, weights, folder, upstream=upstream), numbers)
