"""The writes of one dataset in the order of R0, each version once, however many runs made it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lineage.flows.run import Rank, merge_digests
from lineage.keys import Base, store_key
from lineage.model import Digest, Name
from lineage.timeline.touch import DigestName, Mode, Touch, TouchWrite, WriteId, digest_name

Place = tuple[int, Rank]
"""Where a write stands among the versions of its dataset: (written, rank)."""

WriteState = tuple[
    Place, bool, bool, tuple[str, ...], tuple[Digest, ...], Mode, frozenset[str], int, object, object, object
]
"""What others depend on of a write; the place first."""

FIRST = Rank(-(2**63), "", "", "")
LAST = Rank(2**63, "", "", "")


def version_key(dataset: Name, write: WriteId) -> bytes:
    """The key of a written version (R10)."""
    run_id, namespace, name, moment = write
    parts = (dataset.namespace, dataset.name, "run", run_id, namespace, name)
    return store_key(Base.VERSION, *parts, *(() if moment is None else (str(moment),)))


@dataclass(slots=True, eq=False)
class Write:
    """One written version: usually one run's, several's where a dialect knows them for one write.

    ``digests`` is what its writers told of its content, ``contents`` that and what others told (R10).
    """

    id: WriteId
    key: bytes
    parts: dict[bytes, tuple[Touch, TouchWrite]] = field(default_factory=dict)
    place: Place = (0, LAST)
    certain: bool = False
    ended: bool = True
    declared: tuple[str, ...] = ()
    digests: tuple[Digest, ...] = ()
    contents: tuple[Digest, ...] = ()
    mode: Mode = Mode.SILENT
    parents: frozenset[str] = frozenset()
    start: int = 0
    card: dict[str, object] = field(default_factory=dict)
    schema: bytes | None = None

    @property
    def written(self) -> int:
        """When it was written (R11)."""
        return self.place[0]

    @property
    def rank(self) -> Rank:
        """The largest rank of the flows that wrote it, so that whatever reads it comes after them all."""
        return self.place[1]

    def settle(self) -> None:
        """Compute everything from the parts."""
        if len(self.parts) == 1:
            self._settle_alone(*next(iter(self.parts.values())))
            return
        ordered = sorted(self.parts.values(), key=lambda part: (part[1].written, part[1].rank))
        writes = [write for _, write in ordered]
        self.place = (max(w.written for w in writes), max(w.rank for w in writes))
        self.certain = any(w.certain for w in writes)
        self.ended = all(w.ended for w in writes)
        self.declared = tuple(dict.fromkeys(w.declared for w in writes if w.declared))
        self.digests = ()
        for write in writes:
            self.digests = merge_digests(self.digests, write.digests)
        self.contents = self.digests
        self.mode = max((w.mode for w in writes), key=_MODES.index)
        self.parents = frozenset(touch.parent[0] for touch, _ in ordered if touch.parent)
        self.start = min(touch.start for touch, _ in ordered)
        self.card = next((w.card for w in reversed(writes) if w.card), {})
        self.schema = next((w.schema for w in reversed(writes) if w.schema), None)

    def _settle_alone(self, touch: Touch, write: TouchWrite) -> None:
        """As :meth:`settle`, for what one run wrote."""
        self.place = (write.written, write.rank)
        self.certain, self.ended = write.certain, write.ended
        self.declared = (write.declared,) if write.declared else ()
        self.digests = self.contents = merge_digests((), write.digests)
        self.mode = write.mode
        self.parents = frozenset((touch.parent[0],)) if touch.parent else frozenset()
        self.start = touch.start
        self.card, self.schema = write.card, write.schema

    def state(self) -> WriteState:
        """What others depend on."""
        return (
            self.place, self.certain, self.ended, self.declared, self.digests, self.mode, self.parents, self.start,
            frozenset(self.parts), self.card, self.schema,
        )  # fmt: skip


_MODES = (Mode.SILENT, Mode.CREATES, Mode.REPLACES, Mode.KEEPS)


class Writes:
    """All writes of one dataset, found by id, by place, by declared version and by content hash."""

    def __init__(self, dataset: Name) -> None:
        self.dataset = dataset
        self.by_id: dict[WriteId, Write] = {}
        self.by_key: dict[bytes, Write] = {}
        self.longest = 0
        self._every = _Ordered()
        self._certain = _Ordered()
        self.by_declared: dict[str, set[WriteId]] = {}
        self.by_digest: dict[DigestName, _Ordered] = {}

    def add(self, touch: Touch, write: TouchWrite, write_id: WriteId) -> None:
        """Take one run's write as (a part of) version ``write_id``."""
        found = self.by_id.get(write_id)
        if found is None:
            found = self.by_id[write_id] = Write(write_id, version_key(self.dataset, write_id))
            self.by_key[found.key] = found
        else:
            self._unlist(found)
        found.parts[touch.run] = (touch, write)
        found.settle()
        self._list(found)

    def remove(self, run: bytes, write_id: WriteId) -> None:
        """Take one run's part away; the version goes with its last part."""
        found = self.by_id[write_id]
        self._unlist(found)
        del found.parts[run]
        if found.parts:
            found.settle()
            self._list(found)
        else:
            del self.by_id[write_id], self.by_key[found.key]

    def retell(self, write: Write, contents: tuple[Digest, ...]) -> None:
        """Have ``write`` found by these content hashes."""
        self._unlist(write)
        write.contents = contents
        self._list(write)

    def _list(self, write: Write) -> None:
        self._every.add(write)
        self.longest = max(self.longest, write.written - write.rank.at)
        if write.certain:
            self._certain.add(write)
        for version in write.declared:
            self.by_declared.setdefault(version, set()).add(write.id)
        for digest in write.contents:
            self.by_digest.setdefault(digest_name(digest), _Ordered()).add(write)

    def _unlist(self, write: Write) -> None:
        self._every.discard(write)
        if write.certain:
            self._certain.discard(write)
        for version in write.declared:
            ids = self.by_declared[version]
            ids.discard(write.id)
            if not ids:
                del self.by_declared[version]
        for digest in write.contents:
            ordered = self.by_digest[digest_name(digest)]
            ordered.discard(write)
            if not ordered:
                del self.by_digest[digest_name(digest)]

    def before(self, place: Place, *, certain: bool = False) -> Iterator[Write]:
        """Writes with a smaller place, the last first."""
        return (self._certain if certain else self._every).before(place)

    def since(self, at: int) -> Iterator[Write]:
        """Writes written at or after ``at``, in order."""
        return self._every.since(at)

    def next_certain(self, place: Place) -> Write | None:
        """The first certain write with a larger place."""
        return self._certain.after(place)

    def with_digest(self, name: DigestName, place: Place) -> Iterator[Write]:
        """Writes that told this digest, with a smaller place, the last first."""
        ordered = self.by_digest.get(name)
        return ordered.before(place) if ordered else iter(())

    def next_with_digest(self, name: DigestName, place: Place) -> Write | None:
        """The first write after ``place`` that told this digest."""
        ordered = self.by_digest.get(name)
        return ordered.after(place) if ordered else None

    def __iter__(self) -> Iterator[Write]:
        return iter(self._every.writes)


class _Ordered:
    """Writes sorted by (place, id)."""

    __slots__ = ("keys", "writes")

    def __init__(self) -> None:
        self.keys: list[tuple[Place, bytes]] = []
        self.writes: list[Write] = []

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, write: Write) -> None:
        key = (write.place, write.key)
        at = bisect_left(self.keys, key)
        self.keys.insert(at, key)
        self.writes.insert(at, write)

    def discard(self, write: Write) -> None:
        at = bisect_left(self.keys, (write.place, write.key))
        del self.keys[at], self.writes[at]

    def before(self, place: Place) -> Iterator[Write]:
        for at in range(bisect_left(self.keys, (place, b"")) - 1, -1, -1):
            yield self.writes[at]

    def after(self, place: Place) -> Write | None:
        at = bisect_right(self.keys, (place, b"\xff" * 17))
        return self.writes[at] if at < len(self.writes) else None

    def since(self, written: int) -> Iterator[Write]:
        for at in range(bisect_left(self.keys, ((written, FIRST), b"")), len(self.writes)):
            yield self.writes[at]


class Readers:
    """Who read at a time: (time, run) sorted."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._items)

    def add(self, at: int, run: bytes) -> None:
        """Take a reader."""
        insort(self._items, (at, run))

    def discard(self, at: int, run: bytes) -> None:
        """Remove a reader that was taken with the same time."""
        del self._items[bisect_left(self._items, (at, run))]

    def between(self, first: int, last: int | None) -> Iterable[bytes]:
        """The runs with a time from ``first`` to ``last``, both included."""
        end = len(self._items) if last is None else bisect_right(self._items, (last, b"\xff" * 17))
        return (run for _, run in self._items[bisect_left(self._items, (first, b"")) : end])
