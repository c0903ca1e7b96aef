"""What names and search find, whatever the text looks like."""

from __future__ import annotations

import pytest

from lineage.keys import Base, dataset_key
from lineage.memory import canonical_lines
from lineage.model import (
    Changes,
    Dataset,
    Name,
    NameScope,
)
from lineage.store import GraphStore
from tests.conformance.graphs import (
    HOSTILE,
    changes,
    column,
    dataset,
    job,
    run,
    version,
)


def test_name_finds_all_its_nodes_ascending(store: GraphStore) -> None:
    a, b = version("a"), version("b")
    store.apply(changes([a, b], names=[(NameScope.DIGEST, "d", a.key), (NameScope.DIGEST, "d", b.key)]), 1)
    with store.reader() as reader:
        assert reader.lookup(NameScope.DIGEST, "d") == sorted([a.key, b.key])
        assert reader.lookup(NameScope.COMMIT, "d") == []
        assert reader.lookup(NameScope.DIGEST, "D") == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_only_text(store: GraphStore, text: str) -> None:
    nodes = [dataset(text, text), column(text), job(text, text), run(text)]
    names = [(scope, value, nodes[0].key) for scope in NameScope for value in (text, text + "x")]
    store.apply(changes(nodes, names=names), 1)
    with store.reader() as reader:
        assert reader.fetch([node.key for node in nodes]) == nodes
        assert reader.lookup(NameScope.KEY, text) == [nodes[0].key]
        assert reader.lookup(NameScope.KEY, text + "y") == []
        found = reader.search(text, [Base.DATASET, Base.COLUMN, Base.JOB], 10)
        assert {node.key for node in found} == {node.key for node in nodes[:3]}
        assert list(reader.dump()) == list(canonical_lines(nodes, [], names))


def test_search_folds_case_and_knows_no_wildcards(store: GraphStore) -> None:
    nodes = [dataset("100%_done"), dataset("ORDERS"), dataset("straße"), dataset("100 done")]
    store.apply(changes(nodes), 1)
    with store.reader() as reader:
        for text, expected in {"0%": 0, "oRd": 1, "STRASSE": 2, "%": 0, "_": 0, "o%s": None}.items():
            assert reader.search(text, [Base.DATASET], 9) == ([] if expected is None else [nodes[expected]])


def test_search_has_the_whole_name_first_then_parts_of_names_then_namespaces_alone(store: GraphStore) -> None:
    inside, whole = dataset("lab_orders"), dataset("orders", "warehouse")
    aliased = Dataset(dataset_key("s3", "a/long/path"), "s3", "a/long/path", aliases=(Name("hive", "ORDERS"),))
    alone = dataset("t", "orders")
    nodes = [alone, inside, whole, aliased, job("k", "orders")]
    store.apply(changes(nodes), 1)
    with store.reader() as reader:
        expected = [aliased, whole, inside, nodes[4], alone]
        assert reader.search("orders", [Base.DATASET, Base.JOB], 9) == expected
        for limit in range(1, 5):
            assert reader.search("Orders", [Base.DATASET, Base.JOB], limit) == expected[:limit]


def test_search_knows_a_whole_name_whatever_folding_makes_of_its_length(store: GraphStore) -> None:
    nodes = [dataset(name) for name in ("\u0390", "a\0b", "assb", "a\u00dfb", "xassb", "\u0390\u0390")]
    store.apply(changes(nodes), 1)
    with store.reader() as reader:
        assert reader.search("\u0390", [Base.DATASET], 1) == [nodes[0]]
        assert reader.search("A\0B", [Base.DATASET], 1) == [nodes[1]]
        assert reader.search("ASSB", [Base.DATASET], 9) == [nodes[3], nodes[2], nodes[4]]


def test_search_orders_by_length_then_name_namespace_key(store: GraphStore) -> None:
    nodes = [dataset("ab", "y"), dataset("ab", "x"), job("ab", "x"), dataset("aa", "z"), dataset("abc"), column("a")]
    store.apply(changes(nodes), 1)
    same = sorted([nodes[1], nodes[2]], key=lambda node: node.key)
    expected = [nodes[5], nodes[3], *same, nodes[0], nodes[4]]
    with store.reader() as reader:
        bases = [Base.COLUMN, Base.DATASET, Base.JOB]
        assert reader.search("a", bases, 10) == expected
        assert reader.search("A", bases, 3) == expected[:3]
        assert reader.search("a", bases, 0) == reader.search("a", [], 9) == []


def test_search_finds_namespaces_but_columns_only_by_their_own_name(store: GraphStore) -> None:
    d, j, c = dataset("t", "warehouse"), job("k", "warehouse"), column("total", "orders", "warehouse")
    store.apply(changes([d, j, c, run("warehouse")]), 1)
    with store.reader() as reader:
        assert reader.search("house", list(Base), 9) == sorted([d, j], key=lambda node: node.name)
        assert reader.search("tot", list(Base), 9) == [c]
        assert reader.search("orders", list(Base), 9) == []


def test_search_follows_renames_and_deletes(store: GraphStore) -> None:
    old = dataset("old")
    new = type(old)(old.key, "db", "new")
    store.apply(changes([old]), 1)
    store.apply(changes([new]), 2)
    with store.reader() as reader:
        assert reader.search("old", [Base.DATASET], 9) == []
        assert reader.search("new", [Base.DATASET], 9) == [new]
    store.apply(Changes(nodes={old.key: None}), 3)
    with store.reader() as reader:
        assert reader.search("new", [Base.DATASET], 9) == []
