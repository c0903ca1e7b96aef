"""What each read met: rules R13, R15 and R16."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_fold.versions import Declared, Ending, Written
from reference_fold.world import Rank, Run

from lineage.event.model import Name
from lineage.model import Digest

CLOSE = 2_000_000
SCOPES = ("FULL", "SAMPLE", "METADATA")

Found = tuple[Name, str, object]
"""A version that no recorded run wrote: its dataset, and what it is known by."""


@dataclass
class Met:
    """A version that a read met, when, and how that is known."""

    version: Written | Found
    time: int
    binding: str
    gaps: set[str] = field(default_factory=set)


@dataclass
class Timeline:
    """All versions and ends of life of all datasets."""

    versions: list[Written]
    endings: list[Ending]
    declared: list[Declared]
    models: set[Name]
    void: list[Written]

    def of(self, dataset: Name) -> list[Written]:
        return sorted((v for v in self.versions if v.dataset == dataset), key=lambda v: v.place)


def met_by(line: Timeline, run: Run, dataset: Name, limit: Rank | None) -> tuple[list[Met], set[str]]:
    """What ``run`` met of ``dataset``, in a flow that writes only what has a smaller rank than ``limit``; and its
    gaps."""
    told = [read for read in line.declared if read.run is run and read.dataset == dataset]
    if told:
        return [_declared(line, read) for read in told], set()
    first, gaps = _at_start(line, run, dataset, limit)
    met = [first] if first else []
    if run.streams and dataset not in line.models:
        met += _later(line, run, dataset)
    return met, gaps


def _declared(line: Timeline, read: Declared) -> Met:
    for version in line.of(read.dataset):
        if version.declared == read.version:
            uncertain = set() if version.certain else {"UNCERTAIN"}
            return Met(version, read.time, "INFERRED" if version.inferred else "DECLARED", uncertain)
    return Met((read.dataset, "declared", read.version), read.time, "DECLARED")


def _later(line: Timeline, run: Run, dataset: Name) -> list[Met]:
    return [
        Met(version, version.written, "TIME", {"TIME_BINDING"} | _close(line, version, version.written))
        for version in line.of(dataset)
        if version.run is not run
        and version.certain
        and version.written > run.start
        and (run.end is None or version.written <= run.end)
    ]


def hashes_read(run: Run, dataset: Name) -> tuple[Digest, ...]:
    """The content hashes of the earliest event that tells any of this input (R12 b)."""
    for claims in sorted(run.claims, key=lambda each: (each.time, each.type != "START", each.hash)):
        told = [digest for read in claims.reads if read.name == dataset for digest in read.digests]
        if told:
            return tuple({(d.algorithm, d.scope, d.method): d for d in told}.values())
    return ()


def _at_start(line: Timeline, run: Run, dataset: Name, limit: Rank | None) -> tuple[Met | None, set[str]]:
    versions = [
        v for v in line.of(dataset) if v.run is not run and v.written <= run.start and (limit is None or v.rank < limit)
    ]
    if not is_living(line, run, dataset, versions, (run.start, run.rank)):
        return None, {"DROPPED"}
    hashes = hashes_read(run, dataset)
    agreeing = [v for v in versions if agree(hashes, v.digests)]
    if agreeing:
        return Met(agreeing[-1], run.start, "HASH"), set()
    ended = [
        e.place for e in line.endings if e.dataset == dataset and e.time <= run.start and e.run is not run
    ]
    versions = [v for v in versions if not ended or after(v, max(ended))]
    certain = [v for v in versions if v.certain]
    if certain and comparable(hashes, certain[-1].digests):
        return Met(as_found(run, dataset, hashes), run.start, "AS_FOUND", {"CONTENT_CHANGED_OUTSIDE"}), set()
    if not versions:
        return Met(as_found(run, dataset, hashes), run.start, "AS_FOUND", {"NO_PRODUCER"}), set()
    bound = certain[-1] if certain else versions[-1]
    gaps = {"TIME_BINDING"} | _close(line, bound, run.start, run)
    if bound is not versions[-1] or not bound.certain:
        gaps.add("UNCERTAIN")
    return Met(bound, run.start, "TIME", gaps), set()


def after(v: Written, end: tuple[int, Rank]) -> bool:
    return v.place > end


def is_living(line: Timeline, run: Run, dataset: Name, versions: list[Written], place: tuple[int, Rank]) -> bool:
    """Whether no DROP or RENAME ended the dataset's life before ``place`` without a later one of ``versions`` (R16)."""
    ended = [e.place for e in line.endings if e.dataset == dataset and e.time <= place[0] and e.run is not run]
    return not ended or any(after(v, max(ended)) for v in versions)


def _close(line: Timeline, bound: Written, time: int, run: Run | None = None) -> set[str]:
    near = any(v is not bound and v.run is not run and abs(v.written - time) < CLOSE for v in line.of(bound.dataset))
    return {"CLOSE"} if near else set()


def comparable(one: tuple[Digest, ...], other: tuple[Digest, ...]) -> bool:
    """Whether both tell a hash of one (algorithm, scope, method)."""
    kinds = {(d.algorithm, d.scope, d.method) for d in one}
    return any((d.algorithm, d.scope, d.method) in kinds for d in other)


def agree(one: tuple[Digest, ...], other: tuple[Digest, ...]) -> bool:
    """Whether there are comparable hashes, and all of them are equal."""
    told = {(d.algorithm, d.scope, d.method): d.digest for d in one}
    pairs = [(told[kind], d.digest) for d in other if (kind := (d.algorithm, d.scope, d.method)) in told]
    return bool(pairs) and all(a == b for a, b in pairs)


def as_found(run: Run, dataset: Name, hashes: tuple[Digest, ...]) -> Found:
    """The version without a writer (R10): by its first content hash, else as this run found it."""
    if hashes:
        scope = {name: place for place, name in enumerate(SCOPES)}
        first = min(hashes, key=lambda d: (scope.get(d.scope, len(scope)), d.method, d.algorithm, d.digest))
        return (dataset, "digest", (first.algorithm, first.scope, first.method, first.digest))
    return (dataset, "found", run.id)


def kept_of(line: Timeline, version: Written, reads: bool, appends: bool, change: str | None) -> Met | None:
    """The version before ``version`` that it builds on (R15), if it does; adds WRITE_MODE_UNKNOWN to its gaps."""
    before = [
        v
        for v in line.of(version.dataset)
        if v.place < version.place and v.rank < version.rank and v.run is not version.run
    ]
    place = version.place
    if change in ("OVERWRITE", "TRUNCATE", "RENAME"):
        return None
    ended = [e.place for e in line.endings if e.dataset == version.dataset and e.place < place]
    before = [v for v in before if not ended or after(v, max(ended))]
    if not before:
        return None
    last = ([v for v in before if v.certain] or before)[-1]
    same_parent = version.run.parent is not None and version.run.parent == last.run.parent
    if reads or appends or change == "ALTER" or (change in (None, "CREATE") and same_parent):
        return Met(last, version.written, "BUILDS_ON")
    if change is None:
        version.gaps.add("WRITE_MODE_UNKNOWN")
    return None
