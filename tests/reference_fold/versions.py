"""The versions that runs wrote, when, and by which names they are known: rules R10, R11, R12 and R16."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_fold.division import Feeds, lifecycle_of
from reference_fold.world import Rank, Run, World

from lineage.event.model import Name
from lineage.facts.claims import Claims, Write
from lineage.model import Digest

Moments = dict[tuple[Run, Name], list[int]]


@dataclass(eq=False)
class Written:
    """One version that a recorded run wrote."""

    dataset: Name
    run: Run
    moment: int | None
    written: int
    certain: bool
    stamp: str | None
    digests: tuple[Digest, ...]
    declared: str | None = None
    inferred: bool = False
    told_none: bool = False
    gaps: set[str] = field(default_factory=set)

    @property
    def rank(self) -> Rank:
        return (self.written if self.moment is not None else self.run.start, *self.run.id)

    @property
    def place(self) -> tuple[int, Rank]:
        """Where it stands among the versions of its dataset (R0)."""
        return (self.written, self.rank)


@dataclass(frozen=True)
class Ending:
    """The end of a dataset's life: a DROP, or a RENAME to another name (R16)."""

    dataset: Name
    run: Run
    time: int

    @property
    def place(self) -> tuple[int, Rank]:
        return (self.time, self.run.rank)


@dataclass(frozen=True)
class Declared:
    """A version that a run tells of an input: for a batch run as of its start, else as of the event."""

    run: Run
    dataset: Name
    version: str
    time: int

    @property
    def rank(self) -> Rank:
        return (self.time, *self.run.id)


def naming(run: Run, output: Name) -> list[tuple[Claims, Write]]:
    """Each place in which ``run`` names ``output``."""
    return [(claims, write) for claims in run.claims for write in claims.writes if write.name == output]


def written_time(run: Run, output: Name) -> int:
    """When a batch run has written ``output`` (R11)."""
    end = run.end
    if end is None:
        end = max(claims.time for claims, _ in naming(run, output))
    return max(end, run.start)


def endings_of(world: World) -> list[Ending]:
    """Every DROP and RENAME of runs that did not fail."""
    found = []
    for run in world.runs.values():
        for output in {write.name for claims in run.claims for write in claims.writes}:
            change = lifecycle_of(run.claims, output)
            if run.failed or change not in ("DROP", "RENAME"):
                continue
            lost = output if change == "DROP" else renamed_from(run, output)
            if lost is not None:
                found.append(Ending(lost, run, written_time(run, output)))
    return found


def renamed_from(run: Run, output: Name) -> Name | None:
    """The old name, where the last change that ``run`` tells of ``output`` is a RENAME."""
    told = [write for _, write in naming(run, output) if write.lifecycle]
    if not told or told[-1].lifecycle != "RENAME" or told[-1].previous == output:
        return None
    return told[-1].previous


def digests_of(writes: list[Write]) -> tuple[Digest, ...]:
    """The union; of each (algorithm, scope, method) the one told last (R10)."""
    told = {(d.algorithm, d.scope, d.method): d for write in writes for d in write.digests}
    return tuple(told.values())


def versions_of(world: World, feeds: dict[Run, Feeds], moments: Moments) -> list[Written]:
    """One version for each output of a batch run, and for each moment of another's."""
    versions = []
    for run, outputs in feeds.items():
        for output in outputs:
            if output is None:
                continue
            if run.streams:
                versions += _at_moments(run, output, moments.get((run, output), [run.start]))
            else:
                versions.append(_at_end(run, output))
    return versions


def _at_end(run: Run, output: Name) -> Written:
    places = naming(run, output)
    stamps = [write.version for _, write in places if write.version]
    version = Written(
        output,
        run,
        None,
        written_time(run, output) if places else max(run.start, run.end or run.start),
        not run.failed,
        stamps[-1] if stamps else None,
        digests_of([write for _, write in places]),
    )
    if run.end is None:
        version.gaps.add("WRITER_NOT_ENDED")
    if run.failed:
        version.gaps.add("UNCERTAIN")
    return version


def _at_moments(run: Run, output: Name, moments: list[int]) -> list[Written]:
    versions = []
    for number, moment in enumerate(moments):
        until = moments[number + 1] if number + 1 < len(moments) else None
        first = number == 0
        places = [
            write
            for claims, write in naming(run, output)
            if (claims.time >= moment or first) and (until is None or claims.time < until)
        ]
        stamps = [write.version for write in places if write.version]
        stamp = stamps[-1] if stamps else None
        versions.append(Written(output, run, moment, moment, not run.failed, stamp, digests_of(places)))
    return versions


def declared_reads(world: World) -> list[Declared]:
    """The versions that runs tell of inputs, after R12 (a) and (b)."""
    found: list[Declared] = []
    for run in world.runs.values():
        stamped = {(write.name, write.version) for claims in run.claims for write in claims.writes}
        told = [
            (claims, name, version)
            for claims in sorted(run.claims, key=lambda each: (each.time, each.type != "START", each.hash))
            for name, version in _told_of_inputs(claims)
            if (name, version) not in stamped
        ]
        if run.streams:
            found += [Declared(run, name, version, max(claims.time, run.start)) for claims, name, version in told]
        else:
            first: dict[Name, Claims] = {}
            for claims, name, _ in told:
                first.setdefault(name, claims)
            earliest = {(name, version) for claims, name, version in told if first[name] is claims}
            found += [Declared(run, name, version, run.start) for name, version in earliest]
    return found


def _told_of_inputs(claims: Claims) -> list[tuple[Name, str]]:
    told = [(read.name, read.version) for read in claims.reads if read.version]
    return told + [(line.name, line.version) for line in claims.traffic or () if line.version]


def give_names(versions: list[Written], reads: list[Declared]) -> None:
    """Which declared version names which write: R12 (d), (e), (f), in that order."""
    for version in versions:
        stale = version.stamp and any(_makes_stale(read, version) for read in reads)
        version.declared = None if stale else version.stamp
        version.told_none = version.declared is None
    for name in {(version.dataset, version.declared) for version in versions if version.declared}:
        claimants = sorted((v for v in versions if (v.dataset, v.declared) == name), key=lambda v: v.place)
        for loser in claimants[:-1]:
            loser.declared, loser.told_none = None, True
        if len({v.run.id for v in claimants}) > 1:
            for claimant in claimants:
                claimant.gaps.add("VERSION_CLAIMED_TWICE")
    _join_unwritten(versions, reads)


def _makes_stale(read: Declared, version: Written) -> bool:
    if (read.dataset, read.version) != (version.dataset, version.stamp) or read.run is version.run:
        return False
    if read.run.streams:
        return read.time < version.run.start
    return read.rank < version.rank


def _join_unwritten(versions: list[Written], reads: list[Declared]) -> None:
    written = {(version.dataset, version.declared) for version in versions}
    unwritten = {(read.dataset, read.version) for read in reads} - written
    earliest = [min((r for r in reads if (r.dataset, r.version) == u), key=lambda r: r.rank) for u in unwritten]
    for read in sorted(earliest, key=lambda r: (r.rank, r.version)):
        before = [
            v
            for v in versions
            if v.dataset == read.dataset
            and v.told_none
            and v.run is not read.run
            and v.written <= read.time
            and v.rank < read.rank
        ]
        if before:
            last = max(before, key=lambda v: v.place)
            if last.declared is None:
                last.declared, last.inferred = read.version, True
