"""The graph store in one SQLite file: embedded, rebuildable from the ledger, and the first of the persistent stores.

:mod:`~lineage.sqlite.database` opens files and pools read connections, :mod:`~lineage.sqlite.schema` has the tables,
:mod:`~lineage.sqlite.rows` and :mod:`~lineage.sqlite.text` what stands in them, :mod:`~lineage.sqlite.writer` and
:mod:`~lineage.sqlite.reader` the two halves of the store; :mod:`~lineage.sqlite.topology` keeps its topology in step,
by :mod:`~lineage.sqlite.changelog` and, where need be, :mod:`~lineage.sqlite.scan`.
"""

from lineage.sqlite.store import SQLiteStore
from lineage.sqlite.topology import Thresholds

__all__ = ["SQLiteStore", "Thresholds"]
