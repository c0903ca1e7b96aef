"""The nodes of one state in columns, by internal number.

The columns are shared by all states of one base and only appended to; a state knows how many rows are its own. A row
that was published is changed by a *patch*: its byte says that there may be one, and each state has its own. Number 0 is
nobody: no key leads to it, and it is absent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray
from lineage.kind import KIND_CODES, Kind, kind_of_node
from lineage.model import Flow, Node, Version, base_of
from lineage.topology.key_index import KeyIndex
from lineage.topology.marks import ALWAYS, FOREVER
from lineage.topology.run import Marks, Narrow, Numbers, Times
from lineage.topology.walk import weight

KIND_MASK = 15
COSTLY = 16
"""Entering the node adds to the distance."""
ABSENT = 32
"""Only the key is known."""
DOUBTED = 64
"""A version that is not certain."""
PATCHED = 128

NOBODY = ABSENT | KIND_CODES[None]
FLOW = COSTLY | KIND_CODES[None]
VERSION = KIND_CODES[Kind.VERSION]

_SPARE = 1024
_MERGE_RATIO = 4
_T = TypeVar("_T", bound=np.generic)


def trait(node: Node | None) -> int:
    """The byte of a node: the code of its kind, and the bits above."""
    if node is None:
        return NOBODY
    doubted = isinstance(node, Version) and not node.certain
    return KIND_CODES[kind_of_node(node)] | (COSTLY * weight(base_of(node))) | (DOUBTED if doubted else 0)


def owner(node: Node | None) -> bytes | None:
    """What a flow stands for, and the dataset of a version; None of all others."""
    if isinstance(node, Flow):
        return node.owner
    return node.dataset if isinstance(node, Version) else None


def moment(node: Node | None) -> int:
    """When a version was written; 0 of all others."""
    return min(max(node.written_at, ALWAYS), FOREVER) if isinstance(node, Version) else 0


@dataclass(frozen=True, slots=True, eq=False)
class NodeRows:
    """What is known of some nodes: byte, number of the owner (0 for none), time."""

    numbers: Numbers
    traits: Marks
    owners: Narrow
    times: Times

    def __len__(self) -> int:
        return len(self.numbers)

    def only(self, which: NDArray[np.bool_] | Numbers) -> NodeRows:
        """Those rows alone, or in that order."""
        return NodeRows(self.numbers[which], self.traits[which], self.owners[which], self.times[which])


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """The nodes of one state: ``count`` rows of the columns, and ``patches``, the newest last, each in ascending order
    of numbers."""

    count: int
    keys: KeyArray
    traits_: Marks
    owners_: Narrow
    times_: Times
    index: KeyIndex
    patches: tuple[NodeRows, ...] = ()

    @property
    def capacity(self) -> int:
        """How many rows the columns have room for."""
        return len(self.keys)

    def find(self, keys: KeyArray) -> Numbers:
        """The numbers of ``keys``, 0 for those without."""
        return self.index.find(keys, self.keys[: self.count])

    def traits(self, numbers: Numbers) -> Marks:
        """The bytes of ``numbers``."""
        traits = self.traits_.take(numbers)
        if self.patches and len(traits) and np.bitwise_or.reduce(traits) & PATCHED:
            for places, rows in self._patched(numbers, traits):
                traits[places] = rows.traits
        traits &= ~np.uint8(PATCHED)
        return traits

    def owners(self, numbers: Numbers) -> Narrow:
        """The owners of ``numbers``, 0 for those without."""
        owners = self.owners_.take(numbers)
        for places, rows in self._patched(numbers, self.traits_[numbers]):
            owners[places] = rows.owners
        return owners

    def times(self, numbers: Numbers) -> Times:
        """The times of ``numbers``."""
        times = self.times_.take(numbers)
        for places, rows in self._patched(numbers, self.traits_[numbers]):
            times[places] = rows.times
        return times

    def rows(self, numbers: Numbers) -> NodeRows:
        """All that is known of ``numbers``."""
        return NodeRows(numbers, self.traits(numbers), self.owners(numbers), self.times(numbers))

    def appended(self, keys: KeyArray) -> Nodes:
        """These nodes and one for each of ``keys``, which have none yet: absent, numbered from ``count`` on."""
        if not len(keys):
            return self
        stop = self.count + len(keys)
        grown = self if stop <= self.capacity else self._with_room(stop)
        numbers = np.arange(self.count, stop)
        grown.keys[numbers] = keys
        grown.traits_[numbers] = NOBODY
        grown.owners_[numbers] = 0
        grown.times_[numbers] = 0
        return replace(grown, count=stop, index=grown.index.with_added(numbers, grown.keys))

    def told(self, rows: NodeRows, published: int) -> Nodes:
        """These nodes with ``rows`` (ascending) as what is known of them; from ``published`` on nobody else reads."""
        fresh = rows.numbers >= published
        own = rows.only(fresh)
        self.traits_[own.numbers] = own.traits
        self.owners_[own.numbers] = own.owners
        self.times_[own.numbers] = own.times
        changed = rows.only(self._differ(rows) & ~fresh)
        if not len(changed):
            return self
        self.traits_[changed.numbers] |= np.uint8(PATCHED)
        return replace(self, patches=_merged((*self.patches, changed)))

    def _differ(self, rows: NodeRows) -> NDArray[np.bool_]:
        known = self.rows(rows.numbers)
        differ: NDArray[np.bool_] = known.traits != rows.traits
        differ |= known.owners != rows.owners
        differ |= known.times != rows.times
        return differ

    def _patched(self, numbers: Numbers, traits: Marks) -> list[tuple[Numbers, NodeRows]]:
        """By patch, the oldest first: where in ``numbers`` it has something to say, and what."""
        suspects = np.flatnonzero(traits & PATCHED) if self.patches else numbers[:0]
        said = []
        for patch in self.patches if len(suspects) else ():
            rows = np.searchsorted(patch.numbers, numbers[suspects])
            has = patch.numbers.take(rows, mode="clip") == numbers[suspects]
            said.append((suspects[has], patch.only(rows[has])))
        return said

    def _with_room(self, rows: int) -> Nodes:
        room = rows + rows // 4 + _SPARE
        return replace(
            self,
            keys=with_room(self.keys, self.count, room),
            traits_=with_room(self.traits_, self.count, room),
            owners_=with_room(self.owners_, self.count, room),
            times_=with_room(self.times_, self.count, room),
        )


def with_room(column: NDArray[_T], count: int, room: int) -> NDArray[_T]:
    """A column of ``room`` rows, of which the first ``count`` are those of ``column``, the others zero."""
    grown = np.zeros((room, *column.shape[1:]), column.dtype)
    grown[:count] = column[:count]
    return grown


def _merged(patches: tuple[NodeRows, ...]) -> tuple[NodeRows, ...]:
    """The same with few patches: a new one is joined with those before it that are not several times as large."""
    while len(patches) > 1 and len(patches[-2]) <= _MERGE_RATIO * len(patches[-1]):
        older, newer = patches[-2:]
        kept = older.only(~np.isin(older.numbers, newer.numbers, assume_unique=True))
        both = NodeRows(
            np.concatenate([kept.numbers, newer.numbers]),
            np.concatenate([kept.traits, newer.traits]),
            np.concatenate([kept.owners, newer.owners]),
            np.concatenate([kept.times, newer.times]),
        )
        patches = (*patches[:-2], both.only(np.argsort(both.numbers)))
    return patches
