"""A view of the graph that reads each node once: what a page shows is looked at from several sides."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.model import Node
from lineage.store import GraphReader

_MOST = 100_000


class Remembering:
    """A :class:`~lineage.store.GraphReader` that keeps what it fetched, at most a hundred thousand nodes."""

    def __init__(self, reader: GraphReader) -> None:
        self._fetch = reader.fetch
        self._nodes: dict[bytes, Node | None] = {}
        self.ledger_size = reader.ledger_size
        self.neighbours = reader.neighbours
        self.reach = reader.reach
        self.are_latest = reader.are_latest
        self.lookup = reader.lookup
        self.search = reader.search
        self.count = reader.count
        self.dump = reader.dump

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there is none."""
        nodes = self._nodes
        missing = [key for key in dict.fromkeys(keys) if key not in nodes]
        if missing:
            if len(nodes) + len(missing) > _MOST:
                nodes.clear()
                missing = list(dict.fromkeys(keys))
            nodes.update(zip(missing, self._fetch(missing), strict=True))
        return [nodes[key] for key in keys]
