"""The real fold's graph, told in the words of :mod:`reference_fold.facts`."""

from __future__ import annotations

from collections.abc import Iterable

from reference_fold.facts import NO_RUN, Facts, Flow, VersionId, Wire
from reference_fold.names import datasets_of

from lineage.event.model import Event, Name
from lineage.facts.extract import run_claims
from lineage.facts.schema import Fields
from lineage.fold.fold import Fold, MemoryFacts
from lineage.keys import Base, store_key
from lineage.model import (
    Changes,
    Column,
    Dataset,
    Digest,
    Edge,
    EdgeKind,
    GapCode,
    Job,
    Node,
    Run,
    RunState,
    RunType,
    Version,
)
from lineage.model import Flow as FlowNode

#: Told at runs whose dataset is in conflict, and at versions without hashes: compared where they arise, or not here.
_ELSEWHERE = {GapCode.ALIAS_CONFLICT.value, GapCode.NO_CONTENT_HASH.value}


def graph_of(events: Iterable[Event]) -> Facts:
    """What the fold makes of ``events`` in one batch."""
    taken = list(events)
    changes = Fold(MemoryFacts()).take([(index, 0, event) for index, event in enumerate(taken)])
    return _Reader(changes, taken).facts()


class _Reader:
    """Reads a change list that made the whole graph."""

    def __init__(self, changes: Changes, events: list[Event]) -> None:
        self._nodes = {key: node for key, node in changes.nodes.items() if node is not None}
        self._edges = [edge for edge in changes.edges.values() if edge is not None]
        claims = [run_claims(event, 0, 0) for event in events if event.job is not None]
        self._digests = {digest for each in claims for read in each.reads for digest in read.digests}
        self._runs = [(node.run_id, node.job) for node in self._nodes.values() if isinstance(node, Run)]
        self._versions = [node for node in self._nodes.values() if isinstance(node, Version)]
        self._written = {edge.source: edge.target for edge in self._edges if edge.kind is EdgeKind.WROTE}
        self._events = events

    def facts(self) -> Facts:
        """Everything that is compared."""
        facts = Facts()
        for node in self._nodes.values():
            self._node(facts, node)
        for edge in self._edges:
            self._edge(facts, edge)
        told = {dataset.name for event in self._events for dataset in datasets_of(event)}
        facts.conflicts = {name: True for name in facts.conflicts if name in told}
        return facts

    def _node(self, facts: Facts, node: Node) -> None:
        if isinstance(node, Run) and node.state is not RunState.UNKNOWN:
            told = (node.type.value, node.state.value, node.started_at, node.ended_at)
            facts.runs[node.run_id, node.job] = (*told, _codes(node.gaps))
        elif isinstance(node, Version):
            facts.versions[self._version(node)] = (node.written_at, node.certain, frozenset(node.declared))
            facts.version_gaps[self._version(node)] = _codes(node.gaps)
            if node.schema is not None:
                facts.schemas[self._version(node)] = self._fields(node)
        elif isinstance(node, Dataset) and any(gap.code == GapCode.ALIAS_CONFLICT.value for gap in node.gaps):
            facts.conflicts[Name(node.namespace, node.name)] = True

    def _edge(self, facts: Facts, edge: Edge) -> None:
        source, target = self._nodes.get(edge.source), self._nodes.get(edge.target)
        if edge.kind is EdgeKind.READ_BY and isinstance(source, Version) and isinstance(target, FlowNode):
            key = (self._version(source), self._flow(target))
            binding = edge.binding.value if edge.binding else "?"
            facts.reads[key] = (binding, edge.evidence.value, edge.certain, edge.undivided)
            facts.read_gaps[key] = _codes(edge.gaps)
        elif edge.kind is EdgeKind.WROTE and isinstance(source, FlowNode) and isinstance(target, Version):
            facts.wrote[self._flow(source), self._version(target)] = edge.certain
        elif edge.kind is EdgeKind.FEEDS and isinstance(source, Column) and isinstance(target, Column):
            fields = (Name(source.namespace, source.name), source.column, Name(target.namespace, target.name))
            facts.columns[*fields, target.column] = (edge.at, edge.until)
        elif edge.kind is EdgeKind.FEEDS and isinstance(target, FlowNode):
            wire = (self._name(source), self._job(target), target.output, edge.until)
            facts.logical[wire] = (edge.evidence.value, edge.certain, edge.stale, edge.undivided)
            self._since(facts, wire, edge)
        elif edge.kind is EdgeKind.FEEDS and isinstance(source, FlowNode):
            self._since(facts, (None, self._job(source), self._name(target), edge.until), edge)

    def _since(self, facts: Facts, wire: Wire, edge: Edge) -> None:
        """Two names of one dataset may both tell what it is made from."""
        assert edge.at is not None
        facts.since[wire] = min(edge.at, facts.since.get(wire, edge.at))

    def _job(self, flow: FlowNode) -> Name | None:
        job = self._nodes.get(flow.owner or b"")
        return Name(job.namespace, job.name) if isinstance(job, Job) else None

    def _fields(self, node: Version) -> Fields:
        dataset = self._nodes[node.dataset]
        assert isinstance(dataset, Dataset)
        return next(schema.fields for schema in dataset.schemas if schema.digest == node.schema)

    def _name(self, node: Node | None) -> Name:
        return Name(node.namespace, node.name) if isinstance(node, Dataset) else Name("", "no such node")

    def _flow(self, node: FlowNode) -> Flow:
        owner = self._nodes.get(node.owner or b"")
        if isinstance(owner, Run):
            return ((owner.run_id, owner.job), node.output, node.moment)
        told = self._nodes.get(self._written.get(node.key, b""))
        return (NO_RUN, self._version(told) if isinstance(told, Version) else node.output, None)

    def _version(self, node: Version) -> VersionId:
        dataset = Name(node.namespace, node.name)
        run = self._nodes.get(node.run or b"")
        if isinstance(run, Run):
            return (dataset, "run", (run.run_id, run.job), None if run.type is RunType.BATCH else node.written_at)
        for digest in self._digests.union(node.digests):
            if node.key == store_key(Base.VERSION, *dataset, "digest", *_parts(digest)):
                return (dataset, "digest", _parts(digest))
        for run_id, job in self._runs:
            if node.key == store_key(Base.VERSION, *dataset, "found", run_id, *job):
                return (dataset, "found", (run_id, job))
        for made in self._versions:
            if node.key == store_key(Base.VERSION, *dataset, "found", "", "telling", made.key.hex()):
                return (dataset, "found", self._version(made))
        return (dataset, "declared", node.declared[0] if node.declared else None)


def _parts(digest: Digest) -> tuple[str, str, str, str]:
    return (digest.scope, digest.method, digest.algorithm, digest.digest)


def _codes(gaps: Iterable[object]) -> frozenset[str]:
    return frozenset(str(getattr(gap, "code", "")) for gap in gaps) - _ELSEWHERE
