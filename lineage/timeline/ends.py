"""The ends of a dataset's lives, in the order of R0: DROP, and RENAME to another name (R16)."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from typing import NamedTuple

from lineage.model import Name
from lineage.timeline.touch import Touch
from lineage.timeline.writes import Place


class Ending(NamedTuple):
    """One end of a life: its place among the writes, the run that did it, and the new name, None if it was dropped."""

    place: Place
    run: bytes
    to: Name | None


class Ends:
    """All ends of one dataset's lives."""

    def __init__(self) -> None:
        self._endings: list[Ending] = []

    def __bool__(self) -> bool:
        return bool(self._endings)

    def __iter__(self) -> Iterator[Ending]:
        return iter(self._endings)

    def add(self, touch: Touch) -> None:
        """Take the ends that a run told."""
        for end in touch.ends:
            insort(self._endings, Ending((end.at, touch.rank), touch.run, end.to), key=_order)

    def remove(self, touch: Touch) -> None:
        """Forget what :meth:`add` took."""
        if touch.ends:
            self._endings = [ending for ending in self._endings if ending.run != touch.run]

    def last(self) -> Place | None:
        """When the last life ended."""
        return self._endings[-1].place if self._endings else None

    def between(self, after: Place, until: Place, *, but: bytes = b"") -> bool:
        """Whether a life ended after ``after`` and up to ``until``, by another run than ``but``."""
        at = bisect_right(self._endings, after, key=_place)
        while at < len(self._endings) and self._endings[at].place <= until:
            if self._endings[at].run != but:
                return True
            at += 1
        return False

    def renamers(self, since: int) -> set[bytes]:
        """Runs that renamed the dataset away at ``since`` or later."""
        return {ending.run for ending in self._endings if ending.to is not None and ending.place[0] >= since}


def _place(ending: Ending) -> Place:
    return ending.place


def _order(ending: Ending) -> tuple[Place, bytes, Name]:
    return ending.place, ending.run, ending.to or Name("", "")
