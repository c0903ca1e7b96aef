"""The whole graph as canonical lines, in pieces: the database gives keys in the order of its index, and what stands
under them by thousands; what has to be sorted otherwise is sorted here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lineage.keys import Base
from lineage.memory import edge_line, name_line, node_line
from lineage.model import EdgeKind, NameScope, Node
from lineage.neo4j.properties import BASES, EDGE_COLUMNS, edge_of

_PAGE = 50_000
_PIECE = 2_000

_KEYS = """
MATCH (n:Lineage) WHERE n.key > $after WITH n ORDER BY n.key LIMIT $limit
RETURN collect(n.key), collect(coalesce(n.kind, ''))"""
EDGES = f"MATCH (a:Lineage)-[r:%s]->(b:Lineage) WHERE a.key IN $keys RETURN collect([{EDGE_COLUMNS}])"
"""Those of one kind that leave any of ``keys``."""
_NAMES = """
MATCH (m:LineageName) WHERE m.key > $after WITH m ORDER BY m.key LIMIT $limit
RETURN max(m.key), collect([m.scope, m.value, COLLECT { MATCH (m)-[:NAMES]->(n) RETURN n.key }])"""

Ask = Callable[[str, dict[str, Any]], Sequence[Sequence[Any]]]
Fetch = Callable[[Sequence[bytes]], list[Node | None]]


def lines(ask: Ask, fetch: Fetch) -> Iterator[bytes]:
    """The lines that :func:`lineage.memory.canonical_lines` defines."""
    by_base: dict[str, list[str]] = {base.value: [] for base in Base}
    ends: list[str] = []
    for key, kind in _keys(ask):
        ends.append(key)
        if kind:
            by_base[BASES[kind].value].append(key)
    for base in sorted(by_base):
        for piece in _pieces(by_base.pop(base)):
            yield from (node_line(node) for node in fetch([bytes.fromhex(key) for key in piece]) if node is not None)
    for edge_kind in sorted(EdgeKind, key=lambda kind: kind.value):
        for piece in _pieces(ends):
            ((found,),) = ask(EDGES % edge_kind.value, {"keys": piece})
            yield from (edge_line(edge_of(*row)) for row in sorted(found, key=lambda row: row[1:3]))
    yield from _names(ask)


def _keys(ask: Ask) -> Iterator[tuple[str, str]]:
    after = ""
    while True:
        ((keys, kinds),) = ask(_KEYS, {"after": after, "limit": _PAGE})
        yield from zip(keys, kinds, strict=True)
        if len(keys) < _PAGE:
            return
        after = keys[-1]


def _names(ask: Ask) -> Iterator[bytes]:
    found: list[tuple[str, str, str]] = []
    after = ""
    while True:
        ((last, told),) = ask(_NAMES, {"after": after, "limit": _PIECE})
        found += [(scope, value, key) for scope, value, keys in told for key in keys]
        if len(told) < _PIECE:
            break
        after = last
    for scope, value, key in sorted(found):
        yield name_line((NameScope[scope], value, bytes.fromhex(key)))


def _pieces(keys: list[str]) -> Iterator[list[str]]:
    return (keys[start : start + _PIECE] for start in range(0, len(keys), _PIECE))
