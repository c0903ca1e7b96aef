"""What ``reach`` finds, how far it is, and where it stops."""

from __future__ import annotations

import time

import pytest

from lineage.keys import Base
from lineage.model import (
    Edge,
    EdgeKind,
    Evidence,
)
from lineage.store import Direction, EdgeFilter, GraphStore, Level, Limits
from tests.conformance.graphs import (
    changes,
    column,
    dataset,
    feeds,
    flow,
    ladder,
    reached,
    read_by,
    version,
    wrote,
)

DOWN, UP = Direction.DOWNSTREAM, Direction.UPSTREAM


def test_distance_counts_flows(store: GraphStore) -> None:
    v, f, w, g, x = version("v"), flow("f"), version("w"), flow("g"), version("x")
    store.apply(changes([v, f, w, g, x], [read_by(v, f), wrote(f, w), read_by(w, g), wrote(g, x)]), 1)
    with store.reader() as reader:
        assert reached(reader, Level.VERSION, [v]) == {f.key: 1, w.key: 1, g.key: 2, x.key: 2}
        assert reached(reader, Level.VERSION, [f]) == {w.key: 1, g.key: 2, x.key: 2}
        assert reached(reader, Level.VERSION, [x], UP) == {g.key: 1, w.key: 1, f.key: 2, v.key: 2}
        assert reached(reader, Level.VERSION, [g, v], UP) == {w.key: 1, f.key: 2}
        assert reached(reader, Level.LOGICAL, [v]) == {}
        hit = reader.reach(Level.VERSION, [v.key], DOWN).hits[0]
        assert hit.base in {Base.FLOW, Base.VERSION}


def test_columns_count_each_hop(store: GraphStore) -> None:
    a, b, c = column("a"), column("b"), column("c")
    store.apply(changes([a, b, c], [feeds(a, b), feeds(b, c)]), 1)
    with store.reader() as reader:
        assert reached(reader, Level.LOGICAL, [a]) == {b.key: 1, c.key: 2}
        assert reached(reader, Level.LOGICAL, [c], UP) == {b.key: 1, a.key: 2}


def test_levels_do_not_mix(store: GraphStore) -> None:
    d, f, e, v = dataset("d"), flow("f"), dataset("e"), version("v")
    edges = [feeds(d, f), feeds(f, e), wrote(f, v), Edge(EdgeKind.HAS_VERSION, d.key, v.key)]
    store.apply(changes([d, f, e, v], edges), 1)
    with store.reader() as reader:
        assert reached(reader, Level.LOGICAL, [d]) == {f.key: 1, e.key: 1}
        assert reached(reader, Level.VERSION, [f]) == {v.key: 1}
        assert reached(reader, Level.VERSION, [d]) == {}


def test_shorter_of_two_paths_counts(store: GraphStore) -> None:
    v, w, x, f, g, h = version("v"), version("w"), version("x"), flow("f"), flow("g"), flow("h")
    edges = [read_by(v, f), wrote(f, w), read_by(w, g), wrote(g, x), read_by(v, h), wrote(h, x)]
    store.apply(changes([v, w, x, f, g, h], edges), 1)
    with store.reader() as reader:
        assert reached(reader, Level.VERSION, [v])[x.key] == 1


def test_cycle_ends_and_seed_is_no_hit(store: GraphStore) -> None:
    d, f, e, g = dataset("d"), flow("f"), dataset("e"), flow("g")
    store.apply(changes([d, f, e, g], [feeds(d, f), feeds(f, e), feeds(e, g), feeds(g, d)]), 1)
    with store.reader() as reader:
        assert reached(reader, Level.LOGICAL, [d]) == {f.key: 1, e.key: 1, g.key: 2}
        assert reached(reader, Level.LOGICAL, [d, e]) == {f.key: 1, g.key: 1}


def test_diamonds_cost_nothing(store: GraphStore) -> None:
    versions = ladder(store, 200)
    with store.reader() as reader:
        found = reached(reader, Level.VERSION, versions[:1])
    assert len(found) == 600
    assert found[versions[-1].key] == 200


def test_edge_filter_is_respected(store: GraphStore) -> None:
    v, f, g, h = version("v"), flow("f"), flow("g"), flow("h")
    edges = [
        Edge(EdgeKind.READ_BY, v.key, f.key),
        Edge(EdgeKind.READ_BY, v.key, g.key, evidence=Evidence.COLUMN),
        Edge(EdgeKind.READ_BY, v.key, h.key, evidence=Evidence.INFERRED, certain=False),
    ]
    store.apply(changes([v, f, g, h], edges), 1)
    cases = {
        EdgeFilter(): {f.key, g.key, h.key},
        EdgeFilter(certain_only=True): {f.key, g.key},
        EdgeFilter(Evidence.COLUMN): {f.key, g.key},
        EdgeFilter(Evidence.DECLARED): {f.key},
    }
    with store.reader() as reader:
        for edge_filter, expected in cases.items():
            assert {hit.key for hit in reader.reach(Level.VERSION, [v.key], DOWN, edge_filter).hits} == expected
            for key in (f.key, g.key, h.key):
                back = reader.reach(Level.VERSION, [key], UP, edge_filter).hits
                assert [hit.key for hit in back] == ([v.key] if key in expected else [])


def test_missing_seeds_and_missing_targets_lead_nowhere(store: GraphStore) -> None:
    v, f, w = version("v"), flow("f"), version("w")
    store.apply(changes([v, w], [read_by(v, f), wrote(f, w)]), 1)
    with store.reader() as reader:
        assert reached(reader, Level.VERSION, [v]) == {}
        assert reached(reader, Level.VERSION, [f, dataset("x")]) == {}
        assert reader.reach(Level.VERSION, [], DOWN).hits == ()


@pytest.mark.parametrize("nodes", [0, 1, 5, 599, 600, 10_000])
def test_node_limit_gives_the_nearest_and_says_so(store: GraphStore, nodes: int) -> None:
    versions = ladder(store, 200)
    with store.reader() as reader:
        whole = reached(reader, Level.VERSION, versions[:1])
        cut = reader.reach(Level.VERSION, [versions[0].key], DOWN, limits=Limits(nodes=nodes))
    assert cut.cut == ("NODES" if nodes < len(whole) else None)
    assert len(cut.hits) == min(nodes, len(whole))
    assert all(whole[hit.key] == hit.distance for hit in cut.hits)
    farthest = max((hit.distance for hit in cut.hits), default=0)
    assert {key for key, distance in whole.items() if distance < farthest} <= {hit.key for hit in cut.hits}


def test_limit_stops_within_one_wide_level(store: GraphStore) -> None:
    v, flows = version("v"), [flow(f"f{i}") for i in range(5000)]
    store.apply(changes([v, *flows], [read_by(v, f) for f in flows]), 1)
    with store.reader() as reader:
        cut = reader.reach(Level.VERSION, [v.key], DOWN, limits=Limits(nodes=100))
        assert (len(cut.hits), cut.cut) == (100, "NODES")
        assert {hit.distance for hit in cut.hits} == {1}


def test_passed_deadline_cuts(store: GraphStore) -> None:
    versions = ladder(store, 3)
    with store.reader() as reader:
        cut = reader.reach(Level.VERSION, [versions[0].key], DOWN, limits=Limits(deadline=time.monotonic() - 1))
        whole = reader.reach(Level.VERSION, [versions[0].key], DOWN, limits=Limits(deadline=time.monotonic() + 60))
    assert (cut.hits, cut.cut) == ((), "TIME")
    assert (len(whole.hits), whole.cut) == (9, None)
