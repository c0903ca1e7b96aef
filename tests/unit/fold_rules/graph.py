"""A graph by its nodes and edges, with the names that a story gives to them.

A version is called ``a@r1`` if run r1 wrote it, ``a@r1:5`` if that run goes on and wrote it at second 5; without a
writer ``a=v1`` by what was declared, ``a#h1`` by its content, ``a?r2`` as found by run r2.
"""

from __future__ import annotations

from lineage.keys import dataset_key, job_key, run_key
from lineage.memory import MemoryReader
from lineage.model import Dataset, Edge, EdgeKind, Flow, Job, Name, NameScope, Node, Run, Version
from lineage.store import EdgeFilter
from lineage.timeline.binding import found_key
from tests.unit.fold_rules.story import MICROSECONDS, moment, name_of, run_id, short_of


class Graph:
    """Nodes and edges, found by the story's names."""

    def __init__(self, reader: MemoryReader, lines: list[bytes], nodes: dict[bytes, Node], edges: list[Edge]) -> None:
        self.reader = reader
        self.lines = lines
        self._nodes = nodes
        self._edges = edges

    # -- nodes

    def run(self, short: str, job: str | None = None) -> Run:
        """The run's node."""
        found = self._nodes[run_key(run_id(short), "jobs", job or f"job-{short}")]
        assert isinstance(found, Run)
        return found

    def run_of(self, short: str) -> Run:
        """The one run that has this runId, whatever its job is called."""
        (key,) = self.reader.lookup(NameScope.RUN_ID, run_id(short))
        found = self._nodes[key]
        assert isinstance(found, Run)
        return found

    def dataset(self, text: str) -> Dataset | None:
        """The dataset's node under exactly this name."""
        found = self._nodes.get(dataset_key(*name_of(text)))
        assert found is None or isinstance(found, Dataset)
        return found

    def job(self, name: str) -> Job:
        """The job's node."""
        found = self._nodes[job_key("jobs", name)]
        assert isinstance(found, Job)
        return found

    def version(self, label: str) -> Version:
        """The version that is called so."""
        (found,) = [node for node in self._versions() if self.label(node) == label]
        return found

    def versions(self, text: str) -> list[str]:
        """All versions of a dataset, as they are called, in the order of their writing."""
        key = dataset_key(*name_of(text))
        found = [node for node in self._versions() if node.dataset == key]
        return [self.label(node) for node in sorted(found, key=lambda node: (node.written_at, self.label(node)))]

    def resolve(self, key: bytes) -> list[str]:
        """What a key leads to: versions as they are called, datasets by their names."""
        keys = [key] if key in self._nodes else self.reader.lookup(NameScope.KEY, key.hex())
        found = [self._nodes[each] for each in keys]
        return [self.label(node) if isinstance(node, Version) else getattr(node, "name", "?") for node in found]

    def with_digest(self, digest: str) -> set[str]:
        """The versions that a content hash names."""
        return {self._label_of(key) for key in self.reader.lookup(NameScope.DIGEST, digest)}

    def label(self, version: Version) -> str:
        """What a version is called."""
        if version.run is not None:
            run = self._nodes[version.run]
            assert isinstance(run, Run)
            called = f"{version.name}@{short_of(run.run_id)}"
            streams = run.type.value != "BATCH"
            return f"{called}:{(version.written_at - moment(0)) / MICROSECONDS:g}" if streams else called
        for run in (node for node in self._nodes.values() if isinstance(node, Run)):
            if version.key == found_key(Name(version.namespace, version.name), run.run_id, run.job):
                return f"{version.name}?{short_of(run.run_id)}"
        if version.declared:
            return f"{version.name}={version.declared[0]}"
        return f"{version.name}#{version.digests[0].digest}"

    def edges(self) -> list[Edge]:
        """All of them."""
        return list(self._edges)

    # -- looking

    def _versions(self) -> list[Version]:
        return [node for node in self._nodes.values() if isinstance(node, Version)]

    def _flows(self, owner: bytes) -> list[Flow]:
        return [node for node in self._nodes.values() if isinstance(node, Flow) and node.owner == owner]

    def _into(self, flow: bytes) -> list[Edge]:
        return [edge for edge in self._edges if edge.kind is EdgeKind.READ_BY and edge.target == flow]

    def _feeding(self, flow: bytes, at: float | None = None) -> list[Edge]:
        """What feeds a flow, now or at that second."""
        return [edge for edge in self._edges if stands(edge, at) and edge.target == flow]

    def _feeds(self, flow: bytes, output: str | None, at: float | None = None) -> bool:
        """Whether a flow feeds ``output``, or for None whether anything feeds it, now or at that second."""
        if output is None:
            return bool(self._feeding(flow, at))
        target = dataset_key(*name_of(output))
        return any(stands(e, at) and e.source == flow and e.target == target for e in self._edges)

    def _version(self, key: bytes) -> Version:
        node = self._nodes[key]
        assert isinstance(node, Version)
        return node

    def _label_of(self, key: bytes) -> str:
        return self.label(self._version(key))

    def _dataset(self, key: bytes) -> str:
        node = self._nodes[key]
        assert isinstance(node, Dataset)
        return node.name


def stands(edge: Edge, at: float | None = None) -> bool:
    """Whether it is a tie of the logical level, of those that nothing has replaced, or that were there at that second
    (R3)."""
    as_of = None if at is None else moment(at)
    return edge.kind is EdgeKind.FEEDS and EdgeFilter(as_of=as_of).admits(edge)
