"""Search by a part of a name, over the casefolded names of nodes and of their aliases, as text indexes find them."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.keys import Base
from lineage.neo4j.connection import Connection
from lineage.neo4j.properties import BASES

_HELD = (
    ("n.folded CONTAINS $text", "n.folded = $text"),
    ("n.long = true AND n.longFolded CONTAINS $text", "n.longFolded = $text"),
)
"""By which property a name holds the text, and whether that is the whole name: what is too long for an index stands in
another, on few nodes."""

_ELSEWHERE = (
    ("n.foldedNamespace CONTAINS $text", "true"),
    ("n.long = true AND n.longFoldedNamespace CONTAINS $text", "true"),
)
"""What stands last: the namespace alone."""

_OF_NODES = """
MATCH (n:Lineage) WHERE {held} AND n.kind IN $kinds
RETURN n.key AS key, NOT {whole} AS part, n.length AS length,
    coalesce(n.column, n.longColumn, n.name, n.longName) AS name, n.namespace AS namespace"""
_OF_ALIASES = """
MATCH (n:LineageAlias) WHERE {held} MATCH (n)-[:ALIAS_OF]->(d) WHERE d.kind IN $kinds
RETURN d.key AS key, NOT {whole} AS part, n.length AS length,
    coalesce(n.name, n.longName) AS name, n.namespace AS namespace"""


def _found(where: Sequence[tuple[str, str]]) -> str:
    branches = [each.format(held=held, whole=whole) for held, whole in where for each in (_OF_NODES, _OF_ALIASES)]
    return f"CALL () {{{' UNION ALL '.join(branches)}}} RETURN key ORDER BY part, length, name, namespace, key"


QUERIES = (_found(_HELD), _found(_ELSEWHERE))
"""By names, then by namespaces: keys, the best first, one several times where several names of it hold the text."""


async def search(connection: Connection, text: str, bases: Sequence[Base], limit: int) -> list[bytes]:
    """The keys of at most ``limit`` nodes of ``bases`` with ``text`` in a name, each once, where it first stands."""
    keys: dict[str, None] = {}
    told = {"text": text.casefold(), "kinds": [kind for kind, base in BASES.items() if base in bases]}
    async with connection.session() as session:
        for query in QUERIES:
            async for (key,) in await session.run(query, told):
                keys[key] = None
                if len(keys) >= limit:
                    return [*map(bytes.fromhex, keys)]
    return [*map(bytes.fromhex, keys)]
