"""Is the projection what the ledger says? The ledger is verified, everything is folded anew, and the two compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lineage.errors import DataFolderError
from lineage.event.model import Name
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import KeptRoot, Ledger, Progress
from lineage.model import Node
from lineage.predictions import Prediction, Served, Told
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector.difference import told_differences
from lineage.projector.dumps import side_by_side
from lineage.projector.projection import Projection
from lineage.sqlite import SQLiteStore
from lineage.store import GraphReader, GraphStore

Report = Callable[[str, int, int], None]
"""Told (what is being done, how much is done, of how much) from time to time."""


class VerifiableLedger(Ledger, Protocol):
    """A ledger that can recompute itself: :meth:`lineage.ledger.sqlite.SQLiteLedger.verify`."""

    def verify(self, kept: KeptRoot | None = None) -> Iterator[Progress]:
        """Recompute all, compare with the root that was kept; the last progress has the root or the faults."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked: ``entries`` of the ledger, with the Merkle ``root`` over them (None if it has a fault), the
    graph of ``lines`` in its dump as of ``graph_size`` entries, the ``predictions`` counted as of ``predictions_size``.

    ``skipped`` records can't be parsed or folded. ``faults`` are sentences. Where ``ledger_sound`` is false, graph and
    predictions could not be compared with it: ``lines`` and ``predictions`` are None.
    """

    entries: int
    root: bytes | None
    graph_size: int
    lines: int | None
    predictions_size: int
    predictions: int | None
    skipped: int
    ledger_sound: bool
    faults: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def check_projection(
    ledger: VerifiableLedger,
    store: GraphStore,
    predictions: PredictionIndex,
    report: Report = lambda what, done, of: None,
    scratch: Path | None = None,
    kept: KeptRoot | None = None,
) -> CheckReport:
    """Verify the ledger, also against the root that was ``kept``, fold it anew into files in ``scratch`` (by default
    the system's), and compare. Of a ledger that is at fault nothing is folded: all else is made from it.

    A server may write meanwhile: what is compared is one state. Nothing of the data folder is written. Raises
    UnavailableError, BusyError or DataFolderError where something else than the ledger can't be read.
    """
    verified = _verify(ledger, kept, report)
    shown, indexed = store.watermark(), predictions.watermark()
    faults = verified.faults
    if not faults:
        entries = ledger.size()
        faults = (*_too_far("graph", shown, entries), *_too_far("prediction index", indexed, entries))
    if faults:
        return CheckReport(verified.size, None, shown, None, indexed, None, 0, False, faults)
    return _compared(verified, ledger, store, predictions, report, scratch)


def _verify(ledger: VerifiableLedger, kept: KeptRoot | None, report: Report) -> Progress:
    last = Progress(0, 0)
    try:
        for last in ledger.verify(kept):
            report("ledger", last.checked, last.size)
    except DataFolderError as error:
        return replace(last, root=None, faults=(error.message,))
    return last


def _compared(
    verified: Progress,
    ledger: Ledger,
    store: GraphStore,
    predictions: PredictionIndex,
    report: Report,
    scratch: Path | None,
) -> CheckReport:
    tally = _Tally()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="lineage-check-", dir=scratch)))
        facts, fresh = SQLiteFacts(folder / "facts.sqlite"), SQLiteStore(folder / "graph.sqlite")
        closing.callback(fresh.close)
        closing.callback(facts.close)
        anew = Projection(ledger, facts, fresh, tally)
        # Most is done before the views are opened: an open view keeps the server's write-ahead log from shrinking.
        anew.catch_up(_telling(report), min(store.watermark(), predictions.watermark()))
        graph = closing.enter_context(store.reader())
        index = closing.enter_context(predictions.reader())
        shown, indexed = graph.ledger_size, index.ledger_size
        anew.catch_up(_telling(report), min(shown, indexed))
        counted = tally.copy() if indexed <= shown else None
        anew.catch_up(_telling(report), shown)
        lines, differences = _compare(graph, closing.enter_context(fresh.reader()), report)
        if counted is None:
            anew.catch_up(_telling(report), indexed)
            counted = tally
        told = index.count(counted.served()).count
    if told != counted.total:
        differences.append(f"The prediction index counts {told} records; the ledger has {counted.total}.")
    return CheckReport(
        verified.size, verified.root, shown, lines, indexed, told, anew.skipped, True, tuple(differences)
    )


def _telling(report: Report) -> Callable[[int, int], None]:
    return lambda done, of: report("fold", done, of)


def _too_far(what: str, reflected: int, entries: int) -> list[str]:
    return [f"The {what} reflects {reflected} entries; the ledger has {entries}."] if reflected > entries else []


def _compare(kept: GraphReader, anew: GraphReader, report: Report) -> tuple[int, list[str]]:
    """The number of lines that are kept, and what differs."""
    too_many: list[bytes] = []
    missing: list[bytes] = []
    lines = 0
    for number, (one, other) in enumerate(side_by_side(kept.dump(), anew.dump())):
        lines += one is not None
        if one != other:
            too_many += [one] if one is not None else []
            missing += [other] if other is not None else []
        if number % 10_000 == 0:
            report("compare", number, 0)

    def find(key: bytes) -> Node | None:
        return kept.fetch([key])[0] or anew.fetch([key])[0]

    return lines, told_differences(sorted(too_many), sorted(missing), find)


class _Tally:
    """What a prediction index should count: records by deployment, run, and model and version told."""

    def __init__(self) -> None:
        self.total = 0
        self._times: dict[tuple[Name, str | None, Told], tuple[int, int]] = {}

    def watermark(self) -> int:
        """Nothing is kept from one check to the next."""
        return 0

    def apply(self, records: Sequence[Prediction], watermark: int) -> None:
        """Count ``records``; the caller guarantees that each comes once."""
        self.total += len(records)
        for record in records:
            told = record.deployment, record.run_id, record.told
            first, last = self._times.get(told, (record.time, record.time))
            self._times[told] = min(first, record.time), max(last, record.time)

    def clear(self) -> None:
        """Nothing to remove."""

    def copy(self) -> _Tally:
        """As it stands now."""
        twin = _Tally()
        twin.total = self.total
        twin._times = dict(self._times)
        return twin

    def served(self) -> list[Served]:
        """Windows that hold every record counted."""
        return [Served(*told, first, last + 1) for told, (first, last) in self._times.items()]
