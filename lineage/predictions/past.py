"""The prediction index as it was: only the records before a ledger index count.

What is kept by the hour and by telling is of all records, so here whole hours are counted from the records themselves,
and the times of a telling's first and last record are looked for: in proportion to the records at worst.
"""

from __future__ import annotations

import apsw

from lineage.predictions.reader import SQLitePredictionReader
from lineage.predictions.schema import HOUR, MIDDLE, POSITION_BITS

_TIME = f"s.hour * {HOUR} + {MIDDLE} + p.moment"

_HOURS = f"""
SELECT count(*), min({_TIME}), max({_TIME})
FROM slot s CROSS JOIN prediction p INDEXED BY prediction_by_time ON p.slot = s.id AND p.place < ?4
WHERE s.telling = ?1 AND s.hour >= ?2 AND s.hour < ?3"""  # noqa: S608


def _end(order: str) -> str:
    """The time of a telling's first (ASC) or last (DESC) record; NULL where it has none."""
    return f"""(SELECT {_TIME}
FROM slot s CROSS JOIN prediction p INDEXED BY prediction_by_time ON p.slot = s.id AND p.place < ?5
WHERE s.telling = t.id ORDER BY s.hour {order}, p.moment {order} LIMIT 1)"""  # noqa: S608


_TOLD = f"""
SELECT m.first, m.second, v.first
FROM telling t LEFT JOIN term m ON m.id = t.model LEFT JOIN term v ON v.id = t.version
WHERE t.run = ?1 AND t.deployment = ?2 AND t.last >= ?3 AND t.first < ?4
    AND {_end("DESC")} >= ?3 AND {_end("ASC")} < ?4"""  # noqa: S608


class PastPredictionReader(SQLitePredictionReader):
    """A :class:`~lineage.predictions.PredictionReader` of the records of the first ``until`` ledger entries."""

    _TOLD = _TOLD

    def __init__(self, connection: apsw.Connection, until: int) -> None:
        super().__init__(connection, before=until << POSITION_BITS)

    def _whole_hours(self, telling: int, start: int, end: int) -> tuple[int, int, int]:
        found: tuple[int, int, int] = self._row(_HOURS, (telling, start, end, self._before))
        return found
