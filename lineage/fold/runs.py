"""Runs as all their events tell them together, and their flows (R4 to R8, R17)."""

from __future__ import annotations

from lineage.dialects import by_name
from lineage.facts.extract import processing_type
from lineage.flows.division import Division, column_claims, divide
from lineage.flows.run import RunView, view_run
from lineage.fold.context import Context
from lineage.fold.records import JobRecord, Rollout, RunRecord, SeenBySiblings
from lineage.fold.rollouts import may_be_replaced, next_full
from lineage.fold.shares import Shares
from lineage.fold.store import Table
from lineage.fold.touches import Touches
from lineage.model import Name, RunType


class Runs:
    """Computes flows and touches of runs, and keeps what others depend on in step."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._touches = Touches(context)
        self._shares = Shares(context, self._touches)
        self._views: dict[bytes, tuple[RunView, Division]] = {}

    def forget(self) -> None:
        """Drop the views of runs: facts have changed."""
        self._views.clear()

    # -- what a run is

    def view(self, key: bytes) -> tuple[RunView, Division] | None:
        """The merged run and its division; None for a run that never spoke."""
        found = self._views.get(key)
        if found is None:
            record = self._context.records.run_by_key(key)
            if record is None or not record.events:
                return None
            found = self._views[key] = self._view(key, record)
        return found

    def _view(self, key: bytes, record: RunRecord) -> tuple[RunView, Division]:
        context = self._context
        job = context.records.job(record.job)
        job_type = RunType(processing_type({"jobType": job.facets.value("jobType")}) or "BATCH")
        claims = context.records.claims(key).values()
        dialect = by_name(max(claims, key=lambda claim: claim.stamp).dialect)
        view = view_run(key, record.run_id, record.job, claims, job_type, context.directory.resolve, dialect)
        self._end_rollout(view, job)
        own = column_claims({name: output.columns for name, output in view.outputs.items()})
        record.borrows = not view.completed or not own
        borrowed: dict[Name, set[Name]] = {}
        if record.borrows:
            for output, source in job.claims:
                if output in view.outputs and view.outputs[output].is_write:
                    borrowed.setdefault(output, set()).add(source)
        division = divide(
            list(view.inputs),
            [name for name, output in view.outputs.items() if output.is_write],
            view.entries,
            own,
            borrowed,
            context.is_named,
            dialect,
        )
        return view, division

    def _end_rollout(self, view: RunView, job: JobRecord) -> None:
        """R17: ended by the next full rollout of the same deployment and environment."""
        if view.type is not RunType.SERVICE or view.end is not None:
            return
        view.superseded_at = next_full(job.rollouts, view)

    # -- flows

    def flow(self, key: bytes) -> None:
        """Compute the run anew: its touches, and its share in what its job, its datasets and its siblings depend on."""
        self._views.pop(key, None)
        found = self.view(key)
        record = self._context.records.run_by_key(key)
        if found is None or record is None:
            self._context.work.reads.add(key)
            return
        view, division = found
        self._note_rollout(view)
        self._note_family(key, record, view, division)
        self._infer(key, record, view)
        self._touches.touch(record, view, division)
        self._shares.share(key, record, view, division)
        self._context.records.mark(record)
        self._context.work.reads.add(key)

    def _note_rollout(self, view: RunView) -> None:
        job = self._context.records.job(view.job)
        before = job.rollouts.get(view.key)
        now = None
        if view.type is RunType.SERVICE:
            traffic = view.traffic[-1][1] if view.traffic else ()
            percent = sum(line.percent for line in traffic) if traffic else 100.0
            now = Rollout(view.start, view.run_id, view.end, view.environment, percent)
        if before == now:
            return
        if now is None:
            del job.rollouts[view.key]
        else:
            job.rollouts[view.key] = now
        self._context.records.mark(job)
        for changed in (before, now):
            if changed is not None:
                self._context.work.flows.update(may_be_replaced(job.rollouts, changed))

    def _note_family(self, key: bytes, record: RunRecord, view: RunView, division: Division) -> None:
        """R8: what siblings inside one process may build on."""
        family = view.parent.run_id if view.parent and view.parent.single_process else None
        names = sorted({name for sources in division.flows.values() for name in sources})
        seen = SeenBySiblings(
            start=view.start,
            writes=any(output.is_write for output in view.outputs.values()),
            reads=tuple(names),
            models=tuple(name for name in names if self._context.is_model(name)),
        )
        if (record.family, record.seen) != (family, seen):
            for concerned in {record.family, family} - {None}:
                self._context.work.flows.update(self._siblings(key, str(concerned)))
            record.family, record.seen = family, seen

    def _siblings(self, key: bytes, family: str) -> list[bytes]:
        records = self._context.records
        children = (child for child, _ in records.facts.links(Table.CHILDREN, family.encode()))
        return [c for c in children if c != key and (r := records.run_by_key(c)) is not None and r.family == family]

    def _infer(self, key: bytes, record: RunRecord, view: RunView) -> None:
        record.infers = []
        if record.family is None or record.seen is None or not record.seen.writes:
            return
        reads = record.seen.reads
        for sibling in self._siblings(key, record.family):
            other = self._context.records.run_by_key(sibling)
            if other is None or other.seen is None or other.seen.start >= view.start:
                continue
            names = other.seen.reads if not reads else () if other.seen.writes else other.seen.models
            record.infers.extend((sibling, name) for name in names if name not in reads)
