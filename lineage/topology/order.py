"""A numbering of nodes in the order in which data flows, so that those close in a traversal are close in memory.

Nodes stand by the length of the longest path to them (Kahn's algorithm, level by level), those of one level as they
stood; what is deeper than some thousand levels, or on a cycle, after these. Last come the nodes without edges, those
that flows stand for (jobs, runs) in the order of their flows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lineage.topology.run import EdgeColumns, Narrow, Numbers, Side, all_starts, stable_order

_DEEPEST = 4_096
_MANY = 16_384


def flow_order(owners: Narrow, layers: list[EdgeColumns]) -> Numbers:
    """All numbers of nodes in that order, 0 first. ``owners`` are those of the nodes, ``layers`` the edges along which
    data flows."""
    nodes = len(owners)
    sources = np.concatenate([edges.sources for edges in layers])
    targets = np.concatenate([edges.targets for edges in layers]).astype(np.int32)
    out = Side(None, all_starts(sources, nodes), targets[stable_order(sources)], None)
    waits_for = np.bincount(targets, minlength=nodes)
    placed = np.zeros(nodes, np.bool_)
    tied = np.zeros(nodes, np.bool_)
    tied[sources] = tied[targets] = True
    frontier = np.flatnonzero(tied & (waits_for == 0))
    levels: list[Numbers] = []
    while len(frontier) and len(levels) < _DEEPEST:
        levels.append(frontier)
        placed[frontier] = True
        frontier = _freed(out.ends[out.positions(frontier)], waits_for)
    flowing = np.concatenate([*levels, np.flatnonzero(tied & ~placed)])
    return np.concatenate([[0], flowing, _by_flow(owners[flowing], tied)])


def _by_flow(owners: Narrow, tied: NDArray[np.bool_]) -> Numbers:
    """The nodes that are not ``tied``, but for nobody: first those among ``owners``, in that order."""
    left = ~tied
    left[0] = False
    owning, first = np.unique(owners[left[owners]], return_index=True)
    left[owning] = False
    return np.concatenate([owning[np.argsort(first)], np.flatnonzero(left)])


def _freed(ends: Narrow, waits_for: Numbers) -> Numbers:
    """Those of ``ends`` that wait for nothing more, ascending; ``waits_for`` counts down."""
    if len(ends) > _MANY:
        met = np.bincount(ends, minlength=len(waits_for))
        waits_for -= met
        return np.flatnonzero((met > 0) & (waits_for == 0))
    different, times = np.unique(ends, return_counts=True)
    waits_for[different] -= times
    freed: Numbers = different[waits_for[different] == 0].astype(np.intp)
    return freed
