"""Group commit: one thread appends what many requests wait for, so that they share one transaction and one sync.

A submission that was taken is answered, always: with its receipts once they are durable, or with an error. How much
may wait is bounded, in records and in bytes; past that a submission is refused at once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from lineage.errors import LedgerUnavailableError, QueueFullError
from lineage.ledger import Ledger, Receipt, Submission

Receipts = list[Receipt]
Outcome = Receipts | LedgerUnavailableError
Callback = Callable[[Outcome], None]
"""Called once, on the writing thread: it must be quick and must not raise."""

_GROUP_RECORDS = 1000
_GROUP_BYTES = 8 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A submission, and who waits for it: a callback, or a future of an event loop."""

    submission: Submission
    bytes: int
    callback: Callback | None = None
    loop: asyncio.AbstractEventLoop | None = None
    future: asyncio.Future[Receipts] | None = None


@dataclass(slots=True)
class _Load:
    """What waits or is being written."""

    records: int = 0
    bytes: int = 0

    def add(self, waiting: _Waiting, sign: int = 1) -> None:
        self.records += sign * len(waiting.submission.records)
        self.bytes += sign * waiting.bytes


class GroupCommit:
    """The queue before a ledger, and the one thread that appends to it.

    At most ``capacity_records`` records and ``capacity_bytes`` bytes wait or are being written; a single larger
    submission is taken when nothing else is there. After each commit, before its waiters hear of it, the writing
    thread calls ``hand_over`` for each submission with its receipts, and ``on_commit`` with the ledger's new size.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        capacity_records: int = 10_000,
        capacity_bytes: int = 64 * 1024 * 1024,
        on_commit: Callable[[int], None] | None = None,
        hand_over: Callable[[Submission, Receipts], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._capacity = _Load(capacity_records, capacity_bytes)
        self._on_commit = on_commit
        self._hand_over = hand_over
        self._queue: deque[_Waiting] = deque()
        self._load = _Load()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    @property
    def size(self) -> int:
        """The number of entries in the ledger."""
        return self._ledger.size()

    @property
    def waiting(self) -> int:
        """The number of records that wait or are being written."""
        return self._load.records

    def submit_with(self, submission: Submission, callback: Callback) -> None:
        """Queue a submission; ``callback`` gets its receipts or the error. Raises as :meth:`submit` does."""
        self._put(_Waiting(submission, _bytes(submission), callback=callback))

    def submit(self, submission: Submission) -> Future[Receipts]:
        """Queue a submission; the future gives its receipts, or raises LedgerUnavailableError.

        Raises QueueFullError when too much waits already, LedgerUnavailableError after :meth:`close`.
        """
        future: Future[Receipts] = Future()
        future.set_running_or_notify_cancel()

        def settle(outcome: Outcome) -> None:
            if isinstance(outcome, LedgerUnavailableError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.submit_with(submission, settle)
        return future

    def submit_async(self, submission: Submission) -> asyncio.Future[Receipts]:
        """As :meth:`submit`, for the running event loop; cancelling the future does not take the submission back."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipts] = loop.create_future()
        self._put(_Waiting(submission, _bytes(submission), loop=loop, future=future))
        return future

    def close(self) -> None:
        """Take nothing more, write all that waits, end the thread. May be called twice; the ledger stays open."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _put(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._closing:
                raise LedgerUnavailableError("The server is shutting down.", hint="Send it again later.")
            if self._load.records and self._exceeds(waiting):
                raise QueueFullError("Too much waits to be written.", hint="Send it again later.")
            self._load.add(waiting)
            self._queue.append(waiting)
            if len(self._queue) == 1:
                self._changed.notify()

    def _exceeds(self, waiting: _Waiting) -> bool:
        records = self._load.records + len(waiting.submission.records)
        return records > self._capacity.records or self._load.bytes + waiting.bytes > self._capacity.bytes

    def _run(self) -> None:
        while group := self._next_group():
            outcomes = self._append([waiting.submission for waiting in group])
            with self._changed:
                for waiting in group:
                    self._load.add(waiting, -1)
            _deliver(group, outcomes)

    def _next_group(self) -> list[_Waiting]:
        """What waits now, or as much of it as one transaction should hold; empty at the end."""
        group: list[_Waiting] = []
        load = _Load()
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            while self._queue and load.records < _GROUP_RECORDS and load.bytes < _GROUP_BYTES:
                load.add(self._queue[0])
                group.append(self._queue.popleft())
        return group

    def _append(self, submissions: Sequence[Submission]) -> Sequence[Outcome]:
        try:
            receipts = self._ledger.append(submissions)
        except LedgerUnavailableError as error:
            return [error] * len(submissions)
        except Exception as error:
            _log.exception("The ledger failed to append %d submissions.", len(submissions))
            unavailable = LedgerUnavailableError(f"The ledger could not append: {error}")
            unavailable.__cause__ = error
            return [unavailable] * len(submissions)
        self._tell_commit(submissions, receipts)
        return receipts

    def _tell_commit(self, submissions: Sequence[Submission], receipts: Sequence[Receipts]) -> None:
        try:
            if self._hand_over is not None:
                for submission, its in zip(submissions, receipts, strict=True):
                    self._hand_over(submission, its)
            if self._on_commit is not None:
                self._on_commit(self._ledger.size())
        except Exception:
            _log.exception("What listens to commits failed.")


def _bytes(submission: Submission) -> int:
    return sum(map(len, submission.records))


def _deliver(group: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    """Tell each waiter; an event loop is woken once, however many of its futures are settled."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipts], Outcome]]] = {}
    for waiting, outcome in zip(group, outcomes, strict=True):
        if waiting.loop is not None and waiting.future is not None:
            by_loop.setdefault(waiting.loop, []).append((waiting.future, outcome))
        elif waiting.callback is not None:
            _call(waiting.callback, outcome)
    for loop, settled in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:
            _log.warning("An event loop was closed while %d of its submissions were being written.", len(settled))


def _call(callback: Callback, outcome: Outcome) -> None:
    try:
        callback(outcome)
    except Exception:
        _log.exception("A waiter failed to take its receipts.")


def _settle(outcomes: Sequence[tuple[asyncio.Future[Receipts], Outcome]]) -> None:
    """On the loop's own thread; a future that was cancelled meanwhile is left alone."""
    for future, outcome in outcomes:
        if future.done():
            continue
        if isinstance(outcome, LedgerUnavailableError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
