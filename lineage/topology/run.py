"""Edges as compressed sparse rows, both ways: what is built once and never changed, save that edges die.

An edge that is deleted stays, with the ordinal of the commit that deleted it: who reads an earlier commit still counts
it (multi-version concurrency control), and a deletion costs the same however many edges there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineage.topology.marks import ALWAYS, FOREVER, REPLACED, TIMED, WROTE, Admission

Numbers = NDArray[np.intp]
"""Nodes by internal number, or edges by position."""
Narrow = NDArray[np.int32]
"""The same where it is stored."""
Marks = NDArray[np.uint8]
Times = NDArray[np.int64]

_COUNT = np.arange(1 << 17)
_WROTE_SHIFT = WROTE.bit_length() - 1


@dataclass(frozen=True, slots=True, eq=False)
class EdgeColumns:
    """Edges in no particular order: the nodes they tie, byte and times (:mod:`lineage.topology.marks`)."""

    sources: Numbers
    targets: Numbers
    marks: Marks
    at: Times
    until: Times

    def __len__(self) -> int:
        return len(self.sources)

    def only(self, which: NDArray[np.bool_] | Numbers) -> EdgeColumns:
        """Those edges alone."""
        return EdgeColumns(
            self.sources[which], self.targets[which], self.marks[which], self.at[which], self.until[which]
        )


def joined(columns: list[EdgeColumns]) -> EdgeColumns:
    """The edges of all ``columns``, at least one."""
    return EdgeColumns(
        np.concatenate([part.sources for part in columns]),
        np.concatenate([part.targets for part in columns]),
        np.concatenate([part.marks for part in columns]),
        np.concatenate([part.at for part in columns]),
        np.concatenate([part.until for part in columns]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One way along the edges of a run. Row i holds the edges of node ``nodes[i]`` or, without ``nodes``, of node i;
    its edges are ``ends[starts[i] : starts[i + 1]]``, and ``places`` says where they stand in the run, None being in
    this order. The last row is empty, and stands for every node that came later."""

    nodes: Narrow | None
    starts: Narrow
    ends: Narrow
    places: Narrow | None

    def spans(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """Start and length of the rows of ``numbers`` (ascending); those that have none may be left out."""
        if self.nodes is not None:
            rows = self.nodes.searchsorted(numbers)
            rows = rows[self.nodes.take(rows, mode="clip") == numbers]
        else:
            last = len(self.starts) - 2
            rows = np.minimum(numbers, last) if len(numbers) and numbers[-1] > last else numbers
        starts = self.starts.take(rows).astype(np.intp)
        return starts, self.starts[1:].take(rows) - starts

    def positions(self, numbers: Numbers) -> Numbers:
        """Of each edge of ``numbers`` (ascending) its position in ``ends``, row by row."""
        starts, lengths = self.spans(numbers)
        stops = lengths.cumsum()
        if not len(stops):
            return stops
        starts -= stops
        starts += lengths
        positions = starts.repeat(lengths)
        positions += _COUNT[: len(positions)] if len(positions) <= len(_COUNT) else np.arange(len(positions))
        return positions

    def joined_marks(self, marks: Marks) -> tuple[Numbers, Marks]:
        """Of each node that has edges, the joined bytes of these."""
        rows = np.flatnonzero(np.diff(self.starts))
        if not len(rows):
            return rows, np.empty(0, np.uint8)
        own = marks if self.places is None else marks[self.places]
        joint = np.bitwise_or.reduceat(own, self.starts[rows])
        return (rows if self.nodes is None else self.nodes[rows].astype(np.intp)), joint


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Edges sorted by (source, target, kind). ``sides`` are downstream and upstream. ``at`` and ``until`` are None if
    no edge has any. ``died`` is 0 for an edge that lives, else the ordinal of the commit that deleted it; it alone
    changes, by the one writer."""

    sides: tuple[Side, Side]
    marks: Marks
    at: Times | None
    until: Times | None
    died: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.marks)

    def ends(self, way: int, numbers: Numbers) -> Numbers:
        """Where the edges of ``numbers`` (ascending) lead, whatever edges they are."""
        side = self.sides[way]
        return side.ends.take(side.positions(numbers)).astype(np.intp)

    def admitted_ends(self, way: int, numbers: Numbers, admission: Admission, ordinal: int) -> Numbers:
        """Where those edges of ``numbers`` (ascending) lead that are admitted and live at commit ``ordinal``."""
        side = self.sides[way]
        positions = side.positions(numbers)
        places = positions if side.places is None else side.places.take(positions)
        return side.ends.take(positions[self._admits(places, admission, ordinal)]).astype(np.intp)

    def _admits(self, places: NDArray[np.integer], admission: Admission, ordinal: int) -> NDArray[np.bool_]:
        marks, died = self.marks.take(places), self.died.take(places)
        admits: NDArray[np.bool_] = ((marks & admission.refused) == 0) & ((died == 0) | (died > ordinal))
        if admission.as_of is not None:
            if self.at is not None:
                admits &= self.at[places] <= admission.as_of
            if self.until is not None:
                admits &= ((marks & REPLACED) == 0) | (self.until[places] > admission.as_of)
        return admits

    def find(self, edges: EdgeColumns) -> Numbers:
        """The positions of those of ``edges`` that live now, by source, target and kind; -1 for the others."""
        low, high = self._rows(edges.sources)
        wanted = _rank(edges.targets, edges.marks)
        ends = high.copy()
        targets, last = self.sides[0].ends, max(len(self) - 1, 0)
        while (open_ := low < high).any():
            middle = np.minimum((low + high) >> 1, last)
            less = _rank(targets[middle], self.marks[middle]) < wanted
            low = np.where(open_ & less, middle + 1, low)
            high = np.where(open_ & ~less, middle, high)
        there = np.flatnonzero(low < ends)
        places = low[there]
        is_it = (_rank(targets[places], self.marks[places]) == wanted[there]) & (self.died[places] == 0)
        found = np.full(len(edges), -1, np.intp)
        found[there[is_it]] = places[is_it]
        return found

    def _rows(self, sources: Numbers) -> tuple[Numbers, Numbers]:
        """Where the edges of each of ``sources`` begin and end."""
        side = self.sides[0]
        last = len(side.starts) - 2
        if side.nodes is None:
            rows = np.minimum(sources, last)
        else:
            rows = np.searchsorted(side.nodes, sources)
            rows[side.nodes.take(rows, mode="clip") != sources] = last
        return side.starts[rows].astype(np.intp), side.starts[rows + 1].astype(np.intp)

    def columns(self, places: Numbers) -> EdgeColumns:
        """The edges at ``places``."""
        down = self.sides[0]
        rows = np.searchsorted(down.starts, places, side="right") - 1
        return EdgeColumns(
            rows if down.nodes is None else down.nodes[rows].astype(np.intp),
            down.ends[places].astype(np.intp),
            self.marks[places],
            np.full(len(places), ALWAYS) if self.at is None else self.at[places],
            np.full(len(places), FOREVER) if self.until is None else self.until[places],
        )

    def living(self, ordinal: int) -> EdgeColumns:
        """The edges that live at commit ``ordinal``."""
        # A rollback may change it between two looks: an edge must not be dead to both.
        died = self.died.copy()
        return self.columns(np.flatnonzero((died == 0) | (died > ordinal)))


def build_run(edges: EdgeColumns, nodes: int | None = None) -> Run:
    """A run of ``edges``, each of which is there once; with ``nodes`` a row for each node up to that number."""
    order = stable_order((edges.targets << 1) | ((edges.marks >> _WROTE_SHIFT) & 1))
    order = order[stable_order(edges.sources[order])]
    sources, targets, marks = edges.sources[order], edges.targets[order], edges.marks[order]
    joint = int(np.bitwise_or.reduce(marks)) if len(marks) else 0
    back = stable_order(targets)
    return Run(
        (
            _side(sources, targets.astype(np.int32), None, nodes),
            _side(targets[back], sources[back].astype(np.int32), back.astype(np.int32), nodes),
        ),
        marks,
        edges.at[order] if joint & TIMED else None,
        edges.until[order] if joint & REPLACED else None,
        np.zeros(len(order), np.uint32),
    )


def _side(of: Numbers, ends: Narrow, places: Narrow | None, nodes: int | None) -> Side:
    if nodes is not None:
        return Side(None, all_starts(of, nodes), ends, places)
    first = np.flatnonzero(np.diff(of, prepend=-1))
    starts = np.concatenate([first, [len(of), len(of)]]).astype(np.int32)
    return Side(of[first].astype(np.int32), starts, ends, places)


def all_starts(of: Numbers, nodes: int) -> Narrow:
    """``starts`` of a Side with a row for each of ``nodes`` nodes, whose edges are ``of`` those."""
    starts = np.zeros(nodes + 2, np.int32)
    np.cumsum(np.bincount(of, minlength=nodes), out=starts[1:-1])
    starts[-1] = starts[-2]
    return starts


def stable_order(numbers: Numbers) -> Numbers:
    """The order that sorts ``numbers`` (below 2 ** 32), equals as they stand: a plain sort of number and position in
    one integer, which is several times as fast as a sort of positions."""
    packed = numbers << 31
    packed |= np.arange(len(numbers))
    packed.sort()
    packed &= (1 << 31) - 1
    return packed


def _rank(targets: NDArray[np.integer], marks: Marks) -> Numbers:
    return (targets.astype(np.intp) << 1) | ((marks >> _WROTE_SHIFT) & 1)
