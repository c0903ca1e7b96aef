"""Prediction records into rows: terms and slots interned, counts kept as records come."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import apsw

from lineage.errors import BadInputError
from lineage.predictions import Prediction
from lineage.predictions.schema import (
    DEPLOYMENT,
    HOUR,
    MIDDLE,
    MODEL,
    NO_TERM,
    POSITION_BITS,
    RUN,
    SEGMENT_RECORDS,
    VERSION,
    finger_of,
)
from lineage.sqlite.text import pack

_KNOWN_TERMS = 100_000

_ADD_TERM = """
INSERT INTO term (kind, first, second) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET kind = excluded.kind RETURNING id"""
_TELL = """
INSERT INTO telling (run, deployment, model, version, first, last) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last) RETURNING id"""
_COUNT = """
INSERT INTO slot (telling, deployment, hour, records, first, last) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET records = records + excluded.records,
    first = min(first, excluded.first), last = max(last, excluded.last) RETURNING id"""
_ADD = "INSERT INTO prediction (place, slot, moment, id, input, output) VALUES (?, ?, ?, ?, ?, ?)"
_ADD_FINGER = "INSERT INTO finger (segment, hash, place) VALUES (?, ?, ?)"
_HELD = "SELECT p.place FROM carray(?) c CROSS JOIN prediction p ON p.place = c.value"

# Run, deployment, model, version, hour.
_Slot = tuple[int, int, int, int, int]
_Row = tuple[int, _Slot, int, str | bytes, str | bytes | None, str | bytes | None]


class Writer:
    """Writes records; remembers the terms it met last, and must be told to ``forget`` them after a rollback."""

    def __init__(self) -> None:
        self._terms: dict[tuple[int, str, str], int] = {}

    def forget(self) -> None:
        """Drop what is remembered of the file."""
        self._terms.clear()

    def write(self, connection: apsw.Connection, records: Sequence[Prediction], watermark: int) -> None:
        """Write those of ``records`` that the file does not hold, and the watermark, in the caller's transaction."""
        state: Any = connection.execute("SELECT records, hash_key FROM state").fetchall()[0]
        held, hash_key = state
        if len(self._terms) > _KNOWN_TERMS:
            self._terms.clear()
        rows = [self._row(connection, place, record) for place, record in _new(connection, records).items()]
        slots = _count(connection, rows)
        connection.executemany(_ADD, [(row[0], slots[row[1]], *row[2:]) for row in rows])
        segment = held // SEGMENT_RECORDS
        fingers = [(segment, finger_of(hash_key, row[1][1], row[3]), row[0]) for row in rows]
        connection.executemany(_ADD_FINGER, sorted(fingers))
        connection.execute("UPDATE state SET watermark = ?, records = ?", (watermark, held + len(rows)))

    def _row(self, connection: apsw.Connection, place: int, record: Prediction) -> _Row:
        hour, offset = divmod(record.time, HOUR)
        deployment = self._term(connection, DEPLOYMENT, *record.deployment)
        run = NO_TERM if record.run_id is None else self._term(connection, RUN, record.run_id, "")
        model = NO_TERM if record.model is None else self._term(connection, MODEL, *record.model)
        told = record.model_version
        version = NO_TERM if told is None else self._term(connection, VERSION, told, "")
        slot = (run, deployment, model, version, hour)
        return (
            place,
            slot,
            offset - MIDDLE,
            pack(record.id),
            _packed(record.input_hash),
            _packed(record.output_hash),
        )

    def _term(self, connection: apsw.Connection, kind: int, first: str, second: str) -> int:
        term = (kind, first, second)
        known = self._terms.get(term)
        if known is None:
            known = self._terms[term] = connection.execute(_ADD_TERM, (kind, pack(first), second)).get
        return known


def _packed(text: str | None) -> str | bytes | None:
    return None if text is None else pack(text)


def _new(connection: apsw.Connection, records: Sequence[Prediction]) -> dict[int, Prediction]:
    """The records by place, without those that the file holds; places mostly ascend, and then none needs a look."""
    places = {_place(record): record for record in records}
    last = connection.execute("SELECT max(place) FROM prediction").get
    old = [place for place in places if last is not None and place <= last]
    if old:
        for (place,) in connection.execute(_HELD, (apsw.carray(array("q", old)),)):
            del places[place]
    return places


def _place(record: Prediction) -> int:
    if record.position >> POSITION_BITS:
        raise BadInputError(f"Record {record.position} of entry {record.index} is past what one entry can hold.")
    return record.index << POSITION_BITS | record.position


def _count(connection: apsw.Connection, rows: Sequence[_Row]) -> dict[_Slot, int]:
    """Add the rows to the counts of their slots; the slots' ids."""
    moments: dict[_Slot, list[int]] = {}
    for row in rows:
        moments.setdefault(row[1], []).append(row[2])
    ids = {}
    for slot, found in moments.items():
        *told, hour = slot
        middle = hour * HOUR + MIDDLE
        times = middle + min(found), middle + max(found)
        telling = connection.execute(_TELL, (*told, *times)).get
        ids[slot] = connection.execute(_COUNT, (telling, slot[1], hour, len(found), *times)).get
    return ids
