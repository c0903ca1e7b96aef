"""Two dumps side by side: :func:`lineage.memory.canonical_lines` says what their lines are, and in which order.

A line's text does not order as the dump does, so what it is ordered by is read from it; only where the dumps differ, as
lines that are equal stand at one place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lineage.model import Edge

Place = tuple[int, str, str, str]
"""Where something stands in a dump, and what it is: (0, base kind, key, "") of a node, (1, kind, source, target) of an
edge, (2, scope, value, node) of a name; keys in hexadecimal."""

NODE, EDGE, NAME = range(3)
"""What the first member of a place says."""


def place_of(thing: dict[str, Any]) -> Place:
    """The place of the node, edge or name whose canonical line says ``thing``."""
    if "edge" in thing:
        return EDGE, thing["edge"], thing["source"], thing["target"]
    if "node" in thing:
        return NODE, thing["node"], thing["key"], ""
    return NAME, thing["name"], thing["value"], thing["key"]


def edge_of(thing: dict[str, Any]) -> Edge:
    """The edge whose canonical line says ``thing``."""
    ends = {end: bytes.fromhex(thing[end]) for end in ("source", "target")}
    return msgspec.convert({**thing, **ends}, Edge)


def side_by_side(kept: Iterator[bytes], anew: Iterator[bytes]) -> Iterator[tuple[bytes | None, bytes | None]]:
    """All lines of two dumps in their order, those of one place together; None where one dump has nothing there."""
    one, other = _Side(kept), _Side(anew)
    while one.line is not None or other.line is not None:
        if one.line == other.line:
            yield one.take(), other.take()
        elif other.line is None or (one.line is not None and one.place() < other.place()):
            yield one.take(), None
        elif one.line is None or other.place() < one.place():
            yield None, other.take()
        else:
            yield one.take(), other.take()


class _Side:
    """One dump: the line that comes next, and its place, which is read from it once at most."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._next: Callable[[], bytes | None] = lambda: next(lines, None)
        self._place: Place | None = None
        self.line = self._next()

    def take(self) -> bytes | None:
        line, self.line, self._place = self.line, self._next(), None
        return line

    def place(self) -> Place:
        if self._place is None:
            assert self.line is not None
            self._place = place_of(json.loads(self.line))
        return self._place
