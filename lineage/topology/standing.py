"""Which versions are the latest of their datasets, over arrays: the columns' counterpart to :mod:`.latest`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray
from lineage.store import EVERYTHING
from lineage.topology.adjacency import Adjacency
from lineage.topology.marks import Admission, admission
from lineage.topology.nodes import ABSENT, DOUBTED, KIND_MASK, VERSION, Nodes
from lineage.topology.run import Narrow, Numbers

_ANY = Admission(0, None, admission(EVERYTHING).wary)


def stand_latest(
    nodes: Nodes, members: Adjacency, ordinal: int, versions: KeyArray, as_of: int | None
) -> NDArray[np.bool_]:
    """Which of ``versions`` is the latest certain one, by (written, key), of those that ``members`` gives its dataset
    and that were written at or before ``as_of``."""
    numbers = nodes.find(versions)
    told = _are_versions(nodes, numbers)
    if not told.any():
        return told
    datasets = np.unique(nodes.owners(numbers[told])).astype(np.intp)
    parts, _ = members.ends(0, datasets, _ANY, ordinal)
    latest = _latest(nodes, np.concatenate(parts), as_of)
    is_latest = np.zeros(nodes.count, np.bool_)
    is_latest[latest] = True
    return told & is_latest[numbers]


def _are_versions(nodes: Nodes, numbers: Numbers, refused: int = 0) -> NDArray[np.bool_]:
    traits = nodes.traits(numbers) & np.uint8(KIND_MASK | ABSENT | refused)
    are: NDArray[np.bool_] = traits == VERSION
    return are


def _latest(nodes: Nodes, candidates: Numbers, as_of: int | None) -> Numbers:
    """Of each dataset the latest certain one of ``candidates``."""
    candidates = candidates[_are_versions(nodes, candidates, DOUBTED)]
    if as_of is not None:
        candidates = candidates[nodes.times(candidates) <= as_of]
    if not len(candidates):
        return candidates
    owners, times = nodes.owners(candidates), nodes.times(candidates)
    if (owners[1:] < owners[:-1]).any():
        order = np.argsort(owners, kind="stable")
        candidates, owners, times = candidates[order], owners[order], times[order]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    newest = np.repeat(np.maximum.reduceat(times, starts), np.diff(starts, append=len(owners))) == times
    return _last_by_key(nodes, candidates[newest], owners[newest])


def _last_by_key(nodes: Nodes, candidates: Numbers, owners: Narrow) -> Numbers:
    """Of each owner the candidate with the greatest key; ``owners`` ascend."""
    if (owners[1:] > owners[:-1]).all():
        return candidates
    keys = nodes.keys.take(candidates, axis=0)
    order = np.lexsort((keys[:, 1], keys[:, 0], owners))
    last = np.flatnonzero(np.diff(owners[order], append=-1))
    return candidates[order[last]]
