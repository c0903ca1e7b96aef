"""From the ledger's entries to the graph store and the prediction index, and what a crash or a restore needs.

Three things are written, each in a transaction of its own: predictions and the graph with every batch, the facts about
once a second, and every 5,000 events while a backlog is worked off. So the graph is never behind the facts; after a
crash it is ahead of them, and the fold takes the entries between the two again, whose changes the store has already.
Whatever else is found (a store that was replaced, another ledger, a ledger that was restored from a backup) is answered
by building everything anew: from nothing where the store removes its graph for that, else by difference
(:mod:`lineage.projector.renewal`). A graph at watermark 0 is one that such a renewal has not finished.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lineage.errors import DataFolderError
from lineage.event.parser import parse_event
from lineage.fold.fold import Fold
from lineage.fold.store import FactStore
from lineage.ledger import Ledger
from lineage.model import Changes
from lineage.projector.apart import FactsApart, FoldApart
from lineage.projector.batches import BATCH_RECORDS, Batch, Parse, Place, Predictions, Unfolded, next_batch, read_batch
from lineage.projector.handover import Handover
from lineage.projector.renewal import Advance, Renewal, is_empty, remove_leftovers, write_through
from lineage.projector.seal import FEWER, Seals
from lineage.projector.trouble import PASSING
from lineage.store import GraphStore

KEEP_SECONDS = 1.0
_KEEP_EVENTS = 5_000
_LARGE = 100
"""Events of a batch that says how fast the projection is: those of a small one take much longer each."""

_log = logging.getLogger(__name__)


def _weight(batch: Batch) -> int:
    """What ``batch`` counts for until the facts are kept."""
    return max(1, len(batch.events))


class Projection:
    """Brings ``store`` and ``predictions`` up to date with ``ledger``.

    ``facts`` must be able to roll back; with those of a :class:`~lineage.projector.apart.FactsApart` the fold is where
    they are. ``rest`` is called between two pieces of work, of the fold where it is here. ``kind`` names the
    store in the facts: those made along with another one count for nothing. A batch has ``batch_records`` records, or
    as many as its last entry has more; facts are kept every ``keep_seconds``. ``scratch`` is a folder of this
    projection's alone for what a renewal needs, by default the system's for temporary files. Any thread may call; one
    works at a time.
    """

    def __init__(
        self,
        ledger: Ledger,
        facts: FactStore | FactsApart,
        store: GraphStore,
        predictions: Predictions,
        *,
        rest: Callable[[], None] = lambda: None,
        kind: str = "",
        batch_records: int = BATCH_RECORDS,
        keep_seconds: float = KEEP_SECONDS,
        scratch: Path | None = None,
    ) -> None:
        self._ledger = ledger
        self._facts = facts
        self._fold: Fold | FoldApart
        self._parse: Parse
        if isinstance(facts, FactsApart):
            self._fold, self._parse = FoldApart(facts.process, lambda place: self._skipped.add(place)), bytes
        else:
            self._fold, self._parse = Fold(facts, rest=rest), parse_event
        self._store = store
        self._predictions = predictions
        self._rest = rest
        self._kind = kind
        self._seals = Seals(ledger, facts, kind)
        self._batch_records = batch_records
        self._keep_seconds = keep_seconds
        self._scratch = scratch
        self._working = threading.RLock()
        self._aligned = self._demanded = False
        self._renewal: Renewal | None = None
        self._known: int | None = ledger.size()
        self._skipped: set[Place] = set()
        self._begun: Batch | None = None
        self._indexed = 0
        self._unkept = 0
        self._entry_seconds = 0.0
        self._sure = 0
        self._kept_at = time.monotonic()
        self.handover = Handover(as_bytes=isinstance(facts, FactsApart))
        """What is put here need not be read from the ledger."""
        self.reached = 0
        """How many ledger entries the store and the predictions reflect."""
        remove_leftovers(scratch)

    @property
    def skipped(self) -> int:
        """How many records were met that can't be parsed or folded."""
        return len(self._skipped)

    def is_near(self, size: int, seconds: float) -> bool:
        """Whether the store can be expected to reflect the ledger's first ``size`` entries in so many seconds: if no
        more than a batch is missing, or as the last large batch went; until there was one, it can. Not while everything
        is made anew."""
        missing = size - self.reached
        near = missing <= self._batch_records or missing * self._entry_seconds <= seconds
        return near and self._renewal is None

    def step(self, until: int | None = None) -> bool:
        """Project the next batch of the entries before ``until``, or do a piece of a renewal; False if nothing is left.

        Raises UnavailableError, BusyError or DataFolderError when a store is away; the next call then begins with
        finding out what was written.
        """
        with self._working:
            try:
                self._align()
                head = self._head(until)
                if self._renewal is not None:
                    if not self._renewal.step(head):
                        self._end_renewal()
                        self._aligned = False
                        self._align()
                    return True
                if self.reached >= head:
                    return False
                batch, self._begun = self._begun or self._next_batch(self.reached, head), None
                self._project(batch, head if until is None else 0)
                is_time = self.reached >= head and time.monotonic() - self._kept_at >= self._keep_seconds
                if is_time or self._unkept >= _KEEP_EVENTS:
                    self._keep(self.reached)
                return True
            except BaseException as error:
                self._lose_track(error)
                raise

    def look(self) -> None:
        """Find out whether the store is there still, with what it was given: if not, the next step mends it. Raises as
        :meth:`step` does."""
        with self._working:
            if not self._aligned or self._renewal is not None:
                return
            try:
                self._aligned = self._store.watermark() == self.reached
            except BaseException as error:
                self._lose_track(error)
                raise

    def catch_up(self, advance: Advance | None = None, until: int | None = None) -> None:
        """Project all that waits, of the entries before ``until``, and keep the facts. Raises as :meth:`step` does."""
        while self.step(until):
            if advance is not None:
                advance(*(self._renewal.progress if self._renewal else (self.reached, self._head(until))))
        self.keep()

    def rebuild(self, advance: Advance | None = None) -> None:
        """Make everything anew from the ledger. Readers meanwhile see as much as is there, or the graph of before."""
        with self._working:
            self._aligned, self._demanded = False, True
            self.catch_up(advance)

    def keep(self) -> None:
        """Commit the facts, unless they are committed."""
        with self._working:
            if self._renewal is not None:
                self._renewal.keep()
            elif self._aligned and self._unkept:
                try:
                    if self._begun is not None:
                        batch, self._begun = self._begun, None
                        self._project(batch)
                    self._keep(self.reached)
                except BaseException as error:
                    self._lose_track(error)
                    raise

    def close(self) -> None:
        """Give up a renewal; the next projection begins it again."""
        with self._working:
            self._end_renewal()
            self._aligned = False

    def _lose_track(self, error: BaseException) -> None:
        """Find out anew what was written. A store may have been writing the batch before when it took the last one."""
        self._aligned = False
        if not isinstance(error, DataFolderError):  # which is a file's, and says nothing about such a store
            self.reached = min(self.reached, self._sure)

    def _head(self, until: int | None) -> int:
        size = self._ledger.size()
        return size if until is None else min(size, until)

    # -- one batch

    def _next_batch(self, start: int, head: int) -> Batch:
        skip, most = self._skipped.add, self._batch_records
        return next_batch(self._ledger, self.handover, start, head, skip, most, self._parse)

    def _begin_next(self, batch: Batch, head: int) -> None:
        """Have the batch after ``batch`` folded while that is written, where it can be: if a whole one waits, and the
        facts are not to be kept before, which are those of all that was folded."""
        is_whole = head - batch.end >= self._batch_records
        if is_whole and isinstance(self._fold, FoldApart) and self._unkept + _weight(batch) < _KEEP_EVENTS:
            try:
                begun = self._next_batch(batch.end, head)
            except PASSING:
                return  # the next step meets it again, when this batch is written
            self._fold.begin(begun.events)
            self._begun = begun

    def _project(self, batch: Batch, head: int = 0) -> None:
        """Fold and write a batch; of what follows, up to ``head``, the next may be begun."""
        begun = time.monotonic()
        if batch.predictions and batch.end > self._indexed:
            self._predictions.apply(batch.predictions, batch.end)
            self._indexed = batch.end
        try:
            changes = self._fold.take(batch.events)
            self._begin_next(batch, head)
            self._store.apply(changes, batch.end)
            self._sure = batch.start
        except PASSING:
            raise
        except Exception:
            _log.exception("Entries %d to %d are folded apart.", batch.start, batch.end - 1)
            self._roll_back()
            self._follow(batch.start)
            store, start = self._store, batch.start
            self._take_apart(start, batch.events, lambda changes: write_through(store, changes, start))
            self._store.apply(Changes(), batch.end)
        self._unkept += _weight(batch)
        self.reached = batch.end
        if len(batch.events) >= _LARGE:
            self._entry_seconds = (time.monotonic() - begun) / (batch.end - batch.start)

    def _take_apart(self, start: int, events: Sequence[Unfolded], show: Callable[[Changes], None]) -> None:
        """Fold, show and keep ``events`` save those that can't be: by halves, until these stand alone. The watermark
        stays, as taking an event again changes nothing."""
        try:
            show(self._fold.take(events))
        except PASSING:
            raise
        except Exception:
            self._roll_back()
            if len(events) > 1:
                half = len(events) // 2
                self._take_apart(start, events[:half], show)
                self._take_apart(start, events[half:], show)
            else:
                show(Changes())  # a store that refuses all is at fault itself
                index, position, _ = events[0]
                _log.exception("Record %d of entry %d can't be folded and is passed over.", position, index)
                self._skipped.add((index, position))
        else:
            self._keep(start)

    def _keep(self, size: int) -> None:
        """Commit the facts as those of the first ``size`` entries, which the store has."""
        self._fold.encode()
        self._store.settle()
        self._sure = size
        self._commit(size)
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
        if self._renewal is not None and not self._demanded and not self._store.watermark():
            self._renewal.look_again()
            self._aligned = True  # it goes on, and looks itself after the facts
            return
        self._end_renewal()
        self._roll_back()
        try:
            if self._known is not None and not self._demanded:
                self._known = self._seals.least_head(self._known)
            outdated = self._clear_what_is_wrong()
        except PASSING:
            if self._known is not None:
                self._roll_back()
                self._seals.keep_head(self._known)
            raise
        self._indexed = self._predictions.watermark()
        self.reached = self._sure = self._store.watermark()
        if outdated and not is_empty(self._store):
            self._renewal = Renewal(self._store, self._beside, self._scratch, self._rest)
        # Predictions first: keeping facts says that the predictions before them are there.
        self._index(self.reached)
        self._follow(self.reached)
        self._seals.keep_head(None)
        self._known = None
        self._aligned = True

    def _clear_what_is_wrong(self) -> bool:
        """True if the graph is then outdated, and to be brought up to date by difference."""
        kept, shown = self._facts.watermark(), self._store.watermark()
        # Until something was projected here no more can have been than the ledger held when this began.
        head = self._ledger.size() if self._known is None else self._known
        fault = "it was asked for" if self._demanded else self._seals.fault(head)
        if fault is None and max(shown, self._predictions.watermark()) > head:
            fault = FEWER
        if fault is not None:
            self._predictions.clear()
            return self._clear(fault)
        if shown < kept:
            return self._clear("the graph store is behind the facts")
        return not shown and not is_empty(self._store) and self._clear("that was not finished")

    def _clear(self, why: str) -> bool:
        """Outdate the graph, then empty the facts: a graph behind its facts is noticed, one without is too. True if the
        graph stays until it is brought up to date."""
        if self._store.watermark() or self._facts.watermark():
            _log.warning("The graph is built anew from the ledger: %s.", why)
        outdated = self._store.outdate()
        self._facts.clear()
        self._roll_back()
        self._commit(0)
        self._unkept = self.reached = 0
        self._demanded = False
        return outdated

    def _roll_back(self) -> None:
        """Forget what was folded since the facts were last kept."""
        self._begun = None
        self._fold.rollback()

    def _commit(self, size: int) -> None:
        self._seals.put(size)
        self._fold.commit(size)

    # -- a graph that stays until it is right

    def _beside(self, scratch: GraphStore) -> Projection:
        """What folds the ledger anew into the facts, the predictions and ``scratch``."""
        beside = Projection(self._ledger, self._facts, scratch, self._predictions, rest=self._rest, kind=self._kind)
        beside._skipped = self._skipped
        return beside

    def _end_renewal(self) -> None:
        if self._renewal is not None:
            renewal, self._renewal = self._renewal, None
            renewal.close()

    def _follow(self, shown: int) -> None:
        """Bring the facts to the entry that the store has reached. The store has the changes: a graph is a function of
        the set of events."""
        while (kept := self._facts.watermark()) < shown:
            batch = read_batch(self._ledger, kept, shown, self._skipped.add, parse=self._parse)
            try:
                self._fold.take(batch.events)
            except PASSING:
                raise
            except Exception:
                _log.exception("Entries %d to %d are folded apart.", batch.start, batch.end - 1)
                self._roll_back()
                self._take_apart(batch.start, batch.events, lambda _: None)
            self._keep(batch.end)

    def _index(self, shown: int) -> None:
        """Bring the predictions to the entry that the store has reached."""
        while self._indexed < shown:
            batch = read_batch(self._ledger, self._indexed, shown, self._skipped.add, parse=self._parse)
            self._predictions.apply(batch.predictions, batch.end)
            self._indexed = batch.end
