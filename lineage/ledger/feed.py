"""Entries as they were received, read back from the ledger's file."""

from __future__ import annotations

from typing import Any

import apsw

from lineage.ledger import Entry
from lineage.ledger.database import KINDS, POSITION_BITS, fetch
from lineage.ledger.envelope import stored_envelope
from lineage.ledger.payload import PayloadCodec

_RECORDS_AT_ONCE = 1000

_LEAVES = """
SELECT leaves.idx, received, kind, records, members, source_offset
FROM leaves LEFT JOIN envelopes ON envelopes.idx = leaves.idx LEFT JOIN senders ON senders.id = sender
WHERE leaves.idx >= ? AND leaves.idx < ? ORDER BY leaves.idx
"""
_RECORDS = "SELECT place, dictionary, payload FROM records WHERE place >= ? AND place < ?"


def read_entries(db: apsw.Connection, codec: PayloadCodec, start: int, end: int) -> list[Entry]:
    """The entries from ``start`` on, before ``end``: all, or the first of them where they hold many records."""
    rows: list[Any] = []
    records = 0
    for row in db.execute(_LEAVES, (start, end)):
        if rows and records + row[3] > _RECORDS_AT_ONCE:
            break
        rows.append(row)
        records += row[3]
    payloads: dict[int, bytes] = {}
    if rows:
        places = (start << POSITION_BITS, rows[-1][0] + 1 << POSITION_BITS)
        stored = fetch(db, _RECORDS, places)
        payloads = {place: codec.decompress(number, payload) for place, number, payload in stored}
    return [_entry(row, payloads) for row in rows]


def _entry(row: tuple[Any, ...], payloads: dict[int, bytes]) -> Entry:
    index, received, kind, count, members, source_offset = row
    first = index << POSITION_BITS
    return Entry(
        index=index,
        kind=KINDS[kind],
        received=received,
        envelope=stored_envelope(members, source_offset),
        records=tuple(payloads.get(first + position) for position in range(count)),
    )
