"""The projector as a thread: woken by commits, patient with stores that are away, asked by those who wait for it."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lineage.fold.store import FactStore
from lineage.ledger import Ledger, Receipt, Submission
from lineage.projector.apart import FactsApart
from lineage.projector.batches import BATCH_RECORDS, Predictions
from lineage.projector.niceness import give_precedence
from lineage.projector.projection import KEEP_SECONDS, Projection
from lineage.projector.renewal import Advance
from lineage.projector.trouble import Trouble
from lineage.proof.leaf import decode
from lineage.store import GraphStore

_FIRST_RETRY = 0.1
_LONGEST_RETRY = 5.0
_SOONEST_RETRY = 0.5
"""Before this time no question has what failed tried again."""
_RETRY_WAIT = 0.3
"""A question waits so long for what comes of a try that it caused."""
_IDLE_SECONDS = 0.2
"""After so long without an entry the facts are kept too."""
_LOOK_SECONDS = 5.0
"""How often a projector that has nothing to do looks whether its store is there still."""

_GATHER_SECONDS = 0.1
"""From the start of one batch to that of the next: what comes meanwhile is projected together, as the start of a run
and its end cost little more than one of them. Whoever asks does not wait for it."""
_GATHER_ENTRIES = 500
_LAST_SECONDS = 10.0
"""After its time a projection gets so long to come to the end of a step."""
_PIECE_SECONDS = 0.0002


def _never() -> bool:
    return False


class Projector:
    """Keeps ``store`` and ``predictions`` up to date with ``ledger``, from :meth:`start` to :meth:`stop`.

    See :class:`lineage.projector.projection.Projection` for ``facts`` and all that has a default. A batch is what came
    within 100 ms, or less if somebody waits for it. While a store is away it tries again after 0.1 to 5 s, or when
    somebody asks, and nothing is lost: the ledger has it all.
    """

    def __init__(
        self,
        ledger: Ledger,
        facts: FactStore | FactsApart,
        store: GraphStore,
        predictions: Predictions,
        *,
        kind: str = "",
        batch_records: int = BATCH_RECORDS,
        keep_seconds: float = KEEP_SECONDS,
        scratch: Path | None = None,
    ) -> None:
        self._ledger = ledger
        self._facts = facts
        self._store = store
        self._projection = Projection(
            ledger,
            facts,
            store,
            predictions,
            rest=self._rest,
            kind=kind,
            batch_records=batch_records,
            keep_seconds=keep_seconds,
            scratch=scratch,
        )
        self._trouble = Trouble()
        self._failed_at = 0.0
        self._looked_at = 0.0
        self._failures = 0
        self._asked = False
        self._others_wait: Callable[[], bool] = _never
        self._rested = 0.0
        self._changed = threading.Condition()
        self._told = 0
        self._wanted = 0
        self._reached = 0
        self._stopping = False
        self._give_up_at: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def reached(self) -> int:
        """How many ledger entries the store reflects."""
        return self._reached

    @property
    def skipped(self) -> int:
        """How many records were met that can't be parsed or folded."""
        return self._projection.skipped

    @property
    def trouble(self) -> str | None:
        """Why the projection stands still, and what to do; None when it goes on."""
        return self._trouble.sentence

    def start(self) -> None:
        """Project in a thread of its own until :meth:`stop`."""
        self._thread = threading.Thread(target=self._run_with_low_priority, name="projector", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Project what the ledger holds now, for ``timeout`` seconds at most, and end the thread. What is left is
        projected by the next start. A store that then goes on waiting for others is closed, and a process that goes on
        folding is ended."""
        with self._changed:
            self._stopping = True
            self._give_up_at = time.monotonic() + timeout
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout + _LAST_SECONDS)
            if self._thread.is_alive():
                self._store.close()
                if isinstance(self._facts, FactsApart):
                    self._facts.process.kill()
            self._thread.join()
            self._thread = None
        self._projection.close()

    def hand_over(self, submission: Submission, receipts: Sequence[Receipt]) -> None:
        """Take what a submission that is durable now says, if it tells; call it before :meth:`wake`."""
        self._projection.handover.put(submission, receipts)

    def give_way(self, others_wait: Callable[[], bool]) -> None:
        """Let go of the interpreter between two pieces of work while ``others_wait``, every 0.2 ms: where the fold is
        in this process, and in renewals.

        A thread that wants it would have to ask for it for half a millisecond each time, and the thread that appends
        to the ledger wants it ten times for each group: that took a fifth of the intake's rate. The projection gets it
        back when it has asked for as long.
        """
        self._others_wait = others_wait

    def _rest(self) -> None:
        if self._others_wait() and time.monotonic() - self._rested >= _PIECE_SECONDS:
            time.sleep(0)
            self._rested = time.monotonic()

    def wake(self, size: int) -> None:
        """The ledger now has ``size`` entries."""
        with self._changed:
            self._told = max(self._told, size)
            self._changed.notify_all()

    def wait_for(self, size: int, timeout: float) -> bool:
        """Wait until the store reflects the ledger's first ``size`` entries; False if it does not within ``timeout``
        seconds, or at once if the projection stands still (:attr:`trouble`). It is then tried again, soon."""
        if self._reached >= size:
            return True
        deadline = time.monotonic() + timeout
        known = min(size, self._ledger.size())
        with self._changed:
            self._wanted = max(self._wanted, known)
            self._told = max(self._told, known)
            self._asked = True
            self._changed.notify_all()
            if self._trouble.sentence is not None and not self._is_mended(timeout):
                return False
            self._changed.wait_for(
                lambda: self._reached >= size or self._trouble.sentence is not None, deadline - time.monotonic()
            )
            return self._reached >= size

    def is_near(self, size: int, seconds: float) -> bool:
        """Whether it is worth while to wait so long until the store reflects the ledger's first ``size`` entries; see
        :meth:`lineage.projector.projection.Projection.is_near`. If the projection stands still, whoever waits is told
        at once."""
        return self._trouble.sentence is not None or self._projection.is_near(size, seconds)

    def _is_mended(self, timeout: float) -> bool:
        """Whether a try that is due by now, or has begun, comes to something within a moment."""
        failures = self._failures
        if time.monotonic() - self._failed_at >= _SOONEST_RETRY:
            self._changed.wait_for(
                lambda: self._trouble.sentence is None or self._failures > failures, min(timeout, _RETRY_WAIT)
            )
        return self._trouble.sentence is None

    def behind(self) -> int:
        """How many ledger entries are not projected yet."""
        return max(0, self._ledger.size() - self._reached)

    def lag_seconds(self) -> float:
        """How long ago the oldest entry that is not projected was received; 0 if there is none."""
        reached = self._reached
        if reached >= self._ledger.size():
            return 0.0
        return max(0.0, time.time() - decode(self._ledger.leaf(reached)).received / 1e6)

    def catch_up(self, advance: Advance | None = None) -> None:
        """Project all that waits in the calling thread. Raises UnavailableError, BusyError, DataFolderError."""
        try:
            self._projection.catch_up(advance)
        finally:
            self._publish()

    def rebuild(self, advance: Advance | None = None) -> None:
        """Make everything anew from the ledger in the calling thread; a question meanwhile sees what is there."""
        try:
            self._projection.rebuild(advance)
        finally:
            self._publish()

    def _run_with_low_priority(self) -> None:
        # Only Linux has a niceness for each thread; elsewhere this would be that of the whole process.
        if sys.platform == "linux":
            give_precedence(threading.get_native_id())
        self.run()

    def run(self) -> None:
        """Project in the calling thread until :meth:`stop`."""
        retry = _FIRST_RETRY
        while True:
            try:
                while not self._given_up():
                    begun, seen = time.monotonic(), self._ledger.size()
                    if not self._projection.step():
                        break
                    self._publish(goes_on=True)
                    if self._reached >= seen:
                        self._gather(begun)
                self._publish(goes_on=True)
                if not self._wait() or self._stopping:
                    self._tend()
                retry = _FIRST_RETRY
                if self._stopping and (self._given_up() or not self.behind()):
                    return
            except Exception as error:
                self._failed(error)
                if self._stopping:
                    return
                self._pause(retry * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                retry = min(retry * 2, _LONGEST_RETRY)

    def _tend(self) -> None:
        """Nothing waits: keep the facts, and look after the store."""
        self._projection.keep()
        if time.monotonic() - self._looked_at >= _LOOK_SECONDS and not self._stopping:
            self._looked_at = time.monotonic()
            self._projection.look()

    def _gather(self, begun: float) -> None:
        """Let entries come together since ``begun``, unless enough have, or somebody waits for them. Never while a
        backlog is worked off."""

        def is_due() -> bool:
            return self._stopping or self._wanted > self._reached or self._told - self._reached >= _GATHER_ENTRIES

        with self._changed:
            self._changed.wait_for(is_due, begun + _GATHER_SECONDS - time.monotonic())

    def _wait(self) -> bool:
        """Wait for the next entry; False if none came for a while."""
        with self._changed:
            return self._changed.wait_for(lambda: self._told > self._reached or self._stopping, _IDLE_SECONDS)

    def _pause(self, seconds: float) -> None:
        """Wait before what failed is tried again: less if somebody asks, and no less than that allows."""
        first = min(seconds, _SOONEST_RETRY)
        with self._changed:
            if not self._changed.wait_for(lambda: self._stopping, first):
                self._changed.wait_for(lambda: self._stopping or self._asked, seconds - first)

    def _failed(self, error: Exception) -> None:
        self._publish()
        self._trouble.met(error, self._projection.reached)
        with self._changed:
            self._failed_at = time.monotonic()
            self._failures += 1
            self._asked = False
            self._changed.notify_all()

    def _given_up(self) -> bool:
        return self._give_up_at is not None and time.monotonic() > self._give_up_at

    def _publish(self, *, goes_on: bool = False) -> None:
        if goes_on:
            self._trouble.over()
        with self._changed:
            self._reached = self._projection.reached
            self._changed.notify_all()
