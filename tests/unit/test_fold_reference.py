"""The fold against a slow reference that reads the rules R0 to R17 on its own, in small random worlds."""

from __future__ import annotations

from random import Random

import pytest
from reference_fold.disputed import is_disputed
from reference_fold.facts import differences
from reference_fold.graph import graph_of
from reference_fold.reference import facts_of
from reference_fold.worlds import NARROW, parsed, world

WORLDS = 200
FEWEST = 100


@pytest.mark.parametrize("kind", NARROW)
def test_fold_gives_what_the_rules_give_read_all_at_once(kind: str) -> None:
    compared = 0
    for seed in range(WORLDS):
        told = world(Random(seed), NARROW[kind])
        events = parsed(told)
        if not events or is_disputed(events):
            continue
        compared += 1
        assert list(differences(facts_of(events), graph_of(events))) == [], f"world {kind} {seed}: {told}"
    assert compared >= FEWEST, f"only {compared} of {WORLDS} worlds could be compared"


def test_reference_takes_the_events_as_a_set() -> None:
    for seed in range(WORLDS):
        events = parsed(world(Random(seed), NARROW["mixed"]))
        shuffled = events + events[::2]
        Random(seed).shuffle(shuffled)
        assert list(differences(facts_of(events), facts_of(shuffled))) == [], f"world mixed {seed}"


def test_comparison_sees_an_event_that_is_missing() -> None:
    events = parsed(world(Random(3), NARROW["time"]))
    assert list(differences(facts_of(events), graph_of(events[1:])))
