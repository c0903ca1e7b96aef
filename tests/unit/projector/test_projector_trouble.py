"""While a store is away: who asks is told at once, the log is not flooded, and it goes on when the store is back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage.errors import DataFolderError, UnavailableError, UnusableStoreError
from lineage.model import Changes
from lineage.projector import Projector
from lineage.projector.trouble import Trouble
from tests.unit.projector.house import House, StoreAround, event

AWAY = UnavailableError("The store is away.", hint="It is on its way.")


class Moody(StoreAround):
    """Raises ``error`` while there is one, and counts how often it was asked to write."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.error: Exception | None = None
        self.tries = 0
        self.hangs: threading.Event | None = None

    def apply(self, changes: Changes, watermark: int) -> None:
        self.tries += 1
        if self.hangs is not None:
            self.hangs.wait(20)
        if self.error is not None:
            raise self.error
        self.real.apply(changes, watermark)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "data", store=Moody) as made:
        yield made


@pytest.fixture
def projector(house: House) -> Iterator[Projector]:
    made = Projector(**house.parts)
    made.start()
    yield made
    made.stop(0.1)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def away(house: House, projector: Projector, error: Exception = AWAY) -> Moody:
    """Have the store away, and an entry wait for it."""
    store: Moody = house.parts["store"]
    store.error = error
    house.append(event(f"a{house.ledger.size()}"))
    projector.wake(house.ledger.size())
    until(lambda: projector.trouble is not None)
    return store


def test_who_waits_when_the_store_goes_away_is_told_at_once(house: House, projector: Projector) -> None:
    store: Moody = house.parts["store"]
    store.error, store.hangs = AWAY, threading.Event()
    house.append(event("a"))
    told: list[tuple[bool, float]] = []

    def wait() -> None:
        begun = time.monotonic()
        told.append((projector.wait_for(1, 30), time.monotonic() - begun))

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: store.tries > 0)
    store.hangs.set()
    waiting.join(10)
    assert told[0][0] is False
    assert told[0][1] < 10


def test_who_asks_while_it_stands_still_is_told_at_once_and_why(house: House, projector: Projector) -> None:
    away(house, projector)
    begun = time.monotonic()
    for _ in range(20):
        assert not projector.wait_for(1, 30)
    assert time.monotonic() - begun < 20
    assert projector.trouble == "The store is away. It is on its way."


def test_a_store_that_hangs_keeps_nobody_for_long_once_it_was_away(house: House, projector: Projector) -> None:
    store = away(house, projector)
    store.hangs = threading.Event()
    until(lambda: time.monotonic() - projector._failed_at > 0.5)
    begun = time.monotonic()
    assert not projector.wait_for(1, 30)
    assert time.monotonic() - begun < 15
    store.hangs.set()


def test_a_question_has_it_tried_again_and_sees_what_comes_of_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.thread._FIRST_RETRY", 1000.0)
    monkeypatch.setattr("lineage.projector.thread._RETRY_WAIT", 10.0)
    projector = Projector(**house.parts)
    projector.start()
    store = away(house, projector)
    store.error = None
    until(lambda: time.monotonic() - projector._failed_at > 0.6)
    assert (store.tries, projector.trouble is None) == (1, False)
    assert projector.wait_for(1, 10)
    assert projector.trouble is None
    projector.stop()


def test_questions_have_it_tried_again_no_more_than_twice_a_second(
    house: House, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.projector.thread._LONGEST_RETRY", 1000.0)
    store = away(house, projector)
    until(lambda: store.tries >= 4)
    tries, begun = store.tries, time.monotonic()
    while time.monotonic() - begun < 2:
        projector.wait_for(1, 30)
        time.sleep(0.01)
    assert 1 <= store.tries - tries <= 5


def test_without_questions_it_is_tried_again_too(house: House, projector: Projector) -> None:
    store = away(house, projector)
    store.error = None
    until(lambda: projector.reached == 1)
    assert projector.trouble is None


def test_a_wait_for_what_the_ledger_does_not_hold_lasts_as_long_as_it_may(house: House, projector: Projector) -> None:
    begun = time.monotonic()
    assert not projector.wait_for(10**12, 0.2)
    assert time.monotonic() - begun >= 0.19
    assert projector._wanted == 0, "entries are still gathered"

    def later() -> None:
        time.sleep(0.1)
        house.append(event("a"))
        projector.wake(1)

    threading.Thread(target=later).start()
    assert projector.wait_for(1, 10)


def test_it_stands_still_at_a_store_that_can_not_be_used(
    house: House, projector: Projector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "lineage.projector")
    store = away(house, projector, UnusableStoreError("The password is wrong.", hint="Say another."))
    until(lambda: store.tries >= 4)
    (record,) = caplog.records
    assert (record.levelno, record.message) == (
        logging.ERROR,
        "The projection stands still after 0 entries: The password is wrong. Say another.",
    )


def test_a_fault_of_the_program_is_told_to_the_log_alone(
    house: House, projector: Projector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(house.parts["ledger"], "entries", fail)
    house.append(event("a"))
    projector.wake(1)
    until(lambda: projector.trouble is not None)
    assert "swordfish" not in str(projector.trouble)
    assert "swordfish" in caplog.text
    assert "Traceback" in caplog.text
    monkeypatch.undo()
    until(lambda: projector.reached == 1)


# -- what is logged


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("lineage.projector.trouble.time.monotonic", lambda: now[0])
    return now


def test_what_lasts_is_told_when_it_begins_each_minute_and_at_its_end(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    trouble = Trouble()
    trouble.over()
    for second in range(150):
        clock[0] = 1000.0 + second
        trouble.met(AWAY, 7)
    trouble.over()
    trouble.over()
    waits = "The projection waits: The store is away. It is on its way."
    assert [record.message for record in caplog.records] == [waits] * 3 + ["The projection goes on, after 149.0 s."]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    trouble.met(AWAY, 7)
    assert len(caplog.records) == 5


def test_another_sentence_is_told_at_once(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble()
    for error in (AWAY, AWAY, UnusableStoreError("No."), UnusableStoreError("No."), AWAY, DataFolderError("Damaged.")):
        trouble.met(error, 7)
    assert [record.message for record in caplog.records] == [
        "The projection waits: The store is away. It is on its way.",
        "The projection stands still after 7 entries: No.",
        "The projection waits: The store is away. It is on its way.",
        "The projection stands still after 7 entries: Damaged.",
    ]
