"""What intake has parsed, on its way to the projection, which need not read, decompress and parse it again.

Only a shortcut: what is not here is in the ledger. An entry is handed over once it is durable, so that nothing is
projected which the ledger does not hold; the bytes that were parsed are those that were written.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from lineage.event.model import Event, PredictionRecord
from lineage.ledger import Receipt, Submission

_CAPACITY = 8 * 1024 * 1024
"""Bytes of records that wait; parsed, they take some five times that."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One entry: the position of each record with what it says; ``size`` is the records' bytes."""

    records: tuple[tuple[int, Event | PredictionRecord | bytes], ...]
    size: int


class Handover:
    """Entries by index, at most ``capacity`` bytes of them: what comes when it is full is left to the ledger. With
    ``as_bytes`` events are kept as they were received, for who parses them elsewhere."""

    def __init__(self, capacity: int = _CAPACITY, *, as_bytes: bool = False) -> None:
        self._capacity = capacity
        self._as_bytes = as_bytes
        self._entries: dict[int, Handed] = {}
        self._size = 0
        self._taken = 0
        self._changing = threading.Lock()

    def put(self, submission: Submission, receipts: Sequence[Receipt]) -> None:
        """Hand over what ``submission`` added to the ledger, if it says what its records mean."""
        if submission.parsed is None:
            return
        told = zip(receipts, submission.parsed, submission.records, strict=True)
        fresh = [
            (receipt, record if self._as_bytes and isinstance(parsed, Event) else parsed, len(record))
            for receipt, parsed, record in told
            if not receipt.duplicate
        ]
        if not fresh:
            return
        index, size = fresh[0][0].index, sum(length for _, _, length in fresh)
        with self._changing:
            if index >= self._taken and self._size + size <= self._capacity:
                self._entries[index] = Handed(tuple((receipt.position, one) for receipt, one, _ in fresh), size)
                self._size += size

    def take(self, index: int) -> Handed | None:
        """The entry with this index, None if it is not here. Entries are taken in order: no earlier one is asked for
        again."""
        with self._changing:
            self._taken = index + 1
            found = self._entries.pop(index, None)
            if found is not None:
                self._size -= found.size
            return found

    def first(self, index: int) -> int | None:
        """The least index from ``index`` on that is here; what is before it is let go."""
        with self._changing:
            for passed in [each for each in self._entries if each < index]:
                self._size -= self._entries.pop(passed).size
            return min(self._entries, default=None)
