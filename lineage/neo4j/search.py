"""Search by a part of a name, over the casefolded names of nodes and of their aliases."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.keys import Base
from lineage.neo4j.connection import Connection
from lineage.neo4j.properties import BASES

_HELD = (
    "coalesce(n.folded, n.longFolded) = $text",
    "coalesce(n.folded, n.longFolded) CONTAINS $text",
    "n.foldedNamespace CONTAINS $text",
)
"""What stands first: the whole name, a part of it, the namespace alone."""

_FIND = """
MATCH (n:Lineage) WHERE n.kind IN $kinds AND n.length IS NOT NULL AND ({held})
RETURN n.key AS key, n.length AS length, coalesce(n.column, n.longColumn, n.name, n.longName) AS name,
    n.namespace AS namespace
UNION ALL
MATCH (n:LineageAlias)-[:ALIAS_OF]->(d) WHERE d.kind IN $kinds AND ({held})
RETURN d.key AS key, n.length AS length, coalesce(n.name, n.longName) AS name, n.namespace AS namespace"""


class Search:
    """One search; each node once, where it first stands."""

    def __init__(self, connection: Connection, text: str, bases: Sequence[Base], limit: int) -> None:
        self._connection = connection
        self._limit = limit
        self._told = {"text": text.casefold(), "kinds": [kind for kind, base in BASES.items() if base in bases]}

    async def run(self) -> list[bytes]:
        """The keys of at most ``limit`` nodes."""
        keys: dict[str, None] = {}
        async with self._connection.session() as session:
            for held in _HELD:
                query = f"CALL () {{{_FIND.format(held=held)}}} RETURN key ORDER BY length, name, namespace, key"
                result = await session.run(query, self._told)
                async for (key,) in result:
                    keys[key] = None
                    if len(keys) >= self._limit:
                        return [bytes.fromhex(each) for each in keys]
        return [bytes.fromhex(each) for each in keys]
