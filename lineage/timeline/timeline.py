"""The timeline of one dataset: its touches in order, and what a change of one of them affects (R18)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lineage.flows.run import merge_digests
from lineage.model import Digest, Name
from lineage.timeline.contents import Content, Contents
from lineage.timeline.ends import Ends
from lineage.timeline.names import Names
from lineage.timeline.touch import DigestName, End, Touch, WriteId, digest_name
from lineage.timeline.traits import (
    contents_told,
    digests_told,
    holds,
    moments,
    only_reads,
    reads_until,
    run_of,
    versions_told,
)
from lineage.timeline.writes import FIRST, LAST, Place, Readers, Write, Writes, WriteState

CLOSE = 2_000_000
"""Clocks differ: a TIME read nearer than this to another version's write is doubtful (R13); microseconds."""


@dataclass(slots=True)
class Affected:
    """What has to be looked at again: runs whose reads or writes may bind otherwise, versions whose attributes may have
    changed, and runs that renamed the dataset away."""

    runs: set[bytes] = field(default_factory=set)
    versions: set[bytes] = field(default_factory=set)
    renamers: set[bytes] = field(default_factory=set)


class Timeline:
    """All that runs did to one dataset, under its public name. ``touches`` may come in any order; the state is that of
    the set."""

    def __init__(self, name: Name) -> None:
        self.name = name
        self.touches: dict[bytes, Touch] = {}
        self.writes = Writes(name)
        self.ends = Ends()
        self.names = Names(self.writes, self.ends)
        self._identities: dict[bytes, tuple[WriteId, ...]] = {}
        self._readers = Readers()
        self._digest_readers: dict[DigestName, Readers] = {}
        self._continuous = Readers()
        self._families: dict[str, set[bytes]] = {}
        self._continuous_writers: set[bytes] = set()
        self._contents = Contents()
        self._told: dict[bytes, Mapping[str, Content]] = {}

    def load(self, touches: Iterable[Touch], told: Mapping[bytes, Mapping[str, Content]]) -> None:
        """Begin with ``touches`` and with what tellers that are no runs have ``told``: as if each came by itself."""
        for touch in touches:
            self._add(touch)
        for teller, contents in told.items():
            self._contents.add(teller, contents)
            self._told[teller] = contents
        for run in sorted(self.touches):
            self._list_writes(run, Affected())
        versions = {version for touch in self.touches.values() for version in versions_told(touch)}
        self.names.settle(versions)
        for key in self._told_owners(versions):
            write = self.writes.by_key[key]
            self.writes.retell(write, self._contents_of(write))

    @property
    def dropped_at(self) -> int | None:
        """When the dataset's last life ended, None if it lives."""
        ended = self.ends.last()
        if ended is None or any(write.place >= ended for write in self.writes.since(ended[0])):
            return None
        return ended[0]

    def identity(self, run: bytes) -> tuple[WriteId, ...]:
        """Which versions the writes of ``run`` belong to, in the order of its touch's writes."""
        return self._identities.get(run, ())

    def replace(self, run: bytes, touch: Touch | None) -> Affected:
        """Set what ``run`` does to the dataset, None for nothing; what that affects."""
        before = self.touches.get(run)
        affected = Affected()
        if before == touch:
            return affected
        if only_reads(before) and only_reads(touch):
            self._set_reader(run, before, touch)
            affected.runs.add(run)
            return affected
        runs = self._family(before) | self._family(touch) | {run}
        states = {
            write_id: (write, write.state())
            for write_id in self._candidates(runs, touch)
            if (write := self.writes.by_id.get(write_id)) is not None
        }
        versions = versions_told(before) | versions_told(touch)
        for member in runs:
            self._unlist_writes(member)
        if before is not None:
            self._remove(before)
        if touch is not None:
            self._add(touch)
        for member in sorted(runs):
            self._list_writes(member, affected)
        moved = self._affect_by_writes(states, versions, affected)
        self._affect_by_names(versions, moved, affected)
        self._affect_by_ends(before, touch, affected)
        affected.runs.add(run)
        affected.versions.update(self.writes.by_id[write_id].key for write_id in self.identity(run))
        return affected

    def _set_reader(self, run: bytes, before: Touch | None, touch: Touch | None) -> None:
        """Set a touch on which nothing else depends."""
        if before is not None and (touch is None or touch.start != before.start):
            self._readers.discard(before.start, run)
        if touch is None:
            self.touches.pop(run, None)
            return
        if before is None or touch.start != before.start:
            self._readers.add(touch.start, run)
        self.touches[run] = touch

    def tell(self, teller: bytes, told: Mapping[str, Content]) -> Affected:
        """Set what ``teller``, which is no run, tells of the content of declared versions; what that affects."""
        affected = Affected()
        before = self._told.pop(teller, {})
        if before != told:
            self._contents.remove(teller, before)
            self._contents.add(teller, told)
            self._retell(self._told_owners({*before, *told}), affected)
        if told:
            self._told[teller] = dict(told)
        return affected

    # -- keeping order

    def _add(self, touch: Touch) -> None:
        self.touches[touch.run] = touch
        self.ends.add(touch)
        self.names.add(touch)
        self._contents.add(touch.run, contents_told(touch))
        for at in moments(touch):
            self._readers.add(at, touch.run)
        for name, at in digests_told(touch):
            self._digest_readers.setdefault(name, Readers()).add(at, touch.run)
        if touch.continuous and touch.reads is not None:
            self._continuous.add(reads_until(touch), touch.run)
        if touch.continuous and touch.writes:
            self._continuous_writers.add(touch.run)
        if touch.nests and touch.parent and touch.writes:
            self._families.setdefault(touch.parent[0], set()).add(touch.run)

    def _remove(self, touch: Touch) -> None:
        del self.touches[touch.run]
        self.ends.remove(touch)
        self.names.remove(touch)
        self._contents.remove(touch.run, contents_told(touch))
        for at in moments(touch):
            self._readers.discard(at, touch.run)
        for name, at in digests_told(touch):
            self._digest_readers[name].discard(at, touch.run)
        if touch.continuous and touch.reads is not None:
            self._continuous.discard(reads_until(touch), touch.run)
        self._continuous_writers.discard(touch.run)
        if touch.nests and touch.parent and touch.writes:
            self._families[touch.parent[0]].discard(touch.run)

    def _family(self, touch: Touch | None) -> set[bytes]:
        """Runs whose writes may be the same write as this one's: same parent, and a dialect that nests."""
        if touch is None or not (touch.nests and touch.parent and touch.writes):
            return set()
        return set(self._families.get(touch.parent[0], ()))

    def _candidates(self, runs: set[bytes], touch: Touch | None) -> set[WriteId]:
        """The versions that writes of ``runs`` belong to now, or may belong to once ``touch`` is set."""
        touches = [self.touches[run] for run in runs if run in self.touches] + ([touch] if touch else [])
        told = {write.id for each in touches for write in each.writes}
        return told.union(*(self._identities.get(run, ()) for run in runs))

    def _list_writes(self, run: bytes, affected: Affected) -> None:
        touch = self.touches.get(run)
        if touch is None:
            return
        outer = self._outermost(touch)
        ids = tuple(outer if outer and write.id[:3] == run_of(touch) else write.id for write in touch.writes)
        for write, write_id in zip(touch.writes, ids, strict=True):
            self.writes.add(touch, write, write_id)
        if ids:
            self._identities[run] = ids
            affected.runs.add(run)

    def _unlist_writes(self, run: bytes) -> None:
        for write_id in self._identities.pop(run, ()):
            self.writes.remove(run, write_id)

    def _outermost(self, touch: Touch) -> WriteId | None:
        """The write of the run whose interval holds this one's (Spark: a CTAS arrives as two runs)."""
        holding = [
            other
            for member in self._family(touch)
            if (other := self.touches.get(member)) and member != touch.run and holds(other, touch)
        ]
        if not holding:
            return None
        outer = min(holding, key=lambda other: (other.start, -(other.end or 0), other.rank))
        return outer.writes[0].id

    # -- what a change affects

    def _affect_by_writes(
        self, states: dict[WriteId, tuple[Write, WriteState]], versions: set[str], affected: Affected
    ) -> set[str]:
        """What changed writes affect; the versions that name them. Adds to ``versions`` all that may name others
        now."""
        ids = {write_id for run in affected.runs for write_id in self._identities.get(run, ())} | set(states)
        moved: set[str] = set()
        for write_id in ids:
            now = self.writes.by_id.get(write_id)
            before = states.get(write_id)
            changed = now is None or before is None or before[1] != now.state()
            for write, place in ((now, now.place if now else None), (before and before[0], before and before[1][0])):
                if write is None or place is None:
                    continue
                versions.update(write.declared)
                if changed:
                    moved.update(self.names.names_of(write))
                    moved.update(write.declared)
                    affected.versions.add(write.key)
                    self._affect_span(place, affected)
                    self._affect_by_digests(write, place, affected)
        return moved

    def _affect_span(self, place: Place, affected: Affected) -> None:
        """Reads from 2 s before a changed write to the next certain one, and the writes that may build on what it
        changed: those up to the next certain one, and those that began before that and ended after it."""
        following = self.writes.next_certain(place)
        last = following.written + CLOSE if following else None
        affected.runs.update(self._readers.between(place[0] - CLOSE, last))
        for run in self._continuous.between(place[0] - CLOSE, None):
            if last is None or self.touches[run].start <= last:
                affected.runs.add(run)
        for write in self.writes.since(place[0]):
            if following is not None and write.written > following.written + self.writes.longest:
                break
            affected.runs.update(write.parts)
            affected.versions.add(write.key)
            for run in self._continuous_writers & write.parts.keys():
                affected.versions.update(self.writes.by_id[write_id].key for write_id in self.identity(run))
        affected.renamers |= self.ends.renamers(place[0])

    def _affect_by_digests(self, write: Write, place: Place, affected: Affected) -> None:
        for digest in write.contents:
            name = digest_name(digest)
            if readers := self._digest_readers.get(name):
                following = self.writes.next_with_digest(name, place)
                affected.runs.update(readers.between(place[0], following.written if following else None))
                # Who made the next one reads past it.
                affected.runs.update(run for run in (following.parts if following else ()) if self._reads(run))

    def _reads(self, run: bytes) -> bool:
        return run in self.touches and self.touches[run].reads is not None

    def _affect_by_names(self, versions: set[str], moved: set[str], affected: Affected) -> None:
        """``versions`` may name something else now; the writes that ``moved`` name have changed themselves."""
        if not (versions or moved or self.names.any_read_only):
            return
        owners = self._told_owners(versions)
        renamed = self.names.settle(versions)
        self._retell(owners | self._told_owners(versions), affected)
        affected.versions.update(*renamed.values())
        for version in versions | renamed.keys():
            affected.versions.update(self._claimants(version))
        for version in renamed.keys() | moved:
            affected.runs.update(reader.run for reader in self.names.readers(version))

    def _told_owners(self, versions: Iterable[str]) -> set[bytes]:
        return {owner.key for version in versions if (owner := self.names.told_owner(version)) is not None}

    def _retell(self, keys: set[bytes], affected: Affected) -> None:
        """Compute anew what others told of the content of these writes."""
        for key in sorted(keys & self.writes.by_key.keys()):
            write = self.writes.by_key[key]
            contents = self._contents_of(write)
            if contents == write.contents:
                continue
            self._affect_by_digests(write, write.place, affected)
            self.writes.retell(write, contents)
            self._affect_by_digests(write, write.place, affected)
            self._affect_span(write.place, affected)
            affected.versions.add(key)

    def _contents_of(self, write: Write) -> tuple[Digest, ...]:
        """What its writers told of its content, and then what others told, the last of each kind of hash (R10)."""
        contents = write.digests
        for _, _, digests in sorted(self._told_of(write), key=lambda told: told[:2]):
            contents = merge_digests(contents, digests)
        return contents

    def _told_of(self, write: Write) -> Iterator[tuple[int, bytes, tuple[Digest, ...]]]:
        for version in write.declared:
            if self.names.told_owner(version) is write:
                yield from self._contents.of(version, write.parts)

    def _claimants(self, version: str) -> set[bytes]:
        return {self.writes.by_id[write_id].key for write_id in self.writes.by_declared.get(version, ())}

    def _affect_by_ends(self, before: Touch | None, now: Touch | None, affected: Affected) -> None:
        ends = [end for touch in (before, now) if touch for end in touch.ends]
        if not ends or (before and now and (before.ends, before.rank) == (now.ends, now.rank)):
            return
        for end in ends:
            self._affect_span((end.at, LAST), affected)
        affected.renamers |= self.ends.renamers(FIRST.at)
        self._affect_by_names(set(), set(), affected)

    # -- lives (R16)

    def renamed_first(self, run: bytes, end: End) -> bool:
        """Whether ``run`` was the first in this life of the dataset to rename it to that name: once per pair and
        life."""
        mine = (end.at, self.touches[run].rank)
        for earlier in self.ends:
            if earlier.place >= mine:
                return True
            others = (write for write in self.writes.since(earlier.place[0]) if run not in write.parts)
            if earlier.to == end.to and not any(earlier.place < write.place <= mine for write in others):
                return False
        return True
