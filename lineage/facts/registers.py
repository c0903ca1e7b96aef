"""Facets of datasets and jobs: last writer wins by (eventTime, hash of the event), per facet (R3, invariant 2).

A register is a join-semilattice: ``merge`` is associative, commutative and idempotent, so the order in which events
come changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lineage.facts.storable import storable

Stamp = tuple[int, bytes]

_MINUTE = 60_000_000

_encode = msgspec.msgpack.Encoder().encode
"""Values are compared by this: 1, 1.0 and true are equal in Python, and not the same facet."""


class Register(msgspec.Struct, array_like=True):
    """The facets of one dataset or job with the stamp of the event that told each last, withdrawn ones too."""

    told: dict[str, tuple[int, bytes, Any]] = {}
    updated: int | None = None

    @property
    def minute(self) -> int | None:
        """The minute in which the last event fell: what is shown of it, as a busy dataset is named many times in one,
        and nothing else of it changes."""
        return None if self.updated is None else self.updated - self.updated % _MINUTE

    def merge(self, facets: Mapping[str, Any], stamp: Stamp) -> set[str]:
        """Take what one event tells; the names of the facets whose value changed."""
        changed: set[str] = set()
        self.updated = stamp[0] if self.updated is None else max(self.updated, stamp[0])
        for name, value in facets.items():
            before = self.told.get(name)
            if before is not None and before[2] is value:
                if (before[0], before[1]) < stamp:
                    self.told[name] = (*stamp, value)
            elif before is None or (before[0], before[1]) < stamp:
                held = storable(value)
                self.told[name] = (*stamp, held)
                if before is None or _encode(before[2]) != _encode(held):
                    changed.add(name)
        return changed

    def would_change(self, name: str, value: Any, stamp: Stamp) -> bool:
        """Whether telling this facet would give it another value."""
        before = self.told.get(name)
        if before is None or before[2] is value:
            return before is None
        return (before[0], before[1]) < stamp and before[2] != storable(value)

    def value(self, name: str) -> dict[str, Any]:
        """The facet as it stands, {} if it was never told, withdrawn (``_deleted``), or is no object."""
        told = self.told.get(name)
        value = told[2] if told else None
        return value if isinstance(value, dict) and value.get("_deleted") is not True else {}

    def values(self) -> dict[str, Any]:
        """All facets as they stand, by name."""
        return {name: value for name in sorted(self.told) if (value := self.value(name))}
