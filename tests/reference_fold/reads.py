"""What each read met, and what each write builds on: rules R13, R15 and R16."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_fold.division import lifecycle_of, writes_of
from reference_fold.versions import Declared, Ending, Place, Written, digests_of, hashes_read, in_reading_order
from reference_fold.world import Rank, Run

from lineage.event.model import Name
from lineage.model import Digest

CLOSE = 2_000_000
SCOPES = ("FULL", "SAMPLE", "METADATA")

Found = tuple[Name, str, object]
"""A version that no recorded run wrote: its dataset, and what it is known by (R10)."""

AFTER_ALL: Rank = (2**63, "", Name("", ""))
"""Larger than the rank of any run."""


@dataclass
class Met:
    """A version that a read met, when, and how that is known."""

    version: Written | Found
    time: int
    binding: str
    gaps: set[str] = field(default_factory=set)

    def comes_before(self, limit: Rank | None) -> bool:
        """Whether what it met is of smaller rank than ``limit`` (R0); what nobody wrote always is."""
        return limit is None or not isinstance(self.version, Written) or self.version.rank < limit


@dataclass
class Timeline:
    """All versions and ends of life of all datasets, and all versions declared as read. ``void``: what would be
    versions, but repeats a RENAME (R16)."""

    versions: list[Written]
    endings: list[Ending]
    declared: list[Declared]
    models: set[Name]
    void: list[Written]

    def of(self, dataset: Name) -> list[Written]:
        """The versions of ``dataset`` as they stand (R0)."""
        return sorted((v for v in self.versions if v.dataset == dataset), key=lambda version: version.place)

    def living(self, versions: list[Written], dataset: Name, until: Place, other_than: Run | None) -> list[Written]:
        """Those of ``versions`` whose life no end up to ``until`` has ended, the run's own not counted (R16)."""
        ends = [e.place for e in self.endings if e.dataset == dataset and e.place <= until and e.run is not other_than]
        return [version for version in versions if not ends or version.place >= max(ends)]

    def is_ended(self, dataset: Name, time: int, other_than: Run | None) -> bool:
        """Whether its life was ended at any time until ``time``."""
        return any(e.dataset == dataset and e.time <= time and e.run is not other_than for e in self.endings)


def met_by(line: Timeline, run: Run, dataset: Name, *, writing: bool) -> tuple[list[Met], set[str]]:
    """What ``run`` met of ``dataset``, in a flow that is ``writing`` only what has a smaller rank; and the run's
    gaps."""
    told = [read for read in line.declared if read.run is run and read.dataset == dataset]
    if run.streams:
        return _met_by_stream(line, run, dataset, told)
    named = [met for read in told for met in _named(line, read)]
    if named:
        return named, set()
    limit = run.rank if writing else None
    return undeclared(line, Look(dataset, run.start, hashes_read(run, dataset), limit, run, run.id))


def _met_by_stream(line: Timeline, run: Run, dataset: Name, told: list[Declared]) -> tuple[list[Met], set[str]]:
    """All that a STREAMING or SERVICE run tells, each from its event on; else what it can have met until its end."""
    met: list[Met] = []
    gaps: set[str] = set()
    tells = False
    for claims in in_reading_order(run):
        versions = [read for read in told if read.event == claims.hash]
        hashes = digests_of([read.digests for read in claims.reads if read.name == dataset])
        if versions or hashes:
            tells = True
            found = [each for read in versions for each in _named(line, read)]
            if not found:
                time = max(claims.time, run.start)
                found, lost = undeclared(line, Look(dataset, time, hashes, None, run, run.id))
                gaps |= lost
            met += found
    if not tells:
        met, gaps = undeclared(line, Look(dataset, run.start, (), run.rank, run, run.id))
    if not told and dataset not in line.models:
        met += _later(line, run, dataset)
    return met, gaps


def met_before(line: Timeline, run: Run, dataset: Name) -> list[Met]:
    """What makes a STREAMING or SERVICE run write anew (R11): all that told the version, else by time, of smaller rank
    than the read."""
    told = [read for read in line.declared if read.run is run and read.dataset == dataset]
    tellings = [
        (max(claims.time, run.start), versions)
        for claims in in_reading_order(run)
        for versions in [[read for read in told if read.event == claims.hash]]
        if versions or digests_of([read.digests for read in claims.reads if read.name == dataset])
    ]
    met: list[Met] = []
    for time, versions in tellings or [(run.start, [])]:
        rank = (time, *run.id)
        named = [
            Met(version, time, "DECLARED")
            for read in versions
            for version in line.of(dataset)
            if version.claim == read.version and version.rank < rank and version.run is not run
        ]
        met += named or undeclared(line, Look(dataset, time, (), rank, run, run.id))[0]
    if not told and dataset not in line.models:
        met += _later(line, run, dataset)
    return met


def _named(line: Timeline, read: Declared) -> list[Met]:
    """The version that ``read`` declares; nothing where (f) makes that the run's own."""
    time = max(read.time, read.run.start)
    for version in line.of(read.dataset):
        if version.declared == read.version:
            gaps = {"INFERRED"} if version.joined else set()
            gaps |= set() if version.certain else {"UNCERTAIN"}
            binding = "INFERRED" if version.joined else "DECLARED"
            return [Met(version, time, binding, gaps)] if version.run is not read.run else []
    return [Met((read.dataset, "declared", read.version), time, "DECLARED")]


def _later(line: Timeline, run: Run, dataset: Name) -> list[Met]:
    """What is written while a STREAMING or SERVICE run goes on."""
    return [
        Met(version, time, "TIME", {"TIME_BINDING"} | _close(line, version, Look(dataset, time, (), None, run, run.id)))
        for version in line.of(dataset)
        for time in [version.written]
        if version.run is not run and version.certain and time > run.start and (run.end is None or time <= run.end)
    ]


@dataclass(frozen=True)
class Look:
    """An undeclared read: what it can meet is of smaller rank than ``limit``, and not what ``run`` itself wrote."""

    dataset: Name
    time: int
    hashes: tuple[Digest, ...]
    limit: Rank | None
    run: Run | None
    found_by: object


def undeclared(line: Timeline, look: Look) -> tuple[list[Met], set[str]]:
    """What an undeclared read met, one version at most; and gaps where it met none (R13, R16)."""
    before = [
        version
        for version in line.of(look.dataset)
        if version.run is not look.run
        and version.written <= look.time
        and (look.limit is None or version.rank < look.limit)
    ]
    living = line.living(before, look.dataset, (look.time, AFTER_ALL), look.run)
    if not living and line.is_ended(look.dataset, look.time, look.run):
        return [], {"DROPPED"}
    if agree := [version for version in before if agreeing(look.hashes, version.digests)]:
        return [Met(agree[-1], look.time, "HASH", set() if agree[-1].certain else {"UNCERTAIN"})], set()
    certain = [version for version in living if version.certain]
    if certain and comparable(look.hashes, certain[-1].digests):
        return [_as_found(line, look, "CONTENT_CHANGED_OUTSIDE")], set()
    if not living:
        return [_as_found(line, look, "NO_PRODUCER")], set()
    bound = (certain or living)[-1]
    gaps = {"TIME_BINDING"} | _close(line, bound, look)
    gaps |= set() if living[-1].certain else {"UNCERTAIN"}
    return [Met(bound, look.time, "TIME", gaps)], set()


def _as_found(line: Timeline, look: Look, gap: str) -> Met:
    """The version without a writer (R10): by its content hash, else as found."""
    found = keyed_by(look.dataset, look.hashes) if look.hashes else (look.dataset, "found", look.found_by)
    return Met(found, look.time, "AS_FOUND", {gap} | _close(line, None, look))


def comparable(one: tuple[Digest, ...], other: tuple[Digest, ...]) -> bool:
    """Whether both tell a hash of one (algorithm, scope, method)."""
    kinds = {(d.algorithm, d.scope, d.method) for d in one}
    return any((d.algorithm, d.scope, d.method) in kinds for d in other)


def agreeing(one: tuple[Digest, ...], other: tuple[Digest, ...]) -> bool:
    """Whether any comparable hash is the same."""
    names = {(d.algorithm, d.scope, d.method, d.digest) for d in one}
    return any((d.algorithm, d.scope, d.method, d.digest) in names for d in other)


def _close(line: Timeline, bound: Written | None, look: Look) -> set[str]:
    others = (version for version in line.of(look.dataset) if version is not bound and version.run is not look.run)
    return {"CLOSE"} if any(abs(version.written - look.time) < CLOSE for version in others) else set()


def keyed_by(dataset: Name, hashes: tuple[Digest, ...]) -> Found:
    """The version without a writer whose key is the first of its content hashes (R10)."""
    order = {scope: place for place, scope in enumerate(SCOPES)}
    first = min(hashes, key=lambda d: (order.get(d.scope, len(order)), d.method, d.algorithm, d.digest))
    return (dataset, "digest", (first.scope, first.method, first.algorithm, first.digest))


def builds_on(line: Timeline, version: Written, *, reads: bool) -> tuple[Met | None, str]:
    """The version whose content ``version`` keeps (R15), and the evidence; adds WRITE_MODE_UNKNOWN to its gaps."""
    run, output = version.run, version.dataset
    change = lifecycle_of(run.claims, output)
    before = [v for v in line.of(output) if v.place < version.place and v.rank < version.rank]
    living = line.living(before, output, version.place, None)
    if not living or change in ("OVERWRITE", "TRUNCATE", "RENAME"):
        return None, ""
    others = [each for each in living if each.run is not run]
    last = next(iter([each for each in reversed(others) if each.certain] or others[::-1]), None)
    appends = any(write.appends for _, write in writes_of(run.claims, output))
    is_told = (reads and not run.streams) or appends or change == "ALTER"
    is_shared = last is not None and run.parent is not None and run.parent == last.run.parent
    if is_told or (is_shared and change in (None, "CREATE")):
        return Met(last, version.written, "BUILDS_ON") if last else None, "DECLARED" if is_told else "INFERRED"
    if change is None and not reads:
        version.gaps.add("WRITE_MODE_UNKNOWN")
    return None, ""


def taken_along(line: Timeline, version: Written, old: Name) -> Met:
    """What a RENAME is a write from: the last version under the old name (R16)."""
    run = version.run
    before = [v for v in line.of(old) if v.run is not run and v.place < version.place and v.rank < version.rank]
    if last := [each for each in before if each.certain] or before:
        return Met(last[-1], version.written, "RENAME")
    met = _as_found(line, Look(old, version.written, (), None, run, run.id), "NO_PRODUCER")
    return Met(met.version, run.start, met.binding, met.gaps)
