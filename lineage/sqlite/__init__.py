"""The graph store in one SQLite file: embedded, rebuildable from the ledger, and the first of the persistent stores.

:mod:`~lineage.sqlite.database` opens files and pools read connections, :mod:`~lineage.sqlite.schema` has the tables,
:mod:`~lineage.sqlite.rows` and :mod:`~lineage.sqlite.text` what stands in them, :mod:`~lineage.sqlite.writer` and
:mod:`~lineage.sqlite.reader` the two halves of the store.
"""

from lineage.sqlite.store import SQLiteStore

__all__ = ["SQLiteStore"]
