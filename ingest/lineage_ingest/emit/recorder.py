"""Records predictions from a serving path: batches, sent by a thread of its own, which never hold up or break what
serves.

::

    with PredictionRecorder("http://127.0.0.1:8000", ("ml", "scoring"), run=rollout, model=model) as recorder:
        recorder.record("request-1", input=features, output=answer)
"""

from __future__ import annotations

import atexit
import logging
import os
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

import httpx

from lineage_ingest.emit.canonical import hash_value
from lineage_ingest.emit.clock import CLOCK
from lineage_ingest.emit.dataset import Dataset
from lineage_ingest.emit.errors import DeliveryError
from lineage_ingest.emit.prediction import Prediction, encode_prediction
from lineage_ingest.emit.prediction_sender import Outcome, connect, send_batch
from lineage_ingest.emit.run import Run

log = logging.getLogger(__name__)

FIRST_BACKOFF = 0.25
LONGEST_BACKOFF = 30.0


@dataclass(frozen=True, slots=True)
class RecorderCounts:
    """Predictions: recorded = sent + refused + dropped + pending."""

    recorded: int = 0
    sent: int = 0
    refused: int = 0
    dropped: int = 0
    pending: int = 0


class PredictionRecorder:
    """Takes prediction records at any rate from any thread, and sends them to ``POST /api/v1/predictions``.

    A batch leaves when ``batch`` records wait, or the oldest has waited ``interval`` seconds. While the server is
    away the same bytes are tried again (duplicates are known as such), and up to ``capacity`` records wait; what
    comes beyond is dropped, counted and logged. With ``strict``, :meth:`record` and :meth:`close` raise DeliveryError
    for that instead. ``interval`` and ``timeout`` (of one request) are in seconds. Raises ValueError for what is no
    URL. A recorder made before a fork works in the child too; what waited in the parent stays the parent's.
    """

    def __init__(
        self,
        url: str,
        deployment: tuple[str, str],
        *,
        run: Run | str | None = None,
        model: Dataset | None = None,
        batch: int = 500,
        interval: float = 1.0,
        capacity: int = 50_000,
        api_key: str | None = None,
        timeout: float = 5.0,
        strict: bool = False,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if httpx.URL(url).scheme not in ("http", "https"):
            msg = f"{url!r} is no http or https URL."
            raise ValueError(msg)
        self._deployment = deployment
        self._run = run.run_id if isinstance(run, Run) else run
        self._model = model
        self._batch, self._interval, self._capacity, self._strict = batch, interval, capacity, strict
        self._timeout = timeout
        self._connect = partial(connect, url, api_key=api_key, timeout=timeout, transport=transport)
        self._forget()
        atexit.register(self.close)

    def _forget(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._queue: deque[bytes] = deque()
        self._oldest = 0.0
        self._in_flight = 0
        self._flushing = 0
        self._deadline: float | None = None
        self._recorded = self._sent = self._refused = self._dropped = 0

    @property
    def counts(self) -> RecorderCounts:
        """How it went so far."""
        with self._changed:
            pending = len(self._queue) + self._in_flight
            return RecorderCounts(self._recorded, self._sent, self._refused, self._dropped, pending)

    def record(
        self,
        prediction_id: str | None = None,
        *,
        input: object = None,
        output: object = None,
        input_hash: str | None = None,
        output_hash: str | None = None,
        at: datetime | None = None,
        model: Dataset | None = None,
    ) -> str:
        """Record one prediction and return its id, which is made up if there is none.

        Of ``input`` and ``output`` only the hash is kept, made here
        (:func:`lineage_ingest.emit.canonical.hash_value`); ``at`` is now by default. Raises DeliveryError, only if
        strict, when the queue is full or the recorder closed.
        """
        if self._process != os.getpid():
            self._forget()
        prediction = Prediction(
            id=prediction_id or str(uuid.uuid4()),
            time=at or CLOCK.now(),
            deployment=self._deployment,
            run=self._run,
            model=model or self._model,
            input_hash=input_hash or self._hash(input),
            output_hash=output_hash or self._hash(output),
        )
        self._put(encode_prediction(prediction))
        return prediction.id

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until what was recorded before is sent or refused, for ``timeout`` seconds at most; whether it was."""
        with self._changed:
            target = self._recorded
            self._flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._settled() >= target, timeout)
            finally:
                self._flushing -= 1

    def close(self, timeout: float = 5.0) -> None:
        """Send what waits, for ``timeout`` seconds at most, drop the rest, and say so. Raises DeliveryError, only if
        strict."""
        atexit.unregister(self.close)
        if self._process != os.getpid():
            return
        with self._changed:
            if self._deadline is not None:
                return
            self._deadline = time.monotonic() + timeout
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout + self._timeout)
        counts = self.counts
        lost = counts.dropped + counts.pending
        if counts.refused or lost:
            msg = f"Of {counts.recorded} predictions {counts.refused} were refused and {lost} did not reach the server."
            log.error(msg)
            if self._strict:
                raise DeliveryError(msg)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hash(self, value: object) -> str | None:
        if value is None:
            return None
        try:
            return hash_value(value)
        except (TypeError, ValueError) as error:
            if self._strict:
                raise
            log.warning("A prediction is recorded without a hash: %s", error)
            return None

    def _settled(self) -> int:
        return self._sent + self._refused + self._dropped

    def _put(self, record: bytes) -> None:
        with self._changed:
            self._recorded += 1
            if self._deadline is not None or len(self._queue) + self._in_flight >= self._capacity:
                self._drop(1, "the recorder is closed" if self._deadline is not None else "the queue is full")
                return
            if not self._queue:
                self._oldest = time.monotonic()
            self._queue.append(record)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="lineage-predictions", daemon=True)
                self._thread.start()
            if len(self._queue) in (1, self._batch):
                self._changed.notify_all()

    def _drop(self, count: int, why: str) -> None:
        self._dropped += count
        if self._strict:
            msg = f"A prediction is lost: {why}."
            raise DeliveryError(msg)
        if self._dropped.bit_count() == 1:
            log.warning("%d predictions are dropped by now: %s.", self._dropped, why)

    def _work(self) -> None:
        try:
            self._send_all()
        except Exception:
            log.exception("Sending predictions failed in a way that was not foreseen; the next record starts it anew.")
            with self._changed:
                self._dropped += self._in_flight
                self._in_flight = 0
                self._thread = None
                self._changed.notify_all()

    def _send_all(self) -> None:
        failures = 0
        with self._connect() as client:
            while batch := self._take():
                outcome = send_batch(client, batch)
                failures = failures + 1 if outcome.again else 0
                if not self._settle(outcome, failures):
                    return

    def _take(self) -> list[bytes]:
        with self._changed:
            while not self._is_due():
                if self._deadline is not None and not self._queue:
                    return []
                wait = self._oldest + self._interval - time.monotonic() if self._queue else None
                self._changed.wait(wait)
            batch = [self._queue.popleft() for _ in range(min(self._batch, len(self._queue)))]
            self._in_flight = len(batch)
            self._oldest = time.monotonic()
            return batch

    def _is_due(self) -> bool:
        if not self._queue:
            return False
        hurried = self._flushing or self._deadline is not None or len(self._queue) >= self._batch
        return bool(hurried) or time.monotonic() >= self._oldest + self._interval

    def _settle(self, outcome: Outcome, failures: int) -> bool:
        """Count, put back what is to be sent again, and rest before that; whether to go on."""
        with self._changed:
            self._in_flight = 0
            self._sent += outcome.taken
            self._refused += outcome.refused
            self._queue.extendleft(reversed(outcome.again))
            if outcome.refused:
                log.error("The server refused %d predictions: %s", outcome.refused, outcome.reason)
            self._changed.notify_all()
            if outcome.again:
                log.log(logging.WARNING if failures == 1 else logging.DEBUG, "Predictions wait: %s", outcome.reason)
                self._rest(backoff(failures) if outcome.wait is None else outcome.wait)
            if self._deadline is None or time.monotonic() < self._deadline:
                return True
            self._dropped += len(self._queue)
            self._queue.clear()
            self._changed.notify_all()
            return False

    def _rest(self, seconds: float) -> None:
        if self._deadline is None:
            # Closing wakes it, for one more attempt at once.
            self._changed.wait_for(lambda: self._deadline is not None, seconds)
            return
        until = min(time.monotonic() + seconds, self._deadline)
        self._changed.wait_for(lambda: time.monotonic() >= until, max(until - time.monotonic(), 0.0))


def backoff(failures: int) -> float:
    """Seconds before the next attempt: doubling from 0.25 to 30, with jitter down to a half."""
    longest = min(FIRST_BACKOFF * 2.0 ** min(failures - 1, 20), LONGEST_BACKOFF)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
