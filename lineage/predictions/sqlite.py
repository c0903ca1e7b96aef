"""The prediction index in one SQLite file, ``predictions.sqlite``: a projection that the ledger can always remake.

Read through :meth:`PredictionIndex.reader` for one consistent view, or directly, each call then seeing the newest
state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lineage.event.model import Name
from lineage.predictions import FOREVER, Count, Prediction, Served, Told
from lineage.predictions.past import PastPredictionReader
from lineage.predictions.reader import SQLitePredictionReader
from lineage.predictions.schema import LAYOUT
from lineage.predictions.writer import Writer
from lineage.sqlite.database import Database


class PredictionIndex:
    """A :class:`~lineage.predictions.PredictionReader`, and what fills it. One writer, many readers at once.

    Raises DataFolderError for a foreign, damaged or, with ``read_only``, missing file. A file of an older layout is
    emptied (watermark 0).
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._database = Database(Path(path), LAYOUT, read_only=read_only)
        self._writer = Writer()

    def watermark(self) -> int:
        """How many ledger entries the index reflects; 0 if new."""
        with self.reader() as reader:
            return reader.ledger_size

    def apply(self, records: Sequence[Prediction], watermark: int) -> None:
        """Write the records and the watermark in one transaction; a record, known by (index, position), counts once
        however often it comes. Raises UnavailableError if the file can't be written; nothing is then written."""
        try:
            with self._database.writing() as connection:
                self._writer.write(connection, records, watermark)
        except BaseException:
            self._writer.forget()
            raise

    @contextmanager
    def reader(self, until: int | None = None) -> Iterator[SQLitePredictionReader]:
        """A consistent view, to be used by one thread; with ``until``, of the records before that ledger index alone.
        Readers don't wait for the writer, nor the writer for them."""
        with self._database.reading() as connection:
            yield SQLitePredictionReader(connection) if until is None else PastPredictionReader(connection, until)

    def find(self, deployment: Name, id: str) -> list[Prediction]:
        """All records under (deployment, id), by (time, index, position)."""
        with self.reader() as reader:
            return reader.find(deployment, id)

    def count(self, served: Sequence[Served], *, since: int | None = None) -> Count:
        """The records that any of ``served`` covers, each once, from ``since`` on."""
        with self.reader() as reader:
            return reader.count(served, since=since)

    def told(self, deployment: Name, run_id: str | None, start: int = -FOREVER, end: int = FOREVER) -> frozenset[Told]:
        """What the records of ``deployment`` that told just ``run_id`` told of their models, without what was told only
        before ``start`` or only from ``end`` on."""
        with self.reader() as reader:
            return reader.told(deployment, run_id, start, end)

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        """Records of ``deployment`` with a time in ``[start, end)``, by (time, index, position), at most ``limit``."""
        with self.reader() as reader:
            return reader.samples(deployment, start, end, limit)

    def clear(self) -> None:
        """Remove everything, watermark included, and give the space back."""
        self._database.clear()
        self._writer.forget()

    def close(self) -> None:
        """Close the file."""
        self._database.close()
