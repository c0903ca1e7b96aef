"""What a set of events says of names and runs, all at once: rules R1, R2, R14 and R17.

A slow and obvious reference: nothing is kept between events, everything is looked up by going through everything.
Names are those after R2, runs are (runId, job).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from lineage.dialects import dialect_of
from lineage.event.model import Event, EventDataset, EventKind, Name
from lineage.facts.claims import Claims, Entry, Read, Source, Write
from lineage.facts.extract import processing_type, run_claims, symlinks

RunId = tuple[str, Name]
Rank = tuple[int, str, Name]
TERMINAL = ("COMPLETE", "FAIL", "ABORT")
MOST_NAMES = 32


@dataclass(eq=False)
class Run:
    """A run as all of its events tell it."""

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
        return self.type != "BATCH"

    @property
    def rank(self) -> Rank:
        return (self.start, *self.id)


@dataclass
class World:
    """Everything that the rules for flows and versions start from."""

    events: list[Event]
    public: dict[Name, Name]
    conflicts: set[Name]
    runs: dict[RunId, Run]
    declarations: dict[Name, Claims]
    models: set[Name]
    known: set[Name]

    def name(self, name: Name) -> Name:
        return self.public.get(name, name)


def stamp(event: Event) -> tuple[int, bytes]:
    """What orders events (R0)."""
    return (event.time, event.hash)


def world_of(events: Iterable[Event]) -> World:
    """Names and runs of the set of ``events``."""
    meant = sorted(({event.hash: dialect_of(event).meant(event) for event in events}).values(), key=stamp)
    public, conflicts = public_names(meant)
    told = [(event, _claims(event, public)) for event in meant if event.job is not None]
    job_types = _job_types(meant)
    runs: dict[RunId, Run] = {}
    declarations: dict[Name, Claims] = {}
    for event, claims in told:
        assert event.job is not None
        if event.run_id is None:
            declarations[event.job] = claims
        else:
            runs.setdefault((event.run_id, event.job), Run((event.run_id, event.job), [])).claims.append(claims)
    for run in runs.values():
        _settle(run, job_types.get(run.id[1]))
    for run in runs.values():
        run.parent = _parent(run, runs)
    for run in runs.values():
        _end_rollout(run, runs.values())
    return World(meant, public, conflicts, runs, declarations, _models(meant, public), _known(meant, told, public))


def datasets_of(event: Event) -> list[EventDataset]:
    """Every dataset that ``event`` describes, in the order of their position."""
    return [*event.inputs, *event.outputs, *([event.dataset] if event.dataset else [])]


def public_names(events: list[Event]) -> tuple[dict[Name, Name], set[Name]]:
    """The public name of each identifier that a symlink gives (R2), and the names of all groups left unjoined."""
    carried: dict[Name, tuple[Name, ...]] = {}
    for event in events:
        for dataset in datasets_of(event):
            if "symlinks" in dataset.facets:
                carried[dataset.name] = symlinks(dataset.facets["symlinks"])
    links = {(each, carrier) for carrier, each_of in carried.items() for each in each_of if each != carrier}
    public: dict[Name, Name] = {}
    conflicts: set[Name] = set()
    for group in _groups(links):
        inside = {(a, b) for a, b in links if a in group}
        twice = len({a for a, _ in inside}) < len(inside)
        if twice or len(group) > MOST_NAMES or _one_run_reads_and_writes(group, events):
            conflicts |= group
        else:
            for name in group:
                public[name] = _end_of(name, dict(inside))
    return public, conflicts


def _groups(links: set[tuple[Name, Name]]) -> list[set[Name]]:
    groups: list[set[Name]] = []
    for a, b in links:
        touched = [group for group in groups if a in group or b in group]
        groups = [group for group in groups if group not in touched] + [{a, b}.union(*touched)]
    return groups


def _end_of(name: Name, link: dict[Name, Name]) -> Name:
    seen: list[Name] = []
    while name in link and name not in seen:
        seen.append(name)
        name = link[name]
    return min(seen[seen.index(name) :]) if name in seen else name


def _one_run_reads_and_writes(group: set[Name], events: list[Event]) -> bool:
    reads = {(e.run_id, e.job, d.name) for e in events if e.kind is EventKind.RUN for d in e.inputs}
    writes = {(e.run_id, e.job, d.name) for e in events if e.kind is EventKind.RUN for d in e.outputs}
    return any(r[:2] == w[:2] and r[2] != w[2] and r[2] in group and w[2] in group for r in reads for w in writes)


def _claims(event: Event, public: dict[Name, Name]) -> Claims:
    def renamed(name: Name) -> Name:
        return public.get(name, name)

    def source(each: Source) -> Source:
        return msgspec.structs.replace(each, name=renamed(each.name))

    def read(each: Read) -> Read:
        return msgspec.structs.replace(each, name=renamed(each.name))

    def write(each: Write) -> Write:
        previous = renamed(each.previous) if each.previous else None
        columns = tuple(source(column) for column in each.columns)
        return msgspec.structs.replace(each, name=renamed(each.name), previous=previous, columns=columns)

    def entry(each: Entry) -> Entry:
        target = renamed(each.target) if each.target else None
        return msgspec.structs.replace(each, target=target, sources=tuple(source(s) for s in each.sources))

    claims = dialect_of(event).claims(event, run_claims(event, 0, 0))
    traffic = claims.traffic and tuple(msgspec.structs.replace(t, name=renamed(t.name)) for t in claims.traffic)
    return msgspec.structs.replace(
        claims,
        reads=tuple(read(each) for each in claims.reads),
        writes=tuple(write(each) for each in claims.writes),
        entries=tuple(entry(each) for each in claims.entries),
        traffic=traffic,
    )


def _job_types(events: list[Event]) -> dict[Name, str]:
    types = {}
    for event in events:
        if event.job is not None and (told := processing_type(event.job_facets)):
            types[event.job] = told
    return types


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
    """The events since the last START that came after a FAIL (R14)."""
    begin = min(each.time for each in claims)
    for start in sorted(each.time for each in claims if each.type == "START"):
        if any(each.type == "FAIL" and begin <= each.time < start for each in claims):
            begin = start
    return [each for each in claims if each.time >= begin]


def _parent(run: Run, runs: dict[RunId, Run]) -> RunId | None:
    told = [claims.parent for claims in run.claims if claims.parent]
    if not told:
        return None
    named = (told[-1].run_id, told[-1].job)
    having = [each for each in runs if each[0] == named[0]]
    return having[0] if len(having) == 1 else named


def _end_rollout(run: Run, runs: Iterable[Run]) -> None:
    if run.type != "SERVICE" or any(claims.type in TERMINAL for claims in last_attempt(run.claims)):
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
    return bool(told) and sum(line.percent for line in told[-1]) < 100


def _models(events: list[Event], public: dict[Name, Name]) -> set[Name]:
    types: dict[Name, object] = {}
    for event in events:
        for dataset in datasets_of(event):
            facet = dataset.facets.get("datasetType")
            if isinstance(facet, dict):
                types[public.get(dataset.name, dataset.name)] = facet.get("datasetType")
    return {name for name, told in types.items() if isinstance(told, str) and told.upper() == "MODEL"}


def _known(events: list[Event], told: list[tuple[Event, Claims]], public: dict[Name, Name]) -> set[Name]:
    """Names that an event uses as input, output or dataset, or in a ``lineage`` facet (R7)."""
    names = {public.get(d.name, d.name) for event in events for d in datasets_of(event)}
    names |= {source.name for _, claims in told for entry in claims.entries for source in entry.sources}
    return names
