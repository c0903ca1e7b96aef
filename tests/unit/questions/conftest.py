"""Small graphs for the tests of questions: a builder over the reference store, and predictions in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import pytest

from lineage.answer import View
from lineage.keys import Base, column_key, dataset_key, job_key, run_key, store_key
from lineage.memory import MemoryStore
from lineage.model import (
    Changes,
    Column,
    Dataset,
    Digest,
    Edge,
    EdgeKind,
    Flow,
    Job,
    Name,
    NameScope,
    Node,
    Role,
    Run,
    RunType,
    Version,
)
from lineage.predictions import FOREVER, Count, Prediction, Served, Told
from tests.covering import covers


class Records:
    """A PredictionReader over a list."""

    def __init__(self, records: Sequence[Prediction]) -> None:
        self.records = sorted(records, key=lambda record: (record.time, record.index, record.position))

    def find(self, deployment: Name, id: str) -> list[Prediction]:
        return [record for record in self.records if (record.deployment, record.id) == (deployment, id)]

    def count(self, served: Sequence[Served], *, since: int | None = None) -> Count:
        times = [record.time for record in self.records if any(covers(each, record) for each in served)]
        times = [time for time in times if since is None or time >= since]
        return Count(len(times), min(times, default=None), max(times, default=None))

    def told(self, deployment: Name, run_id: str | None, start: int = -FOREVER, end: int = FOREVER) -> frozenset[Told]:
        """Only what was told within: more than that need not be given."""
        found = [record for record in self.records if (record.deployment, record.run_id) == (deployment, run_id)]
        return frozenset(record.told for record in found if start <= record.time < end)

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        return [r for r in self.records if r.deployment == deployment and start <= r.time < end][:limit]


class World:
    """Builds a graph as the fold would."""

    def __init__(self, stack: ExitStack) -> None:
        self.changes = Changes(nodes={}, edges={}, names={})
        self.records: list[Prediction] = []
        self._stack = stack

    def put(self, node: Node) -> bytes:
        self.changes.nodes[node.key] = node
        return node.key

    def tie(self, kind: EdgeKind, source: bytes, target: bytes, **told: object) -> None:
        self.changes.edges[(kind, source, target)] = Edge(kind, source, target, **told)  # type: ignore[arg-type]

    def name(self, scope: NameScope, value: str, key: bytes) -> None:
        self.changes.names[(scope, value, key)] = True

    def dataset(self, name: str, **told: object) -> bytes:
        return self.put(Dataset(dataset_key("db", name), "db", name, **told))  # type: ignore[arg-type]

    def model(self, name: str, **told: object) -> bytes:
        return self.dataset(name, is_model=True, **told)

    def column(self, dataset: str, column: str) -> bytes:
        return self.put(Column(column_key("db", dataset, column), "db", dataset, column))

    def job(self, name: str, **told: object) -> bytes:
        return self.put(Job(job_key("jobs", name), "jobs", name, **told))  # type: ignore[arg-type]

    def run(self, job: str, run_id: str, **told: object) -> bytes:
        key = self.put(Run(run_key(run_id, "jobs", job), run_id, Name("jobs", job), **told))  # type: ignore[arg-type]
        self.tie(EdgeKind.HAS_RUN, job_key("jobs", job), key)
        self.name(NameScope.RUN_ID, run_id, key)
        if told.get("commit"):
            self.name(NameScope.COMMIT, str(told["commit"]), key)
        return key

    def rollout(self, job: str, run_id: str, start: int, end: int | None = None, **told: object) -> bytes:
        return self.run(job, run_id, type=RunType.SERVICE, started_at=start, ended_at=end, **told)

    def version(self, dataset: bytes, written_at: int, digest: str | None = "", **told: object) -> bytes:
        owner = self.changes.nodes[dataset]
        assert isinstance(owner, Dataset)
        text = f"{owner.name}-{written_at}" if digest == "" else digest
        digests = () if text is None else (Digest("sha256", text, "FULL", "file"),)
        key = store_key(Base.VERSION, "db", owner.name, str(written_at))
        told |= {"digests": digests, "is_model": owner.is_model}
        node = Version(key, dataset, "db", owner.name, written_at, **told)  # type: ignore[arg-type]
        self.tie(EdgeKind.HAS_VERSION, dataset, self.put(node))
        if text is not None:
            self.name(NameScope.DIGEST, text, key)
        return key

    def flow(self, owner: bytes | None, output: str | None = None, tag: str = "") -> bytes:
        key = store_key(Base.FLOW, (owner or b"").hex(), output or "", tag)
        self.put(Flow(key, owner, None if output is None else Name("db", output)))
        if owner is not None:
            self.tie(EdgeKind.HAS_FLOW, owner, key)
        return key

    def read(self, version: bytes, flow: bytes, role: Role | None = None, **told: object) -> None:
        self.tie(EdgeKind.READ_BY, version, flow, role=role, **told)

    def write(self, flow: bytes, version: bytes, **told: object) -> None:
        self.tie(EdgeKind.WROTE, flow, version, **told)

    def feed(self, source: bytes, target: bytes, **told: object) -> None:
        self.tie(EdgeKind.FEEDS, source, target, **told)

    def execute(
        self, job: str, run_id: str, reads: Mapping[bytes, Role | None], dataset: bytes, written_at: int, **told: object
    ) -> tuple[bytes, bytes]:
        """One batch run that makes a version of ``dataset`` of ``reads``, and its wiring: (run, version)."""
        output = self.changes.nodes[dataset]
        assert isinstance(output, Dataset)
        run = self.run(job, run_id, started_at=written_at - 1, ended_at=written_at, **told)
        version = self.version(dataset, written_at, run=run)
        flow, wired = self.flow(run, output.name), self.flow(job_key("jobs", job), output.name)
        for source, role in reads.items():
            read = self.changes.nodes[source]
            assert isinstance(read, Version)
            self.read(source, flow, role)
            self.feed(read.dataset, wired, role=role)
        self.write(flow, version)
        self.feed(wired, dataset)
        return run, version

    def predicted(self, id: str, time: int, deployment: str = "api", **told: object) -> Prediction:
        index = len(self.records)
        record = Prediction(index, 0, Name("jobs", deployment), id, time, **told)  # type: ignore[arg-type]
        self.records.append(record)
        return record

    def view(self, behind: int = 0) -> View:
        store = MemoryStore()
        store.apply(self.changes, 7)
        return View(self._stack.enter_context(store.reader()), Records(self.records), behind)


@pytest.fixture(scope="session")
def worlds() -> Iterator[Callable[[], World]]:
    """Makes an empty world each time."""
    with ExitStack() as stack:
        yield lambda: World(stack)


@pytest.fixture
def world(worlds: Callable[[], World]) -> World:
    return worlds()


class Pipeline:
    """raw → clean → features; features (TRAIN) and holdout (VALIDATION) → churn; a rollout of churn at 100, logged."""

    def __init__(self, world: World) -> None:
        self.world = world
        for job in ("clean", "build", "train"):
            world.job(job)
        self.deployment = world.job("api", is_deployment=True)
        self.raw, self.clean = world.dataset("raw"), world.dataset("clean")
        self.features, self.holdout = world.dataset("features"), world.dataset("holdout")
        self.churn, self.log = world.model("churn"), world.dataset("log")
        self.raw1 = world.version(self.raw, 10)
        self.holdout1 = world.version(self.holdout, 11)
        self.clean_run, self.clean1 = world.execute("clean", "c1", {self.raw1: None}, self.clean, 20)
        self.build_run, self.features1 = world.execute("build", "b1", {self.clean1: None}, self.features, 30)
        reads = {self.features1: Role.TRAIN, self.holdout1: Role.VALIDATION}
        self.train_run, self.churn1 = world.execute("train", "t1", reads, self.churn, 40, commit="abc")
        self.rollout, self.log1 = self.serve("r1", self.churn1, 100)

    def serve(self, run_id: str, model: bytes, start: int, end: int | None = None) -> tuple[bytes, bytes]:
        rollout = self.world.rollout("api", run_id, start, end)
        log = self.world.version(self.log, start, digest=None, run=rollout)
        flow, wired = self.world.flow(rollout, "log"), self.world.flow(self.deployment, "log")
        self.world.read(model, flow, at=start)
        self.world.write(flow, log)
        self.world.feed(self.churn, wired)
        self.world.feed(wired, self.log)
        return rollout, log


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return Pipeline(world)
