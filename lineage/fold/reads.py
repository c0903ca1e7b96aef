"""What the flows of a run truly read and wrote, bound to versions (R10 to R16)."""

from __future__ import annotations

import msgspec

from lineage.flows.division import Division
from lineage.flows.run import Output, Rank, RunView
from lineage.fold.context import Context
from lineage.fold.records import RunRecord
from lineage.fold.references import Reference
from lineage.fold.runs import Runs
from lineage.fold.touches import is_certain
from lineage.keys import Base, dataset_key, job_key, store_key
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


class Reads:
    """Flows, edges and names of one run while they are computed; ``gaps`` of the run, and what a rollout ``serves``."""

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
        self.gaps: dict[Gap, None] = {}
        self.serves: dict[tuple[int, bytes], set[bytes]] = {}

    def compute(self) -> None:
        """Fill everything."""
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
        self.gaps.update(dict.fromkeys(gaps))
        for each in met:
            self._refer(timeline, touch, name, each)
            if is_model and self._view.type is RunType.SERVICE:
                self.serves.setdefault((each.at, dataset_key(*name)), set()).add(each.version)
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
                source = self._view.inputs.get(name)
                schema = source.schema if source and len(touch.reads or ()) <= 1 else None
                self.references[met.version] = Reference(
                    name, at, met.unwritten.declared, met.unwritten.digest, told, schema=schema
                )
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
            at=max(at, view.start, at if met.written is None else met.written),
            gaps=met.gaps,
        )
        known = self.edges.get(edge.key)
        self.edges[edge.key] = edge if known is None else _joined(known, edge)

    def _add(self, edge: Edge) -> None:
        self.edges[edge.key] = edge


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
