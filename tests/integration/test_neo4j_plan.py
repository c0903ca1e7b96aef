"""No traversal in Neo4j enumerates paths, no search and no write reads all: the plan of every query says so.

A plan of another kind gives the same answers on small graphs, and none in time on large ones: no other test need
notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise, product
from pathlib import Path
from types import ModuleType
from typing import Any

import neo4j
import pytest

from lineage.keys import Base
from lineage.model import Changes, Edge, EdgeKind, Evidence, Node
from lineage.neo4j import Address, Neo4jStore, reach, writer
from lineage.neo4j.connection import Connection, rows
from lineage.neo4j.search import QUERIES
from lineage.neo4j.walk import Marks, Walk
from lineage.store import Direction, EdgeFilter, Level, Limits
from tests.conformance.graphs import changes, dataset, flow, version
from tests.integration.neo4j_world import make_ledger, projection

PRUNING = "VarLengthExpand(Pruning,BFS,All)"
SEEKS = {"NodeUniqueIndexSeek", "NodeByElementIdSeek"}
RUNGS = 60
NOW = 10
VERSIONS, DATASETS = ([make(f"{place}") for place in range(RUNGS)] for make in (version, dataset))
ENDS = {
    (Level.VERSION, Direction.DOWNSTREAM): VERSIONS[:2],
    (Level.VERSION, Direction.UPSTREAM): VERSIONS[-2:],
    (Level.LOGICAL, Direction.DOWNSTREAM): DATASETS[:2],
    (Level.LOGICAL, Direction.UPSTREAM): DATASETS[-2:],
}


def _walks(level: Level, direction: Direction) -> Iterator[Walk]:
    """All that may have to be looked for, each with every filter that then makes a difference; beside others the
    widest and the narrowest of them."""
    widest, narrowest = (Evidence.INFERRED, False, False), (Evidence.DECLARED, True, True)
    for missing, weak, replaced in product((False, True), repeat=3):
        strengths = [widest, narrowest][: 1 + weak]
        if weak and not missing and not replaced:
            strengths = [*product(Evidence, (False, True), (False, True))]
        for strength, as_of in product(strengths, (None, NOW)):
            yield Walk(level, direction, EdgeFilter(*strength, as_of), Marks(missing, weak, replaced))


def _edges(nodes: Sequence[Node], into: EdgeKind, out: EdgeKind) -> Iterator[tuple[Node, list[Edge]]]:
    """Diamonds from each node to the next, over two flows; the first and the last edges are weak in every way, so that
    all is asked for that a weak edge makes a question of."""
    for place, (source, target) in enumerate(pairwise(nodes)):
        weak = {"evidence": Evidence.INFERRED, "certain": False, "stale": True} if place in (2, RUNGS - 5) else {}
        for side in "lr":
            through = flow(f"{source.key.hex()}{side}")
            yield through, [Edge(into, source.key, through.key, **weak), Edge(out, through.key, target.key)]


def _graph() -> Changes:
    """So much on both levels that a planner sees what a search of all would cost."""
    ran, wired = _edges(VERSIONS, EdgeKind.READ_BY, EdgeKind.WROTE), _edges(DATASETS, EdgeKind.FEEDS, EdgeKind.FEEDS)
    flows, edges = zip(*ran, *wired, strict=True)
    return changes([*VERSIONS, *DATASETS, *flows], [each for some in edges for each in some])


def recorded(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> dict[str, dict[str, Any]]:
    """What ``module`` asks from now on: parameters by query."""
    asked: dict[str, dict[str, Any]] = {}

    async def ask(runner: Any, query: str, told: dict[str, Any]) -> Sequence[Sequence[Any]]:
        asked[query] = told
        return await rows(runner, query, told)

    monkeypatch.setattr(module, "rows", ask)
    return asked


@pytest.mark.parametrize(("level", "direction"), ENDS)
def test_every_traversal_prunes_breadth_first(
    neo4j_uri: str, monkeypatch: pytest.MonkeyPatch, level: Level, direction: Direction
) -> None:
    asked = recorded(monkeypatch, reach)
    with closing(Neo4jStore(Address(neo4j_uri), ledger="tests")) as store:
        store.apply(_graph(), 1)
    patterns = set()
    with closing(Connection(Address(neo4j_uri))) as connection:
        ends = [node.key for node in ENDS[level, direction]]
        for walk, seeds in product(_walks(level, direction), (ends[:1], ends)):
            traversal = reach.Traversal(connection, walk, Limits())
            assert len(connection.call(lambda traversal=traversal, seeds=seeds: traversal.run(seeds)).keys)
            patterns.add(walk.pattern("", probed=len(seeds) > 1).removeprefix("MATCH p = "))
    walked = {query: told for query, told in asked.items() if "*1.." in query}
    assert all(any(pattern in query for query in walked) for pattern in patterns)
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as session:
        session.run("CALL db.prepareForReplanning(60)").consume()
        for query, told in walked.items():
            operators = set(_operators(session.run(f"EXPLAIN {query}", told).consume().plan))
            assert {name for name in operators if "VarLength" in name} == {PRUNING}, query
            assert {name for name in operators if "Seek" in name or "Scan" in name} <= SEEKS, query


def test_everything_that_is_written_is_found_by_key_in_an_empty_graph_too(
    neo4j_uri: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The plan of the first time is kept, however large the graph becomes."""
    asked = recorded(monkeypatch, writer)
    with closing(make_ledger(tmp_path)) as ledger, projection(tmp_path, ledger, neo4j_uri) as projecting:
        projecting.catch_up()
        projecting._store.clear()
    assert len(asked) > 20
    assert all(query.startswith("CYPHER replan=skip") for query in asked)
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as session:
        session.run("CALL db.prepareForReplanning(60)").consume()
        for query, told in asked.items():
            operators = set(_operators(session.run(query.replace("CYPHER", "EXPLAIN CYPHER"), told).consume().plan))
            reading = {name.removesuffix("(Locking)") for name in operators if "Seek" in name or "Scan" in name}
            assert reading <= {"NodeUniqueIndexSeek", "NodeIndexSeek"}, query


def test_every_search_goes_by_an_index(neo4j_uri: str) -> None:
    many = [dataset(f"{place:04} {'x' * 5_000 if place % 500 == 0 else ''}") for place in range(2_000)]
    with closing(Neo4jStore(Address(neo4j_uri), ledger="tests")) as store:
        store.apply(changes(many), 1)
        with store.reader() as reader:
            assert reader.search("1000 x", [Base.DATASET], 5) == many[1000:1001]
            assert reader.search("1001", [Base.DATASET], 5) == many[1001:1002]
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as session:
        session.run("CALL db.prepareForReplanning(60)").consume()
        for query in QUERIES:
            plan = session.run(f"EXPLAIN {query}", text="100", kinds=["DATASET"]).consume().plan
            reading = {name for name in _operators(plan) if "Seek" in name or "Scan" in name}
            assert reading <= {"NodeIndexContainsScan", "NodeIndexSeek"}, query


def _operators(plan: Any) -> Iterator[str]:
    yield plan["operatorType"].partition("@")[0]
    for child in plan.get("children", ()):
        yield from _operators(child)
