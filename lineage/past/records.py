"""The records of the past: read from the ledger where they stand, and parsed as the projector does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lineage.dialects import dialect_of
from lineage.event.model import Event, EventKind
from lineage.event.parser import parse_event
from lineage.facts.extract import run_claims
from lineage.facts.naming import names_in
from lineage.fold.fold import Taken
from lineage.fold.postings import Place, names_of_dataset_event
from lineage.ledger import Ledger
from lineage.model import Name
from lineage.projector.batches import parse_or_skip

_FAR = 4
"""Entries between two that are wanted, from which on they are asked for apart."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a JobEvent or DatasetEvent is of, the datasets that it names, and as what it has its job run."""

    job: Name | None
    dataset: Name | None
    names: frozenset[Name]
    run_type: str | None


class EventReader:
    """Reads events of one ledger by their places. Those of JobEvents and DatasetEvents are kept."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told: dict[Place, Told | None] = {}

    def read(self, places: Iterable[Place]) -> Iterator[Taken]:
        """The events at ``places``, in the ledger's order; without what was erased, and what the projector passes over
        because it can't be parsed. Raises DataFolderError at a damaged entry."""
        wanted: dict[int, set[int]] = {}
        for index, position in places:
            wanted.setdefault(index, set()).add(position)
        for first, last in _spans(sorted(wanted)):
            for entry in self._ledger.entries(first - 1, last - first + 1):
                for position in sorted(wanted.get(entry.index, ())):
                    record = entry.records[position]
                    event = None if record is None else parse_or_skip(parse_event, record, (entry.index, position))
                    if event is not None:
                        yield entry.index, position, event

    def next(self, start: int, until: int, most: int) -> tuple[list[Taken], int]:
        """The events from entry ``start`` on, before ``until``, about ``most`` of them; and the entry that comes next.
        As :meth:`read`."""
        found: list[Taken] = []
        for entry in self._ledger.entries(start - 1, until - start):
            for position, record in enumerate(entry.records if entry.kind == "lineage" else ()):
                event = None if record is None else parse_or_skip(parse_event, record, (entry.index, position))
                if event is not None:
                    found.append((entry.index, position, event))
            start = entry.index + 1
            if len(found) >= most:
                break
        return found, start

    def told(self, place: Place) -> Told | None:
        """What the JobEvent or DatasetEvent at ``place`` is about."""
        if place not in self._told:
            self._told[place] = next((_told(event) for _, _, event in self.read([place])), None)
        return self._told[place]


def _told(event: Event) -> Told:
    dialect = dialect_of(event)
    meant = dialect.meant(event)
    if meant.kind is EventKind.DATASET:
        assert meant.dataset is not None
        return Told(None, meant.dataset.name, frozenset(names_of_dataset_event(meant)), None)
    claims = dialect.claims(meant, run_claims(meant, 0, 0))
    return Told(meant.job, None, frozenset(names_in(claims)), claims.run_type)


def _spans(indexes: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of indexes that are near enough to each other to be read at once."""
    first = last = -1
    for index in indexes:
        if first >= 0 and index - last > _FAR:
            yield first, last
            first = index
        first = index if first < 0 else first
        last = index
    if first >= 0:
        yield first, last
