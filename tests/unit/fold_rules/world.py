"""The graph that a story gives, asked as a person would: which version did this run meet, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.key_array import unpack
from lineage.keys import dataset_key, job_key
from lineage.memory import MemoryStore
from lineage.model import Column, Dataset, Edge, EdgeKind, Flow, Node, Run
from lineage.store import Direction, Level
from tests.unit.fold_rules.graph import Graph, stands
from tests.unit.fold_rules.story import MICROSECONDS, moment, name_of, short_of


@dataclass(frozen=True)
class Read:
    """A version that a flow of a run read. ``output`` is the flow's, ``moment`` its second (a run that goes on)."""

    version: str
    run: str
    output: str | None
    moment: float | None
    edge: Edge

    @property
    def binding(self) -> str:
        assert self.edge.binding is not None
        return self.edge.binding.value

    @property
    def evidence(self) -> str:
        return self.edge.evidence.value

    @property
    def gaps(self) -> set[str]:
        return {str(gap.code) for gap in self.edge.gaps}


class World(Graph):
    """A graph and how to ask it."""

    # -- runs

    def reads(self, short: str, text: str | None = None, *, job: str | None = None) -> list[Read]:
        """What the flows of a run read, of one dataset or of all."""
        found = list(self._reads(self.run(short, job)))
        return [
            read
            for read in found
            if text is None or read.version.startswith((f"{text}@", f"{text}=", f"{text}#", f"{text}?"))
        ]

    def read(self, short: str, text: str) -> Read:
        """The one read that the run made of the dataset."""
        (found,) = self.reads(short, text)
        return found

    def declared_of(self, read: Read) -> tuple[str, ...]:
        """The declared versions of what was read."""
        return self._version(read.edge.source).declared

    def met(self, short: str, text: str) -> set[str]:
        """The versions of a dataset that the run met."""
        return {read.version for read in self.reads(short, text)}

    def fed(self, short: str, job: str | None = None) -> dict[str | None, set[str]]:
        """By output, the datasets that a run's flows read for it; None: what feeds no output."""
        owner = self.run(short, job).key
        return {
            flow.output.name if flow.output else None: {self._version(e.source).name for e in self._into(flow.key)}
            for flow in self._flows(owner)
        }

    def moments(self, short: str, text: str) -> dict[float, set[str]]:
        """By the second at which a run that goes on wrote a dataset, the versions that this was made from."""
        found: dict[float, set[str]] = {}
        for flow in self._flows(self.run(short).key):
            if flow.output == name_of(text) and flow.moment is not None:
                at = (flow.moment - moment(0)) / MICROSECONDS
                found[at] = {self._label_of(edge.source) for edge in self._into(flow.key)}
        return found

    def loose(self, short: str) -> set[str]:
        """The versions that a run read for no output."""
        return {read.version for read in self.reads(short) if read.output is None}

    def flow_keys(self, short: str) -> set[bytes]:
        """The keys of a run's flows."""
        return {flow.key for flow in self._flows(self.run(short).key)}

    def gaps(self, short: str) -> set[str]:
        """The gaps of a run."""
        return {str(gap.code) for gap in self.run(short).gaps}

    def version_gaps(self, label: str) -> set[str]:
        """The gaps of a version."""
        return {str(gap.code) for gap in self.version(label).gaps}

    def dataset_gaps(self, text: str) -> set[str]:
        """The gaps of a dataset."""
        node = self.dataset(text)
        return {str(gap.code) for gap in node.gaps} if node else set()

    def wrote(self, short: str) -> set[str]:
        """The versions that a run wrote."""
        flows = {flow.key for flow in self._flows(self.run(short).key)}
        return {self._label_of(e.target) for e in self._edges if e.kind is EdgeKind.WROTE and e.source in flows}

    def made_from(self, label: str) -> set[str]:
        """The versions that a version was made from, one step back."""
        key = self.version(label).key
        flows = [edge.source for edge in self._edges if edge.kind is EdgeKind.WROTE and edge.target == key]
        return {self._label_of(edge.source) for flow in flows for edge in self._into(flow)}

    def wrote_edge(self, label: str) -> Edge:
        """The one write of a version."""
        key = self.version(label).key
        (edge,) = [edge for edge in self._edges if edge.kind is EdgeKind.WROTE and edge.target == key]
        return edge

    def edges_into(self, label: str) -> list[Edge]:
        """The reads of all flows that wrote a version."""
        key = self.version(label).key
        flows = [edge.source for edge in self._edges if edge.kind is EdgeKind.WROTE and edge.target == key]
        return [edge for flow in flows for edge in self._into(flow)]

    def parent(self, short: str, job: str | None = None) -> tuple[str, str] | None:
        """(short name, job) of a run's parent."""
        key = self.run(short, job).key
        for edge in self._edges:
            if edge.kind is EdgeKind.PARENT_OF and edge.target == key:
                found = self._nodes[edge.source]
                assert isinstance(found, Run)
                return short_of(found.run_id), found.job.name
        return None

    # -- the logical level

    def wires(self, job: str, at: float | None = None) -> dict[str | None, set[str]]:
        """By output, the datasets that feed it in a job's flows, now or at that second."""
        fed: dict[str | None, set[str]] = {}
        for flow in self._flows(job_key("jobs", job)):
            output = flow.output.name if flow.output else None
            if self._feeds(flow.key, output, at):
                fed.setdefault(output, set()).update(self._dataset(e.source) for e in self._feeding(flow.key, at))
        return fed

    def wire(self, job: str, text: str, output: str | None) -> Edge:
        """The edge from an input into a job's flow."""
        for flow in self._flows(job_key("jobs", job)):
            if flow.output == (name_of(output) if output else None):
                for edge in self._feeding(flow.key):
                    if edge.source == dataset_key(*name_of(text)):
                        return edge
        raise AssertionError(f"{text} does not feed {output} in {job}")

    def declared_wires(self, output: str, at: float | None = None) -> list[set[str]]:
        """What feeds a dataset in flows that belong to no job now; all of that at one second."""
        flows = [f for f in self._nodes.values() if isinstance(f, Flow) and f.owner is None]
        found = [f for f in flows if f.output == name_of(output) and self._feeds(f.key, output, at)]
        fed = [{self._dataset(edge.source) for edge in self._feeding(flow.key, at)} for flow in found]
        return fed if at is None or not fed else [set().union(*fed)]

    def downstream(self, text: str) -> set[str]:
        """The datasets that a dataset leads to on the logical level."""
        reach = self.reader.reach(Level.LOGICAL, [dataset_key(*name_of(text))], Direction.DOWNSTREAM)
        keys = set(unpack(reach.keys))
        return {n.name for n in self._nodes.values() if isinstance(n, Dataset) and n.key in keys} - {name_of(text).name}

    def versions_downstream(self, label: str) -> set[str]:
        """The versions that a version leads to."""
        reach = self.reader.reach(Level.VERSION, [self.version(label).key], Direction.DOWNSTREAM)
        keys = set(unpack(reach.keys))
        return {self.label(node) for node in self._versions() if node.key in keys} - {label}

    def columns(self, at: float | None = None) -> set[tuple[str, str]]:
        """All (column, column that it feeds), now or at that second."""
        called = {node.key: f"{node.name}:{node.column}" for node in self._nodes.values() if isinstance(node, Column)}
        return {
            (called[e.source], called[e.target])
            for e in self._edges
            if stands(e, at) and e.source in called and e.target in called
        }

    # -- what always holds

    def check(self) -> None:
        """Each edge has both its ends; the version graph has no cycle, and no run reads what it wrote."""
        for edge in self._edges:
            lost = [end for end in (edge.source, edge.target) if end not in self._nodes]
            assert not lost, f"a {edge.kind} edge that has no {'source' if edge.source in lost else 'target'}"
            if edge.kind in (EdgeKind.READ_BY, EdgeKind.WROTE):
                self._check_time(edge)
        for node in self._nodes.values():
            if isinstance(node, Run):
                short = short_of(node.run_id)
                wrote = {v.key for v in self._versions() if v.run == node.key}
                read = {e.source for flow in self._flows(node.key) for e in self._into(flow.key)}
                assert not wrote & read, f"{short} reads what it wrote"
        before = {version.key: self._sources(version.key) for version in self._versions()}
        while before:
            first = {key for key, sources in before.items() if not sources & before.keys()}
            assert first, f"a cycle among {sorted(map(self._label_of, before))}"
            before = {key: sources for key, sources in before.items() if key not in first}

    def _check_time(self, edge: Edge) -> None:
        read = edge.kind is EdgeKind.READ_BY
        version, flow = (
            self._version(edge.source if read else edge.target),
            self._nodes[edge.target if read else edge.source],
        )
        assert isinstance(flow, Flow)
        run = self._nodes.get(flow.owner or b"")
        began = run.started_at if isinstance(run, Run) and run.started_at is not None else version.written_at
        assert edge.at is not None
        assert edge.at >= max(version.written_at, began), f"{edge.kind} of {self.label(version)} before it was there"

    def _sources(self, key: bytes) -> set[bytes]:
        flows = [e.source for e in self._edges if e.kind is EdgeKind.WROTE and e.target == key]
        return {edge.source for flow in flows for edge in self._into(flow)}

    # -- looking

    def _reads(self, run: Run) -> Iterator[Read]:
        for flow in self._flows(run.key):
            at = None if flow.moment is None else (flow.moment - moment(0)) / MICROSECONDS
            for edge in self._into(flow.key):
                output = flow.output.name if flow.output else None
                yield Read(self._label_of(edge.source), short_of(run.run_id), output, at, edge)


def world_of(batches: Iterable[Iterable[bytes]]) -> World:
    """Fold batches of events, one after the other, into the graph that they give."""
    fold, store = Fold(MemoryFacts()), MemoryStore()
    index = 0
    nodes: dict[bytes, Node] = {}
    edges: dict[object, Edge] = {}
    for batch in batches:
        taken = [(index + place, 0, parse_event(event)) for place, event in enumerate(batch)]
        index += len(taken)
        changes = fold.take(taken)
        fold.commit(index)
        store.apply(changes, index)
        for key, node in changes.nodes.items():
            nodes.pop(key, None)
            if node is not None:
                nodes[key] = node
        for edge_key, edge in changes.edges.items():
            edges.pop(edge_key, None)
            if edge is not None:
                edges[edge_key] = edge
    with store.reader() as reader:
        world = World(reader, sorted(reader.dump()), nodes, list(edges.values()))
    world.check()
    return world
