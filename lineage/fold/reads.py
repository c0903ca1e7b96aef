"""The rows of a run: what its flows truly read and wrote, bound to versions (R10 to R16)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lineage.facts.extract import ENVIRONMENT, METRICS, ROLLOUT
from lineage.flows.division import Division
from lineage.flows.run import Output, Rank, RunView
from lineage.fold.context import Context
from lineage.fold.emission import Emission
from lineage.fold.records import RunRecord
from lineage.fold.references import Reference, References
from lineage.fold.runs import Runs, is_certain
from lineage.fold.store import Table
from lineage.fold.wiring import tags
from lineage.keys import Base, dataset_key, job_key, run_key, store_key
from lineage.model import (
    Binding,
    Edge,
    EdgeKind,
    Evidence,
    Flow,
    Gap,
    GapCode,
    Name,
    NameKey,
    NameScope,
    Role,
    Run,
    RunState,
    RunType,
)
from lineage.timeline.binding import (
    Met,
    builds_on,
    found_key,
    last_under_old_name,
    meets_batch,
    meets_continuous,
)
from lineage.timeline.timeline import Timeline
from lineage.timeline.touch import Touch

_STRENGTH = {binding: rank for rank, binding in enumerate(Binding)}
_EVIDENCE = {evidence: rank for rank, evidence in enumerate(Evidence)}


class RunRows:
    """Gives the rows of runs."""

    def __init__(self, context: Context, runs: Runs, references: References, emission: Emission) -> None:
        self._context = context
        self._runs = runs
        self._references = references
        self._emission = emission

    def give(self, key: bytes) -> None:
        """Compute the rows of one run, also of one that never spoke and is only named."""
        found = self._runs.view(key)
        if found is None:
            self._give_silent(key)
            return
        record = self._context.records.run_by_key(key)
        assert record is not None
        self._note_silent(key, is_silent=False)
        view, division = found
        rows = _Rows(self._context, self._runs, view, division, record)
        rows.compute()
        parent = self._tie_parents(key, record, view)
        if parent is not None:
            rows.edges[EdgeKind.PARENT_OF, parent, key] = Edge(EdgeKind.PARENT_OF, parent, key)
        self._emission.give(key, rows.nodes(), rows.edges.values(), rows.names)
        self._references.set(key, record.references, rows.references, is_run=True)
        self._context.records.mark(record)

    def _give_silent(self, key: bytes) -> None:
        named = [value for _, value in self._context.records.facts.links(Table.SILENT, key)]
        if not named:
            self._note_silent(key, is_silent=False)
            self._emission.give(key, (), (), ())
            return
        run_id, namespace, name = msgspec.msgpack.decode(min(named), type=tuple[str, str, str])
        job = Name(namespace, name)
        self._context.records.run(run_id, job)
        self._note_silent(key, is_silent=True)
        node = Run(key=key, run_id=run_id, job=job, state=RunState.UNKNOWN)
        edge = Edge(EdgeKind.HAS_RUN, job_key(*job), key)
        self._emission.give(key, (node,), (edge,), ((NameScope.RUN_ID, run_id, key),))

    def _note_silent(self, key: bytes, *, is_silent: bool) -> None:
        """A job is there while any of its runs is, silent ones too."""
        record = self._context.records.run_by_key(key)
        if record is None:
            return
        job = self._context.records.job(record.job)
        if is_silent != (key in job.silent):
            (job.silent.append if is_silent else job.silent.remove)(key)
            self._context.records.mark(job)
            self._context.work.jobs.add(record.job)

    def _tie_parents(self, key: bytes, record: RunRecord, view: RunView) -> bytes | None:
        """The parent's key; has nodes for parents and roots that never speak."""
        silent: list[bytes] = []
        parent: bytes | None = None
        for run_id, job in self._named_runs(view):
            found_id, found_job = self._context.find_run(run_id, job)
            found = run_key(found_id, *found_job)
            if found == key:
                continue
            parent = found if parent is None and view.parent and run_id == view.parent.run_id else parent
            if not self._context.has_spoken(found_id, found_job):
                silent.append(found)
                value = msgspec.msgpack.encode((found_id, *found_job))
                self._context.records.facts.link(Table.SILENT, found, key, value)
        for other in set(record.silent) - set(silent):
            self._context.records.facts.link(Table.SILENT, other, key, None)
        self._context.work.reads |= set(record.silent) ^ set(silent)
        record.silent = silent
        return parent

    def _named_runs(self, view: RunView) -> Iterator[tuple[str, Name]]:
        if view.parent:
            yield view.parent.run_id, view.parent.job
            if view.parent.root:
                yield view.parent.root


class _Rows:
    """The rows of one run while they are computed."""

    def __init__(self, context: Context, runs: Runs, view: RunView, division: Division, record: RunRecord) -> None:
        self._context = context
        self._runs = runs
        self._view = view
        self._division = division
        self._record = record
        self._trains = context.trains(view)
        self.flows: list[Flow] = []
        self.edges: dict[tuple[EdgeKind, bytes, bytes], Edge] = {}
        self.names: list[NameKey] = []
        self.references: dict[bytes, Reference] = {}
        self._gaps: dict[Gap, None] = {}
        self._serves: dict[tuple[int, bytes], set[bytes]] = {}

    def compute(self) -> None:
        view = self._view
        self._add(Edge(EdgeKind.HAS_RUN, job_key(*view.job), view.key))
        self.names.append((NameScope.RUN_ID, view.run_id, view.key))
        if view.commit:
            self.names.append((NameScope.COMMIT, view.commit, view.key))
        for output, sources in sorted(self._division.flows.items(), key=lambda item: item[0] or ("", "")):
            if output is None:
                self._flow_without_output(sources)
            elif view.is_continuous:
                self._continuous_flows(output, sources)
            else:
                self._batch_flow(output, sources)

    # -- flows

    def _batch_flow(self, output: Name, sources: dict[Name, Evidence]) -> None:
        view, timeline = self._view, self._context.timeline(output)
        identity = timeline.identity(view.key)
        told = view.outputs[output]
        flow = self._flow(output)
        certain = is_certain(view, told)
        for name, evidence in sources.items():
            for met in self._meets(name, writing=True):
                self._read(flow, name, met, evidence, view.start)
        for sibling, name in self._record.infers:
            self._infer(flow, sibling, name, view.rank())
        if not identity:
            return
        write = timeline.writes.by_id[identity[0]]
        self._add(Edge(EdgeKind.WROTE, flow, write.key, certain=certain, at=write.written))
        kept, _ = builds_on(timeline, write)
        if kept is not None:
            self._read(flow, output, kept, self._keeps(output, told), view.start, role=False)
        self._rename(flow, told, view.rank())

    def _rename(self, flow: bytes, told: Output, rank: Rank) -> None:
        """R16: a RENAME takes along the last version of the old name."""
        if told.lifecycle != "RENAME" or told.previous is None:
            return
        old = self._context.directory.resolve(told.previous)
        timeline = self._context.timeline(old)
        touch = timeline.touches.get(self._view.key)
        if touch is None or touch.renames_at is None:
            return
        met = last_under_old_name(timeline, touch, touch.renames_at)
        if _comes_before(met, rank):
            self._refer(timeline, touch, old, met)
            self._read(flow, old, met, Evidence.DECLARED, touch.renames_at, role=False)

    def _keeps(self, name: Name, told: Output) -> Evidence:
        """How it is known that a write keeps what was there: that it appends or alters, or a read; else concluded."""
        reads = [sources[name] for sources in self._division.flows.values() if name in sources]
        if told.appends or told.lifecycle == "ALTER":
            reads.append(Evidence.DECLARED)
        return min(reads, key=_EVIDENCE.__getitem__, default=Evidence.INFERRED)

    def _continuous_flows(self, output: Name, sources: dict[Name, Evidence]) -> None:
        view, timeline = self._view, self._context.timeline(output)
        met = {name: self._meets(name, writing=False) for name in sources}
        for write_id in timeline.identity(view.key):
            write = timeline.writes.by_id[write_id]
            moment = write.written
            flow = self._flow(output, moment)
            for sibling, name in self._record.infers:
                self._infer(flow, sibling, name, view.rank(moment))
            self._add(Edge(EdgeKind.WROTE, flow, write.key, certain=not view.failed, at=moment))
            for name, evidence in sources.items():
                for each in met[name]:
                    if each.at <= moment and _comes_before(each, view.rank(moment)):
                        self._read(flow, name, each, evidence, each.at)
            self._rename(flow, view.outputs[output], view.rank(moment))
            kept, _ = builds_on(timeline, write)
            if kept is not None:
                self._read(flow, output, kept, Evidence.DECLARED, moment, role=False)
        writes = timeline.identity(view.key)
        last = max((write_id[3] or view.start for write_id in writes), default=None)
        later = {
            name: [m for m in mets if last is None or m.at > last or not _comes_before(m, view.rank(last))]
            for name, mets in met.items()
        }
        self._loose(later, sources)

    def _flow_without_output(self, sources: dict[Name, Evidence]) -> None:
        self._loose({name: self._meets(name, writing=False) for name in sources}, sources)

    def _loose(self, met: dict[Name, list[Met]], sources: dict[Name, Evidence]) -> None:
        """What is read and feeds no output stands in one more flow (R4)."""
        if any(met.values()) or (sources and not met):
            flow = self._flow(None)
            for name, mets in met.items():
                for each in mets:
                    self._read(flow, name, each, sources[name], each.at)

    def _flow(self, output: Name | None, moment: int | None = None) -> bytes:
        view = self._view
        parts = ["run", view.run_id, *view.job, *(output or ())]
        if moment is not None:
            parts.append(str(moment))
        key = store_key(Base.FLOW, *parts)
        if all(flow.key != key for flow in self.flows):
            self.flows.append(Flow(key=key, owner=view.key, output=output, moment=moment))
            self._add(Edge(EdgeKind.HAS_FLOW, view.key, key))
        return key

    # -- reads

    def _meets(self, name: Name, *, writing: bool) -> list[Met]:
        timeline = self._context.timeline(name)
        touch = timeline.touches.get(self._view.key)
        if touch is None or touch.reads is None:
            return []
        is_model = self._context.is_model(name)
        if self._view.is_continuous:
            met, gaps = meets_continuous(timeline, touch, is_model=is_model)
        else:
            met, gaps = meets_batch(timeline, touch, writing=writing)
        self._gaps.update(dict.fromkeys(gaps))
        for each in met:
            self._refer(timeline, touch, name, each)
            if is_model and self._view.type is RunType.SERVICE:
                self._serves.setdefault((each.at, dataset_key(*name)), set()).add(each.version)
        if met and met[0].binding is not Binding.AS_FOUND:
            self._resolve_found(name, met[0])
        return met

    def _refer(self, timeline: Timeline, touch: Touch, name: Name, met: Met) -> None:
        """Tell the version what this read tells of it."""
        digests = tuple(d for told in touch.reads or () for d in told.digests)
        if met.unwritten is not None:
            told = digests if met.binding is not Binding.DECLARED or len(touch.reads or ()) == 1 else ()
            at = met.at if touch.continuous else touch.start
            known = self.references.get(met.version)
            if known is None or at < known.at:
                self.references[met.version] = Reference(name, at, met.unwritten.declared, met.unwritten.digest, told)
        elif met.binding is Binding.DECLARED and digests and len(touch.reads or ()) == 1:
            self.references[met.version] = Reference(name, met.at, None, None, digests)

    def _resolve_found(self, name: Name, met: Met) -> None:
        """R10: the key that the version had as found by this run, as long as that was all that was known, resolves."""
        source = self._view.inputs.get(name)
        if source is None or source.was_bare or not source.told:
            for member in self._context.members(name):
                key = found_key(member, self._view.run_id, self._view.job)
                self.names.append((NameScope.KEY, key.hex(), met.version))

    def _infer(self, flow: bytes, sibling: bytes, name: Name, rank: Rank) -> None:
        """R8: at the version that the sibling met."""
        found = self._runs.view(sibling)
        timeline = self._context.timeline(name)
        touch = timeline.touches.get(sibling)
        if found is None or touch is None or touch.reads is None:
            return
        if touch.continuous:
            met, _ = meets_continuous(timeline, touch, is_model=self._context.is_model(name))
        else:
            met, _ = meets_batch(timeline, touch, writing=False)
        for each in met:
            if _comes_before(each, rank) and self._view.key not in self._parts(timeline, each.version):
                message = f"That {name.name} was read is concluded from what ran before in the same process."
                gaps = (Gap(GapCode.INFERRED.value, message),)
                concluded = each._replace(binding=Binding.INFERRED, gaps=gaps)
                self._read(flow, name, concluded, Evidence.INFERRED, self._view.start)

    def _parts(self, timeline: Timeline, version: bytes) -> set[bytes]:
        write = timeline.writes.by_key.get(version)
        return set(write.parts) if write else set()

    def _read(self, flow: bytes, name: Name, met: Met, evidence: Evidence, at: int, *, role: bool = True) -> None:
        view = self._view
        edge = Edge(
            kind=EdgeKind.READ_BY,
            source=met.version,
            target=flow,
            evidence=evidence,
            certain=not view.failed,
            undivided=self._division.undivided,
            binding=met.binding,
            role=self._context.role(view, name, trains=self._trains) if role else None,
            at=at,
            gaps=met.gaps,
        )
        known = self.edges.get(edge.key)
        self.edges[edge.key] = edge if known is None else _joined(known, edge)

    def _add(self, edge: Edge) -> None:
        self.edges[edge.key] = edge

    # -- nodes

    def nodes(self) -> Iterator[Run | Flow]:
        yield self._run()
        yield from self.flows

    def _run(self) -> Run:
        view, facets = self._view, self._view.facets
        gaps = dict(self._gaps)
        if view.end is None and view.superseded_at is not None:
            gaps[
                Gap(GapCode.ROLLOUT_NOT_ENDED.value, "No event ended this rollout; the next one is taken for its end.")
            ] = None
        conflict = sorted(self._conflicts())
        return Run(
            key=view.key,
            run_id=view.run_id,
            job=view.job,
            type=view.type,
            state=view.state,
            started_at=view.start,
            ended_at=view.effective_end,
            commit=view.commit,
            repository=view.repository,
            parameters=_parameters(facets.get("executionParameters")),
            metrics=_metrics(facets.get(METRICS)),
            environment=_plain(facets.get(ENVIRONMENT)),
            rollout=_plain(facets.get(ROLLOUT)),
            error=_message(facets.get("errorMessage")),
            tags=tags(facets),
            updated_at=view.updated,
            facets={
                name: facets[name]
                for name in ("externalQuery", "jobDependencies", "nominalTime", "processing_engine")
                if name in facets
            },
            gaps=(*sorted(gaps), *conflict),
            serves=tuple((*place, tuple(sorted(versions))) for place, versions in sorted(self._serves.items())),
        )

    def _conflicts(self) -> set[Gap]:
        names = {*self._view.inputs, *self._view.outputs}
        groups = (self._context.directory.group(name) for name in names)
        return {Gap(GapCode.ALIAS_CONFLICT.value, group.conflict) for group in groups if group.conflict}


def _comes_before(met: Met, rank: Rank) -> bool:
    return met.rank is None or met.rank < rank


def _joined(one: Edge, other: Edge) -> Edge:
    """Of several ways in which one flow read one version: the best evidence, the strongest binding with its gaps, and
    the first of the roles."""
    best = min(one, other, key=lambda e: (_STRENGTH[e.binding or Binding.AS_FOUND], _EVIDENCE[e.evidence], e.at or 0))
    roles = sorted((e.role for e in (one, other) if e.role), key=list(Role).index)
    return msgspec.structs.replace(
        best,
        evidence=min(one.evidence, other.evidence, key=_EVIDENCE.__getitem__),
        role=roles[0] if roles else None,
        at=min(one.at or 0, other.at or 0),
        gaps=best.gaps,
    )


def _parameters(facet: object) -> dict[str, object]:
    listed = facet.get("parameters") if isinstance(facet, dict) else None
    items = listed if isinstance(listed, list) else ()
    return {str(i["key"]): i.get("value") for i in items if isinstance(i, dict) and "key" in i}


def _metrics(facet: object) -> tuple[dict[str, object], ...]:
    listed = facet.get("metrics") if isinstance(facet, dict) else None
    return tuple(item for item in listed if isinstance(item, dict)) if isinstance(listed, list) else ()


def _plain(facet: object) -> dict[str, object]:
    return {k: v for k, v in facet.items() if not k.startswith("_")} if isinstance(facet, dict) else {}


def _message(facet: object) -> str | None:
    message = facet.get("message") if isinstance(facet, dict) else None
    return message if isinstance(message, str) else None
