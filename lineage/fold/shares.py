"""What a run shares with its job and with other runs: column claims, wires, columns (R6, R7, R9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lineage.facts.claims import Source
from lineage.flows.division import Division, column_claims
from lineage.flows.run import Rank, RunView
from lineage.fold.context import Context
from lineage.fold.records import JobRecord, JobWire, RunRecord, Wire, WireKind, wire_order
from lineage.fold.store import Table
from lineage.fold.touches import Touches, is_certain
from lineage.keys import job_key, run_key
from lineage.model import Evidence, Name


class Shares:
    """Keeps the shares of runs in what their jobs and datasets have."""

    def __init__(self, context: Context, touches: Touches) -> None:
        self._context = context
        self._touches = touches

    def share(self, key: bytes, record: RunRecord, view: RunView, division: Division) -> None:
        """Replace what the run shared before."""
        self._share_claims(key, record, view)
        self._share_wires(record, view, division)
        self._need(key, record, view, division)
        self._share_columns(key, record, view, division)

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

    def _share_wires(self, record: RunRecord, view: RunView, division: Division) -> None:
        wires = self._wires(record, view, division)
        job = self._context.records.job(record.job)
        complete = view.rank() if view.state.value == "COMPLETE" else None
        if wires == record.wires and complete == record.complete_rank:
            return
        fresh = self._context.fresh_wires(job)
        shown = _replace_wires(job, record.wires, wires)
        record.wires, record.complete_rank = wires, complete
        self._note_last_complete(job, view.key, complete)
        self._context.records.mark(job)
        if shown or fresh != self._context.fresh_wires(job):
            self._context.work.wires.add(record.job)

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
        runs = (records.run_by_key(run) for run, _ in records.facts.links(Table.JOB_RUNS, job_key(*job.name)))
        ranked = [(r.complete_rank, run_key(r.run_id, *r.job)) for r in runs if r is not None and r.complete_rank]
        job.last_complete = max(ranked, default=None)

    def _need(self, key: bytes, record: RunRecord, view: RunView, division: Division) -> None:
        """Datasets that no event need name: those that a dialect vouches for, and the old names of renamed ones."""
        fed = {name for sources in division.flows.values() for name in sources} - set(view.inputs)
        old = (self._touches.old_name(name, output) for name, output in view.outputs.items())
        record.needs = self._context.need(key, record.needs, fed.union(name for name in old if name))

    def _share_columns(self, key: bytes, record: RunRecord, view: RunView, division: Division) -> None:
        told: dict[Name, list[Source]] = {name: list(output.columns) for name, output in view.outputs.items()}
        for entry in view.entries:
            if entry.target is not None:
                told.setdefault(entry.target, []).extend(entry.sources)
        self._context.set_columns(record.columns, told, record.needs)
        hidden = sorted({s.name for sources in told.values() for s in sources} - set(view.inputs))
        self._context.relink(Table.HIDDEN, key, record.hidden, hidden)
        record.hidden = hidden


def _replace_wires(job: JobRecord, before: Iterable[JobWire], now: Iterable[JobWire]) -> bool:
    """Count ``now`` instead of ``before``; whether the job has another set of wires by that."""
    change = Counter((source, output, kind) for source, output, kind in now)
    change.subtract((source, output, kind) for source, output, kind in before)
    shown = False
    for (source, output, kind), by in change.items():
        if not by:
            continue
        counts = job.wires.setdefault((source, output), {})
        count = counts.get(kind, 0) + by
        shown = shown or not count or count == by
        if count:
            counts[kind] = count
        else:
            del counts[kind]
        if not counts:
            del job.wires[source, output]
    return shown
