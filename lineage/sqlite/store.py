"""The graph store on one SQLite file: one writer, any number of readers at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lineage.model import Changes
from lineage.sqlite.changelog import stamp_of
from lineage.sqlite.database import Database
from lineage.sqlite.reader import SQLiteReader
from lineage.sqlite.schema import LAYOUT
from lineage.sqlite.topology import FileTopology, Thresholds
from lineage.sqlite.writer import Writer


class SQLiteStore:
    """A :class:`~lineage.store.GraphStore` in the file ``path`` (``graph.sqlite`` in a data folder).

    The file is made if it isn't there, and emptied (watermark 0) if a release with other tables or nouns made it. With
    ``read_only`` it must exist, and nothing is written; the process that owns the data folder may write meanwhile.
    Beside it stands a snapshot of its topology (``graph.topology``), which may be missing.
    Raises DataFolderError for a foreign, damaged or missing file.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        read_only: bool = False,
        thresholds: Thresholds = Thresholds(),  # noqa: B008  (frozen)
    ) -> None:
        path = Path(path)
        self._database = Database(path, LAYOUT, read_only=read_only)
        self._writer = Writer()
        self.topology = FileTopology(self._database, path.with_suffix(".topology"), thresholds, read_only=read_only)
        if not read_only:
            self.topology.open()

    def watermark(self) -> int:
        """How many ledger entries the store reflects; 0 if new."""
        with self.reader() as reader:
            return reader.ledger_size

    def apply(self, changes: Changes, watermark: int) -> None:
        """Write all changes and the watermark; see :meth:`lineage.store.GraphStore.apply`."""
        with self.topology.writing():
            try:
                with self._database.writing() as connection:
                    before = stamp_of(connection)
                    stamp = self._writer.write(connection, changes, watermark)
                    self.topology.prepare(connection, before, stamp, changes)
            except BaseException:
                self._writer.forget()
                self.topology.rollback()
                raise
            self.topology.commit()

    def settle(self) -> None:
        """Have the system write the file's log through."""
        self._database.sync()

    @contextmanager
    def reader(self) -> Iterator[SQLiteReader]:
        """A consistent view; see :meth:`lineage.store.GraphStore.reader`."""
        with self._database.reading() as connection:
            yield SQLiteReader(connection, self.topology)

    def outdate(self) -> bool:
        """Remove everything: a file is made anew as quickly as compared."""
        self.clear()
        return False

    def clear(self) -> None:
        """Remove everything, watermark included, and give the space back."""
        with self.topology.writing():
            try:
                self._database.clear()
            finally:
                self._writer.forget()
                self.topology.clear()

    def close(self) -> None:
        """Close the file; readers still open end with an UnavailableError at the latest when they are used again."""
        self.topology.close()
        self._database.close()
