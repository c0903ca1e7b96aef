"""Random events, in any order and told again, into both stores through the projector: graphs and answers stay equal."""

from __future__ import annotations

import logging
import os
import random
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from lineage.event.model import Name
from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.keys import Base
from lineage.memory import MemoryStore
from tests.conformance.asking import answer, operation, question, response
from tests.conformance.sides import EntryList, MemorySide, SQLiteSide
from tests.conformance.tellings import BASE, FEATURES, NAMESPACE, SECOND, Choices, Teller, served

_IN_CI = os.environ.get("LINEAGE_REQUIRE") == "all"
_EXAMPLES = int(os.environ.get("LINEAGE_STORE_EXAMPLES", "2000" if _IN_CI else "200"))
_EVER = 1 << 62

_events = st.binary(min_size=64, max_size=64)
_choices = st.binary(min_size=16, max_size=16)
_counts = st.integers(1, 8)
_files = st.sampled_from([(), (), (), (), *((name,) for name in SQLiteSide.FILES), SQLiteSide.FILES])


def hold_equal(expected: Any, told: Any) -> None:
    """As ``assert expected == told``, which for a whole dump takes seconds to say what differs."""
    if expected != told:
        if isinstance(expected, list) and isinstance(told, list):
            expected, told = [x for x in expected if x not in told], [x for x in told if x not in expected]
        raise AssertionError(f"{expected!r:.4000}\n  is not\n{told!r:.4000}")


class Projections(RuleBasedStateMachine):
    """One list of entries, projected by two sides at their own pace."""

    @initialize(
        told=st.integers(0, 2 ** len(FEATURES) - 1),
        many=st.lists(_events, min_size=1, max_size=6),
        is_served=st.booleans(),
        at_once=st.booleans(),
    )
    def begin(self, told: int, many: list[bytes], is_served: bool, at_once: bool) -> None:
        self.teller = Teller(frozenset(feature for bit, feature in enumerate(FEATURES) if told >> bit & 1))
        self.ledger = EntryList()
        self.memory, self.sqlite = MemorySide(self.ledger), SQLiteSide(self.ledger)
        self.events: list[bytes] = []
        self.earliest = BASE
        self.nodes = 0
        self.asked = False
        self.at_once = at_once
        if is_served:
            *events, record = served()
            self._add(*events)
            self.ledger.add("predictions", [record])
        self.add_together(many)

    def teardown(self) -> None:
        if not hasattr(self, "sqlite"):
            return
        try:
            if sys.exc_info()[0] is None:
                dump = self.settled()
                if self.at_once:
                    hold_equal(dump, self.folded_at_once())
        finally:
            self.sqlite.remove()

    # -- what is told

    @rule(data=_events)
    def add(self, data: bytes) -> None:
        self._add(self.teller.event(data))

    @rule(many=st.lists(_events, min_size=2, max_size=4))
    def add_together(self, many: list[bytes]) -> None:
        self._add(*(self.teller.event(data) for data in many))

    @rule(data=_events, before=st.sampled_from([1, SECOND, 10 * SECOND]))
    def add_late(self, data: bytes, before: int) -> None:
        self.earliest -= before
        self._add(self.teller.event(data, self.earliest))

    @rule(which=st.lists(st.integers(0, 60), min_size=1, max_size=3))
    def add_again(self, which: list[int]) -> None:
        self.ledger.add("lineage", [self.events[at % len(self.events)] for at in which])

    @rule(many=st.lists(_choices, min_size=1, max_size=3))
    def add_predictions(self, many: list[bytes]) -> None:
        self.ledger.add("predictions", [self.teller.prediction(data) for data in many])

    # -- what becomes of it

    @rule(memory=_counts, sqlite=_counts, keep=st.booleans())
    def project(self, memory: int, sqlite: int, keep: bool) -> None:
        self.memory.projection.step(self.memory.projection.reached + memory)
        self.sqlite.projection.step(self.sqlite.projection.reached + sqlite)
        if keep:
            self.sqlite.projection.keep()

    @rule(lost=_files, restored=_files)
    def crash(self, lost: tuple[str, ...], restored: tuple[str, ...]) -> None:
        self.sqlite.crash(lost, restored)

    @rule(when=st.sampled_from(["before", "after", "keep"]), count=_counts)
    def fail(self, when: str, count: int) -> None:
        self.sqlite.fail(when, self.sqlite.projection.reached + count)

    @precondition(lambda self: self.asked)
    @rule(side=st.sampled_from([1, 1, 0]))
    def rebuild(self, side: int) -> None:
        self.asked = False
        self._sides()[side].projection.rebuild()

    # -- what is asked

    @rule(many=st.lists(_choices, min_size=2, max_size=6))
    def ask(self, many: list[bytes]) -> None:
        nodes = self.settled()[: self.nodes]
        self.asked = True
        for choices in map(Choices, many):
            if choices.chance(15):
                name, variables = operation(choices, nodes)
                expected, told = (response(side.store, side.predictions, name, variables) for side in self._sides())
            else:
                asked = question(choices, nodes)
                expected, told = (answer(side.store, side.predictions, asked) for side in self._sides())
            hold_equal(expected, told)

    def settled(self) -> list[bytes]:
        """The dump of both sides, once they have projected everything: the same bytes."""
        dumps, counts, records = [], [], []
        for side in self._sides():
            side.projection.catch_up()
            assert (side.projection.reached, side.projection.skipped) == (self.ledger.size(), 0)
            with side.store.reader() as reader:
                dumps.append(list(reader.dump()))
                counts.append((reader.ledger_size, reader.count()))
            records.append(side.predictions.samples(Name(NAMESPACE, "d"), -_EVER, _EVER, 1_000))
        for both in (dumps, counts, records):
            hold_equal(*both)
        self.nodes = sum(counts[0][1][base.value] for base in Base)
        return dumps[0]

    def folded_at_once(self) -> list[bytes]:
        """The dump of a graph made from every event, each once, in another order, as one batch."""
        events = list(dict.fromkeys(self.events))
        random.Random(len(events)).shuffle(events)
        store = MemoryStore()
        taken = [(index, 0, parse_event(record)) for index, record in enumerate(events)]
        store.apply(Fold(MemoryFacts()).take(taken), len(taken))
        with store.reader() as reader:
            return list(reader.dump())

    def _add(self, *records: bytes) -> None:
        for record in records:
            note(record.decode())
        self.events += records
        self.ledger.add("lineage", records)

    def _sides(self) -> tuple[MemorySide, SQLiteSide]:
        return self.memory, self.sqlite


Projections.TestCase.settings = settings(
    max_examples=_EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


TestProjections = pytest.mark.timeout(3_600)(Projections.TestCase)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Rebuilding is warned of, and here that is all day."""
    caplog.set_level(logging.ERROR, "lineage.projector.projection")
