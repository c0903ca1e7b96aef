"""What a set of events says of runs, all at once: rules R1, R14 and R17.

Nothing is kept between events: everything is looked up by going through everything. Datasets have their public names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from reference_fold.names import Names, datasets_of, known_names, names_of, under_public_names

from lineage.dialects import dialect_of
from lineage.event.model import Event, Name
from lineage.facts.claims import Claims
from lineage.facts.extract import processing_type, run_claims
from lineage.facts.schema import Fields, fields_of, schema_digest

RunId = tuple[str, Name]
Rank = tuple[int, str, Name]
TERMINAL = ("COMPLETE", "FAIL", "ABORT")


@dataclass(eq=False)
class Run:
    """A run as all of its events tell it; ``claims`` are in their order (R0)."""

    id: RunId
    claims: list[Claims]
    type: str = "BATCH"
    start: int = 0
    end: int | None = None
    state: str = "RUNNING"
    failed: bool = False
    parent: RunId | None = None
    environment: str | None = None
    gaps: set[str] = field(default_factory=set)

    @property
    def streams(self) -> bool:
        """Whether it is a STREAMING or SERVICE run."""
        return self.type != "BATCH"

    @property
    def rank(self) -> Rank:
        """Its rank, of a STREAMING or SERVICE run that of its START (R0)."""
        return (self.start, *self.id)

    @property
    def in_one_process(self) -> bool:
        """Whether a dialect marks its parent as a single process (R8)."""
        told = [claims.parent for claims in self.claims if claims.parent]
        return bool(told) and told[-1].single_process


@dataclass
class World:
    """Everything that the rules for flows and versions start from. ``declarations``: each job's JobEvents (R3)."""

    events: list[Event]
    names: Names
    runs: dict[RunId, Run]
    declarations: dict[Name, list[Claims]]
    models: set[Name]
    known: set[Name]

    def fields(self, schema: bytes | None) -> Fields:
        """The fields that some event tells, by what stands for them in claims."""
        every = (fields_of(dataset.facets) for event in self.events for dataset in datasets_of(event))
        return next((fields for fields in every if schema and schema_digest(fields) == schema), ())

    def schema_read(self, run: Run, dataset: Name) -> Fields:
        """The schema of an input as the earliest event tells it that tells any."""
        started_first = sorted(run.claims, key=lambda claims: (claims.time, claims.type != "START", claims.hash))
        told = (read.schema for claims in started_first for read in claims.reads if read.name == dataset)
        return self.fields(next((schema for schema in told if schema), None))


def world_of(events: Iterable[Event]) -> World:
    """Names and runs of the set of ``events``."""
    meant = list({event.hash: dialect_of(event).meant(event) for event in events}.values())
    meant.sort(key=lambda event: (event.time, event.hash))
    names = names_of(meant)
    told = [(event, claims_of(event, names)) for event in meant if event.job is not None]
    runs: dict[RunId, Run] = {}
    declarations: dict[Name, list[Claims]] = {}
    for event, claims in told:
        assert event.job is not None
        if event.run_id is None:
            declarations.setdefault(event.job, []).append(claims)
        else:
            runs.setdefault((event.run_id, event.job), Run((event.run_id, event.job), [])).claims.append(claims)
    job_types = {e.job: kind for e in meant if e.job is not None and (kind := processing_type(e.job_facets))}
    for run in runs.values():
        _settle(run, job_types.get(run.id[1]))
    for run in runs.values():
        run.parent = _parent(run, runs)
        _end_rollout(run, runs.values())
    known = known_names(meant, [claims for _, claims in told], names)
    return World(meant, names, runs, declarations, _models(meant, names), known)


def claims_of(event: Event, names: Names) -> Claims:
    """What a RunEvent or JobEvent claims, under public names."""
    dialect = dialect_of(event)
    claims = dialect.claims(event, run_claims(event, 0, 0))
    return under_public_names(msgspec.structs.replace(claims, dialect=dialect.name), names)


def _settle(run: Run, job_type: str | None) -> None:
    own = [claims.run_type for claims in run.claims if claims.run_type]
    run.type = own[-1] if own else job_type or "BATCH"
    starts = [claims.time for claims in run.claims if claims.type == "START"]
    run.start = min(starts) if starts else min(claims.time for claims in run.claims)
    attempt = last_attempt(run.claims)
    ends = [claims.time for claims in attempt if claims.type in TERMINAL]
    run.end = max(*ends, run.start) if ends else None
    told = {claims.type for claims in attempt}
    run.state = next((state for state in ("FAIL", "ABORT", "COMPLETE") if state in told), "RUNNING")
    run.failed = run.state == "FAIL" or (run.state == "ABORT" and not run.streams)
    environments = [claims.environment for claims in run.claims if claims.environment]
    run.environment = environments[-1] if environments else None


def last_attempt(claims: list[Claims]) -> list[Claims]:
    """The events since the last START that came after a FAIL of the attempt before it (R14)."""
    begin = min(each.time for each in claims)
    for start in sorted(each.time for each in claims if each.type == "START"):
        if any(each.type == "FAIL" and begin <= each.time < start for each in claims):
            begin = start
    return [each for each in claims if each.time >= begin]


def _parent(run: Run, runs: dict[RunId, Run]) -> RunId | None:
    told = [claims.parent for claims in run.claims if claims.parent]
    if not told:
        return None
    having = [each for each in runs if each[0] == told[-1].run_id]
    return having[0] if len(having) == 1 else (told[-1].run_id, told[-1].job)


def _end_rollout(run: Run, runs: Iterable[Run]) -> None:
    """R17."""
    if run.type != "SERVICE" or run.state != "RUNNING":
        return
    later = [
        each
        for each in runs
        if each.type == "SERVICE"
        and each.id[1] == run.id[1]
        and each.environment == run.environment
        and each.rank > run.rank
        and not _is_partial(each)
    ]
    if later:
        run.end = min(later, key=lambda each: each.rank).start
        run.gaps.add("ROLLOUT_NOT_ENDED")


def _is_partial(run: Run) -> bool:
    told = [claims.traffic for claims in run.claims if claims.traffic is not None]
    return bool(told) and bool(told[-1]) and sum(line.percent for line in told[-1]) < 100


def _models(events: list[Event], names: Names) -> set[Name]:
    told: dict[Name, object] = {}
    for event in events:
        for dataset in datasets_of(event):
            facet = dataset.facets.get("datasetType")
            if isinstance(facet, dict):
                told[dataset.name] = facet.get("datasetType")
    return {names.of(name) for name, kind in told.items() if isinstance(kind, str) and kind.upper() == "MODEL"}
