"""How each node that a traversal found was reached: a :class:`~lineage.store.Reach`, asked by key."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec
import numpy as np

from lineage.key_array import KeyArray, unpack
from lineage.kind import KINDS, Kind
from lineage.model import Evidence
from lineage.store import EVIDENCES, Reach

_FEW = 20_000
"""Of so many nodes a dictionary is made at once; of more, two sorted columns are, in a tenth of the time."""


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How a node was reached: its least distance, its best path's weakest evidence and certainty, and whether each path
    has a stale edge (R9). ``kind`` is that of what answers name in its place: of a flow, of its run or job."""

    distance: int
    kind: Kind | None
    is_flow: bool
    evidence: Evidence
    certain: bool
    stale: bool


class Marks(Mapping[bytes, Mark]):
    """The marks of the nodes that were found, by key. A look-up takes microseconds, whatever their number; what is
    needed for it is made with the first."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach

    def __len__(self) -> int:
        return len(self.reach)

    def __iter__(self) -> Iterator[bytes]:
        return iter(unpack(self.reach.keys))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self._rows.get(key) is not None

    def __getitem__(self, key: bytes) -> Mark:
        row = self._rows.get(key)
        if row is None:
            raise KeyError(key)
        told = self.reach
        return Mark(
            int(told.distances[row]),
            KINDS[told.kinds[row]],
            bool(self._flows[row]),
            EVIDENCES[told.evidence[row]],
            bool(told.certain[row]),
            bool(told.stale[row]),
        )

    def distance(self, key: bytes) -> int | None:
        """The distance of ``key``; None if it was not found."""
        row = self._rows.get(key)
        return None if row is None else self._distances[row]

    def is_flow(self, key: bytes) -> bool | None:
        """Whether ``key`` is a flow; None if it was not found."""
        row = self._rows.get(key)
        return None if row is None else bool(self._flows[row])

    def nearest(self, most: int) -> list[bytes]:
        """The keys of the nearest ``most`` nodes, by (distance, key)."""
        told = self.reach
        rows = np.arange(len(told))
        if len(rows) > most:
            farthest = np.partition(told.distances, most - 1)[most - 1]
            rows = np.flatnonzero(told.distances <= farthest)
        keys = told.keys[rows]
        order = np.lexsort((keys[:, 1], keys[:, 0], told.distances[rows]))[:most]
        return unpack(keys[order])

    @cached_property
    def _rows(self) -> dict[bytes, int] | _Sorted:
        if len(self.reach) <= _FEW:
            return {key: row for row, key in enumerate(self)}
        return _Sorted(self.reach.keys)

    @cached_property
    def _flows(self) -> memoryview[int]:
        """Of each row whether it is a flow, which answers name by its run or job."""
        return np.ascontiguousarray((self.reach.keys != self.reach.things).any(axis=1)).data

    @cached_property
    def _distances(self) -> memoryview[int]:
        return self.reach.distances.data


class _Sorted:
    """The rows of many keys, by the first halves of these."""

    def __init__(self, keys: KeyArray) -> None:
        order = np.argsort(keys[:, 0])
        self._halves: memoryview[int] = keys[order, 0].data
        self._rows: memoryview[int] = order.data
        self._second: memoryview[int] = np.ascontiguousarray(keys[:, 1]).data

    def get(self, key: bytes) -> int | None:
        """The row of ``key``; None if it has none."""
        halves, rows = self._halves, self._rows
        first, second = int.from_bytes(key[:8]), int.from_bytes(key[8:])
        at = bisect_left(halves, first)
        while at < len(halves) and halves[at] == first:
            if self._second[rows[at]] == second:
                return rows[at]
            at += 1
        return None
