"""The graph that a set of events means, by the numbered rules, all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reference_fold.division import Feeds, feeds_of_run, lifecycle_of
from reference_fold.reads import Found, Met, Timeline, kept_of, met_by
from reference_fold.versions import (
    Moments,
    Written,
    declared_reads,
    endings_of,
    give_names,
    naming,
    renamed_from,
    versions_of,
)
from reference_fold.world import Run, RunId, World, world_of

from lineage.event.model import Event, Name

STRENGTH = ("DECLARED", "HASH", "BUILDS_ON", "RENAME", "INFERRED", "TIME", "AS_FOUND")
EVIDENCE = ("DECLARED", "COLUMN", "INFERRED")
MOST_ROUNDS = 60

Flow = tuple[RunId, Name | None, int | None]
VersionId = tuple[object, ...]


@dataclass
class Facts:
    """The graph in words that need no key: what is compared."""

    runs: dict[RunId, tuple[str, str, int | None, int | None, frozenset[str]]] = field(default_factory=dict)
    versions: dict[VersionId, tuple[int, bool, frozenset[str]]] = field(default_factory=dict)
    version_gaps: dict[VersionId, frozenset[str]] = field(default_factory=dict)
    reads: dict[tuple[VersionId, Flow], tuple[str, str, bool]] = field(default_factory=dict)
    read_gaps: dict[tuple[VersionId, Flow], frozenset[str]] = field(default_factory=dict)
    wrote: set[tuple[Flow, VersionId]] = field(default_factory=set)
    logical: dict[tuple[Name, Name, Name | None], tuple[str, bool, bool]] = field(default_factory=dict)
    conflicts: set[Name] = field(default_factory=set)


def facts_of(events: Iterable[Event]) -> Facts:
    """The whole graph of ``events``."""
    world = world_of(events)
    feeds = {run: feeds_of_run(run, world) for run in world.runs.values()}
    line = _settled(world, feeds)
    facts = Facts()
    facts.conflicts = set(world.conflicts)
    for version in line.versions:
        _add_write(facts, line, version, feeds[version.run])
    for version in line.void:
        _add_reads(facts, line, version, feeds[version.run])
    for run, fed in feeds.items():
        _add_none_flow(facts, line, run, fed)
    for run in world.runs.values():
        facts.runs[run.id] = (run.type, run.state, run.start, run.end, frozenset(run.gaps))
    _add_siblings(facts, line, feeds)
    for version in line.versions:
        names = frozenset([version.declared] if version.declared else [])
        facts.versions[id_of(version)] = (version.written, version.certain, names)
        facts.version_gaps[id_of(version)] = frozenset(version.gaps)
    _add_logical(facts, world, feeds)
    return facts


def id_of(version: Written | Found) -> VersionId:
    """What identifies a version (R10)."""
    if isinstance(version, Written):
        return (version.dataset, "run", version.run.id, version.moment)
    return version


def _settled(world: World, feeds: dict[Run, Feeds]) -> Timeline:
    """The timeline whose moments (R11) are those that its own reads give."""
    moments: Moments = {}
    for _ in range(MOST_ROUNDS):
        versions = versions_of(world, feeds, moments)
        declared = declared_reads(world)
        kept = _without_repeated_renames(versions)
        give_names(kept, declared)
        void = [version for version in versions if version not in kept]
        line = Timeline(kept, endings_of(world), declared, world.models, void)
        found = {
            (run, output): _moments(line, run, output, fed)
            for run, outputs in feeds.items()
            if run.streams
            for output, fed in outputs.items()
            if output is not None
        }
        if found == moments:
            return line
        moments = found
    raise AssertionError("the moments of the streams do not settle")


def _moments(line: Timeline, run: Run, output: Name, fed: dict[Name, str]) -> list[int]:
    met = [each for name in fed for each in met_by(line, run, name, None)[0]]
    moments = [run.start]
    told: set[str] = set()
    for claims, write in naming(run, output):
        is_new = write.version is not None and write.version not in told
        told |= {write.version} if write.version else set()
        if claims.time <= moments[-1]:
            continue
        limit = (claims.time, *run.id)
        since = [each for each in met if moments[-1] < _first_seen(line, each) <= claims.time and _may(each, limit)]
        if is_new or since:
            moments.append(claims.time)
    return moments


def _may(met: Met, limit: tuple[int, str, Name]) -> bool:
    return not isinstance(met.version, Written) or met.version.rank < limit


def _first_seen(line: Timeline, met: Met) -> int:
    if isinstance(met.version, Written):
        return met.version.written
    dataset, kind, value = met.version
    if kind != "declared":
        return met.time
    return min(read.time for read in line.declared if (read.dataset, read.version) == (dataset, value))


def _without_repeated_renames(versions: list[Written]) -> list[Written]:
    """R16: a RENAME is a write once per pair of names and life of the old one."""
    kept = []
    for version in versions:
        old = renamed_from(version.run, version.dataset)
        earlier = [
            v
            for v in versions
            if old is not None
            and v.dataset == version.dataset
            and v.certain
            and renamed_from(v.run, v.dataset) == old
            and v.place < version.place
        ]
        if not earlier or any(
            max(e.place for e in earlier) < v.place < version.place for v in versions if v.dataset == old
        ):
            kept.append(version)
    return kept


def _add_write(facts: Facts, line: Timeline, version: Written, feeds: Feeds) -> None:
    run, output = version.run, version.dataset
    flow: Flow = (run.id, output, version.moment)
    facts.wrote.add((flow, id_of(version)))
    change = lifecycle_of(run.claims, output)
    _add_reads(facts, line, version, feeds)
    reads = output in feeds[output]
    appends = bool([w for _, w in naming(run, output) if w.appends])
    kept = kept_of(line, version, reads, appends, change)
    if kept:
        _add_read(
            facts,
            line,
            kept,
            flow,
            feeds[output].get(output, "DECLARED" if reads or appends or change == "ALTER" else "INFERRED"),
            not run.failed,
        )
    old = renamed_from(run, output)
    if old is not None:
        before = [v for v in line.of(old) if v.place < version.place and v.rank < version.rank and v.certain]
        if before:
            _add_read(facts, line, Met(before[-1], version.written, "RENAME"), flow, "DECLARED", not run.failed)


def _add_reads(facts: Facts, line: Timeline, version: Written, feeds: Feeds) -> None:
    run = version.run
    flow: Flow = (run.id, version.dataset, version.moment)
    for name, evidence in feeds[version.dataset].items():
        found, gaps = met_by(line, run, name, version.rank)
        run.gaps |= gaps
        for met in found:
            if _may(met, version.rank) and (version.moment is None or met.time <= version.moment):
                _add_read(facts, line, met, flow, evidence, not run.failed)


def _add_none_flow(facts: Facts, line: Timeline, run: Run, feeds: Feeds) -> None:
    flow: Flow = (run.id, None, None)
    for name, evidence in feeds.get(None, {}).items():
        found, gaps = met_by(line, run, name, None)
        run.gaps |= gaps
        for met in found:
            _add_read(facts, line, met, flow, evidence, not run.failed)
    if not run.streams:
        return
    for output, fed in feeds.items():
        for name, evidence in fed.items():
            for met in met_by(line, run, name, None)[0]:
                if output is not None and not any(
                    vid == _vid(met) and read[0] == run.id for vid, read in facts.reads if read != flow
                ):
                    _add_read(facts, line, met, flow, evidence, not run.failed)


def _vid(met: Met) -> VersionId:
    return id_of(met.version)


def _add_read(facts: Facts, line: Timeline, met: Met, flow: Flow, evidence: str, certain: bool) -> None:
    key = (_vid(met), flow)
    told = (met.binding, evidence, certain)
    if key in facts.reads:
        other = facts.reads[key]
        binding = min(met.binding, other[0], key=STRENGTH.index)
        told = (binding, min(evidence, other[1], key=EVIDENCE.index), certain or other[2])
        if other[0] == binding:
            met.gaps = set(facts.read_gaps[key])
    facts.reads[key] = told
    facts.read_gaps[key] = frozenset(met.gaps | ({"INFERRED"} if told[0] == "INFERRED" else set()))
    if not isinstance(met.version, Written):
        known_as = frozenset([str(met.version[2])] if met.version[1] == "declared" else [])
        seen = min(_first_seen(line, met), facts.versions.get(key[0], (met.time,))[0])
        facts.versions[key[0]] = (seen, True, known_as)
        facts.version_gaps[key[0]] = frozenset()


def _add_siblings(facts: Facts, line: Timeline, feeds: dict[Run, Feeds]) -> None:
    """R8: what one process's jobs read before is in what it writes."""
    told = dict(facts.reads)
    for version in line.versions:
        run = version.run
        if not any(c.parent and c.parent.single_process for c in run.claims):
            continue
        reads_nothing = not any(feeds[run].values())
        flow: Flow = (run.id, version.dataset, version.moment)
        for sibling, fed in feeds.items():
            if sibling is run or sibling.parent != run.parent or sibling.start >= run.start:
                continue
            silent = not any(output is not None for output in fed)
            for (vid, read), _ in told.items():
                model = silent and vid[0] in line.models
                source = next((v for v in line.versions if id_of(v) == vid), vid)
                if read[0] == sibling.id and (reads_nothing or model) and source is not version:
                    met = Met(source, sibling.start, "INFERRED")  # type: ignore[arg-type]
                    if _may(met, version.rank):
                        _add_read(facts, line, met, flow, "INFERRED", not run.failed)


def _add_logical(facts: Facts, world: World, feeds: dict[Run, Feeds]) -> None:
    told: dict[tuple[Name, Name, Name | None], list[tuple[Run, str]]] = {}
    for run, outputs in feeds.items():
        for output, fed in outputs.items():
            for name, evidence in fed.items():
                told.setdefault((name, run.id[1], output), []).append((run, evidence))
            old = renamed_from(run, output) if output else None
            if old:
                told.setdefault((old, run.id[1], output), []).append((run, "DECLARED"))
    for edge, tellers in told.items():
        completed = [run for run in world.runs.values() if run.id[1] == edge[1] and run.state == "COMPLETE"]
        last = max(completed, key=lambda run: run.rank) if completed else None
        stale = last is not None and all(run is not last for run, _ in tellers)
        evidence = min((each for _, each in tellers), key=EVIDENCE.index)
        facts.logical[edge] = (evidence, any(not run.failed for run, _ in tellers), stale)
