"""Entries as they were received, read back from the ledger's file and held against what their leaves commit to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import apsw

from lineage.errors import DataFolderError
from lineage.ledger import Entry
from lineage.ledger.damage import HINT, damaged
from lineage.ledger.database import POSITION_BITS, fetch, kind_of
from lineage.ledger.envelope import stored_envelope
from lineage.ledger.payload import PayloadCodec
from lineage.proof import leaf

_RECORDS_AT_ONCE = 1000

_LEAVES = """
SELECT leaves.idx, received, kind, records, members, source_offset, records_commitment
FROM leaves LEFT JOIN envelopes ON envelopes.idx = leaves.idx LEFT JOIN senders ON senders.id = sender
WHERE leaves.idx >= ? AND leaves.idx < ? ORDER BY leaves.idx
"""
_RECORDS = "SELECT place, nonce, dictionary, payload FROM records WHERE place >= ? AND place < ?"
_ERASED = "SELECT place, commitment FROM erased_records WHERE place >= ? AND place < ?"

_Stored = tuple[bytes, int, bytes]
"""A record's nonce, the number of its dictionary, its payload."""


def read_entries(db: apsw.Connection, codec: PayloadCodec, start: int, end: int) -> list[Entry]:
    """The entries from ``start`` on, before ``end`` (at least one): all, or the first of them where they hold many
    records.

    Raises DataFolderError at an entry that is not what its leaf commits to, unless others stand before it: these are
    given first.
    """
    rows: list[Any] = []
    records = 0
    for row in db.execute(_LEAVES, (start, end)):
        if rows and records + row[3] > _RECORDS_AT_ONCE:
            break
        rows.append(row)
        records += row[3]
    if not rows:
        raise DataFolderError(f"Entry {start} in ledger.sqlite is missing.", hint=HINT)
    places = (start << POSITION_BITS, rows[-1][0] + 1 << POSITION_BITS)
    stored = {place: (nonce, number, payload) for place, nonce, number, payload in fetch(db, _RECORDS, places)}
    erased = dict(fetch(db, _ERASED, places)) if len(stored) != records else {}
    entries: list[Entry] = []
    for index, row in enumerate(rows, start):
        try:
            if row[0] != index:
                raise DataFolderError(f"Entry {index} in ledger.sqlite is missing.", hint=HINT)
            entries.append(_entry(row, stored, erased, codec))
        except DataFolderError:
            if not entries:
                raise
            break
    return entries


def _entry(
    row: tuple[Any, ...], stored: Mapping[int, _Stored], erased: Mapping[int, bytes], codec: PayloadCodec
) -> Entry:
    index, received, kind, count, members, source_offset, committed = row
    records: list[bytes | None] = []
    commitments: list[bytes] = []
    for place in range(index << POSITION_BITS, (index << POSITION_BITS) + count):
        record, commitment = _record(place, stored, erased, codec)
        records.append(record)
        commitments.append(commitment)
    if not commitments or leaf.records_commitment(commitments) != committed:
        which = "Record 0" if count == 1 else "A record"
        raise damaged(f"{which} of entry {index}")
    try:
        return Entry(index, kind_of(kind), received, stored_envelope(members, source_offset), tuple(records))
    except DataFolderError as error:
        raise damaged(f"The kind or the envelope of entry {index}") from error


def _record(
    place: int, stored: Mapping[int, _Stored], erased: Mapping[int, bytes], codec: PayloadCodec
) -> tuple[bytes | None, bytes]:
    """A record and its commitment, which is told where the record was erased."""
    if place in stored:
        nonce, number, payload = stored[place]
        try:
            record = codec.decompress(number, payload)
        except DataFolderError as error:
            raise damaged(_named(place)) from error
        return record, leaf.record_commitment(nonce, record)
    if place in erased:
        return None, erased[place]
    raise DataFolderError(f"{_named(place)} in ledger.sqlite is missing.", hint=HINT)


def _named(place: int) -> str:
    return f"Record {place & (1 << POSITION_BITS) - 1} of entry {place >> POSITION_BITS}"
