"""A small pipeline as a graph (raw orders, features, a model in two versions, a deployment), and a server over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lineage.keys import Base, column_key, dataset_key, job_key, run_key, store_key
from lineage.memory import MemoryStore
from lineage.model import (
    Binding,
    Changes,
    Column,
    Dataset,
    Digest,
    Edge,
    EdgeKind,
    Flow,
    Gap,
    Job,
    Name,
    NameScope,
    Owner,
    Role,
    Run,
    RunState,
    RunType,
    Version,
)
from lineage.predictions import FOREVER, Count, Prediction, Served, Told
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore
from lineage_graphql import Caps, GraphQLContext, build_schema, execute, graphql_router
from lineage_graphql.schema import Schema
from tests.covering import covers

START = 1_777_629_600_000_000
MINUTE = 60_000_000
SERVICE = Name("k8s://prod", "fraud-api")
ODD = Name('s3://a.b:9000/"quoted"', "très.drôle: 'x' ${y} `z` — 注文")


def run_id(number: int) -> str:
    return str(UUID(int=number))


@dataclass
class Graph:
    """Builds a change list in the graph's own words."""

    changes: Changes = field(default_factory=lambda: Changes({}, {}, {}))

    def edge(self, kind: EdgeKind, source: bytes, target: bytes, **told: Any) -> None:
        edge = Edge(kind, source, target, **told)
        self.changes.edges[edge.key] = edge

    def dataset(self, name: Name, **told: Any) -> bytes:
        key = dataset_key(*name)
        self.changes.nodes[key] = Dataset(key, *name, **told)
        return key

    def job(self, name: Name, inputs: Sequence[Name] = (), outputs: Sequence[Name] = (), **told: Any) -> bytes:
        key = job_key(*name)
        self.changes.nodes[key] = Job(key, *name, **told)
        for output in outputs or (None,):
            flow = store_key(Base.FLOW, *name, *(output or ()))
            self.changes.nodes[flow] = Flow(flow, key, output)
            self.edge(EdgeKind.HAS_FLOW, key, flow)
            for source in inputs:
                self.edge(EdgeKind.FEEDS, dataset_key(*source), flow)
            if output:
                self.edge(EdgeKind.FEEDS, flow, dataset_key(*output))
        return key

    def run(
        self,
        number: int,
        job: Name,
        reads: Sequence[tuple[bytes, Role | None]] = (),
        writes: Sequence[tuple[Name, dict[str, Any]]] = (),
        **told: Any,
    ) -> list[bytes]:
        """A run that reads versions and writes one version of each dataset; the keys of what it wrote."""
        key = run_key(run_id(number), *job)
        started = START + number * MINUTE
        told = {"state": RunState.COMPLETE, "started_at": started, "ended_at": started + MINUTE // 2, **told}
        self.changes.nodes[key] = Run(key, run_id(number), job, **told)
        self.changes.names[NameScope.RUN_ID, run_id(number), key] = True
        self.edge(EdgeKind.HAS_RUN, job_key(*job), key)
        written = []
        for output, version in writes or ((None, {}),):
            flow = store_key(Base.FLOW, run_id(number), *job, *(output or ()))
            self.changes.nodes[flow] = Flow(flow, key, output)
            self.edge(EdgeKind.HAS_FLOW, key, flow)
            for source, role in reads:
                self.edge(EdgeKind.READ_BY, source, flow, role=role, binding=Binding.DECLARED, at=started)
            if output is not None:
                written.append(self.version(output, key, started + MINUTE // 2, **version))
                self.edge(EdgeKind.WROTE, flow, written[-1], at=started + MINUTE // 2)
        return written

    def version(self, name: Name, run: bytes | None, written_at: int, **told: Any) -> bytes:
        key = store_key(Base.VERSION, *name, "run" if run else "as-found", (run or b"").hex(), str(written_at))
        self.changes.nodes[key] = Version(key, dataset_key(*name), *name, written_at, run=run, **told)
        self.edge(EdgeKind.HAS_VERSION, dataset_key(*name), key)
        for digest in told.get("digests", ()):
            self.changes.names[NameScope.DIGEST, digest.digest, key] = True
        return key


RAW, FEATURES, MODEL, LOG = (
    Name("s3://lake", "raw.orders"),
    Name("postgres://dw", "sales.features"),
    Name("mlflow", "churn"),
    Name("kafka", "predictions"),
)
ETL, TRAIN = Name("airflow", "etl"), Name("airflow", "train")


def digest_of(number: int) -> Digest:
    return Digest("sha256", f"{number:064x}", "FULL", "file", bytes=2**40 + number, rows=number)


def pipeline() -> Changes:
    graph = Graph()
    schema = {"schema": {"fields": [{"name": "amount", "type": "int"}, {"name": "who", "fields": [{"name": "id"}]}]}}
    graph.dataset(RAW, owners=(Owner("data-team", "TEAM"),), tags=("pii", "tier=1"), facets=schema, updated_at=START)
    amount = column_key(*RAW, "amount")
    graph.changes.nodes[amount] = Column(amount, *RAW, "amount", type="int", description="In cents.")
    graph.dataset(FEATURES, aliases=(Name("file", "/tmp/features"),), description="Ready to train on.")
    graph.dataset(MODEL, is_model=True)
    graph.dataset(LOG)
    graph.job(ETL, [RAW], [FEATURES], owners=(Owner("etl-team"),), commit="abc123", repository="git@x:y")
    graph.job(TRAIN, [FEATURES], [MODEL])
    graph.job(SERVICE, [MODEL], [LOG], is_deployment=True)
    for number in (1, 2):
        gaps = (Gap("NO_PRODUCER", "Nobody told who wrote it."),)
        raw = graph.version(
            RAW, None, START + number, declared=(f"v{number}",), digests=(digest_of(number),), gaps=gaps
        )
        (features,) = graph.run(10 * number, ETL, [(raw, None)], [(FEATURES, {})], commit=f"c{number}")
        (model,) = graph.run(
            10 * number + 1,
            TRAIN,
            [(features, Role.TRAIN)],
            [(MODEL, {"is_model": True, "declared": (str(number),), "digests": (digest_of(100 + number),)})],
            parameters={"max_depth": 2**60 + number, "eta": 0.3},
            metrics=({"name": "auc", "value": 0.9},),
            commit=f"t{number}",
        )
        told: dict[str, Any] = {"type": RunType.SERVICE, "ended_at": None if number == 2 else START + 22 * MINUTE}
        told |= {"state": RunState.RUNNING} if number == 2 else {}
        graph.run(10 * number + 2, SERVICE, [(model, None)], **told, rollout={"environment": "prod"})
    parent = run_key(run_id(10), *ETL)
    graph.edge(EdgeKind.PARENT_OF, parent, run_key(run_id(11), *TRAIN))
    graph.dataset(ODD)
    return graph.changes


@dataclass
class Records:
    """Predictions in a list: the slow reference."""

    held: list[Prediction] = field(default_factory=list)

    def find(self, deployment: Name, id: str) -> list[Prediction]:
        return [record for record in self.held if (record.deployment, record.id) == (deployment, id)]

    def count(self, served: Sequence[Served], *, since: int | None = None) -> Count:
        times = [record.time for record in self.held if any(covers(one, record) for one in served)]
        times = sorted(time for time in times if since is None or time >= since)
        return Count(len(times), times[0] if times else None, times[-1] if times else None)

    def told(self, deployment: Name, run_id: str | None, start: int = -FOREVER, end: int = FOREVER) -> frozenset[Told]:
        found = [record for record in self.held if (record.deployment, record.run_id) == (deployment, run_id)]
        return frozenset(record.told for record in found if start <= record.time < end)

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        return [r for r in self.held if r.deployment == deployment and start <= r.time < end][:limit]


class Asker:
    """The whole of GraphQL over one store, without HTTP."""

    def __init__(self, store: GraphStore, records: Records, caps: Caps = Caps()) -> None:  # noqa: B008
        self.store = store
        self.entries = store.watermark()
        self.waited: list[tuple[int, float]] = []
        self.context = GraphQLContext(store, records, lambda: self.entries, self._wait, caps=caps)
        self.schema: Schema = build_schema(caps)

    def _wait(self, size: int, most: float) -> bool:
        self.waited.append((size, most))
        return self.store.watermark() >= size

    def __call__(self, query: str, operation_name: str | None = None, /, **variables: Any) -> dict[str, Any]:
        return execute(self.schema, self.context, query, variables, operation_name)

    def data(self, query: str, /, **variables: Any) -> Any:
        told = self(query, **variables)
        assert "errors" not in told, told["errors"]
        return told["data"]

    def code(self, query: str, /, **variables: Any) -> str:
        (error,) = self(query, **variables)["errors"]
        return str(error["extensions"]["code"])

    def write(self, changes: Changes) -> None:
        self.entries += 1
        self.store.apply(changes, self.entries)


@pytest.fixture
def records() -> Records:
    told = Prediction(3, 0, SERVICE, "p-1", START + 15 * MINUTE, input_hash="sha256:aa")
    told_run = Prediction(4, 1, SERVICE, "p-2", START + 30 * MINUTE, run_id=run_id(22), model=MODEL, model_version="2")
    return Records([told, told_run, replace(told_run, id='ü"1\\', position=7)])


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    store: GraphStore = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "graph.sqlite")
    store.apply(pipeline(), 5)
    yield store
    store.close()


@pytest.fixture
def ask(store: GraphStore, records: Records) -> Asker:
    return Asker(store, records)


@pytest.fixture
def quick(records: Records) -> Callable[..., Asker]:
    """An asker over the in-memory store, with caps of one's own."""

    def make(**caps: Any) -> Asker:
        store = MemoryStore()
        store.apply(pipeline(), 5)
        return Asker(store, records, Caps(**caps))

    return make


@pytest.fixture
def client_of() -> Iterator[Callable[[Asker], TestClient]]:
    clients: list[TestClient] = []

    def make(asker: Asker) -> TestClient:
        app = FastAPI()
        app.include_router(graphql_router(asker.context, asker.schema), prefix="/graphql")
        client = TestClient(app)
        clients.append(client.__enter__())
        return client

    yield make
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture(scope="session")
def pipe() -> SimpleNamespace:
    """The names in the pipeline, and what builds more of it."""
    return SimpleNamespace(
        raw=RAW,
        features=FEATURES,
        model=MODEL,
        log=LOG,
        odd=ODD,
        etl=ETL,
        train=TRAIN,
        service=SERVICE,
        start=START,
        minute=MINUTE,
        run_id=run_id,
        digest_of=digest_of,
        graph=Graph,
        records=Records,
        asker=Asker,
        build=pipeline,
    )
