"""The floors of Neo4j: the same rows by plain UNWIND MERGE, and the same answer by one plain query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from neo4j import Driver, ManagedTransaction

from lineage.model import Changes, Edge, EdgeKind
from lineage.neo4j.properties import (
    EDGE_TIMES,
    LABELS,
    TIMES,
    Properties,
    edge_properties,
    name_key,
    node_properties,
    with_times,
)
from lineage.store import Level

_NODES = "UNWIND $rows AS r MERGE (n:Lineage {{key: r.key}}) SET n = {row} SET n:{labels}"
_EDGES = """
UNWIND $rows AS r MATCH (a:Lineage {{key: r.s}}) MATCH (b:Lineage {{key: r.t}}) WITH a, b, r.p AS p
MERGE (a)-[x:{kind}]->(b) SET x = {row}"""
_NAMES = """
UNWIND $rows AS r MATCH (n:Lineage {key: r.node})
MERGE (m:LineageName {key: r.key}) SET m.scope = r.scope, m.value = r.value MERGE (m)-[:NAMES]->(n)"""
_REACH = """
MATCH p = (s:Lineage {{key: $key}})-[:{kinds}*1..]->(t)
WITH t, min(length(p)) AS d LIMIT $limit RETURN collect([t.key, d])"""
_LIMIT = 10_000_001


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and the rows that it unwinds."""

    query: str
    rows: list[Properties]


Lists = Sequence[Sequence[Statement]]
"""Those of several change lists."""


def statements(changes: Changes) -> list[Statement]:
    """What writes a change list: one statement for each kind of node and of edge, and one for names. What the list
    removes is left where it is: the floor is lower for it."""
    nodes: dict[str, list[Properties]] = {}
    for node in changes.nodes.values():
        if node is not None:
            told = node_properties(node)
            nodes.setdefault(told["kind"], []).append(told)
    edges: dict[EdgeKind, list[Properties]] = {}
    for edge in changes.edges.values():
        if edge is not None:
            edges.setdefault(edge.kind, []).append(_edge_row(edge))
    names: list[Properties] = [
        {"key": name_key(name), "scope": name[0].value, "value": name[1], "node": name[2].hex()}
        for name, present in changes.names.items()
        if present
    ]
    found = [
        Statement(
            _NODES.format(row=with_times("r", TIMES.get(kind, ())), labels=":".join(filter(None, LABELS[kind]))), rows
        )
        for kind, rows in nodes.items()
    ]
    row = with_times("p", EDGE_TIMES)
    found += [Statement(_EDGES.format(kind=kind.value, row=row), rows) for kind, rows in edges.items()]
    return [*found, Statement(_NAMES, names)] if names else found


def write(driver: Driver, lists: Lists) -> None:
    """Run them, those of each change list in one transaction."""

    def run(transaction: ManagedTransaction, told: Sequence[Statement]) -> None:
        for statement in told:
            transaction.run(statement.query, rows=statement.rows).consume()

    with driver.session() as session:
        for told in lists:
            session.execute_write(run, told)


def reach(driver: Driver, level: Level, key: bytes) -> list[list[Any]]:
    """Everything downstream of ``key``, each as its key and how many edges lead to it."""
    kinds = "|".join(sorted(kind.value for kind in level.edge_kinds))
    with driver.session() as session:
        found = session.run(_REACH.format(kinds=kinds), key=key.hex(), limit=_LIMIT).single(strict=True)
        told: list[list[Any]] = found[0]
    return told


def _edge_row(edge: Edge) -> Properties:
    return {"s": edge.source.hex(), "t": edge.target.hex(), "p": edge_properties(edge)}
