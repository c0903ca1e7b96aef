"""What a path leads to, level by level over arrays, and how strong the best path is.

The search is that of :mod:`lineage.topology.walk`: what costs nothing is followed to its end before the distance grows.
How strong the best path is takes a further search among the nodes found, over the edges that a narrower filter admits
(as :mod:`lineage.topology.strength` has it); it is made only if an edge was met that this filter refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray
from lineage.model import Evidence
from lineage.store import EdgeFilter, Level, Limits, Reach
from lineage.topology.adjacency import Adjacency
from lineage.topology.marks import COLUMN, EVIDENCE_MASK, INFERRED, STALE, UNCERTAIN, Admission, admission
from lineage.topology.nodes import ABSENT, COSTLY, FLOW, KIND_MASK, Nodes
from lineage.topology.run import Numbers
from lineage.topology.sweep import Mask, Sweep
from lineage.topology.walk import CUT_NODES, CUT_TIME

_NONE = np.empty(0, np.intp)
_RANKS = {evidence: rank for rank, evidence in enumerate(Evidence)}


@dataclass(slots=True)
class _Found:
    """Nodes by distance, and why there are not more."""

    parts: list[Numbers]
    distances: list[int]
    room: int
    cut: str | None = None

    def add(self, numbers: Numbers, distance: int) -> Numbers:
        """Those of ``numbers`` for which there is room."""
        if len(numbers) > self.room:
            numbers, self.cut = numbers[: self.room], CUT_NODES
        if len(numbers):
            self.room -= len(numbers)
            self.parts.append(numbers)
            self.distances.append(distance)
        return numbers


def reach(
    nodes: Nodes,
    adjacency: Adjacency,
    ordinal: int,
    flags: tuple[Mask, Mask],
    level: Level,
    seeds: KeyArray,
    way: int,
    edges: EdgeFilter,
    limits: Limits,
) -> Reach:
    """As :meth:`lineage.store.GraphReader.reach` promises it, at commit ``ordinal``; ``flags`` as a
    :class:`~lineage.topology.sweep.Scratch` lends them."""
    sweep = Sweep(adjacency, way, ordinal, flags, limits.deadline)
    starts = np.unique(nodes.find(seeds))
    traits = nodes.traits(starts)
    starts, traits = starts[traits & ABSENT == 0], traits[traits & ABSENT == 0]
    sweep.begin(starts)
    found = _search(nodes, sweep, starts[traits != FLOW], starts[traits == FLOW], admission(edges), limits.nodes)
    numbers = np.concatenate([_NONE, *found.parts])
    evidence, certain, stale = _strength(sweep, starts, numbers, level, edges)
    sweep.end()
    keys, things, kinds = _shown(nodes, numbers)
    return Reach(
        keys,
        things,
        kinds,
        np.repeat(np.array(found.distances, np.int32), np.array([len(part) for part in found.parts], np.intp)),
        evidence,
        certain,
        stale,
        found.cut or (CUT_TIME if sweep.late else None),
    )


def _search(nodes: Nodes, sweep: Sweep, near: Numbers, far: Numbers, admitted: Admission, limit: int) -> _Found:
    """All nodes that ``near`` and, at distance 1, the flows ``far`` lead to, nearest first."""
    found, distance = _Found([], [], limit), 0
    waiting: list[Numbers] = []
    while not sweep.late and found.cut is None:
        if not len(near):
            if not len(far) and not waiting:
                return found
            distance += 1
            entered = found.add(_ascending(waiting), distance)
            near, far, waiting = _ascending([entered, far]), _NONE, []
            if found.cut is not None:
                break
        free, costly = _by_cost(nodes, sweep.step(near, admitted))
        near = found.add(free, distance)
        if len(costly):
            waiting.append(costly)
    found.cut = found.cut or CUT_TIME
    return found


def _ascending(parts: list[Numbers]) -> Numbers:
    filled = [part for part in parts if len(part)]
    return np.sort(np.concatenate(filled)) if len(filled) > 1 else (filled or [_NONE])[0]


def _by_cost(nodes: Nodes, new: Numbers) -> tuple[Numbers, Numbers]:
    """Of the nodes in ``new`` that exist, those that it costs nothing to enter and the others."""
    if not len(new):
        return new, new
    traits = nodes.traits(new)
    if not int(np.bitwise_or.reduce(traits)) & (COSTLY | ABSENT):
        return new, _NONE
    if int(np.bitwise_and.reduce(traits)) & COSTLY:
        return _NONE, new
    return new[traits & (COSTLY | ABSENT) == 0], new[traits & COSTLY != 0]


def _strength(
    sweep: Sweep, starts: Numbers, numbers: Numbers, level: Level, edges: EdgeFilter
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
    """Evidence, certain and stale of the best path to each of ``numbers``, which the full search over ``edges`` has
    found."""
    met = sweep.met
    evidence = np.zeros(len(numbers), np.uint8)
    if met & EVIDENCE_MASK and edges.evidence is not Evidence.DECLARED:
        evidence[:] = _RANKS[edges.evidence] if met & INFERRED else _RANKS[Evidence.COLUMN]
        for narrower in _stronger(edges.evidence, met):
            led = sweep.led_to(starts, numbers, admission(replace(edges, evidence=narrower)))
            np.minimum(evidence, _RANKS[narrower], out=evidence, where=led)
    certain = np.ones(len(numbers), np.bool_)
    if met & UNCERTAIN and not edges.certain_only:
        certain = sweep.led_to(starts, numbers, admission(replace(edges, certain_only=True)))
    stale = np.zeros(len(numbers), np.bool_)
    if met & STALE and not edges.fresh_only and level is Level.LOGICAL:
        stale = ~sweep.led_to(starts, numbers, admission(replace(edges, fresh_only=True)))
    return evidence, certain, stale


def _stronger(evidence: Evidence, met: int) -> list[Evidence]:
    """The stronger kinds of evidence by which paths over the edges ``met`` can differ."""
    if evidence is Evidence.INFERRED and met & INFERRED and met & COLUMN:
        return [Evidence.COLUMN, Evidence.DECLARED]
    return [Evidence.DECLARED]


def _shown(nodes: Nodes, numbers: Numbers) -> tuple[KeyArray, KeyArray, NDArray[np.uint8]]:
    """Keys of ``numbers``, and keys and codes of kinds of what answers name in their place."""
    traits, shown = nodes.traits(numbers), numbers.copy()
    flows = np.flatnonzero(traits == FLOW)
    shown[flows] = nodes.owners(numbers[flows])
    traits[flows] = nodes.traits(shown[flows])
    return nodes.keys.take(numbers, axis=0), nodes.keys.take(shown, axis=0), traits & np.uint8(KIND_MASK)
