"""Traversals that leave out what is stale (R9), in every store."""

from __future__ import annotations

from itertools import product

import pytest

from lineage.model import Edge, EdgeKind, Evidence, Node
from lineage.store import Direction, EdgeFilter, GraphStore, Level
from tests.conformance.graphs import changes, dataset, distances, flow, slow_reach


def graph() -> tuple[list[Node], list[Edge]]:
    """a → f → b → g → c: fresh, and by way of h from a to c: stale; i and j to d: stale, and uncertain besides."""
    nodes: list[Node] = [*map(dataset, "abcd"), *map(flow, "fghij")]
    keys = {node.name if hasattr(node, "name") else node.output.name: node.key for node in nodes}  # type: ignore[union-attr]
    told = {"af": "", "fb": "", "bg": "", "gc": "", "ah": "s", "hc": "s", "ai": "su", "id": "s", "bj": "u", "jd": "s"}
    edges = [
        Edge(
            EdgeKind.FEEDS, keys[pair[0]], keys[pair[1]], Evidence.COLUMN, certain="u" not in marks, stale="s" in marks
        )
        for pair, marks in told.items()
    ]
    return nodes, edges


@pytest.mark.parametrize(("start", "direction"), list(product("abcd", Direction)))
def test_stale_edges_are_left_out_where_they_do_not_count(store: GraphStore, start: str, direction: Direction) -> None:
    nodes, edges = graph()
    store.apply(changes(nodes, edges), 1)
    by_key, seed = {node.key: node for node in nodes}, dataset(start).key
    for evidence, certain_only, fresh_only in product(Evidence, (False, True), (False, True)):
        narrow = EdgeFilter(evidence, certain_only, fresh_only)
        expected = slow_reach(by_key, edges, Level.LOGICAL, [seed], direction, narrow)
        with store.reader() as reader:
            reach = reader.reach(Level.LOGICAL, [seed], direction, narrow)
        assert distances(reach) == expected, narrow


def test_fresh_paths_may_be_longer_than_stale_ones(store: GraphStore) -> None:
    nodes, edges = graph()
    store.apply(changes(nodes, edges), 1)
    found = {}
    for fresh_only in (False, True):
        with store.reader() as reader:
            reach = reader.reach(
                Level.LOGICAL, [dataset("a").key], Direction.DOWNSTREAM, EdgeFilter(fresh_only=fresh_only)
            )
        found[fresh_only] = distances(reach)
    c, d = dataset("c").key, dataset("d").key
    assert (found[False][c], found[True][c]) == (1, 2)
    assert (d in found[False], d in found[True]) == (True, False)
