"""The flows of runs: what each run does to each dataset, told to the timelines; what it shares with its job (R4 to R8,
R17)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from lineage.dialects import by_name
from lineage.facts.claims import Source
from lineage.facts.extract import processing_type
from lineage.flows.division import Division, column_claims, divide
from lineage.flows.run import Input, Output, Rank, RunView, batch_reads, merge_digests, view_run
from lineage.fold.context import Context
from lineage.fold.records import JobRecord, JobWire, Rollout, RunRecord, SeenBySiblings, Wire, WireKind, wire_order
from lineage.fold.store import Table
from lineage.keys import job_key, run_key
from lineage.model import Digest, Evidence, Name, RunType
from lineage.timeline.binding import Met, meets_continuous
from lineage.timeline.touch import End, Mode, Told, Touch, TouchWrite, WriteId

_MODES = {"OVERWRITE": Mode.REPLACES, "TRUNCATE": Mode.REPLACES, "RENAME": Mode.REPLACES, "ALTER": Mode.KEEPS}


class Runs:
    """Computes flows and touches of runs, and keeps what others depend on in step."""

    def __init__(self, context: Context) -> None:
        self._context = context
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
        view.superseded_at = _next_full(job.rollouts, view)

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
        self._touch(record, view, division)
        self._share_claims(key, record, view)
        self._share_wires(record, view, division)
        self._need(key, record, view, division)
        self._share_columns(key, record, view, division)
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
                self._context.work.flows.update(_may_be_replaced(job.rollouts, changed))

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

    # -- touches

    def _touch(self, record: RunRecord, view: RunView, division: Division) -> None:
        touches = self._reading_touches(view, division)
        if view.is_continuous or any(self._old_name(name, output) for name, output in view.outputs.items()):
            self._touch_first(view, touches)
        mets = self._continuous_mets(view, touches) if view.is_continuous else []
        for name, output in view.outputs.items():
            if output.is_write and self._renames(view, name, output):
                touch = touches.get(name) or self._bare_touch(view)
                touches[name] = msgspec.structs.replace(touch, writes=self._writes(view, name, output, mets))
        for name in dict.fromkeys((*record.touched, *touches)):
            self._context.replace(name, view.key, touches.get(name))
        record.touched = list(touches)
        if view.is_continuous and self._continuous_mets(view, touches) != mets:
            self._context.work.flows.add(view.key)

    def _touch_first(self, view: RunView, touches: dict[Name, Touch]) -> None:
        """Tell what the run reads and ends before what it writes is computed, as that depends on it."""
        for name, touch in touches.items():
            before = self._context.timeline(name).touches.get(view.key)
            kept = before.writes if before and name in view.outputs else ()
            self._context.replace(name, view.key, msgspec.structs.replace(touch, writes=kept))

    def _bare_touch(self, view: RunView) -> Touch:
        parent = self._context.parent_of(view) if view.parent else None
        return Touch(
            run=view.key,
            run_id=view.run_id,
            job=view.job,
            start=view.start,
            end=view.effective_end,
            continuous=view.is_continuous,
            parent=parent,
            nests=view.dialect.nests_writes,
        )

    def _reading_touches(self, view: RunView, division: Division) -> dict[Name, Touch]:
        bare = self._bare_touch(view)
        touches: dict[Name, Touch] = {}
        for name in dict.fromkeys(name for sources in division.flows.values() for name in sources):
            told = _told(view, view.inputs.get(name))
            touches[name] = msgspec.structs.replace(bare, reads=told)
        for name, output in view.outputs.items():
            at = view.effective_end if view.effective_end is not None else output.told[-1].at
            at = max(at, view.start)
            if output.lifecycle == "DROP" and not view.failed:
                touch = touches.get(name, bare)
                touches[name] = msgspec.structs.replace(touch, ends=(*touch.ends, End(at)))
            elif (old := self._old_name(name, output)) is not None:
                touch = touches.get(old, bare)
                ends = touch.ends if view.failed else (*touch.ends, End(at, name))
                touches[old] = msgspec.structs.replace(touch, ends=ends, renames_at=at)
        return touches

    def _old_name(self, name: Name, output: Output) -> Name | None:
        if output.lifecycle != "RENAME" or output.previous is None:
            return None
        old = self._context.directory.resolve(output.previous)
        return old if old != name else None

    def _renames(self, view: RunView, name: Name, output: Output) -> bool:
        """Whether this is a write: a RENAME is one once per pair and life (R16)."""
        old = self._old_name(name, output)
        if old is None:
            return True
        timeline = self._context.timeline(old)
        touch = timeline.touches.get(view.key)
        ends = [end for end in touch.ends if end.to == name] if touch else []
        return all(timeline.renamed_first(view.key, end) for end in ends)

    def _continuous_mets(self, view: RunView, touches: dict[Name, Touch]) -> list[Met]:
        found: list[Met] = []
        for name, touch in touches.items():
            if touch.reads is not None:
                timeline, is_model = self._context.timeline(name), self._context.is_model(name)
                found += meets_continuous(timeline, touch, is_model=is_model)[0]
        return found

    def _writes(self, view: RunView, name: Name, output: Output, mets: list[Met]) -> tuple[TouchWrite, ...]:
        mode = _mode(output)
        if view.is_continuous:
            return tuple(
                TouchWrite(
                    id=(view.run_id, *view.job, at),
                    written=at,
                    rank=view.rank(at),
                    declared=version,
                    digests=merge_digests((), digests),
                    certain=not view.failed,
                    mode=mode,
                    card=output.card,
                )
                for at, version, digests in moments(view, output, mets)
            )
        last = max(told.at for told in output.told)
        return (
            TouchWrite(
                id=self._batch_id(view, output),
                written=max(last if view.end is None else view.end, view.start),
                rank=view.rank(),
                declared=next((told.version for told in reversed(output.told) if told.version), None),
                digests=output.digests,
                certain=is_certain(view, output),
                ended=view.end is not None,
                mode=mode,
                card=output.card,
            ),
        )

    def _batch_id(self, view: RunView, output: Output) -> WriteId:
        """The version's key: the run; of parts of a model, the process that saved them all."""
        if output.part_of_model and view.parent and view.parent.single_process:
            run_id, job = self._context.parent_of(view)
            return (run_id, *job, None)
        return (view.run_id, *view.job, None)

    # -- what a run shares

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
            old = self._old_name(output, told) if output and told else None
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
        old = (self._old_name(name, output) for name, output in view.outputs.items())
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


def is_certain(view: RunView, output: Output) -> bool:
    """R14, and a dialect's doubt about a write that nothing proves."""
    unproven = output.unproven and bool(output.told) and {"START", "COMPLETE"} <= view.types
    return not view.failed and not unproven


def moments(view: RunView, output: Output, mets: list[Met]) -> list[tuple[int, str | None, tuple[Digest, ...]]]:
    """When a continuous run writes ``output`` (R11), each with the version and the content hashes told of it."""
    found: list[tuple[int, str | None, tuple[Digest, ...]]] = [(view.start, None, ())]
    last_told: str | None = None
    for told in output.told:
        at, version, digests = found[-1]
        is_new = told.version is not None and told.version != last_told
        fresh = any(
            met.written is not None
            and met.rank is not None
            and at < met.written <= told.at
            and met.at <= told.at
            and met.rank < view.rank(told.at)
            for met in mets
        )
        last_told = told.version or last_told
        if told.at > at and (is_new or fresh):
            found.append((told.at, told.version, told.digests))
        else:
            found[-1] = (at, told.version or version, (*digests, *told.digests))
    return found


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


def _next_full(rollouts: Mapping[bytes, Rollout], view: RunView) -> int | None:
    """R17: when the next full rollout in the same environment begins."""
    mine = (view.start, view.run_id)
    following = [
        rollout.start
        for rollout in rollouts.values()
        if rollout.percent >= 100 and rollout.environment == view.environment and (rollout.start, rollout.run_id) > mine
    ]
    return min(following, default=None)


def _may_be_replaced(rollouts: Mapping[bytes, Rollout], by: Rollout) -> Iterator[bytes]:
    """The rollouts whose next full one ``by`` can be: those since the full one before it, itself among them."""
    earlier = [
        (rollout.start, rollout.run_id, key)
        for key, rollout in rollouts.items()
        if rollout.environment == by.environment and (rollout.start, rollout.run_id) < (by.start, by.run_id)
    ]
    for _, _, key in sorted(earlier, reverse=True):
        yield key
        if rollouts[key].percent >= 100:
            return


def _mode(output: Output) -> Mode:
    if output.part_of_model:
        return Mode.REPLACES
    if output.lifecycle in _MODES:
        return _MODES[output.lifecycle]
    if output.appends:
        return Mode.KEEPS
    return Mode.CREATES if output.lifecycle == "CREATE" else Mode.SILENT


def _told(view: RunView, source: Input | None) -> tuple[Told, ...]:
    if source is None or not source.told:
        return ()
    if view.is_continuous:
        return tuple(Told(*told) for told in source.told)
    told = batch_reads(source)
    return (Told(view.start, told.versions, told.digests),) if told else ()
