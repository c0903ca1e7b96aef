"""The projector: from the ledger to the graph store and the prediction index, one for every store.

:mod:`~lineage.projector.batches` turns entries into events and predictions, :mod:`~lineage.projector.projection` folds
and applies them and mends what a crash left, :mod:`~lineage.projector.renewal` makes a graph right by difference,
:mod:`~lineage.projector.apart` has the fold in a process of its own, :mod:`~lineage.projector.folding`;
:mod:`~lineage.projector.thread` projects in a thread of its own, and :mod:`~lineage.projector.check` holds what is kept
against a projection made anew. Of these, :mod:`~lineage.projector.dumps` puts two graphs side by side.
"""

from lineage.projector.batches import Predictions
from lineage.projector.check import CheckReport, check_projection
from lineage.projector.projection import Projection
from lineage.projector.thread import Projector

__all__ = ["CheckReport", "Predictions", "Projection", "Projector", "check_projection"]
