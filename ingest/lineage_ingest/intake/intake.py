"""Records in over HTTP: read, check, hand on, and answer when they are durable."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from starlette.types import Receive, Scope, Send

from lineage.errors import LedgerUnavailableError, LineageError, RefusedError
from lineage.ledger import EntryKind, Envelope, Receipt, Submission
from lineage_ingest.intake.answers import CLOSE, Answer, json_answer, problem, send_answer
from lineage_ingest.intake.body import Body, Budget, DisconnectedError
from lineage_ingest.intake.guard import sender_of
from lineage_ingest.intake.health import LedgerHealth
from lineage_ingest.intake.metrics import IntakeMetrics
from lineage_ingest.intake.receipts import describe, describe_batch
from lineage_ingest.intake.records import Batch, Record, check_batch, check_single, is_batch
from lineage_ingest.intake.rejected import RejectedLog, Rejection

INLINE_CHECK = 256 << 10
"""Bytes up to which one record is checked on the event loop; larger ones, and batches, take one of two threads."""

KEPT_OF_BATCH = 100
"""Refused elements that are kept of one batch, so that one bad batch does not push out all that was kept before."""

_MAX_CONTENT_TYPE = 200
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Writer(Protocol):
    """What makes submissions durable: :class:`lineage.ledger.writer.GroupCommit`."""

    def submit_async(self, submission: Submission) -> asyncio.Future[list[Receipt]]:
        """Queue a submission; the running loop's future has its receipts once they are durable.

        Raises QueueFullError, LedgerUnavailableError; the future raises LedgerUnavailableError.
        """


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What one request may cost. Sizes in bytes (as sent, and decompressed), times in seconds."""

    event_bytes: int = 32 << 20
    batch_bytes: int = 32 << 20
    batch_records: int = 10_000
    inflight_bytes: int = 256 << 20
    body_timeout: float = 60.0
    acknowledge_timeout: float = 4.5
    feed_wait: float = 60.0
    feed_limit: int = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """One address that takes records: ``single`` one, ``batch`` several, by how the body looks where both may come."""

    kind: EntryKind
    single: bool
    batch: bool


LINEAGE = Target("lineage", single=True, batch=False)
LINEAGE_BATCH = Target("lineage", single=False, batch=True)
PREDICTIONS = Target("predictions", single=True, batch=True)


class Intake:
    """Takes records from requests to the ledger's writer. Lives on one event loop."""

    def __init__(
        self,
        writer: Writer,
        rejected: RejectedLog,
        metrics: IntakeMetrics,
        health: LedgerHealth,
        limits: IntakeLimits = IntakeLimits(),
    ) -> None:
        self._writer = writer
        self._rejected = rejected
        self._metrics = metrics
        self._health = health
        self._limits = limits
        self._budget = Budget(limits.inflight_bytes)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="intake")

    @property
    def inflight_bytes(self) -> int:
        """Bytes of bodies that are in memory now."""
        return self._budget.used

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False)

    async def take(self, target: Target, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST of records (ASGI)."""
        body = Body(scope, self._budget)
        try:
            answer = await self._answer(target, scope, receive, body)
        except DisconnectedError:
            return
        except LineageError as error:
            answer = self._refuse(error, scope, body)
        except Exception as error:
            _LOG.exception("A record could not be taken because of a fault of the server.")
            answer = self._refuse(LineageError(f"The server failed: {type(error).__name__}."), scope, body)
        finally:
            body.release()
        await send_answer(send, answer)

    async def _answer(self, target: Target, scope: Scope, receive: Receive, body: Body) -> Answer:
        limits = self._limits
        limit = limits.batch_bytes if target.batch else limits.event_bytes
        data = await body.read(receive, limit, limits.body_timeout, self._threads)
        if target.batch and (not target.single or is_batch(data, body.content_type)):
            return await self._take_batch(target.kind, data, scope, body)
        if len(data) <= INLINE_CHECK:
            parsed = check_single(target.kind, data, body.content_type)
        else:
            parsed = await self._in_thread(check_single, target.kind, data, body.content_type)
        receipts = await self._commit(target.kind, (data,), (parsed,), scope, body)
        receipt = receipts[0]
        return json_answer(200 if receipt.duplicate else 201, describe(receipt, parsed.warnings))

    async def _take_batch(self, kind: EntryKind, data: bytes, scope: Scope, body: Body) -> Answer:
        limits = self._limits
        batch = await self._in_thread(
            check_batch, kind, data, body.content_type, limits.batch_records, limits.event_bytes
        )
        receipts = await self._commit(kind, batch.records, batch.parsed, scope, body) if batch.records else []
        return await self._in_thread(self._batch_answer, batch, receipts, scope, body)

    def _batch_answer(self, batch: Batch, receipts: list[Receipt], scope: Scope, body: Body) -> Answer:
        for refusal in batch.refusals:
            self._metrics.refused(refusal.error.code)
        for refusal in batch.refusals[:KEPT_OF_BATCH]:
            self._keep(refusal.error, scope, body, refusal.record, len(refusal.record), refusal.element)
        return json_answer(200, describe_batch(batch, receipts))

    async def _in_thread(self, work: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def _commit(
        self, kind: EntryKind, records: tuple[bytes, ...], parsed: tuple[Record, ...], scope: Scope, body: Body
    ) -> list[Receipt]:
        envelope = _envelope(sender_of(scope).name, body.content_type)
        digests = tuple([record.hash for record in parsed])
        begun = time.perf_counter()
        try:
            receipts = await self._durable(Submission(kind, records, envelope, digests, parsed))
        except LedgerUnavailableError as error:
            self._health.failed(error)
            raise
        self._health.succeeded()
        duplicates = sum(receipt.duplicate for receipt in receipts)
        self._metrics.committed(kind, len(receipts) - duplicates, duplicates, time.perf_counter() - begun)
        return receipts

    async def _durable(self, submission: Submission) -> list[Receipt]:
        written = self._writer.submit_async(submission)
        timeout = self._limits.acknowledge_timeout
        timer = asyncio.get_running_loop().call_later(timeout, _expire, written, timeout)
        try:
            return await written
        finally:
            timer.cancel()

    def _refuse(self, error: LineageError, scope: Scope, body: Body) -> Answer:
        self._metrics.refused(error.code)
        if isinstance(error, RefusedError) or error.status == 500:
            self._keep(error, scope, body, body.wire, body.size, None)
        return problem(error, headers=() if body.whole else CLOSE)

    def _keep(
        self,
        error: LineageError,
        scope: Scope,
        body: Body,
        record: bytes | bytearray,
        size: int,
        element: int | None,
    ) -> None:
        self._rejected.add(
            Rejection(
                time=time.time_ns() // 1000,
                code=error.code,
                reason=str(error),
                field=error.field,
                sender=sender_of(scope).name,
                target=scope["path"],
                content_type=body.content_type,
                element=element,
                size=size,
                body=bytes(record),
            )
        )


@lru_cache(maxsize=256)
def _envelope(sender: str | None, content_type: str | None) -> Envelope:
    return Envelope(sender, "http", content_type and content_type[:_MAX_CONTENT_TYPE], None)


def _expire(future: asyncio.Future[list[Receipt]], seconds: float) -> None:
    """End the wait for ``future``; the work goes on, and a record that is sent again is then a duplicate."""
    if not future.done():
        error = LedgerUnavailableError(f"The ledger did not confirm within {seconds:g} s.", hint="Send it again.")
        future.set_exception(error)
