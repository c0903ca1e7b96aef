"""Which write a declared version names (R12 d to f)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import NamedTuple

from lineage.flows.run import Rank
from lineage.timeline.ends import Ends
from lineage.timeline.touch import Touch
from lineage.timeline.writes import LAST, Write, Writes


class Reader(NamedTuple):
    """A run that declared a version as read. ``at``: its start, of a continuous run the moment it told so."""

    at: int
    rank: Rank
    run: bytes
    continuous: bool


class Names:
    """Declared versions of one dataset: who claims and who reads each, and which write it is the name of."""

    def __init__(self, writes: Writes, ends: Ends) -> None:
        self._writes = writes
        self._ends = ends
        self._readers: dict[str, list[Reader]] = {}
        self._owners: dict[str, Write] = {}
        self._several: dict[str, tuple[bytes, ...]] = {}
        self._floating: set[str] = set()
        self._joins: dict[str, Write] = {}
        self._joined: dict[bytes, str] = {}

    @property
    def any_read_only(self) -> bool:
        """Whether any version is read and written by nobody: what such versions join depends on all writes (f)."""
        return bool(self._floating or self._joins)

    def add(self, touch: Touch) -> None:
        """Take the versions that a run declared as read."""
        for version, reader in _declared(touch):
            insort(self._readers.setdefault(version, []), reader)

    def remove(self, touch: Touch) -> None:
        """Forget what ``add`` took."""
        for version, reader in _declared(touch):
            readers = self._readers[version]
            del readers[bisect_left(readers, reader)]
            if not readers:
                del self._readers[version]

    def readers(self, version: str) -> list[Reader]:
        """Who declared ``version`` as read, the earliest first."""
        return self._readers.get(version, [])

    def owner(self, version: str) -> Write | None:
        """The write that ``version`` names, by what was told or by (f)."""
        return self._owners.get(version) or self._joins.get(version)

    def told_owner(self, version: str) -> Write | None:
        """The write that ``version`` names by what was told."""
        return self._owners.get(version)

    def is_joined(self, version: str) -> bool:
        """Whether (f) concluded it."""
        return version in self._joins

    def names_of(self, write: Write) -> list[str]:
        """The declared versions that name ``write``."""
        told = [version for version in write.declared if self._owners.get(version) is write]
        joined = self._joined.get(write.key)
        return told if joined is None else [*told, joined]

    def claimed_twice(self, write: Write) -> list[str]:
        """Versions told of ``write`` that other runs claim too (e)."""
        claims = {version: self.claims(version) for version in write.declared}
        return [version for version, writes in claims.items() if write in writes and _runs(writes) > _runs([write])]

    def settle(self, versions: set[str]) -> dict[str, set[bytes]]:
        """Conclude anew what ``versions`` name, and the joins; the versions that name something else now, or that other
        writes claim, each with the keys of the writes that it named before and names now."""
        before = {version: _key(self.owner(version)) for version in (*versions, *self._joins)}
        reclaimed: set[str] = set()
        for version in versions:
            claims = self.claims(version)
            several = tuple(sorted(write.key for write in claims)) if len(claims) > 1 else ()
            if several != self._several.get(version, ()):
                reclaimed.add(version)
                self._several.pop(version, None)
                if several:
                    self._several[version] = several
            if claims:
                self._owners[version] = max(claims, key=lambda write: (write.place, write.key))
            else:
                self._owners.pop(version, None)
            if not claims and version in self._readers:
                self._floating.add(version)
            else:
                self._floating.discard(version)
        self._joins = self._join() if self._floating else {}
        self._joined = {write.key: version for version, write in self._joins.items()}
        after = {version: _key(self.owner(version)) for version in (*before, *self._joins)}
        return {
            version: {key, before.get(version)} - {None}  # type: ignore[misc]
            for version, key in after.items()
            if before.get(version) != key or version in reclaimed
        }

    def claims(self, version: str) -> list[Write]:
        """The writes that told ``version``, and not after somebody had read it."""
        claims = [self._writes.by_id[write_id] for write_id in self._writes.by_declared.get(version, ())]
        return [write for write in claims if not self._is_stale(write, version)]

    def _is_stale(self, write: Write, version: str) -> bool:
        """(d): somebody had read it before this write began."""
        latest = max(write.rank.at, write.start)
        for reader in self.readers(version):
            if reader.at > latest:
                return False
            if reader.run in write.parts:
                continue
            if reader.continuous:
                if reader.at < write.start:
                    return True
            elif reader.rank < write.rank:
                return True
        return False

    def _join(self) -> dict[str, Write]:
        """(f): each version read and written by nobody joins the last write before its earliest read that told none."""
        untold = [write for write in self._writes if not any(self._owners.get(v) is write for v in write.declared)]
        if not untold:
            return {}
        places = [write.place for write in untold]
        joins: dict[str, Write] = {}
        taken: set[bytes] = set()
        for version in sorted(self._floating, key=lambda v: (self._readers[v][0][:3], v)):
            first = self._readers[version][0]
            at = bisect_left(places, (first.at, first.rank)) - 1
            while at >= 0 and first.run in untold[at].parts:
                at -= 1
            if at < 0 or untold[at].key in taken or self._ends.between(untold[at].place, (first.at, LAST)):
                continue
            taken.add(untold[at].key)
            joins[version] = untold[at]
        return joins


def _runs(writes: Iterable[Write]) -> int:
    return len({run for write in writes for run in write.parts})


def _key(write: Write | None) -> bytes | None:
    return write.key if write else None


def _declared(touch: Touch) -> list[tuple[str, Reader]]:
    found: dict[tuple[str, Reader], None] = {}
    for told in touch.reads or ():
        rank = Rank(told.at, *touch.rank[1:]) if touch.continuous else touch.rank
        at = told.at if touch.continuous else touch.start
        for version in told.versions:
            found[version, Reader(at, rank, touch.run, touch.continuous)] = None
    return list(found)
