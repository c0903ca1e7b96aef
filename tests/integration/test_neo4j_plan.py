"""No traversal in Neo4j enumerates paths: the plan of every query that one can send says so.

A plan of another kind gives the same answers on small graphs, and none in time on large ones: no other test need
notice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise, product
from typing import Any, cast

import neo4j
import pytest

from lineage.model import Changes, Edge, EdgeKind, Evidence, Node
from lineage.neo4j import Address, Neo4jStore, reach
from lineage.neo4j.connection import Connection
from lineage.neo4j.walk import Marks, Walk
from lineage.store import Direction, EdgeFilter, Level, Limits
from tests.conformance.graphs import changes, dataset, flow, version

PRUNING = "VarLengthExpand(Pruning,BFS,All)"
SEEKS = {"NodeUniqueIndexSeek", "NodeByElementIdSeek"}
RUNGS = 300
SEEDS = [bytes(15) + b"\1", bytes(15) + b"\2"]
NOW = 10


def _walks(level: Level, direction: Direction) -> Iterator[Walk]:
    """All that may have to be looked for, each with every filter that then makes a difference."""
    for missing, weak, replaced in product((False, True), repeat=3):
        strengths = product(Evidence, (False, True), (False, True)) if weak else [(Evidence.INFERRED, False, False)]
        for strength, as_of in product(strengths, (None, NOW)):
            yield Walk(level, direction, EdgeFilter(*strength, as_of), Marks(missing, weak, replaced))


class _Unanswered:
    """In place of a database: takes what is asked down, and answers as if there were one more node and a better path
    to it, so that no question is left out."""

    def __init__(self) -> None:
        self.asked: dict[str, dict[str, Any]] = {}

    def session(self) -> _Unanswered:
        return self

    async def begin_transaction(self, **_: Any) -> _Unanswered:
        return self

    async def close(self) -> None:
        """As a transaction."""

    async def __aenter__(self) -> _Unanswered:
        return self

    async def __aexit__(self, *_: object) -> None:
        """As a session."""

    async def rows(self, runner: object, query: str, told: dict[str, Any]) -> list[list[Any]]:
        self.asked[query] = told
        if query.endswith("RETURN s.key, s.code"):
            return [[key, 0] for key in told["keys"]]
        if query.endswith("RETURN count(t)"):
            return [[0]]
        return [["probe"]] if "CREATE" in query else [[0, [bytes(16)], [told["codes"]]]]


def _edges(nodes: Sequence[Node], into: EdgeKind, out: EdgeKind) -> Iterator[tuple[Node, list[Edge]]]:
    """Diamonds from each node to the next, over two flows; each flow with its edges."""
    for source, target in pairwise(nodes):
        for side in "lr":
            through = flow(f"{source.key.hex()}{side}")
            yield through, [Edge(into, source.key, through.key), Edge(out, through.key, target.key)]


def _graph() -> Changes:
    """So much on both levels that a planner sees what a search of all would cost."""
    versions, datasets = (
        [version(f"{place}") for place in range(RUNGS)],
        [dataset(f"{place}") for place in range(RUNGS)],
    )
    ran = list(_edges(versions, EdgeKind.READ_BY, EdgeKind.WROTE))
    wired = list(_edges(datasets, EdgeKind.FEEDS, EdgeKind.FEEDS))
    flows, edges = zip(*ran, *wired, strict=True)
    return changes([*versions, *datasets, *flows], [each for some in edges for each in some])


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("level", Level)
def test_every_traversal_prunes_breadth_first(
    neo4j_uri: str, monkeypatch: pytest.MonkeyPatch, level: Level, direction: Direction
) -> None:
    unanswered, patterns = _Unanswered(), set()
    monkeypatch.setattr(reach, "rows", unanswered.rows)
    for walk, seeds in product(_walks(level, direction), (SEEDS[:1], SEEDS)):
        asyncio.run(reach.Traversal(cast(Connection, unanswered), walk, Limits()).run(seeds))
        patterns.add(walk.pattern("", probed=len(seeds) > 1).removeprefix("MATCH p = "))
    asked = {query: told for query, told in unanswered.asked.items() if "*1.." in query}
    assert all(any(f"{pattern}\n" in query for query in asked) for pattern in patterns)
    with closing(Neo4jStore(Address(neo4j_uri), ledger="tests")) as store:
        store.apply(_graph(), 1)
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as session:
        session.run("CALL db.prepareForReplanning(60)").consume()
        for query, told in asked.items():
            operators = set(_operators(session.run(f"EXPLAIN {query}", told).consume().plan))
            assert {name for name in operators if "VarLength" in name} == {PRUNING}, query
            assert {name for name in operators if "Seek" in name or "Scan" in name} <= SEEKS, query


def _operators(plan: Any) -> Iterator[str]:
    yield plan["operatorType"].partition("@")[0]
    for child in plan.get("children", ()):
        yield from _operators(child)
