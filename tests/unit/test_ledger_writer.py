import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from lineage.errors import LedgerUnavailableError, QueueFullError
from lineage.ledger import Receipt, Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.ledger.writer import GroupCommit


def one(record: bytes) -> Submission:
    return Submission("lineage", (record,))


class SlowLedger:
    """Holds each append until it is let go, and fails those told to."""

    def __init__(self, *errors: Exception | None) -> None:
        self.groups: list[list[Submission]] = []
        self.entered = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.errors = list(errors)

    def append(self, submissions: Sequence[Submission]) -> list[list[Receipt]]:
        self.entered.release()
        self.go.acquire()
        self.groups.append(list(submissions))
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        first = sum(map(len, self.groups)) - len(submissions)
        return [[Receipt(first + n, 0, "sha256:", False)] for n in range(len(submissions))]

    def size(self) -> int:
        return sum(map(len, self.groups))


@pytest.fixture
def ledger(tmp_path: Path):
    ledger = SQLiteLedger(tmp_path / "ledger.sqlite")
    yield ledger
    ledger.close()


def test_each_of_many_threads_gets_its_own_receipts(ledger: SQLiteLedger) -> None:
    writer = GroupCommit(ledger)
    told: dict[bytes, Receipt] = {}

    def send(sender: int) -> None:
        for n in range(40):
            record = b"%d/%d" % (sender, n)
            (told[record],) = writer.submit(one(record)).result(timeout=30)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    kept = {entry.index: entry.records[0] for entry in ledger.entries()}
    assert {receipt.index: record for record, receipt in told.items()} == kept
    assert writer.size == len(told) == 320


def test_event_loop_is_woken_once_for_a_whole_group(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowLedger()
    writer = GroupCommit(slow)  # type: ignore[arg-type]

    async def send() -> tuple[list[int], int]:
        loop, wakes = asyncio.get_running_loop(), []
        wake = loop.call_soon_threadsafe
        futures = [writer.submit_async(one(b"first"))]
        slow.entered.acquire()
        futures += [writer.submit_async(one(b"%d" % n)) for n in range(50)]
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *call: (wakes.append(call), wake(*call)))
        slow.go.release(2)
        told = await asyncio.gather(*futures)
        return [receipts[0].index for receipts in told], len(wakes)

    indexes, wakes = asyncio.run(send())
    assert (indexes, wakes) == (list(range(51)), 2)
    assert [len(group) for group in slow.groups] == [1, 50]
    writer.close()


def test_full_queue_refuses_at_once_and_takes_again_when_written() -> None:
    slow = SlowLedger()
    writer = GroupCommit(slow, capacity_records=3)  # type: ignore[arg-type]
    taken = [writer.submit(one(b"%d" % n)) for n in range(3)]
    with pytest.raises(QueueFullError):
        writer.submit(one(b"too much"))
    assert writer.waiting == 3
    slow.go.release(3)
    for future in taken:
        future.result(timeout=30)
    slow.go.release()
    assert writer.submit(one(b"again")).result(timeout=30)[0].index == 3
    writer.close()


def test_bytes_are_bounded_but_a_single_large_submission_passes() -> None:
    slow = SlowLedger()
    writer = GroupCommit(slow, capacity_bytes=10)  # type: ignore[arg-type]
    large = writer.submit(one(bytes(100)))
    with pytest.raises(QueueFullError):
        writer.submit(one(b"x"))
    slow.go.release()
    assert large.result(timeout=30)
    writer.close()


@pytest.mark.parametrize("error", [LedgerUnavailableError("disk full"), ValueError("a bug")])
def test_failed_append_fails_its_waiters_and_only_them(error: Exception) -> None:
    slow = SlowLedger(None, error)
    writer = GroupCommit(slow)  # type: ignore[arg-type]
    first = writer.submit(one(b"first"))
    slow.entered.acquire()
    second, third = writer.submit(one(b"second")), writer.submit(one(b"third"))
    slow.go.release(2)
    assert first.result(timeout=30)[0].index == 0
    for failed in (second, third):
        with pytest.raises(LedgerUnavailableError):
            failed.result(timeout=30)
    slow.go.release()
    assert writer.submit(one(b"fourth")).result(timeout=30)
    writer.close()


def test_failed_append_reaches_an_event_loop() -> None:
    slow = SlowLedger(LedgerUnavailableError("disk full"))
    slow.go.release()
    writer = GroupCommit(slow)  # type: ignore[arg-type]

    async def send() -> None:
        await writer.submit_async(one(b"a"))

    with pytest.raises(LedgerUnavailableError, match="disk full"):
        asyncio.run(send())
    writer.close()


def test_close_writes_what_waits_and_refuses_what_comes_after() -> None:
    slow = SlowLedger()
    writer = GroupCommit(slow)  # type: ignore[arg-type]
    taken = [writer.submit(one(b"%d" % n)) for n in range(20)]
    slow.go.release(20)
    writer.close()
    assert [future.result(timeout=0)[0].index for future in taken] == list(range(20))
    with pytest.raises(LedgerUnavailableError, match="shutting down"):
        writer.submit(one(b"late"))
    writer.close()


def test_commit_is_told_with_the_size_before_the_waiters_hear_of_it(ledger: SQLiteLedger) -> None:
    told: list[object] = []
    writer = GroupCommit(ledger, on_commit=told.append)
    done = threading.Event()
    writer.submit_with(one(b"a"), lambda outcome: (told.append(outcome), done.set()))
    assert done.wait(30)
    writer.close()
    assert told[0] == 1
    assert isinstance(told[1], list)


def test_failing_listener_and_callback_harm_no_one(ledger: SQLiteLedger, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> None:
        raise ValueError("not mine")

    writer = GroupCommit(ledger, on_commit=fail)
    writer.submit_with(one(b"a"), fail)
    assert writer.submit(one(b"b")).result(timeout=30)
    writer.close()
    assert {record.message for record in caplog.records} == {
        "What listens to commits failed.",
        "A waiter failed to take its receipts.",
    }


def test_cancelled_waiter_does_not_take_the_record_back(ledger: SQLiteLedger) -> None:
    writer = GroupCommit(ledger)

    async def send() -> None:
        cancelled = writer.submit_async(one(b"a"))
        cancelled.cancel()
        await writer.submit_async(one(b"b"))

    asyncio.run(send())
    writer.close()
    assert [entry.records for entry in ledger.entries()] == [(b"a",), (b"b",)]


def test_group_is_no_larger_than_a_thousand_records() -> None:
    slow = SlowLedger()
    writer = GroupCommit(slow)  # type: ignore[arg-type]
    writer.submit(one(b"first"))
    slow.entered.acquire()
    taken = [writer.submit(one(b"%d" % n)) for n in range(1500)]
    slow.go.release(3)
    assert [future.result(timeout=30)[0].index for future in taken] == list(range(1, 1501))
    assert [len(group) for group in slow.groups] == [1, 1000, 500]
    writer.close()
