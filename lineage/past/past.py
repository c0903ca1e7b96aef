"""One past: the first entries of a ledger, folded in memory as far as questions about them have needed it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from lineage.errors import BusyError, DataFolderError, QuestionTimeoutError, UnavailableError
from lineage.facts.registers import Stamp
from lineage.fold.fold import Fold, Taken
from lineage.fold.postings import Place
from lineage.fold.store import FactStore, MemoryFacts
from lineage.ledger import Ledger
from lineage.memory import MemoryReader, MemoryStore
from lineage.model import Name
from lineage.past.closure import Closure
from lineage.past.graph import PastGraph
from lineage.past.index import Index
from lineage.past.need import Need
from lineage.past.records import EventReader
from lineage.store import GraphReader

Advance = Callable[[int, int], None]
"""Told from time to time (how many events are folded, how many are known to be needed)."""


def nothing(folded: int, needed: int) -> None:
    """Tells nobody."""


_STEP = 1_000
"""Events folded between two looks at the clock."""
_NOT_OF_A_RECORD = (UnavailableError, BusyError, DataFolderError, MemoryError)

_log = logging.getLogger(__name__)


class Past:
    """The graph as the first ``until`` entries of ``ledger`` made it. To be used by one thread at a time.

    ``kept`` are the facts of that ledger. What they do not reflect yet is folded as it stands: with facts of watermark
    0 that is all.
    """

    def __init__(self, ledger: Ledger, kept: FactStore, until: int) -> None:
        self.until = until
        self.known = min(kept.watermark(), until)
        """How many entries are looked up by facts."""
        self.folded = 0
        """How many events are folded."""
        self.is_sound = True
        """Whether more can be folded: not after an error that cut off a step."""
        self._events = EventReader(ledger)
        self._places: set[Place] = set()
        self._skipped: set[Place] = set()
        self._unread = self.known
        self._waiting: deque[Place] = deque()
        self._advance: Advance = nothing
        self._deadline: float | None = None
        self._begin()
        self._index = Index(kept, self._fold.records, until)
        self._closure = Closure(self._index, self._events.told)

    def _begin(self) -> None:
        self._fold = Fold(MemoryFacts(), self._renames)
        self._store = MemoryStore()

    def _renames(self, name: Name, facet: str, place: Place, stamp: Stamp) -> bool:
        return self._index.renames(name, facet, place, stamp)

    def graph(
        self,
        kept: FactStore,
        present: GraphReader,
        *,
        deadline: float | None = None,
        advance: Advance = nothing,
    ) -> PastGraph:
        """What there was. ``kept`` and ``present`` reflect at least what they did before, and ``present`` the past.

        Where folding what an answer needs goes on after ``deadline`` (time.monotonic seconds) the graph raises
        QuestionTimeoutError; what is folded by then stays so.
        """
        self._index.look_in(kept)
        self._deadline, self._advance = deadline, advance
        return PastGraph(self, self._index, present)

    # -- what the graph asks for

    @property
    def reader(self) -> MemoryReader:
        """What is folded."""
        return self._store.live()

    def fold(self, needs: Iterable[tuple[Need, object]]) -> bool:
        """Have all that ``needs`` need folded; whether any of it was not."""
        before = self.folded
        with self._sounding():
            self._work_off()
            for need, of in needs:
                self._closure.need(need, of)
            self._waiting.extend(self._closure.take())
            self._work_off()
        return self.folded > before

    def replay(self) -> None:
        """Have everything folded."""
        with self._sounding():
            if self.known:
                self.known = self._unread = 0
            self._work_off()

    @contextmanager
    def _sounding(self) -> Iterator[None]:
        """What ends before its time leaves a past of which nobody knows what is folded, save where time was out."""
        self.is_sound, was_sound = False, self.is_sound
        try:
            yield
        except QuestionTimeoutError:
            self.is_sound = was_sound
            raise
        self.is_sound = was_sound

    def _work_off(self) -> None:
        """Fold what waits, in steps between which the clock is looked at."""
        while self._unread < self.until:
            self._look_at_clock()
            events, self._unread = self._events.next(self._unread, self.until, _STEP)
            self._take(events)
        while self._waiting:
            self._look_at_clock()
            places = [self._waiting.popleft() for _ in range(min(_STEP, len(self._waiting)))]
            self._take(list(self._events.read(places)))

    def _look_at_clock(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise QuestionTimeoutError(
                f"The answer as of ledger index {self.until - 1} depends on more events than could be folded in time; "
                f"{self.folded} are.",
                hint="Ask again, which goes on from there, or ask on the command line with --data.",
            )

    def _take(self, events: Sequence[Taken]) -> None:
        fresh = [taken for taken in events if taken[:2] not in self._places and taken[:2] not in self._skipped]
        try:
            self._store.apply(self._fold.take(fresh), self.until)
            self._places.update(taken[:2] for taken in fresh)
        except _NOT_OF_A_RECORD:
            raise
        except Exception:
            _log.exception("Events up to entry %d are folded one by one.", self.until - 1)
            self._take_apart({*self._places, *(taken[:2] for taken in fresh)})
        self.folded = len(self._places)
        self._advance(self.folded, self.folded + len(self._waiting))

    def _take_apart(self, places: set[Place]) -> None:
        """Fold ``places`` anew, without those of which the fold can make nothing: the projector passes them over
        too."""
        self._begin()
        self._places.clear()
        for taken in self._events.read(places - self._skipped):
            try:
                self._store.apply(self._fold.take([taken]), self.until)
            except _NOT_OF_A_RECORD:
                raise
            except Exception:
                self._skipped.add(taken[:2])
                self._take_apart(places)
                return
            self._places.add(taken[:2])
        self._index.look_also_in(self._fold.records)
