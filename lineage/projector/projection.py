"""From the ledger's entries to the graph store and the prediction index, and what a crash or a restore needs.

Three things are written, each in a transaction of its own: predictions and the graph with every batch, the facts about
once a second, and every 5,000 events while a backlog is worked off. So the graph is never behind the facts; after a
crash it is ahead of them, and the fold takes the entries between the two again, whose changes the store has already.
Whatever else is found (a store that was replaced, another ledger, a ledger that was restored from a backup) is answered
by building everything anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from lineage.errors import BusyError, DataFolderError, UnavailableError
from lineage.fold.fold import Fold, Taken
from lineage.fold.store import FactStore, Table
from lineage.ledger import Ledger
from lineage.model import Changes
from lineage.predictions import Prediction
from lineage.projector.batches import Batch, Place, next_batch, read_batch
from lineage.projector.handover import Handover
from lineage.projector.seal import SEAL, seal
from lineage.store import GraphStore

Advance = Callable[[int, int], None]
"""Told (entries projected, entries to project) from time to time."""

_KEEP_SECONDS = 1.0
_KEEP_EVENTS = 5_000
_FEWER = "the ledger has fewer entries than were projected"
_NOT_OF_A_RECORD = (UnavailableError, BusyError, DataFolderError, MemoryError)
"""Errors that say nothing about a record: no record is passed over because of them."""

_log = logging.getLogger(__name__)


class Predictions(Protocol):
    """What the projector needs of a prediction index: :class:`lineage.predictions.sqlite.PredictionIndex`."""

    def watermark(self) -> int:
        """How many ledger entries it reflects."""

    def apply(self, records: Sequence[Prediction], watermark: int) -> None:
        """Write the records, each known by its place and counted once, and the watermark."""

    def clear(self) -> None:
        """Remove everything, watermark included."""


def _nothing() -> None:
    return None


class Projection:
    """Brings ``store`` and ``predictions`` up to date with ``ledger``.

    ``facts`` must be able to roll back. ``harden`` makes durable what ``store`` has committed; it is called before each
    commit of the facts, ``rest`` between two pieces of the fold's work. Any thread may call; one works at a time.
    """

    def __init__(
        self,
        ledger: Ledger,
        facts: FactStore,
        store: GraphStore,
        predictions: Predictions,
        *,
        harden: Callable[[], None] = _nothing,
        rest: Callable[[], None] = _nothing,
    ) -> None:
        self._ledger = ledger
        self._facts = facts
        self._fold = Fold(facts, rest=rest)
        self._store = store
        self._predictions = predictions
        self._harden = harden
        self._working = threading.RLock()
        self._aligned = False
        self._skipped: set[Place] = set()
        self._indexed = 0
        self._unkept = 0
        self._kept_at = time.monotonic()
        self.handover = Handover()
        """What is put here need not be read from the ledger."""
        self.reached = 0
        """How many ledger entries the store and the predictions reflect."""

    @property
    def skipped(self) -> int:
        """How many records were met that can't be parsed or folded."""
        return len(self._skipped)

    def step(self, until: int | None = None) -> bool:
        """Project the next batch of entries, of those before ``until``; False if none is left.

        Raises UnavailableError, BusyError or DataFolderError when a store is away; the next call then begins with
        finding out what was written.
        """
        with self._working:
            try:
                self._align()
                size = self._ledger.size()
                head = size if until is None else min(size, until)
                if self.reached >= head:
                    return False
                self._project(next_batch(self._ledger, self.handover, self.reached, head, self._skipped.add))
                is_time = self.reached >= head and time.monotonic() - self._kept_at >= _KEEP_SECONDS
                if is_time or self._unkept >= _KEEP_EVENTS:
                    self._keep(self.reached)
                return True
            except BaseException:
                self._aligned = False
                raise

    def catch_up(self, advance: Advance | None = None, until: int | None = None) -> None:
        """Project all that waits, of the entries before ``until``, and keep the facts. Raises as :meth:`step` does."""
        while self.step(until):
            if advance is not None:
                size = self._ledger.size()
                advance(self.reached, size if until is None else min(size, until))
        self.keep()

    def rebuild(self, advance: Advance | None = None) -> None:
        """Make everything anew from the ledger. Readers meanwhile see as much as is there."""
        with self._working:
            self._aligned = False
            self._predictions.clear()
            self._clear("it was asked for")
            self.catch_up(advance)

    def keep(self) -> None:
        """Commit the facts, unless they are committed."""
        with self._working:
            if self._aligned and self._unkept:
                try:
                    self._keep(self.reached)
                except BaseException:
                    self._aligned = False
                    raise

    # -- one batch

    def _project(self, batch: Batch) -> None:
        if batch.predictions and batch.end > self._indexed:
            self._predictions.apply(batch.predictions, batch.end)
            self._indexed = batch.end
        try:
            self._store.apply(self._fold.take(batch.events), batch.end)
        except _NOT_OF_A_RECORD:
            raise
        except Exception:
            _log.exception("Entries %d to %d are folded apart.", batch.start, batch.end - 1)
            self._fold.rollback()
            self._follow(batch.start)
            self._take_apart(batch.start, batch.events, lambda changes: self._store.apply(changes, batch.start))
            self._store.apply(Changes(), batch.end)
        self._unkept += max(1, len(batch.events))
        self.reached = batch.end

    def _take_apart(self, start: int, events: Sequence[Taken], show: Callable[[Changes], None]) -> None:
        """Fold, show and keep ``events`` save those that can't be: by halves, until these stand alone. The watermark
        stays, as taking an event again changes nothing."""
        try:
            show(self._fold.take(events))
        except _NOT_OF_A_RECORD:
            raise
        except Exception:
            self._fold.rollback()
            if len(events) > 1:
                half = len(events) // 2
                self._take_apart(start, events[:half], show)
                self._take_apart(start, events[half:], show)
            else:
                index, position, _ = events[0]
                _log.exception("Record %d of entry %d can't be folded and is passed over.", position, index)
                self._skipped.add((index, position))
        else:
            self._keep(start)

    def _keep(self, size: int) -> None:
        """Commit the facts as those of the first ``size`` entries, which the store has."""
        self._harden()
        self._facts.put(Table.ROWS, SEAL, seal(self._ledger, size))
        self._fold.commit(size)
        if self._indexed < size:
            self._predictions.apply((), size)
            self._indexed = size
        self._unkept = 0
        self._kept_at = time.monotonic()

    # -- what was there before

    def _align(self) -> None:
        """Make facts, graph and predictions reflect the same entries of this ledger."""
        if self._aligned:
            return
        self._fold.rollback()
        kept, shown, self._indexed = self._facts.watermark(), self._store.watermark(), self._predictions.watermark()
        head = self._ledger.size()
        fault = self._foreign(kept, head)
        if fault is None and max(shown, self._indexed) > head:
            fault = _FEWER
        if fault is not None:
            self._predictions.clear()
            self._clear(fault)
        elif shown < kept:
            self._clear("the graph store is behind the facts")
        self._indexed = self._predictions.watermark()
        self.reached = self._store.watermark()
        # Predictions first: keeping facts says that the predictions before them are there.
        self._index(self.reached)
        self._follow(self.reached)
        self._aligned = True

    def _foreign(self, kept: int, head: int) -> str | None:
        """Why the facts are not those of this ledger's first entries, or None."""
        sealed = self._facts.get(Table.ROWS, SEAL)
        if sealed is None:
            return "there are no facts"
        if kept > head:
            return _FEWER
        return None if sealed == seal(self._ledger, kept) else "it was made from another ledger, or by other rules"

    def _clear(self, why: str) -> None:
        """Empty graph and facts, in this order: a graph behind its facts is noticed, one without is too."""
        if self._store.watermark() or self._facts.watermark():
            _log.warning("The graph is built anew from the ledger: %s.", why)
        self._store.clear()
        self._facts.clear()
        self._fold.rollback()
        self._facts.put(Table.ROWS, SEAL, seal(self._ledger, 0))
        self._fold.commit(0)
        self.reached = 0

    def _follow(self, shown: int) -> None:
        """Bring the facts to the entry that the store has reached. The store has the changes: a graph is a function of
        the set of events."""
        while (kept := self._facts.watermark()) < shown:
            batch = read_batch(self._ledger, kept, shown, self._skipped.add)
            try:
                self._fold.take(batch.events)
            except _NOT_OF_A_RECORD:
                raise
            except Exception:
                _log.exception("Entries %d to %d are folded apart.", batch.start, batch.end - 1)
                self._fold.rollback()
                self._take_apart(batch.start, batch.events, lambda _: None)
            self._keep(batch.end)

    def _index(self, shown: int) -> None:
        """Bring the predictions to the entry that the store has reached."""
        while self._indexed < shown:
            batch = read_batch(self._ledger, self._indexed, shown, self._skipped.add)
            self._predictions.apply(batch.predictions, batch.end)
            self._indexed = batch.end
