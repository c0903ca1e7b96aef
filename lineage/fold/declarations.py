"""What jobs and datasets declare without a run, and when each of it stood (R3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import msgspec

from lineage.facts.claims import Claims, Source
from lineage.facts.extract import declared_sources
from lineage.facts.history import History, Span
from lineage.facts.registers import Stamp
from lineage.facts.storable import storable
from lineage.fold import order
from lineage.fold.records import DatasetRecord, JobRecord
from lineage.fold.store import FactStore, Table
from lineage.keys import dataset_key, job_key

_encode = msgspec.msgpack.Encoder().encode


def declare_job(facts: FactStore, record: JobRecord, claims: Claims) -> bool:
    """Take a JobEvent's inputs and outputs, which replace those told before it; whether that changes when any stood."""
    wiring = claims.wiring()
    content = _digest(wiring)
    changed = _tell(facts, job_key(*record.name), record.declarations, claims.stamp, content)
    known = record.declarations.contents()
    if content in known:
        record.declared.setdefault(content, wiring)
    _keep(record.declared, known)
    return changed


def declare_dataset(facts: FactStore, record: DatasetRecord, told: Mapping[str, Any], stamp: Stamp) -> bool:
    """Take what a DatasetEvent tells of the dataset's sources, each facet for itself; whether that changes when any
    stood."""
    changed = False
    for facet, value in told.items():
        held = storable(value)
        content = _digest(held)
        history = record.sources.setdefault(facet, History())
        changed |= _tell(facts, dataset_key(*record.name) + facet.encode(), history, stamp, content)
        if content in history.contents():
            record.declared.setdefault(content, held)
    _keep(record.declared, set().union(*(history.contents() for history in record.sources.values())))
    return changed


def sources_by_span(record: DatasetRecord) -> Iterator[tuple[tuple[Source, ...], Span]]:
    """What a dataset says that it is made from, with when; nothing of the times when it doesn't say."""
    told = {facet: history.spans() for facet, history in record.sources.items()}
    starts = sorted({start for spans in told.values() for _, (start, _) in spans})
    for start, end in pairwise([*starts, None]):
        assert start is not None
        standing = {facet: record.declared[content] for facet, spans in told.items() for content in _at(spans, start)}
        sources = declared_sources(standing)
        if sources is not None:
            yield sources, (start, end)


def _at(spans: Iterable[tuple[bytes, Span]], moment: int) -> list[bytes]:
    return [content for content, (start, end) in spans if start <= moment and (end is None or moment < end)]


def _tell(facts: FactStore, key: bytes, history: History, stamp: Stamp, content: bytes) -> bool:
    def told() -> Iterator[tuple[Stamp, bytes]]:
        for place, of in facts.links(Table.DECLARED, key):
            yield (order.time_of(place), place[order.SIZE :]), of

    facts.link(Table.DECLARED, key, order.by_time(*stamp), content)
    return history.tell(stamp, content, told)


def _digest(content: object) -> bytes:
    return blake2b(_encode(content), digest_size=12).digest()


def _keep(contents: dict[bytes, Any], known: set[bytes]) -> None:
    for content in contents.keys() - known:
        del contents[content]
