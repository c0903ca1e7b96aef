"""``reach.c`` on a made world's wiring: compiled in the run that measures, called through ctypes."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from world import World

Numbers = NDArray[np.int32]
SOURCE = Path(__file__).with_name("reach.c")


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """The logical level by number: datasets as in the world, then each flow. Edges as they hold still."""

    nodes: int
    datasets: int
    sources: Numbers
    targets: Numbers

    def csr(self, *, upstream: bool = False) -> tuple[NDArray[np.int64], Numbers]:
        """Offsets and targets, forward or backward."""
        ends = (self.targets, self.sources) if upstream else (self.sources, self.targets)
        order = np.argsort(ends[0], kind="stable")
        offsets = np.zeros(self.nodes + 1, dtype=np.int64)
        np.cumsum(np.bincount(ends[0], minlength=self.nodes), out=offsets[1:])
        return offsets, ends[1][order]

    def shuffled(self, seed: int) -> tuple[Wiring, Numbers]:
        """The same under random numbers, and the new number of each node."""
        order = np.random.Generator(np.random.PCG64(seed)).random(self.nodes).argsort().astype(np.int32)
        return Wiring(self.nodes, self.datasets, order[self.sources], order[self.targets]), order


def wiring_of(world: World) -> Wiring:
    """The datasets and job flows of ``world``; replaced edges, columns and deployments left out."""
    pairs = np.fromiter(chain.from_iterable(_pairs(world)), dtype=np.int32).reshape(-1, 2)
    flows = sum(len(job.outputs) for job in world.jobs)
    datasets = world.shape.datasets
    return Wiring(datasets + flows, datasets, pairs[:, 0].copy(), pairs[:, 1].copy())


def _pairs(world: World) -> Iterator[tuple[int, int]]:
    flow = world.shape.datasets
    for job in world.jobs:
        still = world.declarations(job)[-1][1] if job.declared else job.inputs
        for output in job.outputs:
            for source in still:
                yield source, flow
            yield flow, output
            flow += 1


def compiler() -> str | None:
    """The C compiler of this machine, if it has one."""
    return shutil.which(os.environ.get("CC", "cc"))


class CReach:
    """Searches one CSR. Raises RuntimeError where the compiler refuses."""

    def __init__(self, wiring: Wiring, weight: NDArray[np.uint8], folder: Path, *, upstream: bool = False) -> None:
        self._offsets, self._targets = wiring.csr(upstream=upstream)
        self._weight = weight
        self._function = _compiled(folder)
        self._mark = 0
        self._seen = np.zeros(wiring.nodes, dtype=np.uint32)
        self._found = [np.zeros(wiring.nodes, dtype=np.int32) for _ in ("queue", "distance", "next")]
        self._graph = [array.ctypes.data for array in (self._offsets, self._targets, self._weight)]
        self._space = [array.ctypes.data for array in (self._seen, *self._found)]

    def reach(self, seed: int) -> int:
        """How many nodes are reached, the seed among them."""
        self._mark += 1
        found: int = self._function(*self._graph, seed, self._mark, *self._space)
        return found


def _compiled(folder: Path) -> ctypes._NamedFuncPointer:
    library, found = folder / "reach.so", compiler()
    if found is None:
        raise RuntimeError("There is no C compiler on the PATH.")
    if not library.exists():
        command = [found, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{found} refused reach.c: {done.stderr[-500:]}")
    function = ctypes.CDLL(str(library)).reach
    function.restype = ctypes.c_int64
    pointer = ctypes.c_void_p
    function.argtypes = [pointer] * 3 + [ctypes.c_int32, ctypes.c_uint32] + [pointer] * 4
    return function
