"""A made world as change lists: the rows that the fold gives of its events (:mod:`world_events`), without folding.

So that a graph of a million datasets stands in a store within minutes. ``tests/bench`` holds a small world's rows
against those that the fold gives.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from world import COLUMNS, MINUTE, Job, Rollout, Run, Version, World
from world_events import FACET, SERVICE
from world_names import Names, declared, digest, job_flow, owners, rollout_id, run_flow, run_id, schema, version_of

from lineage import model
from lineage.facts.schema import fields_of, schema_digest
from lineage.fold.wiring import owners as owners_of
from lineage.keys import Base, column_key, dataset_key, job_key, run_key, store_key
from lineage.model import Binding, Changes, Digest, Edge, EdgeKind, Flow, NameScope, Node, Role, RunState, RunType
from lineage.store import GraphStore
from lineage.timeline.binding import declared_key, digest_key
from lineage.timeline.writes import version_key

BATCH = 20_000
"""Edges, about, of one change list."""

_FIELDS = fields_of({"schema": schema()})
_SCHEMA = model.Schema(schema_digest(_FIELDS) or b"", _FIELDS)


def write_world(world: World, store: GraphStore) -> None:
    """Write all rows of ``world`` into ``store``, whose watermark stays: no ledger entry told them."""
    reached = store.watermark()
    gc.disable()
    try:
        for changes in world_changes(world):
            store.apply(changes, reached)
    finally:
        gc.enable()


def world_changes(world: World) -> Iterator[Changes]:
    """All rows of ``world`` in several lists."""
    rows = _Rows(world)
    for job in world.jobs:
        rows.of_job(job)
        yield from rows.taken(BATCH)
    for run in world.runs():
        rows.of_run(run)
        yield from rows.taken(BATCH)
    for rollout in world.rollouts():
        rows.of_rollout(rollout)
        yield from rows.taken(BATCH)
    yield from rows.taken(0)


@dataclass(slots=True)
class _Seen:
    """What all runs together say: when a dataset or job was named last, how often a job ran, and when a job told an
    input (-1: its outputs) and a deployment a model first."""

    dataset: dict[int, int] = field(default_factory=dict)
    job: dict[int, int] = field(default_factory=dict)
    runs: dict[int, int] = field(default_factory=dict)
    wired: dict[tuple[int, int], int] = field(default_factory=dict)
    served: dict[int, int] = field(default_factory=dict)


def _seen(world: World) -> _Seen:
    seen = _Seen()
    for run in world.runs():
        seen.runs[run.job] = run.nth
        seen.job[run.job] = run.end
        seen.dataset.update((read.dataset, max(run.end, seen.dataset.get(read.dataset, 0))) for read in run.reads)
        seen.dataset.update((write.dataset, max(run.end, seen.dataset.get(write.dataset, 0))) for write in run.writes)
        if run.nth < 2:
            for read in run.reads:
                seen.wired.setdefault((run.job, read.dataset), run.start)
            seen.wired.setdefault((run.job, -1), run.start)
    for job in world.jobs:
        for at, reads in world.declarations(job) if job.declared else ():
            seen.job[job.number] = at
            seen.dataset.update((each, max(at, seen.dataset.get(each, 0))) for each in (*reads, *job.outputs))
    for rollout in world.rollouts():
        seen.served.setdefault(rollout.model, rollout.start)
        seen.dataset[rollout.model] = max(rollout.start, seen.dataset[rollout.model])
    return seen


class _Rows:
    """Collects rows."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._names = Names(world)
        self._seen = _seen(world)
        self._writer = {dataset: job.number for job in world.jobs for dataset in job.outputs}
        self._keys = [store_key(Base.DATASET, *self._names.dataset(number)) for number in range(world.shape.datasets)]
        self._latest: dict[int, tuple[int, bytes]] = {}
        self._changes = Changes()

    def taken(self, least: int) -> Iterator[Changes]:
        """What was collected, if it is more than ``least`` edges."""
        if len(self._changes.edges) > least:
            yield self._changes
            self._changes = Changes()

    def _add(self, node: Node) -> None:
        self._changes.nodes[node.key] = node

    def _tie(self, kind: EdgeKind, source: bytes, target: bytes, **told: Any) -> None:
        self._changes.edges[kind, source, target] = Edge(kind, source, target, **told)

    def _name(self, scope: NameScope, value: str, key: bytes) -> None:
        self._changes.names[scope, value, key] = True

    # -- how it is wired

    def of_job(self, job: Job) -> None:
        """A job, its flows, and the datasets that it writes."""
        name = self._names.job(job.number)
        key = job_key(*name)
        self._add(model.Job(key, *name, updated_at=_minute(self._seen.job[job.number])))
        for output in job.outputs:
            for source, told in self._wires(job):
                flow = self._flow(job, output, told)
                role = self._role(source, output)
                self._tie(EdgeKind.FEEDS, self._keys[source], flow, role=role, **told)
            self._flow(job, output, {})
            self._dataset(output)
            if self._world.is_columnar(output):
                self._columns(job, output)

    def _flow(self, job: Job, output: int, wire: dict[str, Any]) -> bytes:
        """The flow through which a wire passes, and how it feeds the output: what was replaced has its own."""
        name, target, until = self._names.job(job.number), self._names.dataset(output), wire.get("until")
        flow, owner = job_flow(name, target, *([until] if until else [])), job_key(*name)
        if flow not in self._changes.nodes:
            at = self._first_told(job) if until is None else wire["at"]
            self._add(Flow(flow, owner, target))
            self._tie(EdgeKind.HAS_FLOW, owner, flow)
            self._tie(EdgeKind.FEEDS, flow, self._keys[output], at=at, until=until)
        return flow

    def _wires(self, job: Job) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each input, with what is told of the edge."""
        undivided = self._is_undivided(job)
        if job.declared:
            told = self._world.declarations(job)
            for source in job.inputs:
                times = [at for at, reads in told if source in reads]
                until = None if source in told[-1][1] else told[-1][0]
                yield source, {"undivided": undivided, "at": times[0], "until": until}
            return
        ran_again = self._seen.runs[job.number] > 0
        for source in job.inputs:
            if source != job.late or ran_again:
                at = self._seen.wired[job.number, source]
                yield source, {"undivided": undivided, "stale": ran_again and source == job.dropped, "at": at}

    def _first_told(self, job: Job) -> int:
        return self._world.declarations(job)[0][0] if job.declared else self._seen.wired[job.number, -1]

    def _is_undivided(self, job: Job) -> bool:
        divided = job.domain.columnar and any(self._world.is_columnar(each) for each in job.inputs)
        return len(job.outputs) > 1 and len(job.inputs) > 1 and not divided

    def _role(self, source: int, output: int) -> Role | None:
        models = self._world.models
        if output not in models:
            return None
        return Role.BASE_MODEL if source in models else Role.TRAIN

    def _dataset(self, number: int) -> None:
        facets: dict[str, Any] = {}
        if number in self._world.models:
            facets["datasetType"] = FACET | {"datasetType": "MODEL"}
        if self._world.is_columnar(number):
            facets["schema"] = FACET | schema()
        self._add(
            model.Dataset(
                self._keys[number],
                *self._names.dataset(number),
                is_model=number in self._world.models,
                owners=owners_of({"ownership": owners(self._world.domain_of[number])}),
                updated_at=_minute(self._seen.dataset[number]),
                facets=facets,
                schemas=(_SCHEMA,) if self._world.is_columnar(number) else (),
            )
        )

    def _columns(self, job: Job, output: int) -> None:
        name = self._names.dataset(output)
        for column in COLUMNS:
            key = column_key(*name, column)
            self._add(model.Column(key, *name, column, type="BIGINT"))
            for source, told in self._wires(job):
                if self._world.is_columnar(source):
                    how = (model.Transformation("DIRECT", "IDENTITY"),)
                    feeding = column_key(*self._names.dataset(source), column)
                    span = {"at": told["at"], "until": told.get("until")}
                    self._tie(EdgeKind.FEEDS, feeding, key, transformations=how, **span)

    # -- what ran

    def of_run(self, run: Run) -> None:
        """A run, its flows, what they read, and the versions that they wrote."""
        job, told = self._names.job(run.job), run_id(run.job, run.nth)
        key = run_key(told, *job)
        self._add(model.Run(key, told, job, RunType.BATCH, RunState.COMPLETE, run.start, run.end, updated_at=run.end))
        self._tie(EdgeKind.HAS_RUN, job_key(*job), key)
        self._name(NameScope.RUN_ID, told, key)
        undivided = self._is_undivided(self._world.jobs[run.job])
        for written in run.writes:
            output = self._names.dataset(written.dataset)
            flow = run_flow(told, job, output)
            self._add(Flow(flow, key, output))
            self._tie(EdgeKind.HAS_FLOW, key, flow)
            for read in run.reads:
                role = self._role(read.dataset, written.dataset)
                met = {"binding": Binding.DECLARED, "undivided": undivided, "role": role, "at": run.start}
                self._tie(EdgeKind.READ_BY, self._version_key(read), flow, **met)
            self._tie(EdgeKind.WROTE, flow, self._version(run, written, key), at=run.end)

    def _version(self, run: Run, version: Version, writer: bytes) -> bytes:
        name, number = self._names.dataset(version.dataset), version.dataset
        key, content, text = self._version_key(version), digest(version), declared(version)
        digests = () if content is None else (Digest(**content),)
        self._add(
            model.Version(
                key,
                self._keys[number],
                *name,
                written_at=run.end,
                run=writer,
                is_model=number in self._world.models,
                declared=(text,),
                digests=digests,
                schema=_SCHEMA.digest if self._world.is_columnar(number) else None,
            )
        )
        self._tie(EdgeKind.HAS_VERSION, self._keys[number], key)
        self._name(NameScope.KEY, declared_key(name, text).hex(), key)
        for each in digests:
            self._name(NameScope.KEY, digest_key(name, each).hex(), key)
            self._name(NameScope.DIGEST, each.digest, key)
        return key

    def _version_key(self, version: Version) -> bytes:
        nth, key = self._latest.get(version.dataset, (-1, b""))
        if nth != version.nth:
            job = self._writer[version.dataset]
            key = version_of(self._names, version, run_id(job, version.nth), job)
            self._latest[version.dataset] = version.nth, key
        return key

    # -- what is served

    def of_rollout(self, rollout: Rollout) -> None:
        """A rollout, the deployment, and the log that it writes."""
        deployment, log = self._names.deployment(rollout.model), self._names.log(rollout.model)
        told, start = rollout_id(rollout), rollout.start
        last = rollout.end or start
        service, key = job_key(*deployment), run_key(told, *deployment)
        read = self._version_key(rollout.version)
        served = ((start, self._keys[rollout.model], (read,)),)
        state = RunState.RUNNING if rollout.end is None else RunState.COMPLETE
        kind, end = RunType.SERVICE, rollout.end
        self._add(model.Run(key, told, deployment, kind, state, start, end, updated_at=last, serves=served))
        named = _minute(last)
        self._add(model.Job(service, *deployment, is_deployment=True, updated_at=named, facets={"jobType": SERVICE}))
        self._add(model.Dataset(dataset_key(*log), *log, updated_at=_minute(start)))
        self._tie(EdgeKind.HAS_RUN, service, key)
        self._name(NameScope.RUN_ID, told, key)
        self._serve(rollout, service, key, read)

    def _serve(self, rollout: Rollout, service: bytes, run: bytes, read: bytes) -> None:
        deployment, log = self._names.deployment(rollout.model), self._names.log(rollout.model)
        told, start = rollout_id(rollout), rollout.start
        wired, flow = job_flow(deployment, log), run_flow(told, deployment, log, start)
        at = self._seen.served[rollout.model]
        self._add(Flow(wired, service, log))
        self._tie(EdgeKind.HAS_FLOW, service, wired)
        self._tie(EdgeKind.FEEDS, self._keys[rollout.model], wired, at=at)
        self._tie(EdgeKind.FEEDS, wired, dataset_key(*log), at=at)
        written = version_key(log, (told, *deployment, start))
        self._add(Flow(flow, run, log, start))
        self._tie(EdgeKind.HAS_FLOW, run, flow)
        self._tie(EdgeKind.READ_BY, read, flow, binding=Binding.DECLARED, at=start)
        self._tie(EdgeKind.WROTE, flow, written, at=start)
        self._add(model.Version(written, dataset_key(*log), *log, written_at=start, run=run))
        self._tie(EdgeKind.HAS_VERSION, dataset_key(*log), written)


def _minute(at: int) -> int:
    """What datasets and jobs show of when they were named last."""
    return at - at % MINUTE
