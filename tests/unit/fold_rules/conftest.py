"""``fold``: a story's events become a graph, and every test holds for every way in which the events may come."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from tests.unit.fold_rules.story import Run, Told, encoded
from tests.unit.fold_rules.world import World, world_of

Batches = Sequence[Sequence[bytes]]


def _one_by_one(events: Sequence[bytes]) -> Batches:
    return [[event] for event in events]


def _shuffled(events: Sequence[bytes]) -> Batches:
    mixed = list(events)
    random.Random(7).shuffle(mixed)
    return [mixed[:2], mixed[2:3], mixed[3:]]


ARRIVALS: dict[str, Callable[[Sequence[bytes]], Batches]] = {
    "in_one_batch": lambda events: [events],
    "one_by_one": _one_by_one,
    "reversed": lambda events: _one_by_one(events[::-1]),
    "twice": lambda events: [*_one_by_one(events), events],
    "shuffled": lambda events: [*_shuffled(events), events[:1]],
}


@pytest.fixture(params=list(ARRIVALS))
def fold(request: pytest.FixtureRequest) -> Callable[..., World]:
    """The graph of a story, its events coming in one of several ways; each gives the same."""
    arrange = ARRIVALS[request.param]

    def graph(*parts: Run | Told) -> World:
        events = encoded(parts)
        world = world_of(arrange(events))
        assert world.lines == world_of([events]).lines, "the graph depends on how the events came"
        return world

    return graph
