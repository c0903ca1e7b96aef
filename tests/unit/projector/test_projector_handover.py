"""What intake has parsed is projected as what the ledger holds, which is not read for it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from lineage.event.parser import parse_event
from lineage.event.prediction import parse_prediction
from lineage.ledger import Entry, Receipt, Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.projector.handover import Handover
from tests.unit.projector.house import House, event, mixed, prediction, rebuilt


def parsed(submission: Submission) -> Submission:
    """The submission as intake makes it."""
    read = parse_event if submission.kind == "lineage" else parse_prediction
    return Submission(submission.kind, submission.records, parsed=tuple(read(one) for one in submission.records))


def append(house: House, submissions: Sequence[Submission]) -> None:
    for submission, receipts in zip(submissions, house.ledger.append(submissions), strict=True):
        house.projection.handover.put(submission, receipts)


@pytest.mark.parametrize("seed", range(4))
def test_the_graph_is_the_same_whatever_was_handed_over(house: House, seed: int) -> None:
    random = Random(seed)
    for submission in mixed(seed):
        append(house, [parsed(submission) if random.random() < 0.6 else submission])
        if random.random() < 0.2:
            house.projection.catch_up()
    house.projection.catch_up()
    assert (house.dump(), house.predictions.watermark()) == (rebuilt(house.ledger)[0], house.ledger.size())


def test_what_was_handed_over_is_not_read_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.append(event("first"))
    house.projection.catch_up()
    append(
        house, [parsed(Submission("lineage", (event("a"), event("b")))), parsed(Submission("lineage", (event("c"),)))]
    )
    append(house, [parsed(Submission("predictions", (prediction(1),)))])

    def read(*_: Any) -> Sequence[Entry]:
        raise AssertionError("the ledger was read")

    monkeypatch.setattr(SQLiteLedger, "entries", read)
    house.projection.catch_up()
    assert house.projection.reached == 4
    assert sum(b'"node":"DATASET"' in line for line in house.dump()) == 4


def test_a_record_that_was_there_before_is_not_handed_over_again(house: House) -> None:
    append(house, [parsed(Submission("lineage", (event("a"),)))])
    append(house, [parsed(Submission("lineage", (event("a"), event("b"))))])
    append(house, [parsed(Submission("lineage", (event("b"),)))])
    assert house.ledger.size() == 2
    handed = house.projection.handover.take(1)
    assert handed is not None
    assert [position for position, _ in handed.records] == [0]
    assert house.projection.handover.first(2) is None


def receipt(index: int) -> list[Receipt]:
    return [Receipt(index, 0, "", False)]


def test_what_waits_is_bounded() -> None:
    one = parsed(Submission("lineage", (event("a"),)))
    handover = Handover(capacity=3 * len(event("a")))
    for index in range(10):
        handover.put(one, receipt(index))
    assert [handover.take(index) is not None for index in range(5)] == [True, True, True, False, False]
    handover.put(one, receipt(6))
    assert handover.take(6) is not None


def test_what_was_read_from_the_ledger_meanwhile_is_let_go() -> None:
    one = parsed(Submission("lineage", (event("a"),)))
    handover = Handover(capacity=2 * len(event("a")))
    handover.put(one, receipt(0))
    handover.put(one, receipt(1))
    assert handover.first(2) is None
    assert handover.take(2) is None
    handover.put(one, receipt(2))
    assert handover.first(0) is None
    handover.put(one, receipt(3))
    assert handover.first(0) == 3
