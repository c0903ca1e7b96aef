"""Parts of events that come again: run after run, a job tells the same of its datasets, byte for byte.

A part that was seen before is given as the object that it was then, so that what was concluded from it need not be
concluded again: who compares it sees at once that it is the same, and what was derived from an
:class:`~lineage.event.model.EventDataset` stands there (:func:`derived`).

This is sound because a part is known by all of its bytes: orjson writes two JSON values alike only if they are equal,
with their keys in the same order; and because nothing changes a part once it is parsed. What orjson can't write
(integers past 64 bits, 255 levels) is never shared.

>>> blocks = Blocks()
>>> one, again = blocks.shared({"rows": 1}), blocks.shared({"rows": 1})
>>> one is again
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import orjson

from lineage.event.model import EventDataset

_Made = TypeVar("_Made")

Key = tuple[str | None, bytes]
"""(what the part is, its bytes)."""

_LONGEST = 64 * 1024
"""Bytes of a part above which it is not kept."""


class Blocks:
    """What was seen last, ``capacity`` bytes of it at least and twice as much at most. May be used from any thread."""

    def __init__(self, capacity: int = 8 * 1024 * 1024) -> None:
        self._capacity = capacity
        self._young: dict[Key, Any] = {}
        self._old: dict[Key, Any] = {}
        self._size = 0

    def shared(self, value: dict[str, Any]) -> dict[str, Any]:
        """An equal value, the same object as long as it is remembered."""
        key = self.key(None, value)
        found: dict[str, Any] | None = self.find(key)
        if found is None:
            self.keep(key, value)
            return value
        return found

    def key(self, kind: str | None, value: Any) -> Key | None:
        """Under which a part of this kind is kept; None for one that is not."""
        try:
            written = orjson.dumps(value)
        except TypeError:
            return None
        return None if len(written) > _LONGEST else (kind, written)

    def find(self, key: Key | None) -> Any:
        """What was kept under ``key``; None if nothing is."""
        if key is None:
            return None
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.keep(key, found)
        return found

    def keep(self, key: Key | None, made: Any) -> None:
        """Have ``made`` found under ``key``."""
        if key is None:
            return
        if self._size > self._capacity:
            self._old, self._young, self._size = self._young, {}, 0
        kind, written = key
        self._young[kind, bytes(memoryview(written))] = made  # what orjson gives holds a buffer of 4 kB at least
        self._size += len(written)


def derived(function: Callable[[EventDataset], _Made]) -> Callable[[EventDataset], _Made]:
    """``function``, which depends on nothing but the dataset, computed once for each object."""

    def once(dataset: EventDataset) -> _Made:
        try:
            found: _Made = dataset.derived[function]
        except KeyError:
            found = dataset.derived[function] = function(dataset)
        return found

    return once
