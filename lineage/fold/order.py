"""Keys of links that stand in the order of time: what comes first is found without reading the rest."""

from __future__ import annotations

SIZE = 8
"""Bytes of a time."""
_SIGN = 2**63
"""Added to a time, so that those before 1970 come first."""


def by_time(at: int, rest: bytes = b"") -> bytes:
    """``rest`` with ``at`` before it; sorted, they are by time."""
    return (at + _SIGN).to_bytes(SIZE) + rest


def time_of(place: bytes) -> int:
    """The time that ``place`` begins with."""
    return int.from_bytes(place[:SIZE]) - _SIGN
