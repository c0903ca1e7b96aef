"""One run as all its events tell it together (R1, R12 a to c, R14): the join of its claims, read in the order of R0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, eq
from typing import Any, NamedTuple

from lineage.dialects import Dialect
from lineage.facts.claims import Claims, Entry, Parent, Source, Traffic, Write
from lineage.model import Digest, Name, RunState, RunType

Resolve = Callable[[Name], Name]

_TERMINAL = ("COMPLETE", "ABORT", "FAIL")
_SEVERITY = {"COMPLETE": 0, "ABORT": 1, "FAIL": 2}


_stamp = attrgetter("time", "hash")


def _started_first(claim: Claims) -> tuple[int, bool, bytes]:
    return (claim.time, claim.type != "START", claim.hash)


class Rank(NamedTuple):
    """What orders runs, reads, writes and versions that have the same time (R0)."""

    at: int
    run_id: str
    namespace: str
    name: str


class ToldRead(NamedTuple):
    """What was told of an input at one moment: its versions, else its content hashes."""

    at: int
    versions: tuple[str, ...]
    digests: tuple[Digest, ...]


class ToldWrite(NamedTuple):
    """An event that names an output: when, and the version it told, by its names and its schema."""

    at: int
    version: str | None
    digests: tuple[Digest, ...] = ()
    schema: bytes | None = None


@dataclass(slots=True)
class Input:
    """An input of the run under its public name. ``told`` holds tellings in the order of R0, without what R12 (a) takes
    out. ``was_bare``: some event names it and tells neither version nor content. ``schema`` is that of the earliest
    event that tells any: later ones may tell that after the write."""

    told: list[ToldRead] = field(default_factory=list)
    was_bare: bool = False
    role: str | None = None
    schema: bytes | None = None


@dataclass(slots=True)
class Output:
    """An output of the run under its public name; ``told`` has one item for each event that names it."""

    told: list[ToldWrite] = field(default_factory=list)
    digests: tuple[Digest, ...] = ()
    lifecycle: str | None = None
    previous: Name | None = None
    card: dict[str, Any] = field(default_factory=dict)
    columns: tuple[Source, ...] = ()
    appends: bool = False
    part_of_model: bool = False
    unproven: bool = True
    schema: bytes | None = None

    @property
    def is_write(self) -> bool:
        """DROP is none (R16)."""
        return self.lifecycle != "DROP"


@dataclass(slots=True)
class RunView:
    """The merged state of one run. ``end`` is None while no terminal event of its last attempt is known."""

    key: bytes
    run_id: str
    job: Name
    type: RunType
    state: RunState
    start: int
    end: int | None
    parent: Parent | None
    types: frozenset[str]
    inputs: dict[Name, Input]
    outputs: dict[Name, Output]
    entries: list[Entry]
    traffic: list[tuple[int, tuple[Traffic, ...]]]
    environment: str | None
    facets: dict[str, Any]
    commit: str | None
    repository: str | None
    dialect: Dialect
    updated: int
    superseded_at: int | None = None

    @property
    def effective_end(self) -> int | None:
        """The end that was told, else that of a rollout which the next one replaced (R17)."""
        return self.end if self.end is not None else self.superseded_at

    @property
    def is_continuous(self) -> bool:
        """A STREAMING or SERVICE run reads and writes while it goes on."""
        return self.type is not RunType.BATCH

    @property
    def failed(self) -> bool:
        """Whether R14 counts it as failed: ABORT is the ordinary end of a continuous run."""
        return self.state is RunState.FAIL or (self.state is RunState.ABORT and not self.is_continuous)

    @property
    def completed(self) -> bool:
        """Whether any of its events says COMPLETE (R6)."""
        return "COMPLETE" in self.types

    def rank(self, moment: int | None = None) -> Rank:
        """The rank of the run, or of what it read or wrote at ``moment``."""
        return Rank(self.start if moment is None else moment, self.run_id, *self.job)


def view_run(
    key: bytes, run_id: str, job: Name, claims: Iterable[Claims], job_type: RunType, resolve: Resolve, dialect: Dialect
) -> RunView:
    """Merge the claims of one run, in any order, at least one. ``resolve`` gives the public name of a dataset."""
    ordered = sorted(claims, key=_stamp)
    state, end = _last_attempt(ordered)
    start = min([c.time for c in ordered if c.type == "START"], default=ordered[0].time)
    instants = frozenset([(c.type, c.time) for c in ordered if c.type])
    types = frozenset([event_type for event_type, _ in instants])
    last = _last_told(ordered)
    view = RunView(
        key=key,
        run_id=run_id,
        job=job,
        type=RunType(last.run_type) if last.run_type else job_type,
        state=state,
        start=start,
        end=end if end is None else max(end, start),
        parent=last.parent,
        types=types,
        inputs={},
        outputs={},
        entries=[],
        traffic=[(c.time, c.traffic) for c in ordered if c.traffic is not None],
        environment=last.environment,
        facets={name: value for c in ordered for name, value in c.facets.items()},
        commit=last.commit,
        repository=last.repository,
        dialect=dialect,
        updated=ordered[-1].time,
    )
    if not dialect.never_ran(types, instants):
        view.entries = _entries(ordered, resolve)
        _merge_outputs(view, ordered, resolve)
        _merge_inputs(view, ordered, resolve)
    return view


class _LastTold(NamedTuple):
    run_type: str | None
    parent: Parent | None
    environment: str | None
    commit: str | None
    repository: str | None


def _last_told(ordered: Sequence[Claims]) -> _LastTold:
    """Of each, what the last event that tells it says."""
    run_type = parent = environment = commit = repository = None
    for claim in ordered:
        run_type = claim.run_type or run_type
        parent = claim.parent or parent
        environment = claim.environment or environment
        commit = claim.commit or commit
        repository = claim.repository or repository
    return _LastTold(run_type, parent, environment, commit, repository)


def _last_attempt(ordered: Sequence[Claims]) -> tuple[RunState, int | None]:
    """State and end (R14): FAIL outranks within an attempt; a later START after it begins another."""
    failed_at: int | None = None
    state: str | None = None
    end: int | None = None
    for claim in sorted(ordered, key=_started_first):
        if claim.type == "START" and failed_at is not None and claim.time > failed_at:
            failed_at = state = end = None
        elif claim.type in _TERMINAL:
            if claim.type == "FAIL":
                failed_at = claim.time
            state = claim.type if state is None else max(state, claim.type, key=_SEVERITY.__getitem__)
            end = claim.time
    return RunState(state or "RUNNING"), end


def _entries(ordered: Sequence[Claims], resolve: Resolve) -> list[Entry]:
    found: dict[Entry, None] = {}
    for claim in ordered:
        for entry in claim.entries:
            resolved = Entry(
                resolve(entry.target) if entry.target else None,
                tuple(Source(resolve(s.name), s.field, s.output_field, s.transformations) for s in entry.sources),
                entry.own_job,
            )
            found[resolved] = None
    return list(found)


def _merge_outputs(view: RunView, ordered: Sequence[Claims], resolve: Resolve) -> None:
    for claim in ordered:
        for write in claim.writes:
            name = resolve(write.name)
            output = view.outputs.get(name)
            if output is None:
                output = view.outputs[name] = Output()
            _merge_output(output, write, claim.time, resolve)
            output.part_of_model = (
                output.part_of_model or write.part_of_model or (name != write.name and _below(write, name))
            )
    for entry in view.entries:
        if entry.target is not None and entry.target not in view.outputs:
            view.outputs[entry.target] = Output(
                told=[ToldWrite(claim.time, None) for claim in ordered if claim.entries]
            )


def _below(write: Write, name: Name) -> bool:
    return write.name.namespace == name.namespace and write.name.name.startswith(name.name.rstrip("/") + "/")


def _merge_output(output: Output, write: Write, at: int, resolve: Resolve) -> None:
    output.told.append(ToldWrite(at, write.version, write.digests, write.schema))
    if write.digests:
        output.digests = merge_digests(output.digests, write.digests)
    if write.lifecycle:
        output.lifecycle, output.previous = write.lifecycle, write.previous
    output.card = write.card or output.card
    output.schema = write.schema or output.schema
    if write.columns:
        output.columns = _resolved(write.columns, resolve)
    output.appends = output.appends or write.appends
    output.unproven = output.unproven and write.unproven


def _resolved(sources: tuple[Source, ...], resolve: Resolve) -> tuple[Source, ...]:
    """The sources under their public names; the same object if they have no others."""
    public = {name: resolve(name) for name in {source.name for source in sources}}
    if all(map(eq, public, public.values())):
        return sources
    return tuple([Source(public[s.name], s.field, s.output_field, s.transformations) for s in sources])


def merge_digests(before: tuple[Digest, ...], later: Iterable[Digest]) -> tuple[Digest, ...]:
    """The union; per (algorithm, scope, method) the one told last (R10)."""
    merged = {(d.algorithm, d.scope, d.method): d for d in before}
    merged.update({(d.algorithm, d.scope, d.method): d for d in later})
    return tuple(sorted(merged.values(), key=digest_order)) if merged else ()


_SCOPES = {"FULL": 0, "SAMPLE": 1, "METADATA": 2}


def digest_order(digest: Digest) -> tuple[int, str, str, str, str]:
    """By scope FULL, SAMPLE, METADATA, then method, algorithm, digest (R10)."""
    return (_SCOPES.get(digest.scope, 3), digest.scope, digest.method, digest.algorithm, digest.digest)


def _merge_inputs(view: RunView, ordered: Sequence[Claims], resolve: Resolve) -> None:
    written = {(name, told.version) for name, output in view.outputs.items() for told in output.told if told.version}
    for claim in sorted(ordered, key=_started_first):
        told: dict[Name, tuple[dict[str, None], tuple[Digest, ...]]] = {}
        for read in claim.reads:
            name = resolve(read.name)
            source = view.inputs.get(name)
            if source is None:
                source = view.inputs[name] = Input()
            source.schema = source.schema or read.schema
            versions, digests = told.setdefault(name, ({}, ()))
            if read.version and (name, read.version) not in written:
                versions[read.version] = None
            told[name] = (versions, merge_digests(digests, read.digests) if read.digests else digests)
        if view.is_continuous:
            for line in claim.traffic or ():
                _add_traffic(view, told, resolve(line.name), line, written)
        for name, (versions, digests) in told.items():
            if versions or digests:
                view.inputs[name].told.append(ToldRead(claim.time, tuple(versions), digests))
            else:
                view.inputs[name].was_bare = True
    for claim in ordered:
        for read in claim.reads:
            if read.role:
                view.inputs[resolve(read.name)].role = read.role


def _add_traffic(
    view: RunView,
    told: dict[Name, tuple[dict[str, None], tuple[Digest, ...]]],
    name: Name,
    line: Traffic,
    written: set[tuple[Name, str]],
) -> None:
    if line.percent <= 0:
        return
    view.inputs.setdefault(name, Input())
    if line.version and (name, line.version) not in written:
        told.setdefault(name, ({}, ()))[0][line.version] = None


def batch_reads(source: Input) -> ToldRead | None:
    """What a batch run's input is held to: versions and hashes each of the earliest event that tells any (R12 b)."""
    if not source.told:
        return None
    versions = next((told.versions for told in source.told if told.versions), ())
    digests = next((told.digests for told in source.told if told.digests), ())
    return ToldRead(source.told[0].at, versions, digests)
