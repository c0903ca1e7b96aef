"""The fold itself: take events, settle what they touch, give the changes.

>>> from lineage.event.parser import parse_event
>>> fold = Fold(MemoryFacts())
>>> event = parse_event(b'{"eventTime": "2026-05-01T10:00:00Z", "producer": "urn:p", "schemaURL": "urn:s",'
...     b'"dataset": {"namespace": "db", "name": "orders"}}')
>>> changes = fold.take([(0, 0, event)])
>>> [node.name for node in changes.nodes.values()]
['orders']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lineage.event.model import Event
from lineage.fold.absorb import Absorber
from lineage.fold.context import Context
from lineage.fold.datasets import DatasetRows
from lineage.fold.directory import Directory
from lineage.fold.emission import Emission
from lineage.fold.postings import Renames, any_event
from lineage.fold.records import DatasetRecord, JobRecord, Records, RunRecord
from lineage.fold.references import References
from lineage.fold.run_rows import RunRows
from lineage.fold.runs import Runs
from lineage.fold.store import FactStore, MemoryFacts, Table
from lineage.fold.tellings import Tellings
from lineage.fold.versions import VersionRows
from lineage.fold.wiring import Wiring
from lineage.fold.work import Work
from lineage.keys import dataset_key
from lineage.model import Changes, Name

__all__ = ["RULES", "Fold", "MemoryFacts"]

RULES = 4
"""Which reading of the rules the graph follows: raised when the same events come to mean another graph, so that what
was folded before is folded anew."""

_MOST_ROUNDS = 5_000
"""What flows of one batch may wait for others; ranks (R0) keep circles out."""

Taken = tuple[int, int, Event]
"""(ledger index, position, event)."""


def _nothing() -> None:
    return None


class Fold:
    """Keeps the facts in ``facts`` and says what each batch of events changes in the graph.

    The caller guarantees one thread. The fold guarantees that the graph which all changes together make is a function
    of the set of events taken: their order, repetition and batching change nothing. With ``renames``, how a dataset is
    called and whether it is a model is taken from those events alone that it admits. ``rest`` is called between two
    pieces of work, each some tens of microseconds: there others can be let go first.
    """

    def __init__(self, facts: FactStore, renames: Renames = any_event, *, rest: Callable[[], None] = _nothing) -> None:
        self._facts = facts
        self._renames = renames
        self._rest = rest
        self.records = self._records = Records(facts)
        self._begin()

    def _begin(self) -> None:
        records = self._records
        self._work = Work()
        self._directory = Directory(records)
        self._context = Context(records, self._directory, self._work)
        self._emission = Emission(records)
        self._absorber = Absorber(records, self._directory, self._work, self._renames)
        self._references = References(self._context)
        self._runs = Runs(self._context)
        self._run_rows = RunRows(self._context, self._runs, self._references, self._emission)
        self._tellings = Tellings(self._context, self._references, self._emission)
        self._versions = VersionRows(self._context, self._references, self._emission)
        self._wiring = Wiring(self._context, self._emission)
        self._datasets = DatasetRows(self._context, self._emission)

    def take(self, events: Iterable[Taken]) -> Changes:
        """Absorb events and settle. Not kept until ``commit``."""
        for index, position, event in events:
            self._rest()
            self._absorber.absorb(index, position, event)
        self._settle()
        return self._emission.take()

    def encode(self) -> None:
        """Hand what was taken to the facts: what ``commit`` begins with. The caller then commits, or rolls back."""
        self._records.flush()

    def commit(self, watermark: int) -> None:
        """Keep what was taken."""
        self.encode()
        self._facts.commit(watermark)
        self._directory.trim()
        self._context.trim()

    def rollback(self) -> None:
        """Forget what was taken since the last commit, in the store and in memory."""
        self._facts.rollback()
        self._records.forget()
        self._begin()

    def _settle(self) -> None:
        """Do what is marked until nothing is. What is done first is what the rest depends on: flows, then reads, then
        versions, then the nodes that only describe."""
        work = self._work
        rounds = 0
        self._runs.forget()
        while True:
            if work.flows:
                rounds += 1
                if rounds > _MOST_ROUNDS:
                    raise RecursionError("The flows of these events depend on each other in a circle.")
                self._each(work.flows, self._runs.flow)
            elif work.declared:
                self._each(work.declared, self._wiring.declare)
            elif work.reads:
                self._each(work.reads, self._run_rows.give)
            elif work.tellers:
                self._each(work.tellers, self._tellings.bind)
            elif work.kinds:
                self._mark_versions(work.kinds.pop())
            elif work.versions:
                self._rest()
                key, dataset = work.versions.popitem()
                self._versions.give(key, dataset)
            elif work.datasets:
                self._datasets.give(work.datasets.pop())
            elif work.seen:
                self._datasets.give_again(work.seen.pop())
            elif work.columns:
                self._datasets.give_column(*work.columns.pop())
            elif work.jobs:
                self._wiring.give_job(work.jobs.pop())
            elif work.wires:
                self._wiring.give_flows(work.wires.pop())
            else:
                return

    def _mark_versions(self, name: Name) -> None:
        """Every version of the dataset is to be told again: its kind or its names have changed."""
        timeline = self._context.timeline(name)
        self._work.versions.update(dict.fromkeys(timeline.writes.by_key, name))
        tellers: list[RunRecord | DatasetRecord | JobRecord | None] = [
            self._records.run_by_key(run) for run in timeline.touches
        ]
        for key, _ in self._facts.links(Table.TELLERS, dataset_key(*name)):
            tellers += [self._records.dataset_by_key(key), self._records.job_by_key(key)]
        for version in (version for teller in tellers if teller for version in teller.references):
            self._work.versions[version] = self._references.dataset_of(version) or name

    def _each(self, marked: set[bytes], do: Callable[[bytes], None]) -> None:
        batch = sorted(marked)
        marked.clear()
        for key in batch:
            self._rest()
            do(key)
