"""The projector's thread: woken, waited for, patient, stopped."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lineage.errors import UnavailableError
from lineage.model import Changes
from lineage.projector import Projector, check_projection
from tests.unit.projector.house import (
    House,
    StoreAround,
    event,
)


def test_the_thread_projects_what_it_is_woken_for_and_keeps_the_facts(house: House) -> None:
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    house.append(event("a"))
    projector.start()
    assert projector.wait_for(1, 5)
    house.append(event("b"), event("c"))
    assert (projector.behind(), projector.lag_seconds() >= 0) == (2, True)
    projector.wake(3)
    assert projector.wait_for(3, 5)
    assert (projector.behind(), projector.lag_seconds(), projector.reached) == (0, 0.0, 3)
    house.append(event("d"))
    projector.stop()
    assert house.store.watermark() == house.facts.watermark() == 4


def test_it_says_what_it_will_not_reach_soon(tmp_path: Path) -> None:
    class Slow(StoreAround):
        def apply(self, changes: Changes, watermark: int) -> None:
            time.sleep(0.5)
            self.real.apply(changes, watermark)

    with House(tmp_path / "data", store=Slow) as house:
        projector = Projector(**house.parts)
        assert projector.is_near(10**9, 0.1), "nothing is known of it"
        house.append(*(event(f"d{number}") for number in range(150)))
        projector.start()
        try:
            assert projector.wait_for(150, 30)
            house.append(event("e"))
            projector.wake(151)
            assert projector.wait_for(151, 30)
            assert projector.is_near(151, 0.0)
            assert projector.is_near(1_151, 60.0), "a batch of one says little"
            assert projector.is_near(651, 0.1), "the last large batch may have been slow for once"
            assert not projector.is_near(100_151, 2.0)
        finally:
            projector.stop()


def test_entries_that_come_together_are_projected_together_and_who_asks_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.projector.thread._GATHER_SECONDS", 60.0)
    applied: list[int] = []

    class Noting(StoreAround):
        def apply(self, changes: Changes, watermark: int) -> None:
            self.real.apply(changes, watermark)
            applied.append(watermark)

    with House(tmp_path / "data", store=Noting) as house:
        projector = Projector(**house.parts)
        projector.start()
        house.append(event("a"))
        projector.wake(1)
        assert projector.wait_for(1, 5)
        for size, name in enumerate("bcde", start=2):
            house.append(event(name))
            projector.wake(size)
        assert projector.reached == 1
        assert projector.wait_for(5, 5)
        assert applied == [1, 5]
        house.append(event("f"))
        projector.wake(6)
        projector.stop()
        assert applied == [1, 5, 6]


def test_a_backlog_is_worked_off_without_a_pause(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.thread._GATHER_SECONDS", 60.0)
    house.append(*(event(name) for name in "abcdefg"))
    projector = Projector(house.ledger, house.facts, house.store, house.predictions, batch_records=2)
    projector.start()
    end = time.monotonic() + 5
    while projector.reached < 7 and time.monotonic() < end:
        time.sleep(0.01)
    assert projector.reached == 7
    projector.stop()


def test_a_question_wakes_a_projector_that_was_not_told_of_the_entry(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.projector.thread._IDLE_SECONDS", 60.0)
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    projector.start()
    house.append(event("a"))
    assert projector.wait_for(1, 5)
    house.append(event("b"))
    assert projector.wait_for(2, 5)
    projector.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
def test_a_niceness_that_may_not_be_set_is_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refuse)
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    house.append(event("a"))
    projector.start()
    assert projector.wait_for(1, 5)
    projector.stop()


def test_enough_entries_are_projected_without_anybody_asking(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.thread._GATHER_SECONDS", 60.0)
    monkeypatch.setattr("lineage.projector.thread._GATHER_ENTRIES", 3)
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    projector.start()
    house.append(event("a"))
    projector.wake(1)
    assert projector.wait_for(1, 5)
    house.append(event("b"), event("c"), event("d"))
    projector.wake(4)
    end = time.monotonic() + 5
    while projector.reached < 4 and time.monotonic() < end:
        time.sleep(0.01)
    assert projector.reached == 4
    projector.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
def test_the_thread_leaves_the_core_to_others(house: House) -> None:
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    house.append(event("a"))
    projector.start()
    assert projector.wait_for(1, 5)
    (thread,) = (each for each in threading.enumerate() if each.name == "projector")
    assert thread.native_id is not None
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert os.getpriority(os.PRIO_PROCESS, thread.native_id) > mine
    projector.stop()


def test_a_wait_ends_at_its_time(house: House) -> None:
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    house.append(event("a"))
    assert not projector.wait_for(1, 0.05)
    assert projector.lag_seconds() > 0.04


def test_while_the_store_is_away_the_thread_tries_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    away, tried = threading.Event(), threading.Event()

    class Moody(StoreAround):
        def apply(self, changes: Changes, watermark: int) -> None:
            if away.is_set():
                tried.set()
                raise UnavailableError("The store is away.")
            self.real.apply(changes, watermark)

    with House(tmp_path / "data", store=Moody) as house:
        projector = Projector(**house.parts)
        projector.start()
        away.set()
        house.append(event("a"))
        projector.wake(1)
        assert tried.wait(5)
        assert not projector.wait_for(1, 0.05)
        assert projector.behind() == 1
        away.clear()
        end = time.monotonic() + 5
        while not projector.wait_for(1, 5) and time.monotonic() < end:
            time.sleep(0.05)
        assert projector.reached == 1
        projector.stop()
        assert check_projection(house.ledger, house.store, house.predictions).sound
    assert "The projection waits: The store is away." in caplog.text


def test_a_thread_with_nothing_to_do_notices_that_the_store_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.projector.thread._LOOK_SECONDS", 0.05)
    away = threading.Event()

    class Moody(StoreAround):
        def watermark(self) -> int:
            if away.is_set():
                raise UnavailableError("The store is away.")
            return self.real.watermark()

    def until(true: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not true():
            assert time.monotonic() < end
            time.sleep(0.02)

    with House(tmp_path / "data", store=Moody) as house:
        projector = Projector(**house.parts)
        house.append(event("a"))
        projector.start()
        assert projector.wait_for(1, 5)
        away.set()
        until(lambda: "away" in (projector.trouble or ""))
        away.clear()
        until(lambda: projector.trouble is None)
        assert projector.reached == 1
        projector.stop()


def test_a_stop_closes_a_store_that_waits_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.thread._LAST_SECONDS", 0.1)
    waiting, closed = threading.Event(), threading.Event()

    class Waiting(StoreAround):
        def settle(self) -> None:
            waiting.set()
            if not closed.wait(20):
                raise AssertionError("It is never closed.")
            raise UnavailableError("The store was closed.")

        def close(self) -> None:
            closed.set()

    with House(tmp_path / "data", store=Waiting) as house:
        projector = Projector(**house.parts)
        projector.start()
        house.append(event("a"))
        projector.wake(1)
        assert waiting.wait(5)
        projector.stop(0.1)
        assert closed.is_set()


def test_a_stop_gives_up_when_its_time_is_over(tmp_path: Path) -> None:
    class Away(StoreAround):
        def apply(self, changes: Changes, watermark: int) -> None:
            raise UnavailableError("The store is away.")

    with House(tmp_path / "data", store=Away) as house:
        projector = Projector(**house.parts)
        projector.start()
        house.append(event("a"))
        projector.wake(1)
        projector.stop(0.2)
        assert projector.behind() == 1
