"""The traversal that stores without one of their own share: breadth first, level by level, with a visited set.

It knows nothing of keys or rows: a store gives two functions over its own *handles* (keys, integer ids). Entering a
flow costs 1, and so does entering a column, which only other columns feed; all else costs nothing. Since the cost
hangs on the node entered alone, the first path found to a node is a shortest one (0-1 breadth-first search), no path
is ever enumerated, and the work can stop at any node found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from lineage.keys import Base
from lineage.store import Limits

CUT_NODES = "NODES"
CUT_TIME = "TIME"

_BATCH = 1024
"""How many nodes are expanded at once, and how many steps are taken between two looks at the clock."""

Handle = TypeVar("Handle", bound=Hashable)

Place = tuple[Handle, bytes, Base]
"""A node that exists: how the store calls it, its key, its base kind."""


@dataclass(frozen=True, slots=True)
class Walked:
    """What a traversal found: (distance, key) by node, in that order; ``cut`` as in a Reach."""

    found: tuple[tuple[int, bytes], ...]
    cut: str | None = None


def traverse(
    seeds: Sequence[Place[Handle]],
    step: Callable[[Sequence[Handle]], Iterable[Handle]],
    describe: Callable[[Sequence[Handle]], Iterable[Place[Handle]]],
    limits: Limits,
) -> Walked:
    """Everything that ``seeds`` lead to, as :meth:`lineage.store.GraphReader.reach` promises it.

    ``step`` gives the nodes one edge away from any of the handles, in any order, repeats allowed, lazily if it can.
    ``describe`` gives the places of those handles whose node exists. Both are called with at most 1,024 handles.
    """
    return _Walk(seeds, step, describe, limits).run()


def weight(base: Base) -> int:
    """What entering a node of kind ``base`` adds to the distance."""
    return 1 if base is Base.FLOW or base is Base.COLUMN else 0


class _Walk(Generic[Handle]):
    def __init__(
        self,
        seeds: Sequence[Place[Handle]],
        step: Callable[[Sequence[Handle]], Iterable[Handle]],
        describe: Callable[[Sequence[Handle]], Iterable[Place[Handle]]],
        limits: Limits,
    ) -> None:
        self._step = step
        self._describe = describe
        self._limits = limits
        self._visited = {handle for handle, _, _ in seeds}
        self._near = [handle for handle, _, base in seeds if base is not Base.FLOW]
        self._far = [handle for handle, _, base in seeds if base is Base.FLOW]
        self._distance = 0
        self._found: list[tuple[int, bytes]] = []
        self._cut: str | None = None

    def run(self) -> Walked:
        self._look_at_clock()
        while self._cut is None and (self._near or self._far):
            if not self._near:
                self._near, self._far = self._far, []
                self._distance += 1
            frontier, self._near = self._near, []
            for start in range(0, len(frontier), _BATCH):
                self._expand(frontier[start : start + _BATCH])
                if self._cut:
                    break
        self._found.sort()
        return Walked(tuple(self._found), self._cut)

    def _expand(self, handles: Sequence[Handle]) -> None:
        unvisited = self._unvisited(handles)
        while fresh := list(islice(unvisited, _BATCH)):
            self._add(fresh)
            if self._cut:
                return

    def _unvisited(self, handles: Sequence[Handle]) -> Iterator[Handle]:
        visited = self._visited
        for taken, handle in enumerate(self._step(handles), start=1):
            if handle not in visited:
                visited.add(handle)
                yield handle
            if taken % _BATCH == 0 and self._look_at_clock():
                return
        self._look_at_clock()

    def _add(self, handles: Sequence[Handle]) -> None:
        for handle, key, base in self._describe(handles):
            if len(self._found) >= self._limits.nodes:
                self._cut = CUT_NODES
                return
            cost = weight(base)
            self._found.append((self._distance + cost, key))
            (self._far if cost else self._near).append(handle)

    def _look_at_clock(self) -> bool:
        if self._limits.deadline is not None and time.monotonic() > self._limits.deadline:
            self._cut = CUT_TIME
        return self._cut is not None
