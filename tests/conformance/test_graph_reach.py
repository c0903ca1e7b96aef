"""What ``reach`` finds, how far it is, and where it stops."""

from __future__ import annotations

import time

import msgspec
import pytest

from lineage.key_array import pack, unpack
from lineage.kind import KIND_CODES, KINDS, Kind
from lineage.model import (
    Changes,
    Dataset,
    Edge,
    EdgeKind,
    Evidence,
    Flow,
    Job,
    Name,
    Run,
    RunType,
)
from lineage.store import Direction, EdgeFilter, GraphStore, Level, Limits
from tests.conformance.graphs import (
    changes,
    column,
    dataset,
    distances,
    feeds,
    flow,
    job,
    ladder,
    reached,
    read_by,
    rows,
    run,
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
            assert set(unpack(reader.reach(Level.VERSION, [v.key], DOWN, edge_filter).keys)) == expected
            for key in (f.key, g.key, h.key):
                back = reader.reach(Level.VERSION, [key], UP, edge_filter).keys
                assert unpack(back) == ([v.key] if key in expected else [])


def test_missing_seeds_and_missing_targets_lead_nowhere(store: GraphStore) -> None:
    v, f, w = version("v"), flow("f"), version("w")
    store.apply(changes([v, w], [read_by(v, f), wrote(f, w)]), 1)
    with store.reader() as reader:
        assert reached(reader, Level.VERSION, [v]) == {}
        assert reached(reader, Level.VERSION, [f, dataset("x")]) == {}
        assert len(reader.reach(Level.VERSION, [], DOWN)) == 0


def test_many_seeds_may_be_columns_and_others_and_not_be_there(store: GraphStore) -> None:
    a, b, c, d = (column(name) for name in "abcd")
    one, two, other, wired = dataset("one"), dataset("two"), dataset("other"), flow("wired")
    columns, datasets = [feeds(a, c), feeds(b, c), feeds(c, d)], [feeds(one, wired), feeds(two, wired)]
    store.apply(changes([a, b, c, d, one, two, other, wired], [*columns, *datasets, feeds(wired, other)]), 1)
    of_columns, of_datasets = {c.key: 1, d.key: 2}, {wired.key: 1, other.key: 1}
    missing = [dataset("x"), column("y")]
    cases = {
        "columns": ([a, b], of_columns),
        "columns and what is missing": ([a, b, *missing], of_columns),
        "datasets": ([one, two], of_datasets),
        "datasets and what is missing": ([one, two, *missing], of_datasets),
        "both": ([a, one], of_columns | of_datasets),
        "both and what is missing": ([a, b, one, two, *missing], of_columns | of_datasets),
        "a flow too": ([wired, a, b], of_columns | {other.key: 1}),
        "nothing": (missing, {}),
    }
    with store.reader() as reader:
        for case, (seeds, expected) in cases.items():
            assert reached(reader, Level.LOGICAL, seeds) == expected, case
        assert reached(reader, Level.LOGICAL, [d, other], UP) == {
            **{c.key: 1, a.key: 2, b.key: 2},
            **{wired.key: 1, one.key: 1, two.key: 1},
        }


@pytest.mark.parametrize("nodes", [0, 1, 5, 599, 600, 10_000])
def test_node_limit_gives_the_nearest_and_says_so(store: GraphStore, nodes: int) -> None:
    versions = ladder(store, 200)
    with store.reader() as reader:
        whole = reached(reader, Level.VERSION, versions[:1])
        cut = reader.reach(Level.VERSION, [versions[0].key], DOWN, limits=Limits(nodes=nodes))
    assert cut.cut == ("NODES" if nodes < len(whole) else None)
    found = distances(cut)
    assert len(found) == min(nodes, len(whole))
    assert found.items() <= whole.items()
    farthest = max(found.values(), default=0)
    assert {key for key, distance in whole.items() if distance < farthest} <= set(found)


def test_limit_stops_within_one_wide_level(store: GraphStore) -> None:
    v, flows = version("v"), [flow(f"f{i}") for i in range(5000)]
    store.apply(changes([v, *flows], [read_by(v, f) for f in flows]), 1)
    with store.reader() as reader:
        cut = reader.reach(Level.VERSION, [v.key], DOWN, limits=Limits(nodes=100))
        assert (len(cut), cut.cut) == (100, "NODES")
        assert set(distances(cut).values()) == {1}


def test_passed_deadline_cuts(store: GraphStore) -> None:
    versions = ladder(store, 3)
    with store.reader() as reader:
        cut = reader.reach(Level.VERSION, [versions[0].key], DOWN, limits=Limits(deadline=time.monotonic() - 1))
        whole = reader.reach(Level.VERSION, [versions[0].key], DOWN, limits=Limits(deadline=time.monotonic() + 60))
    assert (len(cut), cut.cut) == (0, "TIME")
    assert (len(whole), whole.cut) == (9, None)


def test_answers_name_the_owner_of_a_flow_and_its_kind(store: GraphStore) -> None:
    rollout, absent = Run(run("r").key, "r", Name("airflow", "etl"), RunType.SERVICE), b"a" * 16
    flows = [Flow(flow(name).key, owner, None) for name, owner in (("f", rollout.key), ("g", absent), ("h", None))]
    v, w = version("v"), version("w")
    edges = [read_by(v, f) for f in flows] + [wrote(f, w) for f in flows]
    store.apply(changes([v, w, rollout, *flows], edges), 1)
    with store.reader() as reader:
        found = {row[0]: row[1:3] for row in rows(reader.reach(Level.VERSION, [v.key], DOWN))}
    none = KIND_CODES[None]
    assert found == {
        w.key: (w.key, KIND_CODES[Kind.VERSION]),
        flows[0].key: (rollout.key, KIND_CODES[Kind.ROLLOUT]),
        flows[1].key: (absent, none),
        flows[2].key: (bytes(16), none),
    }


def test_models_and_deployments_are_told_apart(store: GraphStore) -> None:
    model = Dataset(dataset("m").key, "db", "m", is_model=True)
    serving = Job(job("s").key, "airflow", "s", is_deployment=True)
    f = Flow(flow("f").key, serving.key, None)
    store.apply(changes([model, serving, f, dataset("log")], [feeds(model, f), feeds(f, dataset("log"))]), 1)
    with store.reader() as reader:
        down = {row[1]: KINDS[row[2]] for row in rows(reader.reach(Level.LOGICAL, [model.key], DOWN))}
        up = {row[1]: KINDS[row[2]] for row in rows(reader.reach(Level.LOGICAL, [dataset("log").key], UP))}
    assert down == {serving.key: Kind.DEPLOYMENT, dataset("log").key: Kind.DATASET}
    assert up == {serving.key: Kind.DEPLOYMENT, model.key: Kind.MODEL}


def test_strength_is_that_of_the_best_path_for_each_measure(store: GraphStore) -> None:
    """a leads to e by way of b (inferred), of c (declared, uncertain) and of d (by columns, stale)."""
    a, b, c, d, e = map(dataset, "abcde")
    flows = {name: flow(name) for name in ("ab", "ac", "ad", "be", "ce", "de")}
    edges = []
    for name, told in {"b": {"evidence": Evidence.INFERRED}, "c": {"certain": False}, "d": {"stale": True}}.items():
        middle = dataset(name)
        into, out = flows["a" + name], flows[name + "e"]
        edges += [Edge(EdgeKind.FEEDS, a.key, into.key, **told), feeds(into, middle)]
        edges += [feeds(middle, out), feeds(out, e)]
    store.apply(changes([a, b, c, d, e, *flows.values()], edges), 1)
    with store.reader() as reader:
        found = {row[0]: row[4:] for row in rows(reader.reach(Level.LOGICAL, [a.key], DOWN))}
    assert [found[thing.key] for thing in (b, c, d, e)] == [
        (2, True, False),
        (0, False, False),
        (0, True, True),
        (0, True, False),
    ]


def test_as_of_follows_what_was_there_at_that_moment(store: GraphStore) -> None:
    d, f, e = dataset("d"), flow("f"), dataset("e")
    edges = [Edge(EdgeKind.FEEDS, d.key, f.key, at=10, until=20), Edge(EdgeKind.FEEDS, f.key, e.key, at=12)]
    store.apply(changes([d, f, e], edges), 1)
    expected = {None: 0, 9: 0, 10: 1, 11: 1, 12: 2, 19: 2, 20: 0, 2**63 - 1: 0, -(2**63): 0}
    with store.reader() as reader:
        for as_of, hits in expected.items():
            assert len(reader.reach(Level.LOGICAL, [d.key], DOWN, EdgeFilter(as_of=as_of))) == hits


def test_latest_is_the_certain_version_written_last(store: GraphStore) -> None:
    d, v, w, x = dataset("orders"), version("v", 1), version("w", 2), version("x", 3)
    twin = version("y", 2)
    failed = msgspec.structs.replace(x, certain=False)
    has = [Edge(EdgeKind.HAS_VERSION, d.key, node.key) for node in (v, w, x, twin)]
    store.apply(changes([d, v, w, failed, twin], has), 1)
    last = max(w.key, twin.key)
    keys = [v.key, w.key, x.key, twin.key, d.key, b"?" * 16, v.key]
    with store.reader() as reader:
        assert reader.are_latest(pack(keys)).tolist() == [key == last for key in keys]
        assert reader.are_latest(pack(keys), 1).tolist() == [key == v.key for key in keys]
        assert not reader.are_latest(pack(keys), 0).any()
        assert reader.are_latest(pack([])).tolist() == []
    store.apply(Changes(edges={has[3].key: None, has[1].key: None}), 2)
    with store.reader() as reader:
        assert reader.are_latest(pack(keys)).tolist() == [key == v.key for key in keys]
