"""The real fold's graph, told in the words of :mod:`reference_fold.reference`."""

from __future__ import annotations

from collections.abc import Iterable

from reference_fold.reference import Facts, Flow, VersionId

from lineage.event.model import Event, Name
from lineage.fold.fold import Fold, MemoryFacts
from lineage.model import Changes, Dataset, Edge, EdgeKind, GapCode, Job, Node, Run, RunState, RunType, Version
from lineage.model import Flow as FlowNode


def graph_of(events: Iterable[Event]) -> Changes:
    """What the fold makes of ``events`` in one batch."""
    return Fold(MemoryFacts()).take([(index, 0, event) for index, event in enumerate(events)])


def facts_of_graph(changes: Changes) -> Facts:
    """The nodes and edges of ``changes``, which made the whole graph."""
    return _Reader(changes).facts()


class _Reader:
    def __init__(self, changes: Changes) -> None:
        self.nodes = {key: node for key, node in changes.nodes.items() if node is not None}
        self.edges = [edge for edge in changes.edges.values() if edge is not None]
        self.readers: dict[bytes, list[bytes]] = {}
        for edge in self.edges:
            if edge.kind is EdgeKind.READ_BY:
                self.readers.setdefault(edge.source, []).append(edge.target)

    def facts(self) -> Facts:
        facts = Facts()
        for node in self.nodes.values():
            self._node(facts, node)
        for edge in self.edges:
            self._edge(facts, edge)
        return facts

    def _node(self, facts: Facts, node: Node) -> None:
        if isinstance(node, Run) and node.state is not RunState.UNKNOWN:
            told = (node.type.value, node.state.value, node.started_at, node.ended_at)
            facts.runs[(node.run_id, node.job)] = (*told, _codes(node.gaps) - {GapCode.ALIAS_CONFLICT.value})
        elif isinstance(node, Version):
            facts.versions[self.version(node)] = (node.written_at, node.certain, frozenset(node.declared))
            facts.version_gaps[self.version(node)] = _codes(node.gaps) - {GapCode.NO_CONTENT_HASH.value}
        elif isinstance(node, Dataset) and GapCode.ALIAS_CONFLICT.value in _codes(node.gaps):
            facts.conflicts.add(Name(node.namespace, node.name))

    def _edge(self, facts: Facts, edge: Edge) -> None:
        source, target = self.nodes.get(edge.source), self.nodes.get(edge.target)
        if edge.kind is EdgeKind.READ_BY and isinstance(source, Version) and isinstance(target, FlowNode):
            key = (self.version(source), self.flow(target))
            binding = edge.binding.value if edge.binding else "?"
            facts.reads[key] = (binding, edge.evidence.value, edge.certain)
            facts.read_gaps[key] = _codes(edge.gaps)
        elif edge.kind is EdgeKind.WROTE and isinstance(source, FlowNode) and isinstance(target, Version):
            facts.wrote.add((self.flow(source), self.version(target)))
        elif edge.kind is EdgeKind.FEEDS and isinstance(source, Dataset) and isinstance(target, FlowNode):
            job = self.nodes.get(target.owner or b"")
            if isinstance(job, Job):
                fed = (Name(source.namespace, source.name), Name(job.namespace, job.name), target.output)
                facts.logical[fed] = (edge.evidence.value, edge.certain, edge.stale)

    def flow(self, node: FlowNode) -> Flow:
        owner = self.nodes.get(node.owner or b"")
        if isinstance(owner, Run):
            return ((owner.run_id, owner.job), node.output, node.moment)
        return (("", Name("", "")), node.output, node.moment)

    def version(self, node: Version) -> VersionId:
        dataset = Name(node.namespace, node.name)
        run = self.nodes.get(node.run or b"")
        if isinstance(run, Run):
            return (dataset, "run", (run.run_id, run.job), None if run.type is RunType.BATCH else node.written_at)
        if node.declared:
            return (dataset, "declared", node.declared[0])
        if node.digests:
            first = node.digests[0]
            return (dataset, "digest", (first.algorithm, first.scope, first.method, first.digest))
        return (dataset, "found", next((self._reader(flow) for flow in self.readers.get(node.key, [])), None))

    def _reader(self, flow: bytes) -> object:
        node = self.nodes.get(flow)
        return self.flow(node)[0] if isinstance(node, FlowNode) else None


def _codes(gaps: Iterable[object]) -> frozenset[str]:
    return frozenset(str(getattr(gap, "code", "")) for gap in gaps)
