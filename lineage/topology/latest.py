"""Which versions are the latest of their datasets, for stores that have no columns of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray, unpack
from lineage.model import Edge, EdgeKind, Node, Version
from lineage.store import Direction

Fetch = Callable[[Sequence[bytes]], Sequence[Node | None]]
Neighbours = Callable[[Sequence[bytes], Sequence[EdgeKind], Direction], list[Edge]]


def are_latest(versions: KeyArray, as_of: int | None, fetch: Fetch, neighbours: Neighbours) -> NDArray[np.bool_]:
    """As :meth:`lineage.store.GraphReader.are_latest` promises it."""
    keys = unpack(versions)
    datasets = sorted({node.dataset for node in fetch(keys) if isinstance(node, Version)})
    edges = neighbours(datasets, [EdgeKind.HAS_VERSION], Direction.DOWNSTREAM)
    latest: dict[bytes, tuple[int, bytes]] = {}
    for node in fetch([edge.target for edge in edges]):
        if isinstance(node, Version) and node.certain and (as_of is None or node.written_at <= as_of):
            rank = node.written_at, node.key
            latest[node.dataset] = max(rank, latest.get(node.dataset, rank))
    standing = {key for _, key in latest.values()}
    return np.array([key in standing for key in keys], dtype=np.bool_)
