"""From store keys to internal numbers: a hash table with open addressing (linear probing), asked and filled by array.

It only grows: who holds it, or the one before it, finds every number that was given when he got it, whatever is added
meanwhile. An entry may be of a later commit, or be left over from one that was rolled back; so it counts only if the
key that stands at its number, for him who asks, is the one looked for. Number 0 is no key's, and marks an empty slot.
"""

from __future__ import annotations

import numpy as np

from lineage.key_array import KeyArray
from lineage.topology.run import Narrow, Numbers

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LEAST_SLOTS = 1024
_FULL = 0.5


class KeyIndex:
    """Numbers of keys; keys themselves stand in the columns of the nodes."""

    def __init__(self, slots: Narrow, used: int) -> None:
        self.slots = slots
        self._used = used

    @classmethod
    def of(cls, keys: KeyArray) -> KeyIndex:
        """An index of all ``keys`` but the first, numbered as they stand."""
        index = cls(np.zeros(_size_for(len(keys)), np.int32), 0)
        index._fill(np.arange(1, len(keys)), keys)
        return index

    def find(self, wanted: KeyArray, keys: KeyArray) -> Numbers:
        """The numbers of ``wanted`` where ``keys`` are those of all nodes there are; 0 for a key without one."""
        found = np.zeros(len(wanted), np.intp)
        open_ = np.arange(len(wanted))
        slots = self._first_slots(wanted)
        while len(open_):
            entries = self.slots[slots]
            numbers = np.where(entries < len(keys), entries, 0)
            candidates, looked_for = keys[numbers], wanted[open_]
            is_it = (candidates[:, 0] == looked_for[:, 0]) & (candidates[:, 1] == looked_for[:, 1])
            found[open_[is_it]] = numbers[is_it]
            goes_on = ~is_it & (entries != 0)
            open_ = open_[goes_on]
            slots = (slots[goes_on] + 1) & (len(self.slots) - 1)
        return found

    def with_added(self, numbers: Numbers, keys: KeyArray) -> KeyIndex:
        """An index that has ``numbers`` too, this one if there is room; ``keys`` are those of all nodes."""
        if self._used + len(numbers) > len(self.slots) * _FULL:
            grown = KeyIndex(np.zeros(_size_for(len(keys) + len(numbers)), np.int32), 0)
            grown._fill(np.arange(1, int(numbers[-1]) + 1), keys)
            return grown
        self._fill(numbers, keys)
        return self

    def _fill(self, numbers: Numbers, keys: KeyArray) -> None:
        self._used += len(numbers)
        slots = self._first_slots(keys[numbers])
        while len(numbers):
            free = self.slots[slots] == 0
            self.slots[slots[free]] = numbers[free]
            left = self.slots[slots] != numbers
            numbers = numbers[left]
            slots = (slots[left] + 1) & (len(self.slots) - 1)

    def _first_slots(self, keys: KeyArray) -> Numbers:
        shift = np.uint64(64 - (len(self.slots).bit_length() - 1))
        return (((keys[:, 0] ^ keys[:, 1]) * _GOLDEN) >> shift).astype(np.intp)


def _size_for(keys: int) -> int:
    size = _LEAST_SLOTS
    while size * _FULL < keys * 1.25:
        size *= 2
    return size
