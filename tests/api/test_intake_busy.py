"""When the ledger is busy, away or slow: ask to come again, say so in /readyz, lose nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient

from lineage.errors import LedgerUnavailableError, QueueFullError
from lineage.ledger import Receipt, Submission
from lineage_ingest.intake.health import LedgerHealth, probe_folder

URL = "/api/v1/lineage"
Make = Callable[..., bytes]


class FullWriter:
    """A queue that is always full."""

    def submit_async(self, submission: Submission) -> asyncio.Future[list[Receipt]]:
        raise QueueFullError("The write queue is full.", retry_after=3)


class BrokenWriter:
    """A ledger whose disk is full until ``mended``."""

    mended = False

    def submit_async(self, submission: Submission) -> asyncio.Future[list[Receipt]]:
        future: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        if self.mended:
            future.set_result([Receipt(0, n, "sha256:" + "0" * 64, False) for n in range(len(submission.records))])
        else:
            future.set_exception(LedgerUnavailableError("The disk is full."))
        return future

    def probe(self) -> None:
        if not self.mended:
            raise LedgerUnavailableError("The disk is full.")


class SilentWriter:
    """A ledger that answers when it is told to."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[list[Receipt]]] = []

    def submit_async(self, submission: Submission) -> asyncio.Future[list[Receipt]]:
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]


def test_a_full_queue_asks_to_come_again(house: Any, event: Make) -> None:
    house.changes = {"writer": FullWriter()}
    with TestClient(house.serve()) as client:
        for path, content in ((URL, event()), (URL + "/batch", b"[" + event() + b"]")):
            answer = client.post(path, content=content)
            assert (answer.status_code, answer.json()["code"]) == (503, "QUEUE_FULL")
            assert answer.headers["retry-after"] == "3"
    house.rejected.flush()
    assert house.rejected.list() == ()


def test_a_ledger_that_cannot_be_written_turns_readyz_red_until_it_can(house: Any, event: Make) -> None:
    writer = BrokenWriter()
    house.changes = {"writer": writer, "probe": writer.probe}
    with TestClient(house.serve()) as client:
        answer = client.post(URL, content=event())
        assert (answer.status_code, answer.json()["code"]) == (503, "LEDGER_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["ledger"] == {"writable": False, "fault": "The disk is full."}
        assert client.get("/healthz").status_code == 200
        writer.mended = True
        assert client.post(URL, content=event()).status_code == 201
        assert client.get("/readyz").status_code == 200


def test_a_ledger_that_does_not_answer_in_time_asks_to_come_again(house: Any, event: Make) -> None:
    writer = SilentWriter()
    house.changes = {"writer": writer}
    house.limits = replace(house.limits, acknowledge_timeout=0.05)
    with TestClient(house.serve()) as client:
        answer = client.post(URL, content=event())
        assert (answer.status_code, answer.json()["code"]) == (503, "LEDGER_UNAVAILABLE")
        assert "retry-after" in answer.headers
        assert writer.futures[0].done()


def test_a_fault_of_the_server_is_a_problem_too_and_the_body_is_kept(house: Any, event: Make, caplog: Any) -> None:
    class FaultyWriter:
        def submit_async(self, submission: Submission) -> asyncio.Future[list[Receipt]]:
            raise ZeroDivisionError

    house.changes = {"writer": FaultyWriter()}
    with TestClient(house.serve()) as client:
        answer = client.post(URL, content=event())
        assert (answer.status_code, answer.json()["code"]) == (500, "ERROR")
        assert answer.headers["content-type"] == "application/problem+json"
    house.rejected.flush()
    assert [kept.body for kept in house.rejected.list()] == [event()]
    assert "ZeroDivisionError" in caplog.text


def test_the_probe_is_not_asked_more_than_every_other_second() -> None:
    now, calls = [0.0], []
    health = LedgerHealth(lambda: calls.append(now[0]), clock=lambda: now[0])
    for moment in (10.0, 10.5, 11.9, 12.0, 13.0, 14.5):
        now[0] = moment
        assert health.fault() is None
    assert calls == [10.0, 12.0, 14.5]


def test_a_folder_that_is_gone_cannot_be_written(tmp_path: Any) -> None:
    probe_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []
    health = LedgerHealth(lambda: probe_folder(tmp_path / "gone"))
    assert "can't be written" in (health.fault() or "")
