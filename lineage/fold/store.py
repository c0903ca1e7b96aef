"""Where facts are kept: records and links, beside the ledger; the interface, and the in-memory one.

Facts are a projection of the ledger as the graph is: lost, they are made anew. A record is bytes under (table, key); a
link ties two keys of one table and may carry bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Protocol


class Table(IntEnum):
    """What is kept. The first are records, the others links ``key -> other``."""

    __hash__ = int.__hash__

    RUN = 1
    DATASET = 2
    JOB = 3
    ROWS = 5
    NAMES = 10
    """namespace -> name of each dataset and each identifier of a symlink"""
    TOUCHES = 11
    """dataset -> runs that name it; value: bit 1 reads, bit 2 writes"""
    TIMELINE = 12
    """public dataset -> run, with the touch"""
    CLAIMS = 28
    """run -> hash of each of its events, with what that claims"""
    RUN_IDS = 13
    """runId -> runs that spoke"""
    CHILDREN = 14
    """runId of a parent or root -> runs that name it"""
    SILENT = 15
    """run that never spoke -> runs that name it"""
    JOB_RUNS = 16
    """job -> its runs, by start"""
    DECLARED = 29
    """job, or dataset and facet -> when each event told what it declares, with the digest of that"""
    COLUMN_TELLERS = 30
    """dataset and column lineage -> since when and by whom it is told, and until when"""
    BORROWERS = 17
    """job -> its runs that other runs' column claims divide"""
    HIDDEN = 18
    """dataset that only columnLineage names -> runs, jobs and datasets that hide it"""
    CARRIERS = 19
    """identifier -> datasets whose symlinks facet carries it"""
    ROOTS = 20
    """namespace -> folders that are one model each"""
    REFERENCES = 21
    """version -> (digest of what is told of it, when, by whom), with what is told"""
    FIELDS = 27
    """public dataset -> its columns that are in the graph"""
    CONTENTS = 26
    """public dataset -> datasets and jobs that tell the content of declared versions of it, with what they tell"""
    NEEDS = 25
    """dataset that no event names as one -> runs and jobs whose flows have it all the same"""
    COLUMNS = 22
    """column -> units that name it"""
    POSTINGS = 40
    """dataset or job (the first eight bytes of its key) -> JobEvents and DatasetEvents that tell of it"""
    IDENTIFIERS = 41
    """dataset -> identifiers that its symlinks facet has, or had"""
    NAMINGS = 43
    """dataset (the first eight bytes of its key) -> events that changed how it is called (bit 1), or what
    type it is of (bit 2), or showed that it is one model"""
    SOUGHT = 42
    """what a later event may withdraw or replace -> where to look for it"""
    SOURCES = 23
    """dataset -> datasets and jobs whose declarations read it"""
    TELLERS = 24
    """public dataset -> datasets and jobs that tell versions of it"""


class FactStore(Protocol):
    """The caller guarantees one thread at a time. The store guarantees that what was put since the last ``commit`` is
    seen by every later read, and is kept all or not at all."""

    def watermark(self) -> int:
        """How many ledger entries the facts reflect."""

    def get(self, table: Table, key: bytes) -> bytes | None:
        """The record, or None."""

    def put(self, table: Table, key: bytes, value: bytes | None) -> None:
        """Set the record, or remove it."""

    def links(self, table: Table, key: bytes) -> Iterable[tuple[bytes, bytes]]:
        """All (other, value) linked from ``key``, by other."""

    def sparse_links(self, table: Table, key: bytes, prefix: int) -> Iterable[tuple[bytes, bytes]]:
        """As :meth:`links`; of many that have the first ``prefix`` bytes of ``other`` in common, at least the two first
        and the two last."""

    def links_from(self, table: Table, key: bytes, other: bytes) -> Iterator[tuple[bytes, bytes]]:
        """As :meth:`links`, from ``other`` on; they cost what is taken of them. Nothing is linked meanwhile."""

    def linked(self, table: Table, key: bytes, other: bytes) -> bytes | None:
        """The value of one link, or None if there is none."""

    def link(self, table: Table, key: bytes, other: bytes, value: bytes | None = b"") -> None:
        """Set a link, or remove it (None)."""

    def commit(self, watermark: int) -> None:
        """Keep everything put so far."""

    def rollback(self) -> None:
        """Forget everything put since the last commit."""

    def clear(self) -> None:
        """Remove everything."""

    def close(self) -> None:
        """Release what is held."""


class MemoryFacts:
    """Facts in memory, for tests, for small graphs and for folding a set of events once. It can't roll back."""

    def __init__(self) -> None:
        self._records: dict[tuple[Table, bytes], bytes] = {}
        self._links: dict[tuple[Table, bytes], dict[bytes, bytes]] = {}
        self._watermark = 0

    def watermark(self) -> int:
        """How many ledger entries the facts reflect."""
        return self._watermark

    def get(self, table: Table, key: bytes) -> bytes | None:
        """The record, or None."""
        return self._records.get((table, key))

    def put(self, table: Table, key: bytes, value: bytes | None) -> None:
        """Set the record, or remove it."""
        if value is None:
            self._records.pop((table, key), None)
        else:
            self._records[table, key] = value

    def links(self, table: Table, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All (other, value) linked from ``key``, by other."""
        return iter(sorted(self._links.get((table, key), {}).items()))

    def sparse_links(self, table: Table, key: bytes, prefix: int) -> Iterator[tuple[bytes, bytes]]:
        """All of them: here they cost nothing."""
        return self.links(table, key)

    def links_from(self, table: Table, key: bytes, other: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All (other, value) from ``other`` on."""
        return (link for link in self.links(table, key) if link[0] >= other)

    def linked(self, table: Table, key: bytes, other: bytes) -> bytes | None:
        """The value of one link, or None if there is none."""
        return self._links.get((table, key), {}).get(other)

    def link(self, table: Table, key: bytes, other: bytes, value: bytes | None = b"") -> None:
        """Set a link, or remove it (None)."""
        if value is not None:
            self._links.setdefault((table, key), {})[other] = value
        elif found := self._links.get((table, key)):
            found.pop(other, None)

    def commit(self, watermark: int) -> None:
        """Note the watermark; nothing here is lost or kept by it."""
        self._watermark = watermark

    def rollback(self) -> None:
        """Forget everything: what was half done can't be told from the rest."""
        self.clear()

    def clear(self) -> None:
        """Remove everything."""
        self.__init__()  # type: ignore[misc]

    def close(self) -> None:
        """Nothing is held."""
