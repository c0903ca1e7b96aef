"""Invariant 2 for when ties stood: late starts, withdrawn tellings and declarations out of order change nothing."""

from __future__ import annotations

from itertools import cycle, repeat
from random import Random

import pytest
from reference_fold.worlds import NARROW, parsed, world

from lineage.facts import history
from tests.unit.test_fold_order import dump, graph_of, graph_of_forgetful

WORLDS = 40
KINDS = ("redeclarations", "redeclarations_and_symlinks", "columns", "failure", "parents", "mixed")


@pytest.mark.parametrize("kind", KINDS)
def test_when_ties_stood_does_not_hang_on_the_order_of_events(kind: str) -> None:
    for seed in range(WORLDS):
        events = parsed(world(Random(seed), NARROW[kind]))
        shuffled = events + events[::3]
        Random(seed).shuffle(shuffled)
        assert dump(graph_of(events, repeat(10_000))) == dump(graph_of(shuffled, repeat(1))), f"world {kind} {seed}"


@pytest.mark.parametrize("few", [1, 32])
def test_when_ties_stood_is_found_again_in_the_facts(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.fold.sqlite._SHORT", few)
    monkeypatch.setattr("lineage.fold.sqlite._PAGE", few)
    for seed in range(WORLDS):
        events = parsed(world(Random(seed), NARROW["redeclarations"]))
        Random(seed).shuffle(events)
        sizes = cycle([1, 2, 1, 4])
        assert dump(graph_of(events, repeat(10_000))) == dump(graph_of_forgetful(events, sizes)), f"world {seed}"


def test_declarations_beyond_the_most_that_are_told_apart_come_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 2)
    for seed in range(WORLDS):
        events = parsed(world(Random(seed), NARROW["redeclarations"]))
        shuffled = events[::-1] + events[::2]
        Random(seed).shuffle(shuffled)
        assert dump(graph_of(events, repeat(10_000))) == dump(graph_of(shuffled, repeat(1))), f"world {seed}"
