"""The past: any question as it would have been answered at an earlier ledger index, exactly (invariant 5).

Nothing of the past is kept. It is folded anew, in memory and lazily: before the graph of the past answers anything, the
events on which that depends are looked up in the facts of the present, read from the ledger and folded, as far as they
stand at or before the index. So an answer costs what it touches, whatever the ledger's size. The questions are the
ordinary ones, and don't know.
"""

from lineage.past.graph import PastGraph
from lineage.past.past import Advance, Past, nothing
from lineage.past.pasts import Pasts

__all__ = ["Advance", "Past", "PastGraph", "Pasts", "nothing"]
