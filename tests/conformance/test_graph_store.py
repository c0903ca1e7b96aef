"""What every graph store does, sentence by sentence of ``lineage.store``."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

from lineage.keys import Base
from lineage.memory import canonical_lines
from lineage.model import (
    Binding,
    Changes,
    Edge,
    EdgeKind,
    Evidence,
    Gap,
    NameScope,
    Role,
    Transformation,
)
from lineage.store import Direction, GraphStore, Level
from tests.conformance.graphs import (
    changes,
    dataset,
    flow,
    job,
    reached,
    read_by,
    run,
    version,
    wrote,
)

DOWN, UP = Direction.DOWNSTREAM, Direction.UPSTREAM


def dump(store: GraphStore) -> list[bytes]:
    with store.reader() as reader:
        return list(reader.dump())


def test_new_store_is_empty_at_watermark_zero(store: GraphStore) -> None:
    assert store.watermark() == 0
    with store.reader() as reader:
        assert reader.ledger_size == 0
        assert set(reader.count().values()) == {0}
        assert len(reader.reach(Level.VERSION, [b"k" * 16], DOWN)) == 0
        assert list(reader.dump()) == []


def test_watermark_moves_with_each_list_even_an_empty_one(store: GraphStore) -> None:
    store.apply(changes([dataset("a")]), 7)
    store.apply(Changes(), 9)
    assert store.watermark() == 9


def test_fetch_answers_in_the_order_asked_with_none_for_the_unknown(store: GraphStore) -> None:
    a, b = dataset("a"), run("0f")
    store.apply(changes([a, b]), 1)
    with store.reader() as reader:
        assert reader.fetch([b.key, b"?" * 16, a.key, b.key]) == [b, None, a, b]
        assert reader.fetch([]) == []


def test_fetch_resolves_no_name(store: GraphStore) -> None:
    a = dataset("a")
    store.apply(changes([a], names=[(NameScope.KEY, (b"n" * 16).hex(), a.key)]), 1)
    with store.reader() as reader:
        assert reader.fetch([b"n" * 16]) == [None]


def test_upsert_replaces_and_none_deletes(store: GraphStore) -> None:
    store.apply(changes([version("v", at=1)]), 1)
    store.apply(changes([version("v", at=2)]), 2)
    key = version("v").key
    with store.reader() as reader:
        assert reader.fetch([key]) == [version("v", at=2)]
        assert reader.count()["VERSION"] == 1
    store.apply(Changes(nodes={key: None, b"?" * 16: None}), 3)
    with store.reader() as reader:
        assert reader.fetch([key]) == [None]
        assert reader.count()["VERSION"] == 0


def test_edges_and_names_stay_until_they_are_deleted_themselves(store: GraphStore) -> None:
    v, f = version("v"), flow("f")
    store.apply(changes([v, f], [read_by(v, f)], [(NameScope.DIGEST, "d", v.key)]), 1)
    store.apply(Changes(nodes={v.key: None}), 2)
    with store.reader() as reader:
        assert reader.neighbours([f.key], [EdgeKind.READ_BY], UP) == [read_by(v, f)]
        assert reader.lookup(NameScope.DIGEST, "d") == [v.key]
        assert reader.count()["READ_BY"] == 1
        assert reached(reader, Level.VERSION, [f], UP) == {}
    store.apply(Changes(edges={read_by(v, f).key: None}, names={(NameScope.DIGEST, "d", v.key): False}), 3)
    with store.reader() as reader:
        assert reader.neighbours([f.key], [EdgeKind.READ_BY], UP) == []
        assert reader.lookup(NameScope.DIGEST, "d") == []
        assert reader.count()["READ_BY"] == 0


def test_list_applied_again_changes_nothing(store: GraphStore) -> None:
    v, f = version("v"), flow("f")
    list_ = changes([v, f], [read_by(v, f)], [(NameScope.RUN_ID, "r", v.key)])
    list_.nodes[b"?" * 16] = None
    list_.edges[(EdgeKind.WROTE, v.key, f.key)] = None
    list_.names[(NameScope.RUN_ID, "q", v.key)] = False
    store.apply(list_, 1)
    once = dump(store)
    store.apply(list_, 1)
    assert dump(store) == once
    with store.reader() as reader:
        assert (reader.count()["VERSION"], reader.count()["READ_BY"]) == (1, 1)


def test_neighbours_come_once_ordered_by_kind_source_target(store: GraphStore) -> None:
    v, w, f = version("v"), version("w"), flow("f")
    edges = [read_by(v, f), read_by(w, f), wrote(f, v)]
    store.apply(changes([v, w, f], edges), 1)
    with store.reader() as reader:
        kinds = [EdgeKind.WROTE, EdgeKind.READ_BY]
        assert reader.neighbours([v.key, w.key, v.key], kinds, DOWN) == sorted(edges[:2], key=lambda edge: edge.key)
        assert reader.neighbours([f.key, v.key], kinds, UP) == sorted(edges, key=lambda edge: edge.key)
        assert reader.neighbours([f.key], [EdgeKind.WROTE], DOWN) == [wrote(f, v)]
        assert reader.neighbours([], kinds, DOWN) == reader.neighbours([v.key], [], DOWN) == []


def test_edge_keeps_all_it_says(store: GraphStore) -> None:
    edge = Edge(
        EdgeKind.READ_BY,
        version("v").key,
        flow("f").key,
        evidence=Evidence.COLUMN,
        certain=False,
        stale=True,
        undivided=True,
        binding=Binding.AS_FOUND,
        role=Role.UPSTREAM,
        at=-1,
        transformations=(Transformation("DIRECT", masking=False),),
        gaps=(Gap("CLOSE", "two writes"),),
    )
    plain = read_by(version("w"), flow("f"))
    store.apply(changes(edges=[edge, plain]), 1)
    with store.reader() as reader:
        found = reader.neighbours([flow("f").key], [EdgeKind.READ_BY], UP)
    assert found == sorted([edge, plain], key=lambda edge: edge.key)


def test_count_names_every_kind(store: GraphStore) -> None:
    store.apply(changes([dataset("a"), dataset("b"), job("j")], [Edge(EdgeKind.HAS_RUN, b"a" * 16, b"b" * 16)]), 1)
    with store.reader() as reader:
        counts = reader.count()
    assert set(counts) == {kind.value for kind in (*Base, *EdgeKind)}
    assert {kind: number for kind, number in counts.items() if number} == {"DATASET": 2, "JOB": 1, "HAS_RUN": 1}


def test_dump_is_canonical_and_exact(store: GraphStore) -> None:
    facets = {"z": [2**80, -1, 1.0, 0.1, -0.0, 1e300], "a": {"y": None, "x": True}}
    node = type(dataset("a"))(dataset("a").key, "db", "a", facets=facets)
    reordered = type(node)(node.key, "db", "a", facets=dict(reversed(facets.items())))
    edge, name = Edge(EdgeKind.FEEDS, node.key, b"t" * 16, at=0), (NameScope.COMMIT, "c\n", node.key)
    store.apply(changes([reordered], [edge], [name]), 1)
    lines = dump(store)
    assert lines == list(canonical_lines([node], [edge], [name]))
    assert [next(iter({"node", "edge", "name"} & set(json.loads(line)) - {"name"}), "name") for line in lines] == [
        "node",
        "edge",
        "name",
    ]
    assert json.loads(lines[0])["facets"] == facets
    assert b"1208925819614629174706176,-1,1.0,0.1,-0.0,1e+300" in lines[0]


def test_clear_removes_everything(store: GraphStore) -> None:
    v, f = version("v"), flow("f")
    list_ = changes([v, f, dataset("d")], [read_by(v, f)], [(NameScope.DIGEST, "d", v.key)])
    store.apply(list_, 5)
    whole = dump(store)
    store.clear()
    assert store.watermark() == 0
    assert dump(store) == []
    with store.reader() as reader:
        assert set(reader.count().values()) == {0}
        assert reader.search("d", list(Base), 9) == []
    store.apply(list_, 5)
    assert dump(store) == whole


def test_reader_sees_one_state_while_lists_are_applied(store: GraphStore) -> None:
    v, f = version("v"), flow("f")
    store.apply(changes([v, f], [read_by(v, f)]), 1)
    withdrawn = Changes(nodes={f.key: None}, edges={read_by(v, f).key: None})
    applying = threading.Thread(target=store.apply, args=(withdrawn, 2))
    with store.reader() as before:
        applying.start()
        applying.join(0.5)  # A store may let it wait for views.
        assert before.ledger_size == 1
        assert before.fetch([f.key]) == [f]
        assert reached(before, Level.VERSION, [v]) == {f.key: 1}
    applying.join()
    with store.reader() as after:
        assert after.ledger_size == 2
        assert after.fetch([f.key]) == [None]
    assert store.watermark() == 2


def test_readers_in_threads_never_see_half_a_list(store: GraphStore) -> None:
    sizes = 60
    stop = threading.Event()

    def look() -> list[tuple[int, int, int]]:
        seen = []
        while not stop.is_set():
            with store.reader() as reader:
                count = reader.count()
                seen.append((reader.ledger_size, count["VERSION"], count["READ_BY"]))
        return seen

    with ThreadPoolExecutor() as pool:
        looking = [pool.submit(look) for _ in range(2)]
        try:
            for i in range(sizes):
                v, f = version(f"v{i}"), flow(f"f{i}")
                store.apply(changes([v, f], [read_by(v, f)]), i + 1)
        finally:
            stop.set()
        for future in looking:
            seen = future.result()
            assert seen
            assert all(size == versions == reads for size, versions, reads in seen)
    assert store.watermark() == sizes
