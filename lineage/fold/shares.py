"""What a run shares with its job and with other runs: column claims, wires, columns (R6, R7, R9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from lineage.facts.claims import Source
from lineage.facts.history import Span
from lineage.flows.division import Division, column_claims
from lineage.flows.run import Rank, RunView
from lineage.fold import order
from lineage.fold.column_lineage import ColumnTellers
from lineage.fold.context import Context
from lineage.fold.records import JobRecord, RunRecord
from lineage.fold.store import Table
from lineage.fold.touches import Touches, is_certain
from lineage.fold.wire import JobWire, ToldColumns, ToldWire, Wire, WireKind, wire_order
from lineage.keys import job_key, run_key
from lineage.model import Evidence, Name


class Shares:
    """Keeps the shares of runs in what their jobs and datasets have."""

    def __init__(self, context: Context, touches: Touches) -> None:
        self._context = context
        self._touches = touches
        self._columns = ColumnTellers(context)

    def share(self, key: bytes, record: RunRecord, view: RunView, division: Division) -> None:
        """Replace what the run shared before."""
        began = record.start
        self._move(key, record, view.start)
        self._share_claims(key, record, view)
        self._share_wires(record, view, division, began)
        self._need(key, record, view, division)
        self._share_columns(key, record, view, began)

    def _move(self, key: bytes, record: RunRecord, start: int) -> None:
        """Have the run where it belongs among its job's runs."""
        if record.start != start:
            facts, job = self._context.records.facts, job_key(*record.job)
            if record.start is not None:
                facts.link(Table.JOB_RUNS, job, order.by_time(record.start, key), None)
            facts.link(Table.JOB_RUNS, job, order.by_time(start, key))
            record.start = start

    def _first_start(self, job: JobRecord, tells: Callable[[RunRecord], bool], since: int) -> int:
        """The least start of the job's runs of which that holds: one of them does, and none that began before
        ``since``."""
        records = self._context.records
        for place, _ in records.facts.links_from(Table.JOB_RUNS, job_key(*job.name), order.by_time(since)):
            run = records.run_by_key(place[order.SIZE :])
            if run is not None and tells(run):
                return order.time_of(place)
        raise AssertionError("what a job counts is told by one of its runs")

    def _share_claims(self, key: bytes, record: RunRecord, view: RunView) -> None:
        job = self._context.records.job(record.job)
        own = column_claims({name: output.columns for name, output in view.outputs.items()})
        claimed = sorted({(output, source) for output, sources in own.items() for source in sources})
        self._context.records.facts.link(Table.BORROWERS, job_key(*record.job), key, b"" if record.borrows else None)
        if claimed == record.claimed:
            return
        before = set(job.claims)
        for pair in record.claimed:
            job.claims[pair] -= 1
            if not job.claims[pair]:
                del job.claims[pair]
        for pair in claimed:
            job.claims[pair] = job.claims.get(pair, 0) + 1
        record.claimed = claimed
        self._context.records.mark(job)
        if before != set(job.claims):
            borrowers = self._context.records.facts.links(Table.BORROWERS, job_key(*record.job))
            self._context.work.flows.update(run for run, _ in borrowers if run != key)

    def _share_wires(self, record: RunRecord, view: RunView, division: Division, began: int | None) -> None:
        wires = self._wires(record, view, division)
        job = self._context.records.job(record.job)
        complete = view.rank() if view.state.value == "COMPLETE" else None
        if wires == record.wires and complete == record.complete_rank and began == view.start:
            return
        fresh = self._context.fresh_wires(job)
        before, record.wires, record.complete_rank = record.wires, wires, complete
        shown = _replace_wires(job, before, wires, view.start)
        moved = self._move_wires(job, {wire[:2] for wire in before}, {wire[:2] for wire in wires}, began, view.start)
        self._note_last_complete(job, view.key, complete)
        self._context.records.mark(job)
        if shown or moved or fresh != self._context.fresh_wires(job):
            self._context.work.wires.add(record.job)

    def _move_wires(self, job: JobRecord, before: set[Wire], now: set[Wire], began: int | None, start: int) -> bool:
        """Have each wire since the least start that tells it; whether any was told first at another time."""
        moved = False
        for wire in before | now:
            told = job.wires.get(wire)
            if told is None:
                continue
            at = told.at
            if wire in now and start <= at:
                at = start
            elif wire in before and began == at:
                at = self._first_start(job, partial(_tells_wire, wire), at)
            moved, told.at = moved or at != told.at, at
        return moved

    def _wires(self, record: RunRecord, view: RunView, division: Division) -> list[JobWire]:
        trains = self._context.trains(view)
        found: dict[Wire, WireKind] = {}
        for output, sources in division.flows.items():
            told = view.outputs.get(output) if output else None
            certain = is_certain(view, told) if told else not view.failed
            if not sources:
                found[None, output] = (Evidence.DECLARED, certain, False, None)
            for name, evidence in sources.items():
                role = self._context.role(view, name, trains=trains)
                found[name, output] = (evidence, certain, division.undivided, role)
            old = self._touches.old_name(output, told) if output and told else None
            for name in [old] if old else []:
                found.setdefault((name, output), (Evidence.DECLARED, certain, False, None))
            for _, name in record.infers if output else ():
                role = self._context.role(view, name, trains=trains)
                found.setdefault((name, output), (Evidence.INFERRED, certain, False, role))
        return [(*wire, found[wire]) for wire in sorted(found, key=wire_order)]

    def _note_last_complete(self, job: JobRecord, key: bytes, rank: Rank | None) -> None:
        last = job.last_complete
        if rank is not None and (last is None or last[1] == key or last[0] < rank):
            if last is not None and last[1] == key and rank < last[0]:
                job.last_complete = None
            else:
                job.last_complete = (rank, key)
                return
        elif last is None or last[1] != key:
            return
        records = self._context.records
        places = records.facts.links(Table.JOB_RUNS, job_key(*job.name))
        runs = (records.run_by_key(place[order.SIZE :]) for place, _ in places)
        ranked = [(r.complete_rank, run_key(r.run_id, *r.job)) for r in runs if r is not None and r.complete_rank]
        job.last_complete = max(ranked, default=None)

    def _need(self, key: bytes, record: RunRecord, view: RunView, division: Division) -> None:
        """Datasets that no event need name: those that a dialect vouches for, and the old names of renamed ones."""
        fed = {name for sources in division.flows.values() for name in sources} - set(view.inputs)
        old = (self._touches.old_name(name, output) for name, output in view.outputs.items())
        record.needs = self._context.need(key, record.needs, fed.union(name for name in old if name))

    def _share_columns(self, key: bytes, record: RunRecord, view: RunView, began: int | None) -> None:
        told: dict[Name, list[Source]] = {name: list(output.columns) for name, output in view.outputs.items()}
        for entry in view.entries:
            if entry.target is not None:
                told.setdefault(entry.target, []).extend(entry.sources)
        sources = self._columns.told(told, record.needs)
        if list(sources) != record.columns or (sources and began != view.start):
            before, record.columns = record.columns, list(sources)
            self._count_columns(record, before, began, sources)
        hidden = sorted({s.name for sources in told.values() for s in sources} - set(view.inputs))
        self._context.relink(Table.HIDDEN, key, record.hidden, hidden)
        record.hidden = hidden

    def _count_columns(
        self,
        record: RunRecord,
        before: list[ToldColumns],
        began: int | None,
        now: dict[ToldColumns, list[Source]],
    ) -> None:
        """Have the job tell what its runs do, each since the least start of these."""
        assert record.start is not None
        job = self._context.records.job(record.job)
        concerned = {*before, *now}
        spans: dict[ToldColumns, Span] = {each: (job.columns[each][1], None) for each in concerned & job.columns.keys()}
        for each in concerned:
            count, at = job.columns.get(each, (0, record.start))
            count += (each in now) - (each in before)
            if each in now:
                at = min(at, record.start)
            if count and at == began and (each not in now or began != record.start):
                at = self._first_start(job, partial(_tells_columns, each), at)
            if count:
                job.columns[each] = count, at
            else:
                del job.columns[each]
        after: dict[ToldColumns, Span] = {each: (job.columns[each][1], None) for each in concerned & job.columns.keys()}
        self._columns.replace(job_key(*record.job), spans, after, now)
        self._context.records.mark(job)


def _tells_wire(wire: Wire, run: RunRecord) -> bool:
    return any(told[:2] == wire for told in run.wires)


def _tells_columns(told: ToldColumns, run: RunRecord) -> bool:
    return told in run.columns


def _replace_wires(job: JobRecord, before: Iterable[JobWire], now: Iterable[JobWire], start: int) -> bool:
    """Count ``now`` instead of ``before``; whether the job has another set of wires by that. New ones are told since
    ``start``."""
    change = Counter((source, output, kind) for source, output, kind in now)
    change.subtract((source, output, kind) for source, output, kind in before)
    shown = False
    for (source, output, kind), by in change.items():
        if not by:
            continue
        told = job.wires.setdefault((source, output), ToldWire(start))
        count = told.kinds.get(kind, 0) + by
        shown = shown or not count or count == by
        if count:
            told.kinds[kind] = count
        else:
            del told.kinds[kind]
        if not told.kinds:
            del job.wires[source, output]
    return shown
