"""The versions that runs wrote, when, and by which names they are known: rules R10, R11, R12 and R16."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_fold.division import Feeds, lifecycle_of, outputs_named, writes_of
from reference_fold.world import Rank, Run, World

from lineage.event.model import Name
from lineage.facts.claims import Claims, Write
from lineage.keys import run_key
from lineage.model import Digest

Place = tuple[int, Rank]
Moments = dict[tuple[Run, Name], list[int]]


@dataclass(eq=False)
class Written:
    """One version that a recorded run wrote. ``stamp`` is the version told of it, ``claim`` too unless that was read
    before; ``declared`` is what names it."""

    dataset: Name
    run: Run
    moment: int | None
    written: int
    stamp: str | None
    digests: tuple[Digest, ...]
    claim: str | None = None
    declared: str | None = None
    joined: bool = False
    gaps: set[str] = field(default_factory=set)

    @property
    def certain(self) -> bool:
        """Whether a run wrote it that R14 doesn't count as failed."""
        return not self.run.failed

    @property
    def rank(self) -> Rank:
        """R0: of the run, or of the moment."""
        return (self.run.start if self.moment is None else self.moment, *self.run.id)

    @property
    def place(self) -> Place:
        """Where it stands among the versions of its dataset (R0)."""
        return (self.written, self.rank)


@dataclass(frozen=True)
class Ending:
    """The end of a dataset's life: a DROP, or a RENAME to another name (R16)."""

    dataset: Name
    run: Run
    time: int
    renamed_to: Name | None

    @property
    def place(self) -> Place:
        """Where it stands between the versions of its dataset (R0)."""
        return (self.time, self.run.rank)


@dataclass(frozen=True)
class Declared:
    """A version that a run tells of an input. ``time``: of a batch run its start, else when ``event`` told it."""

    run: Run
    dataset: Name
    version: str
    time: int
    event: bytes

    @property
    def rank(self) -> Rank:
        """R0."""
        return (self.time, *self.run.id)


def written_time(run: Run, output: Name) -> int:
    """When a batch run has written ``output``, or a run has dropped it (R11, R16)."""
    end = run.end if run.end is not None else max(claims.time for claims, _ in writes_of(run.claims, output))
    return max(end, run.start)


def endings_of(world: World) -> list[Ending]:
    """Every DROP and RENAME of runs that did not fail."""
    found = []
    for run in world.runs.values():
        for output in outputs_named(run.claims):
            old = renamed_from(run, output)
            if run.failed:
                continue
            if lifecycle_of(run.claims, output) == "DROP":
                found.append(Ending(output, run, written_time(run, output), None))
            elif old is not None:
                found.append(Ending(old, run, written_time(run, output), output))
    return found


def renamed_from(run: Run, output: Name) -> Name | None:
    """The old name, where the last change that ``run`` tells of ``output`` is a RENAME."""
    told = [write for _, write in writes_of(run.claims, output) if write.lifecycle]
    return told[-1].previous if told and told[-1].lifecycle == "RENAME" and told[-1].previous != output else None


def digests_of(told: list[tuple[Digest, ...]]) -> tuple[Digest, ...]:
    """The union; of each (algorithm, scope, method) the one told last (R10)."""
    return tuple({(each.algorithm, each.scope, each.method): each for digests in told for each in digests}.values())


def versions_of(feeds: dict[Run, Feeds], moments: Moments) -> list[Written]:
    """One version for each output of a batch run, and for each moment of another's."""
    versions = []
    for run, fed in feeds.items():
        for output in fed.outputs:
            if run.streams:
                versions += _at_moments(run, output, moments.get((run, output), [run.start]))
            else:
                version = _version(run, output, None, [write for _, write in writes_of(run.claims, output)])
                version.gaps |= {"WRITER_NOT_ENDED"} if run.end is None else set()
                versions.append(version)
    return versions


def _at_moments(run: Run, output: Name, moments: list[int]) -> list[Written]:
    """A STREAMING or SERVICE run's versions, each with what is told of it until the next."""
    versions = []
    for number, moment in enumerate(moments):
        until = [*moments, None][number + 1]
        told = [
            write
            for claims, write in writes_of(run.claims, output)
            if (claims.time >= moment or number == 0) and (until is None or claims.time < until)
        ]
        versions.append(_version(run, output, moment, told))
    return versions


def _version(run: Run, output: Name, moment: int | None, told: list[Write]) -> Written:
    stamps = [write.version for write in told if write.version]
    written = written_time(run, output) if moment is None else moment
    stamp = stamps[-1] if stamps else None
    version = Written(output, run, moment, written, stamp, digests_of([write.digests for write in told]))
    version.gaps |= {"UNCERTAIN"} if run.failed else set()
    return version


def without_repeated_renames(versions: list[Written], endings: list[Ending]) -> list[Written]:
    """R16: a RENAME is a write once per pair of names and life of the old one; a failed run's always stays."""
    kept = []
    for version in versions:
        old = renamed_from(version.run, version.dataset)
        earlier = [
            ending.place
            for ending in endings
            if old is not None
            and not version.run.failed
            and (ending.dataset, ending.renamed_to) == (old, version.dataset)
            and ending.place < (version.written, version.run.rank)
        ]
        others = [v for v in versions if v.dataset == old and v.run is not version.run and v.place < version.place]
        revived = [v for v in others if earlier and max(earlier) <= v.place]
        if not earlier or revived:
            kept.append(version)
    return kept


def in_reading_order(run: Run) -> list[Claims]:
    """The claims of ``run``, of one time those of START first (R12 b)."""
    return sorted(run.claims, key=lambda claims: (claims.time, claims.type != "START", claims.hash))


def declared_reads(world: World) -> list[Declared]:
    """The versions that runs tell of inputs, after R12 (a) and (b)."""
    found: list[Declared] = []
    for run in world.runs.values():
        stamped = {(write.name, write.version) for claims in run.claims for write in claims.writes}
        told = [
            (claims, dataset, version)
            for claims in in_reading_order(run)
            for dataset, version in _told_of_inputs(claims, run)
            if (dataset, version) not in stamped
        ]
        if run.streams:
            found += [Declared(run, dataset, version, claims.time, claims.hash) for claims, dataset, version in told]
        else:
            first = {dataset: claims.hash for claims, dataset, _ in reversed(told)}
            earliest = {(dataset, version) for claims, dataset, version in told if first[dataset] == claims.hash}
            found += [Declared(run, each[0], each[1], run.start, first[each[0]]) for each in sorted(earliest)]
    return found


def hashes_read(run: Run, dataset: Name) -> tuple[Digest, ...]:
    """The content hashes of the earliest event that tells any of this input (R12 b)."""
    return next((digests for _, digests in _hashes(run, dataset) if digests), ())


def _hashes(run: Run, dataset: Name) -> list[tuple[Claims, tuple[Digest, ...]]]:
    return [
        (claims, digests_of([read.digests for read in claims.reads if read.name == dataset]))
        for claims in in_reading_order(run)
    ]


def note_contents(versions: list[Written], reads: list[Declared]) -> None:
    """R10: who reads a version by its name, and tells hashes with it, tells its content too."""
    for version in versions:
        name = (version.dataset, version.declared)
        told = []
        for read in [] if version.joined else [r for r in reads if (r.dataset, r.version) == name]:
            mine = [other for other in reads if (other.run, other.dataset) == (read.run, read.dataset)]
            hashed = [claims for claims, digests in _hashes(read.run, read.dataset) if digests]
            tellings = {claims.hash for claims in hashed} | {other.event for other in mine}
            is_clear = len(mine) == 1 and (len(tellings) == 1 or not read.run.streams)
            if hashed and is_clear and read.run is not version.run:
                first = min(claims.time for claims in read.run.claims if claims.hash in tellings)
                key = run_key(read.run.id[0], *read.run.id[1])
                told.append((first, key, hashes_read(read.run, read.dataset)))
        version.digests = digests_of([version.digests, *(digests for _, _, digests in sorted(told))])


def _told_of_inputs(claims: Claims, run: Run) -> list[tuple[Name, str]]:
    told = [(read.name, read.version) for read in claims.reads if read.version]
    lines = (claims.traffic or ()) if run.streams else ()
    return told + [(line.name, line.version) for line in lines if line.version and line.percent > 0]


def give_names(versions: list[Written], reads: list[Declared], endings: list[Ending]) -> None:
    """Which declared version names which write: R12 (d), (e), (f), in that order."""
    for version in versions:
        is_stale = version.stamp and any(_makes_stale(read, version) for read in reads)
        version.claim = version.declared = None if is_stale else version.stamp
    for name in {(version.dataset, version.declared) for version in versions if version.declared}:
        claimants = sorted((v for v in versions if (v.dataset, v.declared) == name), key=lambda v: v.place)
        for claimant in claimants[:-1]:
            claimant.declared = None
        if len({claimant.run for claimant in claimants}) > 1:
            for claimant in claimants:
                claimant.gaps.add("VERSION_CLAIMED_TWICE")
    _join_unwritten(versions, reads, endings)


def _makes_stale(read: Declared, version: Written) -> bool:
    if (read.dataset, read.version) != (version.dataset, version.stamp) or read.run is version.run:
        return False
    return read.time < version.run.start if read.run.streams else read.rank < version.rank


def _join_unwritten(versions: list[Written], reads: list[Declared], endings: list[Ending]) -> None:
    """(f), within one life of the dataset."""
    nameless = [version for version in versions if version.declared is None]
    unwritten = {(r.dataset, r.version) for r in reads} - {(v.dataset, v.declared) for v in versions}
    earliest = [min((r for r in reads if (r.dataset, r.version) == each), key=lambda r: r.rank) for each in unwritten]
    for read in sorted(earliest, key=lambda r: (r.rank, r.version)):
        before = [
            version
            for version in nameless
            if version.dataset == read.dataset
            and version.run is not read.run
            and version.written <= read.time
            and version.rank < read.rank
        ]
        last = max(before, key=lambda version: version.place, default=None)
        if last is None or last.declared is not None:
            continue
        if not any(e.dataset == read.dataset and last.place < e.place and e.time <= read.time for e in endings):
            last.declared, last.joined = read.version, True
