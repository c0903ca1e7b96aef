"""Diffs of graphs that hostile events made: the same both ways, empty of one thing, and never without an origin."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.answer import View, thing_id
from lineage.answer.difference import Diff, Hunk
from lineage.errors import LineageError
from lineage.model import Node, Run, Version
from lineage.questions.diff import diff
from lineage.questions.subjects import NodeRef
from tests.conformance.sides import EntryList, MemorySide
from tests.conformance.tellings import FEATURES, Teller

_ALL = 10_000
_PAIRS = 12
_MIRRORED = {"ADDED": "REMOVED", "REMOVED": "ADDED", "CHANGED": "CHANGED"}


def image(hunk: Hunk, mirrored: bool) -> object:
    """All of ``hunk`` that does not hang on which side is which."""
    rows = [
        (d.aspect.value, _MIRRORED[d.change] if mirrored else d.change.value, d.content, d.derived)
        + ((repr(d.b), repr(d.a)) if mirrored else (repr(d.a), repr(d.b)))
        for d in hunk.differences
    ]
    sides = [thing and thing_id(thing) for thing in ((hunk.b, hunk.a) if mirrored else (hunk.a, hunk.b))]
    return sides, sorted(map(repr, rows)), hunk.distance, hunk.at, hunk.origin, hunk.sure, hunk.absorbed


def compared(view: View, a: Node, b: Node) -> Diff | None:
    try:
        return diff(view, NodeRef(thing_id(a)), NodeRef(thing_id(b)))  # type: ignore[arg-type]
    except LineageError:
        return None


def listed(view: View, answer: Diff, mirrored: bool = False) -> list[object]:
    return [image(hunk, mirrored) for hunk in answer.hunks.page(view, 0, _ALL)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2 ** len(FEATURES) - 1), st.lists(st.binary(min_size=64, max_size=64), min_size=4, max_size=30))
def test_diffs_of_whatever_was_told_hold_together(told: int, many: list[bytes]) -> None:
    teller = Teller(frozenset(feature for bit, feature in enumerate(FEATURES) if told >> bit & 1))
    ledger = EntryList()
    side = MemorySide(ledger)
    ledger.add("lineage", [teller.event(data) for data in many])
    side.projection.step(_ALL)
    with side.store.reader() as graph:
        view = View(graph, NoPredictions())
        nodes = [node for node in side.store._graph.nodes.values() if isinstance(node, Run | Version)]
        nodes.sort(key=lambda node: node.key)
        pairs = [pair for pair in itertools.combinations(nodes, 2) if type(pair[0]) is type(pair[1])]
        for a, b in pairs[:: max(1, len(pairs) // _PAIRS)]:
            check(view, a, b)


def check(view: View, a: Node, b: Node) -> None:
    forth, back, same = compared(view, a, b), compared(view, b, a), compared(view, a, a)
    assert same is None or same.hunks.total == 0
    assert (forth is None) is (back is None)
    if forth is None or back is None:
        return
    assert listed(view, forth) == listed(view, back, mirrored=True)
    assert forth.assess(view).score == back.assess(view).score
    assert bool(forth.origins.total) is bool(forth.hunks.total)
    assert all(hunk.distance == 0 or hunk.path for hunk in forth.hunks.page(view, 0, _ALL))


class NoPredictions:
    """A PredictionReader that has none."""

    def find(self, *_: Any) -> list[Any]:
        return []
