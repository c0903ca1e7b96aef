"""One step of a breadth-first search over arrays: from the nodes of a frontier to those not met before.

A few neighbours are sorted. Many are marked in an array of all nodes, of which the span that was marked is then read:
so no neighbour is looked up twice, the next frontier comes in ascending order, and with nodes numbered as the data
flows (:mod:`lineage.topology.order`) all of it stays within the processor's cache.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from lineage.topology.adjacency import Adjacency
from lineage.topology.marks import Admission
from lineage.topology.run import Numbers

_FEW = 4_096
_CHUNK = 16_384
"""How many nodes are expanded between two looks at the clock: what they lead to stays in the cache."""

Mask = NDArray[np.bool_]

_NOWHERE = np.empty(0, np.intp)


class Scratch:
    """Arrays of a flag for each node, all false, lent to one search at a time and given back as they were."""

    def __init__(self) -> None:
        self._idle: list[tuple[Mask, Mask]] = []

    @contextmanager
    def lent(self, nodes: int) -> Iterator[tuple[Mask, Mask]]:
        """Two arrays for ``nodes`` nodes at least. After an error they are not lent again."""
        try:
            pair = self._idle.pop()
        except IndexError:
            pair = np.zeros(0, np.bool_), np.zeros(0, np.bool_)
        if len(pair[0]) < nodes:
            room = nodes + nodes // 4
            pair = np.zeros(room, np.bool_), np.zeros(room, np.bool_)
        yield pair
        self._idle.append(pair)


class Sweep:
    """Searches along ``adjacency`` at commit ``ordinal``: one by steps, then others among what it found.

    ``met`` joins the bytes of the edges met. ``late``: a step was given up, as ``deadline`` (time.monotonic seconds)
    had passed; it gave a part of its nodes. ``flags`` (as Scratch lends them) are as they were after ``end``.
    """

    def __init__(
        self, adjacency: Adjacency, way: int, ordinal: int, flags: tuple[Mask, Mask], deadline: float | None
    ) -> None:
        self._adjacency = adjacency
        self._way = way
        self._ordinal = ordinal
        self._seen, self._fresh = flags
        self._flagged: list[Numbers] = []
        self._deadline = deadline
        self.met = 0
        self.late = self._is_late()

    def step(self, frontier: Numbers, admitted: Admission) -> Numbers:
        """The nodes one admitted edge away from ``frontier`` (ascending) that were not seen before, ascending."""
        new = self._step(frontier, admitted, among=False)
        self._flagged.append(new)
        return new

    def led_to(self, starts: Numbers, among: Numbers, admitted: Admission) -> Mask:
        """Which of ``among`` admitted edges lead to from ``starts`` by way of ``among`` alone; if it is late, some of
        them."""
        self.end()
        self._seen[among] = True
        frontier = starts
        while len(frontier) and not self._is_late():
            frontier = self._step(frontier, admitted, among=True)
        led: Mask = ~self._seen[among]
        self._seen[among] = False
        return led

    def begin(self, starts: Numbers) -> None:
        """Nodes that are not to be found."""
        self._seen[starts] = True
        self._flagged.append(starts)

    def end(self) -> None:
        """Leave the flags as they were."""
        for numbers in self._flagged:
            self._seen[numbers] = False
        self._flagged.clear()

    def _step(self, frontier: Numbers, admitted: Admission, *, among: bool) -> Numbers:
        """The nodes one edge away whose flag is ``among``, ascending; their flags are then the opposite."""
        if len(frontier) <= _CHUNK:
            parts = self._ends(frontier, admitted)
            few = sum(map(len, parts)) <= _FEW
            return self._met_of_few(parts, among) if few else self._met_of_many([parts], among)
        chunks = (frontier[start : start + _CHUNK] for start in range(0, len(frontier), _CHUNK))
        return self._met_of_many((self._ends(chunk, admitted) for chunk in chunks), among)

    def _ends(self, frontier: Numbers, admitted: Admission) -> list[Numbers]:
        if self._is_late():
            return []
        parts, met = self._adjacency.ends(self._way, frontier, admitted, self._ordinal)
        self.met |= met
        return parts

    def _met_of_few(self, parts: list[Numbers], among: bool) -> Numbers:
        ends = parts[0] if len(parts) == 1 else np.concatenate([_NOWHERE, *parts])
        unmet: Mask = self._seen[ends] == among
        ends = ends[unmet]
        if len(ends) > 1:
            ends.sort()
            ends = ends[np.concatenate(([True], ends[1:] != ends[:-1]))]
        self._seen[ends] = not among
        return ends

    def _met_of_many(self, chunks: Iterable[list[Numbers]], among: bool) -> Numbers:
        low, high = len(self._fresh), 0
        for parts in chunks:
            for ends in parts:
                if len(ends):
                    self._fresh[ends] = True
                    low, high = min(low, int(ends.min())), max(high, int(ends.max()) + 1)
        span = self._fresh[low:high]
        span &= self._seen[low:high] == among
        new: Numbers = np.flatnonzero(span)
        span[:] = False
        new += low
        self._seen[new] = not among
        return new

    def _is_late(self) -> bool:
        self.late = self._deadline is not None and time.monotonic() > self._deadline
        return self.late
