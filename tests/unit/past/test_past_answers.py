"""Whatever is asked of the past is answered as by a store that was made of the first entries alone."""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.conformance import asking
from tests.conformance.sides import EntryList
from tests.conformance.tellings import FEATURES, Choices, Teller, served
from tests.unit.past.archive import archived, first
from tests.unit.past.drawn import question, shown
from tests.unit.past.sparse import sparse

_EXAMPLES = int(os.environ.get("LINEAGE_PAST_EXAMPLES", "40"))
_QUESTIONS = 5
_SETTINGS = settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
_events = st.lists(st.binary(min_size=64, max_size=64), min_size=2, max_size=14)


@given(st.integers(0, 2**32))
@_SETTINGS
def test_any_question_is_answered_as_of_then_where_worlds_touch_here_and_there(seed: int) -> None:
    random = Random(seed)
    entries = EntryList()
    records = sparse(random)
    while records:
        count = random.choice((1, 1, 3))
        entries.add("lineage", records[:count])
        records = records[count:]
    until = random.randint(1, entries.size())
    then = first(entries, until)
    with then.store.reader() as reader, archived(entries, random.choice((None, until - 1, 0))) as archive:
        nodes = shown(reader, sorted(reader._graph.nodes))
        for number in range(_QUESTIONS if nodes else 0):
            ask, ids = question(random, nodes)
            note(f"{until} of {entries.size()} entries; question {number}")
            _hold_equal(asking.answer(then.store, then.predictions, ask), archive.answer(until - 1, ask, ids))


@given(st.integers(0, 2 ** len(FEATURES) - 1), _events, st.binary(min_size=96, max_size=96), st.booleans())
@_SETTINGS
def test_any_question_is_answered_as_of_then_where_all_gets_in_each_others_way(
    told: int, events: list[bytes], drawn: bytes, is_served: bool
) -> None:
    choices = Choices(drawn)
    teller = Teller(frozenset(feature for bit, feature in enumerate(FEATURES) if told >> bit & 1))
    entries = EntryList()
    if is_served:
        *lineage, prediction = served()
        entries.add("lineage", lineage)
        entries.add("predictions", [prediction])
    for data in events:
        if choices.chance(20):
            entries.add("predictions", [teller.prediction(data)])
        else:
            entries.add("lineage", [teller.event(data)])
    until = 1 + choices.wide(range(entries.size()))
    then = first(entries, until)
    with then.store.reader() as reader, archived(entries, choices.of((None, until - 1, 0))) as archive:
        known = set(archive.store.live()._graph.nodes)
        nodes = [line for line in reader.dump() if b'"node":' in line and _key(line) in known]
        for _ in range(3):
            ask = asking.question(choices, nodes)
            _hold_equal(asking.answer(then.store, then.predictions, ask), archive.answer(until - 1, ask))


def _key(line: bytes) -> bytes:
    return bytes.fromhex(json.loads(line)["key"])


def _hold_equal(expected: Any, told: Any) -> None:
    if expected != told:
        raise AssertionError(f"{expected!r:.3000}\n  is not\n{told!r:.3000}")
