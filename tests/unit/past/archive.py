"""A list of entries, projected as a server does it, whose past can be opened; and what it has to be like."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from lineage.answer import View
from lineage.fold.sqlite import SQLiteFacts
from lineage.keys import decode_id
from lineage.ledger import Ledger
from lineage.memory import MemoryStore
from lineage.past import PastGraph, Pasts
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection
from lineage.store import GraphReader, GraphStore
from tests.conformance.asking import Ask, answer
from tests.conformance.sides import EntryList, MemorySide

_TMPFS = Path("/dev/shm")


class Archive:
    """``entries`` as a server has them, the facts committed after the first ``kept`` of them."""

    def __init__(self, entries: EntryList, kept: int | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lineage-past-", dir=_TMPFS if _TMPFS.is_dir() else None))
        self.ledger = cast(Ledger, entries)
        self.store = MemoryStore()
        self.predictions = PredictionIndex(self.folder / "predictions.sqlite")
        facts = SQLiteFacts(self.folder / "facts.sqlite")
        try:
            projection = Projection(self.ledger, facts, self.store, self.predictions)
            projection.catch_up(until=kept)
            while projection.step():
                pass
        finally:
            facts.close()
        self.pasts = Pasts(self.ledger, self.folder / "facts.sqlite", self.predictions)

    @contextmanager
    def view(self, index: int, **how: Any) -> Iterator[View]:
        """What there was when entry ``index`` was the last."""
        with self.store.reader() as present, self.pasts.view(index, present, **how) as view:
            yield view

    def answer(self, index: int, ask: Ask, ids: Sequence[str] = ()) -> Any:
        """The whole answer of then, as plain values. ``ids`` are those that the question names."""
        with self.view(index) as view:
            assert isinstance(view.graph, PastGraph)
            for base, key in map(decode_id, ids):
                view.graph.seek(base, key)
            return answer(cast(GraphStore, _Of(view.graph)), view.predictions, ask)

    def remove(self) -> None:
        self.predictions.close()
        shutil.rmtree(self.folder)


@contextmanager
def archived(entries: EntryList, kept: int | None = None) -> Iterator[Archive]:
    """An archive, until the block ends."""
    archive = Archive(entries, kept)
    try:
        yield archive
    finally:
        archive.remove()


def first(entries: EntryList, until: int) -> MemorySide:
    """A fresh store of the first ``until`` entries."""
    side = MemorySide(entries)
    side.projection.catch_up(until=until)
    return side


class _Of:
    """A store whose only reader is one that is there."""

    def __init__(self, reader: GraphReader) -> None:
        self._reader = reader

    @contextmanager
    def reader(self) -> Iterator[GraphReader]:
        yield self._reader
