"""Who follows whom: a first run that holds most edges, and few small runs of what was added since, in the manner of a
log-structured merge tree.

An adjacency is what one commit left. The next shares its runs; only two things in it change under its readers, and to
none of them does it matter: an edge may die at a later commit, and a node's hint may say too much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lineage.topology.marks import DEAD, GROWN, Admission
from lineage.topology.nodes import with_room
from lineage.topology.run import EdgeColumns, Marks, Numbers, Run, build_run, joined

_MERGE_RATIO = 4
_LARGE = 16

Killed = tuple[Run, Numbers]
"""Edges that a commit deleted: they live again if it is rolled back."""


@dataclass(frozen=True, slots=True, eq=False)
class Adjacency:
    """``hints``: downstream and upstream, for each node the joined bytes of its edges (:mod:`lineage.topology.marks`),
    GROWN and DEAD. The first of ``runs`` has a row for every node that it knows."""

    runs: tuple[Run, ...]
    hints: tuple[Marks, Marks]

    @property
    def added(self) -> int:
        """How many edges stand in the later runs."""
        return sum(map(len, self.runs[1:]))

    def ends(self, way: int, numbers: Numbers, admission: Admission, ordinal: int) -> tuple[list[Numbers], int]:
        """Where those edges of ``numbers`` (ascending) lead that are admitted and live at commit ``ordinal``, repeats
        included; and the joined bytes of all edges met."""
        hints = self.hints[way].take(numbers)
        met = int(np.bitwise_or.reduce(hints))
        first = self.runs[0]
        if not met & admission.wary:
            parts = [first.ends(way, numbers)]
        else:
            odd = (hints & admission.wary) != 0
            parts = [
                first.ends(way, numbers[~odd]),
                first.admitted_ends(way, numbers[odd], admission, ordinal),
            ]
        if met & GROWN:
            grown = numbers[(hints & GROWN) != 0]
            parts += [run.admitted_ends(way, grown, admission, ordinal) for run in self.runs[1:]]
        return parts, met

    def changed(self, put: EdgeColumns, gone: EdgeColumns, ordinal: int, room: int) -> tuple[Adjacency, list[Killed]]:
        """This adjacency after commit ``ordinal`` has put and deleted edges, each told once; hints have ``room`` for so
        many nodes. An edge that is there as it is put stays."""
        if not len(put) and not len(gone) and len(self.hints[0]) >= room:
            return self, []
        hints = tuple(hint if len(hint) >= room else with_room(hint, len(hint), room) for hint in self.hints)
        new = np.ones(len(put), np.bool_)
        killed: list[Killed] = []
        for run in self.runs:
            found = run.find(put)
            same = _stand(run, found, put)
            new &= ~same
            dying = np.concatenate([found[(found >= 0) & ~same], found_only(run.find(gone))])
            if len(dying):
                run.died[dying] = ordinal
                killed.append((run, dying))
        if killed and killed[0][0] is self.runs[0]:
            dead = self.runs[0].columns(killed[0][1])
            hints[0][dead.sources] |= np.uint8(DEAD)
            hints[1][dead.targets] |= np.uint8(DEAD)
        runs = self.runs
        if new.any():
            run = build_run(put.only(new))
            _hint(run, hints)
            runs = _merged((*runs, run), ordinal, len(hints[0]))
        return Adjacency(runs, (hints[0], hints[1])), killed

    def living(self, ordinal: int) -> EdgeColumns:
        """The edges that live at commit ``ordinal``."""
        return joined([run.living(ordinal) for run in self.runs])


def adjacency_of(first: Run, room: int) -> Adjacency:
    """An adjacency of one run, with hints for ``room`` nodes."""
    hints = (np.zeros(room, np.uint8), np.zeros(room, np.uint8))
    for hint, side in zip(hints, first.sides, strict=True):
        nodes, joint = side.joined_marks(first.marks)
        hint[nodes] = joint & ~np.uint8(GROWN)
    return Adjacency((first,), hints)


def found_only(places: Numbers) -> Numbers:
    """``places`` without those that say that nothing was found."""
    return places[places >= 0]


def _stand(run: Run, found: Numbers, put: EdgeColumns) -> NDArray[np.bool_]:
    """Which of the edges put are in ``run``, where they were ``found``, just as they are."""
    there = np.flatnonzero(found >= 0)
    stand = np.zeros(len(put), np.bool_)
    if len(there):
        old, new = run.columns(found[there]), put.only(there)
        stand[there] = (old.marks == new.marks) & (old.at == new.at) & (old.until == new.until)
    return stand


def _hint(run: Run, hints: tuple[Marks, ...]) -> None:
    for hint, side in zip(hints, run.sides, strict=True):
        nodes, joint = side.joined_marks(run.marks)
        hint[nodes] |= joint | np.uint8(GROWN)


def _merged(runs: tuple[Run, ...], ordinal: int, room: int) -> tuple[Run, ...]:
    """The same with few later runs: a new one is joined with those before it that are not several times as large. One
    that is large beside all nodes gets a row for each of them, of which there may be ``room``."""
    while len(runs) > 2 and len(runs[-2]) <= _MERGE_RATIO * len(runs[-1]):
        edges = joined([run.living(ordinal) for run in runs[-2:]])
        nodes = room if len(edges) * _LARGE >= room else None
        runs = (*runs[:-2], build_run(edges, nodes)) if len(edges) else runs[:-2]
    return runs
