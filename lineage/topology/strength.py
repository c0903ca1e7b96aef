"""How strong the best path to each node is, for stores that walk: further walks of the same seeds over narrower edges.

A node that is reached over DECLARED edges alone has a path whose weakest edge is DECLARED. At most two walks for the
evidence, one for certainty and, on the logical level, one for what is stale; none that could tell nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import replace

import numpy as np

from lineage.key_array import pack
from lineage.kind import KIND_CODES, kind_of_node
from lineage.model import Evidence, Flow, Node
from lineage.store import EVIDENCE_CODES, EdgeFilter, Level, Reach
from lineage.topology.walk import Walked

Walk = Callable[[EdgeFilter], Walked]

_NONE = bytes(16)


def reach_by_walking(
    level: Level, edges: EdgeFilter, walk: Walk, fetch: Callable[[Sequence[bytes]], Sequence[Node | None]]
) -> Reach:
    """What ``walk`` finds over ``edges``, each with the strength of its best path. Only wiring can be stale."""
    full = walk(edges)
    evidence = _evidence(full, edges, walk)
    certain = _all_or_those(full, edges, replace(edges, certain_only=True), walk)
    wiring = level is Level.LOGICAL
    fresh = _all_or_those(full, edges, replace(edges, fresh_only=True) if wiring else edges, walk)
    keys = [key for _, key in full.found]
    things, kinds = _shown(keys, fetch)
    weakest = EVIDENCE_CODES[edges.evidence]
    return Reach(
        pack(keys),
        pack(things),
        np.array(kinds, dtype=np.uint8),
        np.array([distance for distance, _ in full.found], dtype=np.int32),
        np.array([evidence.get(key, weakest) for key in keys], dtype=np.uint8),
        _are_in(keys, certain),
        ~_are_in(keys, fresh),
        full.cut,
    )


def _evidence(full: Walked, edges: EdgeFilter, walk: Walk) -> dict[bytes, int]:
    """The evidence of those whose best path is stronger than the weakest that ``edges`` admits."""
    stronger: dict[bytes, int] = {}
    for evidence in Evidence:
        if evidence is edges.evidence or len(stronger) == len(full.found):
            break
        for _, key in walk(replace(edges, evidence=evidence)).found:
            stronger.setdefault(key, EVIDENCE_CODES[evidence])
    return stronger


def _all_or_those(full: Walked, edges: EdgeFilter, narrower: EdgeFilter, walk: Walk) -> Container[bytes] | None:
    """The keys that some path of ``narrower`` edges leads to; None for all."""
    if narrower == edges or not full.found:
        return None
    return frozenset(key for _, key in walk(narrower).found)


def _are_in(keys: Sequence[bytes], those: Container[bytes] | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([those is None or key in those for key in keys], dtype=np.bool_)


def _shown(
    keys: Sequence[bytes], fetch: Callable[[Sequence[bytes]], Sequence[Node | None]]
) -> tuple[list[bytes], list[int]]:
    """What answers name in place of ``keys``, and the codes of its kind."""
    nodes = dict(zip(keys, fetch(keys), strict=True))
    owners = [node.owner for node in nodes.values() if isinstance(node, Flow) and node.owner is not None]
    nodes.update(zip(owners, fetch(owners), strict=True))
    things = [_thing(key, nodes[key]) for key in keys]
    kinds = [None if (node := nodes.get(thing)) is None else kind_of_node(node) for thing in things]
    return things, [KIND_CODES[kind] for kind in kinds]


def _thing(key: bytes, node: Node | None) -> bytes:
    return (node.owner or _NONE) if isinstance(node, Flow) else key
