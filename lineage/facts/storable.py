"""Facets as the stores can hold them: MessagePack has no integers beyond 64 bits, JSON has."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.msgpack.Encoder().encode


def storable(value: Any) -> Any:
    """``value`` with every integer outside -2**63 … 2**64 - 1 as a string of its digits; the same object if none is."""
    try:
        _encode(value)
    except OverflowError:
        return _written_out(value)
    return value


def _written_out(value: Any) -> Any:
    # Loops, as a comprehension would cost a second frame at each of up to 500 levels.
    if isinstance(value, dict):
        fields = {}
        for key, item in value.items():
            fields[key] = _written_out(item)
        return fields
    if isinstance(value, list):
        items = []
        for item in value:
            items.append(_written_out(item))
        return items
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return value
