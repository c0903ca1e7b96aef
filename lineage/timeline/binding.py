"""What a read meets (R13), what a write builds on (R15), and what lives mean for both (R16).

Everything here is a look-up in a :class:`~lineage.timeline.timeline.Timeline`; nothing changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lineage.event.timestamp import format_time
from lineage.flows.run import Rank, digest_order
from lineage.keys import Base, store_key
from lineage.model import Binding, Digest, Gap, GapCode, Name
from lineage.timeline.timeline import CLOSE, Timeline
from lineage.timeline.touch import Mode, Told, Touch, comparable, digest_name
from lineage.timeline.writes import FIRST, LAST, Place, Write

BEGINNING: Place = (FIRST.at, FIRST)


class Unwritten(NamedTuple):
    """A version without a recorded writer, by the name that keys it (R10)."""

    key: bytes
    declared: str | None = None
    digest: Digest | None = None


class Met(NamedTuple):
    """One version that a read met. ``rank`` is the version's (R0), None of one without a writer; ``at`` when it was
    met."""

    version: bytes
    rank: Rank | None
    binding: Binding
    at: int
    gaps: tuple[Gap, ...] = ()
    unwritten: Unwritten | None = None
    written: int | None = None


def declared_key(dataset: Name, version: str) -> bytes:
    """The key of a version that is known by what was declared."""
    return store_key(Base.VERSION, *dataset, "version", version)


def digest_key(dataset: Name, digest: Digest) -> bytes:
    """The key of a version that is known by its content."""
    parts = (digest.scope, digest.method, digest.algorithm, digest.digest)
    return store_key(Base.VERSION, *dataset, "digest", *parts)


def found_key(dataset: Name, run_id: str, job: Name) -> bytes:
    """The key of a version that is known only as found by a run."""
    return store_key(Base.VERSION, *dataset, "found", run_id, *job)


def meets_batch(timeline: Timeline, touch: Touch, *, writing: bool) -> tuple[list[Met], tuple[Gap, ...]]:
    """What the read of a batch run meets, and gaps where it meets nothing. ``writing``: for a flow that writes, which
    meets only versions of smaller rank."""
    told = touch.reads[0] if touch.reads else Told(touch.start)
    bound = touch.rank if writing else LAST
    found = [met for version in told.versions if (met := _by_name(timeline, touch, version, touch.start, bound))]
    if found:
        return found, ()
    return _undeclared(timeline, touch, told.digests, touch.start, bound)


def meets_continuous(timeline: Timeline, touch: Touch, *, is_model: bool) -> tuple[list[Met], tuple[Gap, ...]]:
    """Everything that a STREAMING or SERVICE run meets while it goes on, each with its moment (R12 b, R13); of a model
    only what was told, or stood at its start."""
    met: list[Met] = []
    gaps: tuple[Gap, ...] = ()
    for told in touch.reads or ():
        at = max(told.at, touch.start)
        found = [m for version in told.versions if (m := _by_name(timeline, touch, version, at, LAST))]
        if not found:
            found, nothing = _undeclared(timeline, touch, told.digests, at, LAST)
            gaps = (*gaps, *nothing)
        met += found
    if not touch.reads:
        met, gaps = _undeclared(timeline, touch, (), touch.start, touch.rank)
    return [*met, *_later(timeline, touch, is_model=is_model)], gaps


def meets_before(timeline: Timeline, touch: Touch, *, is_model: bool) -> list[Met]:
    """What a STREAMING or SERVICE run meets that makes it write anew (R11): what told the version as its own, else what
    stands by time, of smaller rank than the read. Not by content hash, by a name that is concluded, or by who told a
    version last: these may come late, of a version that is there because of what hangs on this. So whether a version
    is there follows from those of smaller rank alone."""
    met: list[Met] = []
    for told in touch.reads or (Told(touch.start),):
        at = max(told.at, touch.start)
        bound = Rank(at, touch.run_id, *touch.job)
        claims = [write for version in told.versions for write in timeline.names.claims(version)]
        named = [write for write in claims if write.rank < bound and touch.run not in write.parts]
        met += [Met(write.key, write.rank, Binding.DECLARED, at, written=write.written) for write in named]
        if not named:
            met += _undeclared(timeline, touch, (), at, bound)[0]
    return [*met, *_later(timeline, touch, is_model=is_model)]


def last_under_old_name(timeline: Timeline, touch: Touch, at: int) -> Met:
    """What a RENAME takes along: the last version under the old name (R16)."""
    for certain in (True, False):
        for write in timeline.writes.before((at, LAST), certain=certain):
            if touch.run not in write.parts and write.rank < touch.rank:
                return Met(write.key, write.rank, Binding.RENAME, at, written=write.written)
    return _as_found(timeline, touch, (), at, GapCode.NO_PRODUCER)


def builds_on(timeline: Timeline, write: Write) -> tuple[Met | None, tuple[Gap, ...]]:
    """The version that ``write`` keeps the content of (R15), and the gap where that is not known."""
    before = _living_before(timeline, write, certain=True) or _living_before(timeline, write, certain=False)
    if write.mode is Mode.REPLACES or not (before or _wrote_before(timeline, write)):
        return None, ()
    shares = before is not None and bool(before.parents & write.parents)
    readers = [touch for run in write.parts if (touch := timeline.touches.get(run)) and touch.reads is not None]
    if write.mode is Mode.KEEPS or shares or not all(touch.continuous for touch in readers):
        if before is None:
            return None, ()
        return Met(before.key, before.rank, Binding.BUILDS_ON, write.written, written=before.written), ()
    if write.mode is Mode.SILENT and not readers:
        what = _label(before) if before else "what the same run had written"
        message = f"Nothing says whether this write of {timeline.name.name} added to {what} or replaced it."
        return None, (Gap(GapCode.WRITE_MODE_UNKNOWN.value, message),)
    return None, ()


def telling_meets(timeline: Timeline, told: Told) -> Met | None:
    """The version that a DatasetEvent or JobEvent tells of: the write so named, else one without a writer (R3)."""
    for version in told.versions:
        owner = timeline.names.owner(version)
        if owner is not None:
            return Met(owner.key, owner.rank, Binding.DECLARED, told.at, written=owner.written)
        key = declared_key(timeline.name, version)
        return Met(key, None, Binding.DECLARED, told.at, unwritten=Unwritten(key, declared=version))
    for write in _by_digest(timeline, told.digests, (told.at, LAST)):
        return Met(write.key, write.rank, Binding.HASH, told.at, written=write.written)
    if not told.digests:
        return None
    digest = min(told.digests, key=digest_order)
    key = digest_key(timeline.name, digest)
    return Met(key, None, Binding.HASH, told.at, unwritten=Unwritten(key, digest=digest))


def as_of(timeline: Timeline, run: bytes, writer: tuple[str, Name], at: int, bound: Rank) -> list[Met]:
    """What a telling's undeclared source was when ``writer``, whose key is ``run``, wrote, at ``at`` (R3, R13)."""
    run_id, job = writer
    return _undeclared(timeline, Touch(run, run_id, job, at, at, reads=()), (), at, bound)[0]


def _by_name(timeline: Timeline, touch: Touch, version: str, at: int, bound: Rank) -> Met | None:
    owner = timeline.names.owner(version)
    if owner is None:
        key = declared_key(timeline.name, version)
        return Met(key, None, Binding.DECLARED, at, unwritten=Unwritten(key, declared=version))
    if touch.run in owner.parts or not owner.rank < bound:
        return None
    if not timeline.names.is_joined(version):
        return Met(owner.key, owner.rank, Binding.DECLARED, at, _uncertain(owner), written=owner.written)
    message = f"That version {version} is what {_label(owner)} wrote is concluded from the order of the events."
    gaps = (Gap(GapCode.INFERRED.value, message), *_uncertain(owner))
    return Met(owner.key, owner.rank, Binding.INFERRED, at, gaps, written=owner.written)


def _undeclared(
    timeline: Timeline, touch: Touch, digests: tuple[Digest, ...], at: int, bound: Rank
) -> tuple[list[Met], tuple[Gap, ...]]:
    latest = _readable(timeline, touch, at, bound, certain=False)
    certain = _readable(timeline, touch, at, bound, certain=True)
    if timeline.ends.between(latest.place if latest else BEGINNING, (at, LAST), but=touch.run):
        message = f"{timeline.name.name} was dropped before it was read, and no write since is known."
        return [], (Gap(GapCode.DROPPED.value, message),)
    for write in _by_digest(timeline, digests, (at, LAST)):
        if write.written <= at and touch.run not in write.parts and write.rank < bound:
            return [Met(write.key, write.rank, Binding.HASH, at, _uncertain(write), written=write.written)], ()
    if certain is not None and timeline.ends.between(certain.place, (at, LAST), but=touch.run):
        certain = None
    if certain is not None and comparable(certain.contents, digests):
        return [_as_found(timeline, touch, digests, at, GapCode.CONTENT_CHANGED_OUTSIDE)], ()
    bound_to = certain or latest
    if bound_to is None:
        return [_as_found(timeline, touch, digests, at, GapCode.NO_PRODUCER)], ()
    gaps = [_time_gap(bound_to)]
    if latest is not None and not latest.certain:
        gaps.append(_uncertain_gap(latest))
    gaps += _close(timeline, touch, bound_to, at)
    return [Met(bound_to.key, bound_to.rank, Binding.TIME, at, tuple(gaps), written=bound_to.written)], ()


def _readable(timeline: Timeline, touch: Touch, at: int, bound: Rank, *, certain: bool) -> Write | None:
    """The last write that a read at ``at`` can have met."""
    for write in timeline.writes.before((at, LAST), certain=certain):
        if touch.run not in write.parts and write.rank < bound:
            return write
    return None


def _later(timeline: Timeline, touch: Touch, *, is_model: bool) -> Iterator[Met]:
    """Versions written while a continuous run goes on; none of a model, nor where it tells which it read."""
    if is_model or any(told.versions for told in touch.reads or ()):
        return
    for write in timeline.writes.since(touch.start + 1):
        if touch.end is not None and write.written > touch.end:
            return
        if touch.run not in write.parts and write.certain:
            gaps = (_time_gap(write), *_close(timeline, touch, write, write.written))
            yield Met(write.key, write.rank, Binding.TIME, write.written, gaps, written=write.written)


def _by_digest(timeline: Timeline, digests: tuple[Digest, ...], place: tuple[int, Rank]) -> Iterator[Write]:
    """Writes before ``place`` that told any of these digests, the last first."""
    found: dict[bytes, Write] = {}
    for digest in digests:
        found.update((write.key, write) for write in timeline.writes.with_digest(digest_name(digest), place))
    return iter(sorted(found.values(), key=lambda write: (write.place, write.key), reverse=True))


def _as_found(timeline: Timeline, touch: Touch, digests: tuple[Digest, ...], at: int, code: GapCode) -> Met:
    if code is GapCode.NO_PRODUCER:
        message = f"No recorded run wrote {timeline.name.name} before it was read."
    else:
        message = f"What was read of {timeline.name.name} has another content than the last recorded write left."
    if digests:
        digest = min(digests, key=digest_order)
        unwritten = Unwritten(digest_key(timeline.name, digest), digest=digest)
    else:
        unwritten = Unwritten(found_key(timeline.name, touch.run_id, touch.job))
    gaps = (Gap(code.value, message), *_close(timeline, touch, None, at))
    return Met(unwritten.key, None, Binding.AS_FOUND, at, gaps, unwritten)


def _living_before(timeline: Timeline, write: Write, *, certain: bool) -> Write | None:
    """The last write of others before ``write``, of smaller rank, in the same life of the dataset."""
    for before in timeline.writes.before(write.place, certain=certain):
        if timeline.ends.between(before.place, write.place):
            return None
        if before.rank < write.rank and not before.parts.keys() & write.parts.keys():
            return before
    return None


def _wrote_before(timeline: Timeline, write: Write) -> bool:
    """Whether any run that made ``write`` has another write before it in the same life of the dataset."""
    others = [timeline.writes.by_id[write_id] for run in write.parts for write_id in timeline.identity(run)]
    return any(
        other.place < write.place and other.rank < write.rank and not timeline.ends.between(other.place, write.place)
        for other in others
    )


def _close(timeline: Timeline, touch: Touch, bound: Write | None, at: int) -> list[Gap]:
    for write in timeline.writes.since(at - CLOSE + 1):
        if write.written >= at + CLOSE:
            break
        if write is not bound and touch.run not in write.parts:
            message = f"{_label(write)} was written within 2 s of this read: clocks may differ by more."
            return [Gap(GapCode.CLOSE.value, message)]
    return []


def _time_gap(write: Write) -> Gap:
    return Gap(GapCode.TIME_BINDING.value, f"Which version was read is concluded from times alone: {_label(write)}.")


def _uncertain(write: Write) -> tuple[Gap, ...]:
    return () if write.certain else (_uncertain_gap(write),)


def _uncertain_gap(write: Write) -> Gap:
    return Gap(GapCode.UNCERTAIN.value, f"A run that failed may have written {_label(write)}.")


def _label(write: Write) -> str:
    return f"the version of {format_time(write.written)} by run {write.id[0]}"
