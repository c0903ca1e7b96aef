"""A made world as its producers tell it: OpenLineage events in the order of their times, and prediction records.

Each run says START with what it reads, and COMPLETE with what it reads and wrote; versions are declared, writes
replace. What never runs is told by JobEvents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from world import COLUMNS, SECOND, Job, Rollout, Run, Version, World
from world_names import Names, declared, digest, owners, rollout_id, run_id, schema

from lineage.event.model import Name

PRODUCER = "https://lineage.invalid/bench/world"
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
FACET = {"_producer": PRODUCER, "_schemaURL": "https://openlineage.io/spec/facets/1-0-0/Facet.json"}
OVERWRITES = {"lifecycleStateChange": "OVERWRITE"}
SERVICE = FACET | {"processingType": "SERVICE", "integration": "BENCH"}

Event = dict[str, Any]


def world_events(world: World) -> list[bytes]:
    """Every event of ``world``, by time."""
    told = _Telling(world)
    timed = [*told.of_runs(), *told.of_declarations(), *told.of_rollouts()]
    timed.sort(key=lambda item: item[0])
    return [json.dumps(event | {"eventTime": written(at)}).encode() for at, event in timed]


def world_predictions(world: World, each: int) -> list[bytes]:
    """``each`` records of every rollout, a second apart."""
    return [json.dumps(record).encode() for rollout in world.rollouts() for record in _records(world, rollout, each)]


def written(at: int) -> str:
    """A time (UTC microseconds) as events have it."""
    return datetime.fromtimestamp(at / SECOND, UTC).isoformat().replace("+00:00", "Z")


def _records(world: World, rollout: Rollout, each: int) -> Iterator[dict[str, Any]]:
    deployment = Names(world).deployment(rollout.model)._asdict()
    for number in range(each):
        identity = f"{rollout.model}-{rollout.nth}-{number}"
        at = written(rollout.start + (number + 1) * SECOND)
        yield {"id": identity, "time": at, "deployment": deployment, "run": rollout_id(rollout)}


class _Telling:
    def __init__(self, world: World) -> None:
        self._world = world
        self._names = Names(world)

    def of_runs(self) -> Iterator[tuple[int, Event]]:
        """What the jobs' runs say."""
        for run in self._world.runs():
            name = self._names.job(run.job)
            inputs = [self._read(version) for version in run.reads]
            outputs = [self._written(run, version) for version in run.writes]
            yield run.start, _run_event("START", name, run_id(run.job, run.nth), inputs, [])
            yield run.end, _run_event("COMPLETE", name, run_id(run.job, run.nth), inputs, outputs)

    def of_declarations(self) -> Iterator[tuple[int, Event]]:
        """What jobs declare that never run."""
        for job in self._world.jobs:
            if job.declared:
                for at, reads in self._world.declarations(job):
                    yield at, self._job_event(job, reads)

    def of_rollouts(self) -> Iterator[tuple[int, Event]]:
        """When deployments begin to serve a version, and end."""
        for rollout in self._world.rollouts():
            name = self._names.deployment(rollout.model)
            inputs = [self._read(rollout.version)]
            log = [self._plain(self._names.log(rollout.model), {"lifecycleStateChange": OVERWRITES})]
            facets = {"jobType": SERVICE}
            yield rollout.start, _run_event("START", name, rollout_id(rollout), inputs, log, facets)
            if rollout.end is not None:
                yield rollout.end, _run_event("COMPLETE", name, rollout_id(rollout), [], [], facets)

    def _job_event(self, job: Job, reads: tuple[int, ...]) -> Event:
        inputs = [self._plain(self._names.dataset(each), {}) for each in reads]
        outputs = [self._plain(self._names.dataset(each), self._described(each, reads)) for each in job.outputs]
        named = self._names.job(job.number)._asdict() | {"facets": {}}
        return {
            "producer": PRODUCER,
            "schemaURL": f"{_SPEC}/JobEvent",
            "job": named,
            "inputs": inputs,
            "outputs": outputs,
        }

    def _read(self, version: Version) -> Event:
        return self._plain(self._names.dataset(version.dataset), {"version": {"datasetVersion": declared(version)}})

    def _written(self, run: Run, version: Version) -> Event:
        facets = self._described(version.dataset, tuple(read.dataset for read in run.reads))
        facets["version"] = {"datasetVersion": declared(version)}
        facets["lifecycleStateChange"] = OVERWRITES
        content = digest(version)
        if content is not None:
            facets["lineageGraph_contentHash"] = {"digests": [content]}
        return self._plain(self._names.dataset(version.dataset), facets)

    def _described(self, dataset: int, reads: tuple[int, ...]) -> dict[str, Event]:
        facets = {"ownership": owners(self._world.domain_of[dataset])}
        if dataset in self._world.models:
            facets["datasetType"] = {"datasetType": "MODEL"}
        if self._world.is_columnar(dataset):
            sources = [self._names.dataset(read) for read in reads if self._world.is_columnar(read)]
            facets["schema"] = schema()
            if sources:
                facets["columnLineage"] = {"fields": {column: _from(sources, column) for column in COLUMNS}}
        return facets

    def _plain(self, name: Name, facets: dict[str, Event]) -> Event:
        told = {facet: FACET | value for facet, value in facets.items()}
        return {"namespace": name.namespace, "name": name.name, "facets": told}


def _from(sources: list[Name], column: str) -> Event:
    how = [{"type": "DIRECT", "subtype": "IDENTITY"}]
    return {"inputFields": [source._asdict() | {"field": column, "transformations": how} for source in sources]}


def _run_event(
    said: str, job: Name, run: str, inputs: list[Event], outputs: list[Event], facets: Event | None = None
) -> Event:
    return {
        "eventType": said,
        "producer": PRODUCER,
        "schemaURL": f"{_SPEC}/RunEvent",
        "run": {"runId": run, "facets": {}},
        "job": job._asdict() | {"facets": facets or {}},
        "inputs": inputs,
        "outputs": outputs,
    }
