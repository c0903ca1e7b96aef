"""The traversal primitive: what a path leads to, by walking where a store has nothing better."""

from lineage.topology.latest import are_latest
from lineage.topology.strength import reach_by_walking
from lineage.topology.walk import Place, Walked, traverse, weight

__all__ = ["Place", "Walked", "are_latest", "reach_by_walking", "traverse", "weight"]
