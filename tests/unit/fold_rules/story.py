"""OpenLineage events told in a few words: ``run("r1").start(0).reads("a").writes("b").complete(5)``.

Moments are seconds after a fixed time. What is read or written before the first event of a run is told in each of its
events, what comes after an event in that event alone. A run's short name becomes a runId of the same order; ``"a"`` is
the dataset (``db``, ``a``), ``"s3|a"`` is (``s3``, ``a``), ``"a:x"`` its column ``x``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lineage.event.model import Name

Json = dict[str, Any]

ORIGIN = datetime(2026, 5, 1, 10, 0, 0, tzinfo=UTC)
MICROSECONDS = 1_000_000
SPARK = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"
DBT = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt"
AIRFLOW = "https://github.com/apache/airflow/tree/providers-openlineage/2.20.3"
FEAST = "feast"


def moment(at: float) -> int:
    """A moment of the story as the graph has it."""
    return int(ORIGIN.timestamp()) * MICROSECONDS + round(at * MICROSECONDS)


def run_id(short: str) -> str:
    """A runId that sorts as the short names do."""
    return str(uuid.UUID(bytes=short.encode().ljust(16, b"\0")))


def short_of(told: str) -> str:
    """The short name of a runId."""
    return uuid.UUID(told).bytes.rstrip(b"\0").decode()


def name_of(text: str) -> Name:
    """``"a"`` or ``"s3|a"`` as a name."""
    namespace, separator, name = text.partition("|")
    return Name(namespace, name) if separator else Name("db", text)


def named(text: str) -> Json:
    """``"a"`` as it stands in an event."""
    return dict(name_of(text)._asdict())


def field(text: str) -> Json:
    """``"a:x"`` as an inputField."""
    name, separator, column = text.rpartition(":")
    return {**named(name), "field": column} if separator else named(text)


def hashes(*digests: str | Mapping[str, Any]) -> Json:
    """A content hash facet; a bare text is the digest of a file's bytes."""
    whole = {"algorithm": "sha256", "scope": "FULL", "method": "file"}
    told = [{**whole, "digest": each} if isinstance(each, str) else {**whole, **each} for each in digests]
    return {"digests": told}


def columns(claims: Mapping[str, Sequence[str]] | Sequence[str]) -> Json:
    """A columnLineage facet: by output field ``"a:x"``, or the names of whole datasets."""
    if isinstance(claims, Mapping):
        return {"fields": {out: {"inputFields": [field(each) for each in took]} for out, took in claims.items()}}
    return {"fields": {}, "dataset": [field(each) for each in claims]}


def source(text: str) -> Json:
    """An input of a ``lineage`` facet: ``"a"``, or ``"job etl"``."""
    if text.startswith("job "):
        return {"type": "JOB", "namespace": "jobs", "name": text.removeprefix("job ")}
    return {"type": "DATASET", **field(text)}


def made_of(*sources: str) -> Json:
    """A dataset's ``lineage`` facet."""
    return {"inputs": [source(each) for each in sources]}


def dataset(
    name: str,
    *,
    version: str | None = None,
    digest: str | Sequence[str | Mapping[str, Any]] | None = None,
    model: bool = False,
    role: str | None = None,
    lifecycle: str | None = None,
    renamed_from: str | None = None,
    claims: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
    sources: Sequence[str] | None = None,
    symlinks: Sequence[str] | None = None,
    facets: Mapping[str, Any] | None = None,
    **io_facets: Json,
) -> Json:
    """A dataset as an event names it."""
    told: Json = dict(facets or {})
    if version is not None:
        told["version"] = {"datasetVersion": version}
    if digest is not None:
        told["lineageGraph_contentHash"] = hashes(*([digest] if isinstance(digest, str) else digest))
    if model:
        told["datasetType"] = {"datasetType": "MODEL"}
    if role:
        told["lineageGraph_role"] = {"role": role}
    if lifecycle:
        told["lifecycleStateChange"] = {"lifecycleStateChange": lifecycle}
    if renamed_from:
        told["lifecycleStateChange"] = {"lifecycleStateChange": "RENAME", "previousIdentifier": named(renamed_from)}
    if claims is not None:
        told["columnLineage"] = columns(claims)
    if sources is not None:
        told["lineage"] = made_of(*sources)
    if symlinks is not None:
        told["symlinks"] = {"identifiers": [{**named(each), "type": "TABLE"} for each in symlinks]}
    return {**named(name), "facets": told, **io_facets}


class Run:
    """The events of one run, one call after the other."""

    def __init__(self, short: str, job: str, producer: str, run_facets: Json, job_facets: Json) -> None:
        self._id = run_id(short)
        self._job = job
        self._producer = producer
        self._run_facets = run_facets
        self._job_facets = job_facets
        self._always: Json = {"inputs": [], "outputs": []}
        self._events: list[Json] = []

    def event(self, kind: str | None, at: float, **more: Any) -> Run:
        """One event; ``more`` are members of the event."""
        told = {
            "eventTime": (ORIGIN + timedelta(seconds=at)).isoformat(),
            "producer": self._producer,
            "schemaURL": "",
            "run": {"runId": self._id, "facets": dict(self._run_facets)},
            "job": {"namespace": "jobs", "name": self._job, "facets": dict(self._job_facets)},
            "inputs": list(self._always["inputs"]),
            "outputs": list(self._always["outputs"]),
            **more,
        }
        self._events.append(told if kind is None else {"eventType": kind, **told})
        return self

    def start(self, at: float) -> Run:
        return self.event("START", at)

    def running(self, at: float) -> Run:
        return self.event("RUNNING", at)

    def complete(self, at: float) -> Run:
        return self.event("COMPLETE", at)

    def fail(self, at: float) -> Run:
        return self.event("FAIL", at)

    def abort(self, at: float) -> Run:
        return self.event("ABORT", at)

    def reads(self, *names: str, **told: Any) -> Run:
        """Inputs of the last event, or of all."""
        self._current["inputs"] += [dataset(name, **told) for name in names]
        return self

    def writes(self, *names: str, **told: Any) -> Run:
        """Outputs of the last event, or of all."""
        self._current["outputs"] += [dataset(name, **told) for name in names]
        return self

    def of_run(self, **facets: Json) -> Run:
        """Run facets of the last event, or of all."""
        (self._events[-1]["run"]["facets"] if self._events else self._run_facets).update(facets)
        return self

    def of_job(self, **facets: Json) -> Run:
        """Job facets of the last event, or of all."""
        (self._events[-1]["job"]["facets"] if self._events else self._job_facets).update(facets)
        return self

    def kind(self, processing_type: str) -> Run:
        """BATCH, STREAMING or SERVICE."""
        return self.of_job(jobType={"processingType": processing_type, "integration": "PLAIN"})

    def entries(self, *entries: Json) -> Run:
        """The job's ``lineage`` facet."""
        return self.of_job(lineage={"entries": list(entries)})

    def traffic(self, *lines: tuple[str, str | None, float], environment: str | None = None) -> Run:
        """What a rollout serves: (model, version, percent)."""
        told = [{**named(m), **({"version": v} if v else {}), "percent": p} for m, v, p in lines]
        facet: Json = {"traffic": told} if lines else {}
        return self.of_run(lineageGraph_rollout={**facet, **({"environment": environment} if environment else {})})

    def without(self, *kinds: str) -> Run:
        """The same run with its events of these types lost."""
        self._events = [event for event in self._events if event.get("eventType") not in kinds]
        return self

    @property
    def _current(self) -> Json:
        return self._events[-1] if self._events else self._always

    @property
    def events(self) -> list[Json]:
        return self._events


def run(
    short: str,
    *,
    job: str | None = None,
    producer: str = "urn:plain",
    parent: str | None = None,
    parent_job: str = "parent",
    kind: str | None = None,
) -> Run:
    """A run; its job is its own unless told."""
    run_facets: Json = {}
    if parent:
        run_facets["parent"] = {"run": {"runId": run_id(parent)}, "job": {"namespace": "jobs", "name": parent_job}}
    told = Run(short, job or f"job-{short}", producer, run_facets, {})
    return told.kind(kind) if kind else told


def copied(short: str, source_name: str, output: str, start: float, end: float, **told: Any) -> Run:
    """A run that makes ``output`` from ``source_name``."""
    return run(short, **told).reads(source_name).writes(output).start(start).complete(end)


def made(short: str, output: str, start: float, end: float, **told: Any) -> Run:
    """A run that writes ``output`` and reads nothing."""
    return run(short).writes(output, **told).start(start).complete(end)


def seen(short: str, source_name: str, at: float, **told: Any) -> Run:
    """A run that reads ``source_name`` and writes a dataset of its own, ``by-<short>``."""
    return run(short).reads(source_name, **told).writes(f"by-{short}").start(at).complete(at + 5)


class Told:
    """An event that is no run's."""

    def __init__(self, event: Json) -> None:
        self.events = [event]


def job_event(
    job: str, at: float, *, inputs: Iterable[Json] = (), outputs: Iterable[Json] = (), **facets: Json
) -> Told:
    """A JobEvent."""
    told = {"namespace": "jobs", "name": job, "facets": facets}
    return Told({**_head(at), "job": told, "inputs": list(inputs), "outputs": list(outputs)})


def dataset_event(name: str, at: float, **told: Any) -> Told:
    """A DatasetEvent."""
    return Told({**_head(at), "dataset": dataset(name, **told)})


def _head(at: float) -> Json:
    return {"eventTime": (ORIGIN + timedelta(seconds=at)).isoformat(), "producer": "urn:plain", "schemaURL": ""}


def encoded(parts: Iterable[Run | Told]) -> list[bytes]:
    """The bytes of all events, in the order in which they happened."""
    events = [event for part in parts for event in part.events]
    return [json.dumps(event).encode() for event in sorted(events, key=lambda event: event["eventTime"])]
