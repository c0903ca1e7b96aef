"""The traversal primitive: what a path leads to, and how strong the best path is.

Stores without arrays walk (:mod:`.walk`, :mod:`.strength`, :mod:`.latest`). The embedded store has arrays: a
:mod:`.live` topology takes change lists and gives a :mod:`.state` for each, which shares its :mod:`.nodes` and the
:mod:`.run` s of each :mod:`.adjacency` with those before it; :mod:`.search` and :mod:`.standing` answer from it. A
:mod:`.base` is all of it with one run each, numbered by :mod:`.order`; a :mod:`.snapshot` is a base in a file.
"""

from lineage.topology.latest import are_latest, latest_certain, version_rank
from lineage.topology.strength import reach_by_walking
from lineage.topology.walk import Place, Walked, traverse, weight

__all__ = ["Place", "Walked", "are_latest", "latest_certain", "reach_by_walking", "traverse", "version_rank", "weight"]
