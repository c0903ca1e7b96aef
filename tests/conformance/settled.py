"""The store on Neo4j for tests that look at once at what they applied."""

from __future__ import annotations

from lineage.model import Changes
from lineage.neo4j import Neo4jStore


class SettledNeo4jStore(Neo4jStore):
    """What was applied is written when ``apply`` returns: a view waits but a moment for what is still being written,
    less than a loaded machine may take for it."""

    def apply(self, changes: Changes, watermark: int) -> None:
        super().apply(changes, watermark)
        self.settle()
