"""Small random worlds of events: a few datasets, jobs and runs that meet often, and within seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from lineage.event.model import Event
from lineage.event.parser import parse_event

Json = dict[str, Any]
SPARK = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"


@dataclass(frozen=True)
class Mix:
    """How often each thing is told, as a probability; 0 keeps a world free of it. ``loss``: of an event;
    ``declared``: how many may be told without a run."""

    version: float = 0
    digest: float = 0
    symlink: float = 0
    lifecycle: float = 0
    rename: float = 0
    columns: float = 0
    facet: float = 0
    model: float = 0
    streams: float = 0
    rollout: float = 0
    parent: float = 0
    failure: float = 0
    loss: float = 0.15
    same_time: float = 0.3
    declaration: float = 0
    dataset: float = 0
    schema: float = 0
    declared: int = 3
    runs: int = 6
    spark: bool = False


NARROW: dict[str, Mix] = {
    "time": Mix(),
    "ties": Mix(version=0.3, failure=0.2, lifecycle=0.2, same_time=1),
    "versions": Mix(version=0.5),
    "digests": Mix(digest=0.5),
    "versions_and_digests": Mix(version=0.5, digest=0.5),
    "failure": Mix(failure=0.4),
    "versions_and_failure": Mix(version=0.4, failure=0.4),
    "lifecycle": Mix(lifecycle=0.4),
    "lifecycle_and_failure": Mix(lifecycle=0.35, failure=0.3, version=0.2, digest=0.2),
    "renames": Mix(rename=0.3, lifecycle=0.15, failure=0.15),
    "parents": Mix(parent=0.5, lifecycle=0.2),
    "columns": Mix(columns=0.3),
    "facets": Mix(columns=0.2, facet=0.2),
    "symlinks": Mix(symlink=0.15),
    "symlinks_and_more": Mix(symlink=0.1, version=0.3, columns=0.1),
    "streams": Mix(streams=0.5),
    "streams_and_versions": Mix(streams=0.5, version=0.3, model=0.2),
    "streams_and_digests": Mix(streams=0.5, digest=0.4),
    "streams_and_lifecycle": Mix(streams=0.4, lifecycle=0.3, failure=0.2, version=0.2),
    "streams_that_feed_each_other": Mix(
        streams=1, version=0.3, digest=0.4, model=0.2, failure=0.1, same_time=1, loss=0.05, runs=4
    ),
    "rollouts": Mix(streams=0.6, rollout=0.5, model=0.5),
    "declarations": Mix(declaration=0.6, version=0.2, columns=0.1),
    "redeclarations": Mix(declaration=0.8, dataset=0.4, columns=0.3, facet=0.2, declared=12, runs=3),
    "redeclarations_and_symlinks": Mix(
        declaration=0.8, dataset=0.5, columns=0.2, facet=0.3, symlink=0.05, failure=0.2, declared=12, runs=3
    ),
    "tellings": Mix(dataset=0.6, version=0.3, facet=0.2, columns=0.1),
    "schemas": Mix(schema=0.5, version=0.3, digest=0.2, failure=0.2, lifecycle=0.2),
    "schemas_of_streams": Mix(schema=0.5, streams=0.6, model=0.2),
    "spark": Mix(spark=True, parent=0.6, model=0.3, version=0.1),
    "mixed": Mix(
        version=0.2, digest=0.15, symlink=0.02, lifecycle=0.1, columns=0.04, facet=0.02, model=0.1, streams=0.15,
        rollout=0.1, parent=0.2, failure=0.15, declaration=0.1, dataset=0.1, rename=0.03,
    ),
}  # fmt: skip


def world(random: Random, mix: Mix) -> list[Json]:
    """The events of one world, as JSON objects, in no order that means anything.

    No two runs of one Spark application overlap that write one dataset: the dialect takes these for one write, which
    the reference doesn't know.
    """
    events = _world(random, mix)
    while mix.spark and _overlap(events):
        events = _world(random, mix)
    return events


def _world(random: Random, mix: Mix) -> list[Json]:
    names = ["a", "b", "c", "d"][: random.choice([2, 3, 4])]
    events: list[Json] = []
    for number in range(random.randint(1, mix.runs)):
        events += _run(random, mix, names, number)
    for _ in range(mix.declared):
        if random.random() < mix.declaration:
            job = {"namespace": "n", "name": f"j{random.randrange(3)}", "facets": {}}
            events.append({**_base(mix, _time(random, mix)), "job": job, **_io(random, mix, names)})
        if random.random() < mix.dataset:
            events.append({**_base(mix, _time(random, mix)), "dataset": _dataset(random, mix, names, True)})
    return events


def _overlap(events: list[Json]) -> bool:
    runs: dict[str, list[Json]] = {}
    for event in events:
        if "run" in event:
            runs.setdefault(event["run"]["runId"], []).append(event)
    spans = [(min(e["eventTime"] for e in told), max(e["eventTime"] for e in told), told) for told in runs.values()]
    return any(
        one is not other and one[0] <= other[0] <= one[1] and _outputs(one[2]) & _outputs(other[2])
        for one in spans
        for other in spans
    )


def _outputs(events: list[Json]) -> set[str]:
    return {output["name"] for event in events for output in event["outputs"]}


def parsed(events: Sequence[Json]) -> list[Event]:
    """The events as the parser reads their bytes."""
    return [parse_event(json.dumps(event).encode()) for event in events]


def _run(random: Random, mix: Mix, names: list[str], number: int) -> list[Json]:
    start = _time(random, mix)
    streams = random.random() < mix.streams
    mix = mix if streams else replace(mix, rollout=0)
    job = number % 3 if random.random() < 0.9 else random.randrange(3)
    types = ["START", *["RUNNING"] * random.choice([0, 0, 1, 3 if streams else 0]), _ending(random, mix)]
    if random.random() < mix.failure / 2:
        types += ["START", "RUNNING", _ending(random, mix)]
    kind = random.choice(["STREAMING", "SERVICE"]) if streams else None
    parent = random.choice([100, 101, 0]) if random.random() < mix.parent else None
    events, time = [], start
    for event_type in types:
        if random.random() >= mix.loss:
            events.append(_event(random, mix, names, (number, job, kind, parent, event_type, time)))
        time += random.choice([0, 500, 1000, 3000, 8000])
    return events


def _event(random: Random, mix: Mix, names: list[str], of: tuple[Any, ...]) -> Json:
    number, job, kind, parent, event_type, time = of
    facets: Json = {}
    if parent is not None:
        facets["parent"] = {"run": {"runId": _uuid(parent)}, "job": {"namespace": "n", "name": "p"}}
    if random.random() < mix.rollout:
        traffic = [
            {"namespace": "n", "name": random.choice(names), "version": random.choice("ABC"), "percent": percent}
            for percent in random.choice([[100], [50], [50, 50], []])
        ]
        facets["lineageGraph_rollout"] = {"environment": random.choice(["prod", "prod", "test"]), "traffic": traffic}
    told = {**_base(mix, time), "eventType": event_type, "run": {"runId": _uuid(number), "facets": facets}}
    told["job"] = {"namespace": "n", "name": f"j{job}", "facets": {}}
    if kind is not None or mix.spark:
        told["job"]["facets"]["jobType"] = {
            "processingType": kind or "BATCH",
            "integration": "SPARK" if mix.spark else "X",
            "jobType": "SQL_JOB",
        }
    return {**told, **_io(random, mix, names)}


def _ending(random: Random, mix: Mix) -> str:
    return random.choice(["FAIL", "ABORT"]) if random.random() < mix.failure else "COMPLETE"


def _io(random: Random, mix: Mix, names: list[str]) -> Json:
    return {
        "inputs": [_dataset(random, mix, names, False) for _ in range(random.choice([0, 1, 1, 2]))],
        "outputs": [_dataset(random, mix, names, True) for _ in range(random.choice([0, 1, 1, 2]))],
    }


def _dataset(random: Random, mix: Mix, names: list[str], is_output: bool) -> Json:
    facets: Json = {}
    if random.random() < mix.version:
        facets["version"] = {"datasetVersion": random.choice("ABCD")}
    if mix.schema and random.random() < mix.schema:
        facets["schema"] = {"fields": [{"name": each, "type": "int"} for each in random.choice(["", "u", "uv", "vu"])]}
    if random.random() < mix.digest:
        digest = {"algorithm": "sha256", "digest": random.choice("abc") * 4, "scope": "FULL", "method": "file"}
        facets["lineageGraph_contentHash"] = {"digests": [digest]}
    if random.random() < mix.symlink:
        identifiers = [_name(random, names) for _ in range(random.choice([0, 1, 1, 2]))]
        facets["symlinks"] = {"identifiers": [{**each, "type": "TABLE"} for each in identifiers]}
    if random.random() < mix.model:
        facets["datasetType"] = {"datasetType": random.choice(["MODEL", "TABLE"])}
    if is_output:
        facets |= _output_facets(random, mix, names)
    name = _name(random, names)
    if facets.get("lifecycleStateChange", {}).get("previousIdentifier") == name:
        del facets["lifecycleStateChange"]
    return {**name, "facets": facets}


def _output_facets(random: Random, mix: Mix, names: list[str]) -> Json:
    facets: Json = {}
    if random.random() < mix.lifecycle:
        change = random.choice(["DROP", "DROP", "CREATE", "OVERWRITE", "TRUNCATE", "ALTER"])
        facets["lifecycleStateChange"] = {"lifecycleStateChange": change}
    if random.random() < mix.rename:
        facets["lifecycleStateChange"] = {"lifecycleStateChange": "RENAME", "previousIdentifier": _name(random, names)}
    if random.random() < mix.columns:
        fields = {
            column: {
                "inputFields": [{**_name(random, [*names, "cte"]), "field": "x"} for _ in range(random.randrange(3))]
            }
            for column in "uv"
        }
        facets["columnLineage"] = {"fields": fields}
    if random.random() < mix.facet:
        each = [{**_name(random, names), "type": "DATASET"}, {"type": "JOB"}]
        facets["lineage"] = {"inputs": [random.choice(each) for _ in range(random.randrange(3))]}
    return facets


def _name(random: Random, names: list[str]) -> Json:
    return {"namespace": "n", "name": random.choice(names)}


def _time(random: Random, mix: Mix) -> int:
    return random.choice([0, 5000, 10000]) if random.random() < mix.same_time else random.randrange(0, 20000, 250)


def _base(mix: Mix, time: int) -> Json:
    at = f"2026-05-01T10:{time // 60000:02d}:{time % 60000 // 1000:02d}.{time % 1000:03d}Z"
    return {"eventTime": at, "producer": SPARK if mix.spark else "urn:x", "schemaURL": "urn:y"}


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
