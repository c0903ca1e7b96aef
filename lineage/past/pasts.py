"""The pasts of one data folder: opened for a question, and kept for a while, as pages and the next question follow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lineage.answer import View
from lineage.errors import BadInputError
from lineage.fold.store import FactStore, MemoryFacts, Table
from lineage.ledger import Ledger
from lineage.ledger.reached import check_reached
from lineage.past.kept import kept_facts
from lineage.past.past import Advance, Past, nothing
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector.seal import SEAL, seal
from lineage.store import GraphReader

MOST_EVENTS = 20_000
"""Events that are kept folded, over all pasts that nobody asks: six or seven kilobytes of memory each."""
_LARGEST = 5
"""How many times as many the one past may have that was asked last: time may have been out for it."""

_MOST_IDLE = 64


class Pasts:
    """Opens the past of a ledger at any index. May be used from any thread.

    ``facts`` is the file of the projector's facts, or None where they are kept elsewhere: the whole past is then folded
    for each index. Facts of another ledger, or made by other rules, count for nothing.
    """

    def __init__(
        self, ledger: Ledger, facts: Path | None, predictions: PredictionIndex, *, most_events: int = MOST_EVENTS
    ) -> None:
        self._ledger = ledger
        self._facts = facts
        self._predictions = predictions
        self._most_events = most_events
        self._lock = threading.Lock()
        self._idle: list[Past] = []

    @contextmanager
    def view(
        self, index: int, present: GraphReader, *, deadline: float | None = None, advance: Advance = nothing
    ) -> Iterator[View]:
        """What questions were asked of when entry ``index`` was the ledger's last; for one thread. ``present`` is the
        graph of the same ledger now.

        Raises BadInputError for a negative index, IndexAheadError past the ledger's end, UnavailableError where
        ``present`` does not reflect it yet. The view's graph raises QuestionTimeoutError where it has
        to fold on past ``deadline`` (time.monotonic seconds).
        """
        self._check(index, present)
        with kept_facts(self._facts) as facts, self._predictions.reader(until=index + 1) as predictions:
            kept = facts if self._is_ours(facts) else MemoryFacts()
            past = self._take(index + 1, kept.watermark()) or Past(self._ledger, kept, index + 1)
            try:
                yield View(past.graph(kept, present, deadline=deadline, advance=advance), predictions)
            finally:
                if past.is_sound:
                    self._give_back(past)

    def _check(self, index: int, present: GraphReader) -> None:
        if index < 0:
            raise BadInputError(f"atIndex is {index}; the first ledger index is 0.", field="/atIndex")
        # The projector indexes predictions before it shows the graph.
        check_reached(
            index,
            size=self._ledger.size(),
            reached=present.ledger_size,
            field="/atIndex",
            hint="Take the index from a receipt of this server, or the `ledgerIndex` of an answer.",
        )

    def _is_ours(self, facts: FactStore) -> bool:
        size = facts.watermark()
        return size <= self._ledger.size() and facts.get(Table.ROWS, SEAL) == seal(self._ledger, size)

    def _take(self, until: int, known: int) -> Past | None:
        """A past of the first ``until`` entries that nobody uses, if one is kept; not one that facts were asked for
        which are there no more."""
        with self._lock:
            for past in self._idle:
                if past.until == until and past.known <= known:
                    self._idle.remove(past)
                    return past
        return None

    def _give_back(self, past: Past) -> None:
        with self._lock:
            self._idle.append(past)
            kept = sum(each.folded for each in self._idle)
            while (len(self._idle) > 1 and kept > self._most_events) or len(self._idle) > _MOST_IDLE:
                kept -= self._idle.pop(0).folded
            if kept > _LARGEST * self._most_events:
                self._idle.clear()
