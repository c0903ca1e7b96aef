"""The things that a traversal found, as answers list them: each flow stands for its run or job, in the order (distance,
kind, key), which is only made of what is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray, order_of, pack, unpack
from lineage.kind import KIND_CODES, KINDS, Kind
from lineage.model import Evidence
from lineage.store import EVIDENCES, Reach

_NO_KIND = KIND_CODES[None]
_OWNING = [KIND_CODES[kind] for kind in (Kind.JOB, Kind.DEPLOYMENT, Kind.RUN, Kind.ROLLOUT)]
"""What several rows of a reach may stand for: the flows of one run or job."""

_Rows = NDArray[np.intp]
_Columns = tuple[NDArray[Any], ...]
"""Keys, kinds, distances, evidence, certain, stale."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """One thing found, as an answer keeps it."""

    key: bytes
    kind: Kind
    distance: int
    evidence: Evidence
    certain: bool
    stale: bool = False


class Hits(Sequence[Found]):
    """Columns of things, each once: ``keys``, ``kinds`` and ``distances`` in no order, items in that of answers."""

    def __init__(self, reach: Reach, without: Iterable[bytes] = ()) -> None:
        """The things of ``reach``, save ``without``: of the flows of one run or job the least distance, and the best of
        their evidence."""
        told = _merged(reach)
        kept = told.kinds != _NO_KIND
        kept &= ~are_among(told.things, pack(list(without)))
        self._take((told.things, told.kinds, told.distances, told.evidence, told.certain, told.stale), kept)

    def _take(self, columns: _Columns, kept: NDArray[np.bool_]) -> None:
        self._columns = tuple(column[kept] for column in columns)
        self.keys, self.kinds, self.distances = self._columns[:3]
        self._sorted: dict[int, _Rows] = {}

    def where(self, kept: NDArray[np.bool_]) -> Hits:
        """Those of the rows ``kept``."""
        hits = Hits.__new__(Hits)
        hits._take(self._columns, kept)
        return hits

    def among(self, keys: Sequence[bytes]) -> Hits:
        """Those of ``keys``."""
        return self.where(are_among(self.keys, pack(keys)))

    def all_keys(self) -> list[bytes]:
        """The keys of all, in no order."""
        return unpack(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, at: int) -> Found: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Found]: ...

    def __getitem__(self, at: int | slice) -> Found | Sequence[Found]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._items(self._ordered(start, stop))[::step]
        at = range(len(self))[at]
        return self._items(self._ordered(at, at + 1))[0]

    def __iter__(self) -> Iterator[Found]:
        return iter(self._items(self._ordered(0, len(self))))

    def keys_of(self, kind: Kind) -> list[bytes]:
        """The keys of the things of one kind, in no order."""
        return unpack(self.keys[self.kinds == KIND_CODES[kind]])

    def distances_of(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        """The distances of those of ``keys`` that are there."""
        rows = np.flatnonzero(are_among(self.keys, pack(list(keys))))
        return dict(zip(unpack(self.keys[rows]), self.distances[rows].tolist(), strict=True))

    def count(self, kind: Kind) -> int:
        """How many there are of one kind."""
        return int(self._counts[KIND_CODES[kind]])

    @cached_property
    def _counts(self) -> NDArray[np.intp]:
        return np.bincount(self.kinds, minlength=len(KINDS))

    @cached_property
    def _ranks(self) -> NDArray[np.int64]:
        """Distance and kind as one number."""
        ranks: NDArray[np.int64] = self.distances.astype(np.int64) * len(KINDS) + self.kinds
        return ranks

    @cached_property
    def _groups(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The ranks that occur, ascending, and where the group of each begins, with the end of the last."""
        ranks, counts = np.unique(self._ranks, return_counts=True)
        return ranks, np.concatenate(([0], np.cumsum(counts)))

    def _ordered(self, start: int, stop: int) -> _Rows:
        """The rows of places ``start`` up to but without ``stop``."""
        if start >= stop:
            return np.zeros(0, dtype=np.intp)
        ranks, begins = self._groups
        first = int(np.searchsorted(begins, start, side="right")) - 1
        last = int(np.searchsorted(begins, stop, side="left"))
        rows = np.concatenate([self._group(int(rank)) for rank in ranks[first:last]])
        return rows[start - begins[first] : stop - begins[first]]

    def _group(self, rank: int) -> _Rows:
        """The rows of one distance and kind, by key."""
        if rank not in self._sorted:
            rows = np.flatnonzero(self._ranks == rank)
            keys = self.keys[rows]
            self._sorted[rank] = rows[order_of(keys)]
        return self._sorted[rank]

    def _items(self, rows: _Rows) -> list[Found]:
        told = zip(unpack(self.keys[rows]), *(column[rows].tolist() for column in self._columns[1:]), strict=True)
        return [
            Found(key, KINDS[kind], distance, EVIDENCES[evidence], certain, stale)
            for key, kind, distance, evidence, certain, stale in told
        ]


def are_among(keys: KeyArray, those: KeyArray) -> NDArray[np.bool_]:
    """Which of ``keys`` are in ``those``."""
    if not len(those) or not len(keys):
        return np.zeros(len(keys), dtype=np.bool_)
    near = np.isin(keys[:, 0], those[:, 0])
    rows = np.flatnonzero(near)
    known = set(unpack(those))
    near[rows] = [key in known for key in unpack(keys[rows])]
    return near


def _merged(reach: Reach) -> Reach:
    """``reach`` with one row for each run and job."""
    owning = np.isin(reach.kinds, _OWNING)
    if not owning.any():
        return reach
    rows = np.flatnonzero(owning)
    things = reach.things[rows]
    rows = rows[order_of(things)]
    things = reach.things[rows]
    begins = np.flatnonzero(np.concatenate(([True], (things[1:] != things[:-1]).any(axis=1))))
    others = np.flatnonzero(~owning)
    first = rows[begins]

    def joined(column: NDArray[np.generic], best: np.ufunc) -> NDArray[np.generic]:
        return np.concatenate((column[others], best.reduceat(column[rows], begins)))

    return Reach(
        np.concatenate((reach.keys[others], reach.keys[first])),
        np.concatenate((reach.things[others], reach.things[first])),
        np.concatenate((reach.kinds[others], reach.kinds[first])),
        joined(reach.distances, np.minimum),  # type: ignore[arg-type]
        joined(reach.evidence, np.minimum),  # type: ignore[arg-type]
        joined(reach.certain, np.logical_or),  # type: ignore[arg-type]
        joined(reach.stale, np.logical_and),  # type: ignore[arg-type]
        reach.cut,
    )
