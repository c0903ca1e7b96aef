"""Two projections of one ledger, to be held against each other: all in memory, and all in SQLite files that crash."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import cast

from lineage.errors import UnavailableError
from lineage.event.model import Name
from lineage.fold.fold import MemoryFacts
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import Entry, EntryKind, Envelope, Ledger
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.predictions import FOREVER, Count, Prediction, Served, Told
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection
from lineage.sqlite import SQLiteStore
from tests.covering import covers

_TMPFS = Path("/dev/shm")


class EntryList:
    """What a projection needs of a ledger, in a list. Unlike a ledger it takes a record twice, so that the fold gets
    it twice."""

    id = "a list"

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._roots = [b""]

    def add(self, kind: EntryKind, records: Sequence[bytes]) -> None:
        """One more entry."""
        self._roots.append(sha256(b"".join((self._roots[-1], kind.encode(), *records))).digest())
        self._entries.append(Entry(len(self._entries), kind, 0, Envelope(), tuple(records)))

    def size(self) -> int:
        """The number of entries."""
        return len(self._entries)

    def entries(self, after: int = -1, limit: int | None = None) -> Iterator[Entry]:
        """At most ``limit`` entries with an index larger than ``after``."""
        return iter(self._entries[after + 1 : None if limit is None else after + 1 + limit])

    def root(self, size: int | None = None) -> bytes:
        """What names the first ``size`` entries."""
        return self._roots[self.size() if size is None else size]


class PredictionList:
    """The prediction index as plainly as it can be said."""

    def __init__(self) -> None:
        self._records: dict[tuple[int, int], Prediction] = {}
        self._watermark = 0

    def watermark(self) -> int:
        return self._watermark

    def apply(self, records: Sequence[Prediction], watermark: int) -> None:
        self._records.update(((record.index, record.position), record) for record in records)
        self._watermark = watermark

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]

    def find(self, deployment: Name, id: str) -> list[Prediction]:
        return [record for record in self._in_order() if (record.deployment, record.id) == (deployment, id)]

    def count(self, served: Sequence[Served], *, since: int | None = None) -> Count:
        found = [record.time for record in self._in_order() if any(covers(one, record) for one in served)]
        times = [time for time in found if since is None or time >= since]
        return Count(len(times), min(times, default=None), max(times, default=None))

    def told(self, deployment: Name, run_id: str | None, start: int = -FOREVER, end: int = FOREVER) -> frozenset[Told]:
        found = [record for record in self._in_order() if (record.deployment, record.run_id) == (deployment, run_id)]
        not_before = {record.told for record in found if record.time >= start}
        return frozenset(record.told for record in found if record.time < end and record.told in not_before)

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        found = [record for record in self._in_order() if record.deployment == deployment]
        return [record for record in found if start <= record.time < end][:limit]

    def _in_order(self) -> list[Prediction]:
        return sorted(self._records.values(), key=lambda record: (record.time, record.index, record.position))


class MemorySide:
    """Facts, graph and predictions in memory. These facts can't roll back, and need not, as nothing fails here."""

    def __init__(self, ledger: EntryList) -> None:
        self.store = MemoryStore()
        self.predictions = PredictionList()
        self.projection = Projection(cast(Ledger, ledger), MemoryFacts(), self.store, self.predictions)


class _FailingStore(SQLiteStore):
    """Is away ``before`` its next transaction, or the answer is lost ``after`` it."""

    fails: str | None = None
    fails_to_settle = False

    def settle(self) -> None:
        if self.fails_to_settle:
            raise UnavailableError("The disk refuses.")
        super().settle()

    def apply(self, changes: Changes, watermark: int) -> None:
        fails, self.fails = self.fails, None
        if fails == "before":
            raise UnavailableError("The graph store is away.")
        super().apply(changes, watermark)
        if fails == "after":
            raise UnavailableError("The graph store's answer was lost.")


class SQLiteSide:
    """Facts, graph and predictions in files; they can be closed without a commit, lost, and opened again."""

    FILES = ("facts", "graph", "predictions")

    def __init__(self, ledger: EntryList) -> None:
        self._ledger = cast(Ledger, ledger)
        self._folder = Path(tempfile.mkdtemp(prefix="lineage-side-", dir=_TMPFS if _TMPFS.is_dir() else None))
        self._open()

    def crash(self, lost: Sequence[str] = (), restored: Sequence[str] = ()) -> None:
        """The process ends, and another begins: without the files that are ``lost``, and with those that are
        ``restored`` as they were when it last ended. What the facts did not commit is gone."""
        if "predictions" in (*lost, *restored):
            # The projector takes predictions for indexed, up to the graph, when it finds the facts behind the graph.
            self.projection.catch_up(until=0)
        self._close()
        for name in lost:
            (self._folder / f"{name}.sqlite").unlink()
        for name in self.FILES:
            file, copy = self._folder / f"{name}.sqlite", self._folder / f"{name}.copy"
            if name in restored and copy.exists():
                shutil.copyfile(copy, file)
            elif file.exists():
                shutil.copyfile(file, copy)
        self._open()

    def fail(self, when: str, until: int) -> None:
        """The graph store, or (``"keep"``) what makes it durable, fails once on the way to the entry ``until``."""
        if when == "keep":
            self.store.fails_to_settle = True
        else:
            self.store.fails = when
        try:
            self.projection.catch_up(until=until)
        except UnavailableError:
            pass
        finally:
            self.store.fails, self.store.fails_to_settle = None, False

    def remove(self) -> None:
        """Close and delete the files."""
        self._close()
        shutil.rmtree(self._folder)

    def _open(self) -> None:
        facts, graph, predictions = (self._folder / f"{name}.sqlite" for name in self.FILES)
        self._facts = SQLiteFacts(facts)
        self.store = _FailingStore(graph)
        self.predictions = PredictionIndex(predictions)
        self.projection = Projection(self._ledger, self._facts, self.store, self.predictions)

    def _close(self) -> None:
        self._facts.close()
        self.store.close()
        self.predictions.close()
