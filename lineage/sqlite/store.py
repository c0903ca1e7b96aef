"""The graph store on one SQLite file: one writer, any number of readers at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lineage.model import Changes
from lineage.sqlite.database import Database
from lineage.sqlite.reader import SQLiteReader
from lineage.sqlite.schema import LAYOUT
from lineage.sqlite.writer import Writer


class SQLiteStore:
    """A :class:`~lineage.store.GraphStore` in the file ``path`` (``graph.sqlite`` in a data folder).

    The file is made if it isn't there, and emptied (watermark 0) if a release with other tables or nouns made it. With
    ``read_only`` it must exist, and nothing is written; the process that owns the data folder may write meanwhile.
    Raises DataFolderError for a foreign, damaged or missing file.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._database = Database(Path(path), LAYOUT, read_only=read_only)
        self._writer = Writer()

    def watermark(self) -> int:
        """How many ledger entries the store reflects; 0 if new."""
        with self.reader() as reader:
            return reader.ledger_size

    def apply(self, changes: Changes, watermark: int) -> None:
        """Write all changes and the watermark; see :meth:`lineage.store.GraphStore.apply`."""
        try:
            with self._database.writing() as connection:
                self._writer.write(connection, changes, watermark)
        except BaseException:
            self._writer.forget()
            raise

    @contextmanager
    def reader(self) -> Iterator[SQLiteReader]:
        """A consistent view; see :meth:`lineage.store.GraphStore.reader`."""
        with self._database.reading() as connection:
            yield SQLiteReader(connection)

    def clear(self) -> None:
        """Remove everything, watermark included, and give the space back."""
        self._database.clear()
        self._writer.forget()

    def close(self) -> None:
        """Close the file; readers still open end with an UnavailableError at the latest when they are used again."""
        self._database.close()
