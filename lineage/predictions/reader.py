"""One consistent view of the prediction index: every answer comes from the same read transaction."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import apsw

from lineage.event.model import Name
from lineage.predictions import FOREVER, Count, Prediction, Served, Told
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
from lineage.predictions.windows import disjoint
from lineage.sqlite.text import pack, unpack

_FIND_TERM = "SELECT id FROM term WHERE first = ? AND second = ? AND kind = ?"

_COLUMNS = """
SELECT p.place, s.hour, p.moment, d.first, d.second, p.id, r.first, m.first, m.second, v.first, p.input, p.output"""
_JOINS = """
JOIN telling t ON t.id = s.telling JOIN term d ON d.id = t.deployment LEFT JOIN term r ON r.id = t.run
LEFT JOIN term m ON m.id = t.model LEFT JOIN term v ON v.id = t.version"""

_FIND = f"""{_COLUMNS}
FROM carray(?1) g CROSS JOIN finger f ON f.segment = g.value AND f.hash = ?2
CROSS JOIN prediction p ON p.place = f.place CROSS JOIN slot s ON s.id = p.slot {_JOINS}
WHERE p.id = ?3 AND s.deployment = ?4 AND p.place < ?5 ORDER BY s.hour, p.moment, p.place"""

_SLOTS = "SELECT id, hour FROM slot WHERE deployment = ? AND hour BETWEEN ? AND ? ORDER BY hour"

_SAMPLE = f"""{_COLUMNS}
FROM prediction p INDEXED BY prediction_by_time CROSS JOIN slot s ON s.id = p.slot {_JOINS}
WHERE p.slot = ?1 AND p.moment >= ?2 AND p.moment < ?3 AND p.place < ?5 ORDER BY p.moment, p.place LIMIT ?4"""

_FIND_TELLING = "SELECT id FROM telling WHERE run = ? AND deployment = ? AND model = ? AND version = ?"

_TOLD = """
SELECT m.first, m.second, v.first
FROM telling t LEFT JOIN term m ON m.id = t.model LEFT JOIN term v ON v.id = t.version
WHERE t.run = ?1 AND t.deployment = ?2 AND t.last >= ?3 AND t.first < ?4 AND ?5 > 0"""

_HOURS = """
SELECT coalesce(sum(records), 0), min(first), max(last) FROM slot WHERE telling = ? AND hour >= ? AND hour < ?"""
_PART = """
SELECT count(*), min(p.moment), max(p.moment) FROM slot s CROSS JOIN prediction p INDEXED BY prediction_by_time
ON p.slot = s.id AND p.moment >= ?3 AND p.moment < ?4 AND p.place < ?5
WHERE s.telling = ?1 AND s.hour = ?2"""

_EVERY_PLACE = (1 << 63) - 1


class SQLitePredictionReader:
    """A :class:`~lineage.predictions.PredictionReader` on a connection that is inside a read transaction."""

    _TOLD = _TOLD

    def __init__(self, connection: apsw.Connection, *, before: int = _EVERY_PLACE) -> None:
        self._execute = connection.execute
        self._before = before

    @property
    def ledger_size(self) -> int:
        """The watermark of this view."""
        size: int = self._execute("SELECT watermark FROM state").get
        return size

    def find(self, deployment: Name, id: str) -> list[Prediction]:
        """All records under (deployment, id), by (time, index, position)."""
        term = self._term(DEPLOYMENT, *deployment)
        if term is None:
            return []
        records, hash_key = self._row("SELECT records, hash_key FROM state")
        segments = apsw.carray(array("q", range(records // SEGMENT_RECORDS + 1)))
        packed = pack(id)
        return [
            _prediction(row)
            for row in self._execute(_FIND, (segments, finger_of(hash_key, term, packed), packed, term, self._before))
        ]

    def count(self, served: Sequence[Served], *, since: int | None = None) -> Count:
        """The records that any of ``served`` covers, each once, from ``since`` on."""
        found = [part for window in disjoint(served, since) for part in self._count(window) if part[0]]
        return Count(
            sum(number for number, _, _ in found),
            min((first for _, first, _ in found), default=None),
            max((last for _, _, last in found), default=None),
        )

    def told(self, deployment: Name, run_id: str | None, start: int = -FOREVER, end: int = FOREVER) -> frozenset[Told]:
        """What the records of ``deployment`` that told just ``run_id`` told of their models, without what was told only
        before ``start`` or only from ``end`` on."""
        run, of = self._run(run_id), self._term(DEPLOYMENT, *deployment)
        return frozenset(_told(*row) for row in self._execute(self._TOLD, (run, of, start, end, self._before)))

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        """Records of ``deployment`` with a time in ``[start, end)``, by (time, index, position), at most ``limit``."""
        term = self._term(DEPLOYMENT, *deployment)
        found: list[Prediction] = []
        if term is None or start >= end:
            return found
        slots = self._execute(_SLOTS, (term, start // HOUR, (end - 1) // HOUR)).fetchall()
        for hour, group in groupby(slots, key=itemgetter(1)):
            if len(found) >= limit:
                break
            middle = hour * HOUR + MIDDLE
            bounds = max(start - middle, -MIDDLE), min(end - middle, MIDDLE), limit - len(found), self._before
            rows = [row for slot, _ in group for row in self._execute(_SAMPLE, (slot, *bounds))]
            found += [_prediction(row) for row in sorted(rows, key=itemgetter(2, 0))]
        return found[: max(limit, 0)]

    def _count(self, window: Served) -> list[tuple[int, int, int]]:
        """Number, first and last time of parts of a window: its whole hours as kept, and at most two parts read."""
        telling = self._telling(window)
        if telling is None:
            return []
        whole = -(-window.start // HOUR), window.end // HOUR
        parts: list[tuple[int, int, int]] = [self._whole_hours(telling, *whole)]
        edges = {
            hour: (max(window.start, hour * HOUR), min(window.end, (hour + 1) * HOUR))
            for hour, at in ((window.start // HOUR, window.start), (window.end // HOUR, window.end))
            if at % HOUR
        }
        for hour, (start, end) in edges.items():
            middle = hour * HOUR + MIDDLE
            number, first, last = self._row(_PART, (telling, hour, start - middle, end - middle, self._before))
            if number:
                parts.append((number, first + middle, last + middle))
        return parts

    def _whole_hours(self, telling: int, start: int, end: int) -> tuple[int, int, int]:
        """Number, first and last time of the records from hour ``start`` up to but without ``end``."""
        found: tuple[int, int, int] = self._row(_HOURS, (telling, start, end))
        return found

    def _telling(self, window: Served) -> int | None:
        """The telling whose records a window covers; None if there is none."""
        told = window.told
        terms = (
            self._run(window.run_id),
            self._term(DEPLOYMENT, *window.deployment),
            NO_TERM if told.model is None else self._term(MODEL, *told.model),
            NO_TERM if told.version is None else self._term(VERSION, told.version, ""),
        )
        for (id,) in self._execute(_FIND_TELLING, terms):
            return int(id)
        return None

    def _run(self, run_id: str | None) -> int | None:
        return NO_TERM if run_id is None else self._term(RUN, run_id, "")

    def _row(self, query: str, bound: tuple[int, ...] = ()) -> Any:
        """The only row that ``query`` gives."""
        return self._execute(query, bound).fetchall()[0]

    def _term(self, kind: int, first: str, second: str) -> int | None:
        for (id,) in self._execute(_FIND_TERM, (pack(first), second, kind)):
            return int(id)
        return None


def _prediction(row: tuple[Any, ...]) -> Prediction:
    place, hour, moment, namespace, name, id, run, model_namespace, model_name, version, input, output = row
    told = _told(model_namespace, model_name, version)
    return Prediction(
        index=place >> POSITION_BITS,
        position=place & (1 << POSITION_BITS) - 1,
        deployment=Name(unpack(namespace), name),
        id=unpack(id),
        time=hour * HOUR + MIDDLE + moment,
        run_id=_unpacked(run),
        model=told.model,
        model_version=told.version,
        input_hash=_unpacked(input),
        output_hash=_unpacked(output),
    )


def _told(namespace: str | bytes | None, name: str, version: str | bytes | None) -> Told:
    return Told(None if namespace is None else Name(unpack(namespace), name), _unpacked(version))


def _unpacked(value: str | bytes | None) -> str | None:
    return None if value is None else unpack(value)
