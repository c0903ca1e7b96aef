"""Which column lineage is told of which dataset, by how many, and from when until when (R3, R6, R7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import blake2b

import msgspec

from lineage.facts.claims import Source
from lineage.facts.history import Span
from lineage.fold import order
from lineage.fold.context import Context
from lineage.fold.store import Table
from lineage.fold.wire import ColumnLineage, ToldColumns
from lineage.keys import dataset_key
from lineage.model import Name

_encode = msgspec.msgpack.Encoder().encode
_SINCE, _UNTIL = b"\x00", b"\x01"
_STILL = 2**63 - 1
"""Until when what still stands is told."""


@lru_cache(maxsize=4096)
def _digested(sources: tuple[Source, ...]) -> tuple[list[Source], bytes]:
    """The sources, each once and in an order of their own, and what stands for them: run after run tells the same."""
    fields = sorted(set(sources), key=repr)
    return fields, blake2b(_encode(fields), digest_size=12).digest()


class ColumnTellers:
    """Keeps who tells what of the columns of datasets.

    A teller is a job for all its runs, a job for its JobEvents, or a dataset. Of many that tell the same, the first and
    the one that tells it longest are found without reading the others.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def told(
        self, sources: Mapping[Name, Collection[Source]], needs: Collection[Name] = ()
    ) -> dict[ToldColumns, list[Source]]:
        """What is told of the columns of each output. Columns of datasets that nothing names are left out, save for
        those that the teller ``needs``."""
        found: dict[ToldColumns, list[Source]] = {}
        for output, all_sources in sorted(sources.items()):
            names = {source.name for source in all_sources}
            told = {name for name in names if name in needs or self._context.is_named(name)}
            if shown := tuple([source for source in all_sources if source.field and source.name in told]):
                fields, digest = _digested(shown)
                found[output, digest] = fields
        return found

    def replace(
        self,
        teller: bytes,
        before: Mapping[ToldColumns, Span],
        now: Mapping[ToldColumns, Span],
        sources: Mapping[ToldColumns, list[Source]],
    ) -> None:
        """Have ``teller`` tell exactly ``now`` and no longer ``before``. ``sources`` has at least what is new."""
        for told in sorted({*before, *now}):
            if before.get(told) != now.get(told):
                self._tell(teller, told, before.get(told), now.get(told), sources.get(told, []))

    def _tell(
        self, teller: bytes, told: ToldColumns, before: Span | None, now: Span | None, sources: list[Source]
    ) -> None:
        output, digest = told
        facts, key = self._context.records.facts, dataset_key(*output) + digest
        for span, value in ((before, None), (now, b"")):
            if span is not None:
                facts.link(Table.COLUMN_TELLERS, key, _SINCE + order.by_time(span[0], teller), value)
                until = _STILL if span[1] is None else span[1]
                facts.link(Table.COLUMN_TELLERS, key, _UNTIL + order.by_time(until, teller), value)
        record = self._context.records.dataset(output)
        known = record.columns.get(digest)
        tellers = (known.tellers if known else 0) + (now is not None) - (before is not None)
        if not tellers:
            del record.columns[digest]
        else:
            span = now if now is not None and tellers == 1 else self._span(key)
            record.columns[digest] = ColumnLineage(tellers, span, known.sources if known else sources)
        self._context.records.mark(record)
        if known is None or not tellers or record.columns[digest].span != known.span:
            self._context.work.datasets.add(output)

    def _span(self, key: bytes) -> Span:
        places = [place for place, _ in self._context.records.facts.sparse_links(Table.COLUMN_TELLERS, key, 1)]
        since = min(order.time_of(place[1:]) for place in places if place[:1] == _SINCE)
        until = max(order.time_of(place[1:]) for place in places if place[:1] == _UNTIL)
        return since, None if until == _STILL else until
