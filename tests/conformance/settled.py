"""The store on Neo4j for tests that look at once at what they applied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lineage.neo4j import Neo4jStore
from lineage.store import GraphReader


class SettledNeo4jStore(Neo4jStore):
    """A view shows all that was applied: others wait but a moment for what is still being written, less than a loaded
    machine may take for it."""

    @contextmanager
    def reader(self) -> Iterator[GraphReader]:
        self.settle()
        with super().reader() as view:
            yield view
