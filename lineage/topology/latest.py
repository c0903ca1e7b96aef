"""Which versions are the latest of their datasets, where there are no columns of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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
    members = (node for node in fetch([edge.target for edge in edges]) if isinstance(node, Version))
    standing = {version.key for version in latest_certain(members, as_of).values()}
    return np.array([key in standing for key in keys], dtype=np.bool_)


def latest_certain(versions: Iterable[Version], as_of: int | None = None) -> dict[bytes, Version]:
    """Of each dataset the latest certain one of ``versions``, of those written at or before ``as_of``."""
    latest: dict[bytes, Version] = {}
    for version in versions:
        if version.certain and (as_of is None or version.written_at <= as_of):
            latest[version.dataset] = max(version, latest.get(version.dataset, version), key=version_rank)
    return latest


def version_rank(version: Version) -> tuple[int, bytes]:
    """What versions of one dataset stand by."""
    return version.written_at, version.key
