"""Search by alias in every store: each dataset once, ranked by the shortest of its names that matches."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.keys import Base, dataset_key
from lineage.model import Changes, Dataset, Name
from lineage.store import GraphStore
from tests.conformance.graphs import changes, dataset, job, texts

_BASES = [Base.DATASET, Base.JOB]


def aliased(name: str, *aliases: tuple[str, str], namespace: str = "s3") -> Dataset:
    return Dataset(dataset_key(namespace, name), namespace, name, aliases=tuple(Name(*alias) for alias in aliases))


def found(store: GraphStore, text: str, limit: int = 10) -> list[str]:
    with store.reader() as reader:
        return [node.name for node in reader.search(text, _BASES, limit)]  # type: ignore[union-attr]


def test_a_dataset_is_found_by_each_of_its_names_once(store: GraphStore) -> None:
    node = aliased("lake/t1", ("hive", "Sales.Orders"), ("hive", "sales.orders_v2"), ("GLUE", "x"))
    store.apply(changes([node, dataset("other")]), 1)
    for text in ("lake", "sales.orders", "glue", "s3", "_v2", "e"):
        assert found(store, text).count("lake/t1") == 1, text
    assert found(store, "hive/sales") == found(store, "orders_v3") == []


def test_search_ranks_by_the_shortest_name_that_matches(store: GraphStore) -> None:
    nodes = [
        aliased("a/long/path/to/orders", ("hive", "orders")),
        aliased("orders_2", ("hive", "o")),
        job("orders_job"),
        aliased("path", ("b", "my_orders")),
        aliased("puth", ("a", "my_orders")),
    ]
    store.apply(changes(nodes), 1)
    ranked = ["a/long/path/to/orders", "orders_2", "puth", "path", "orders_job"]
    assert found(store, "orders") == ranked
    for limit in range(6):
        assert found(store, "orders", limit) == ranked[:limit]
    assert found(store, "path")[0] == "path"


def test_search_follows_aliases_that_are_withdrawn(store: GraphStore) -> None:
    store.apply(changes([aliased("d", ("x", "one"), ("x", "two"), ("x", "three"))]), 1)
    store.apply(changes([aliased("d", ("x", "three"))]), 2)
    assert [found(store, text) for text in ("one", "two", "three")] == [[], [], ["d"]]
    store.apply(changes([aliased("d")]), 3)
    assert (found(store, "three"), found(store, "d")) == ([], ["d"])
    store.apply(Changes(nodes={dataset_key("s3", "d"): None}), 4)
    assert found(store, "d") == []


_names = st.tuples(st.sampled_from(["n", "N", "m"]), texts.filter(lambda text: len(text) < 50))
_states = st.lists(
    st.dictionaries(st.integers(0, 3), st.none() | st.lists(_names, min_size=1, max_size=4), max_size=4), max_size=3
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(states=_states, text=texts, limit=st.integers(1, 6))
def test_search_is_what_its_definition_says(
    store: GraphStore, states: list[dict[int, list[tuple[str, str]] | None]], text: str, limit: int
) -> None:
    store.clear()
    held: dict[int, list[tuple[str, str]]] = {}
    for size, state in enumerate(states, start=1):
        nodes: dict[bytes, Dataset | None] = {}
        for number, names in state.items():
            key = dataset_key("key", str(number))
            nodes[key] = None if names is None else Dataset(key, *names[0], aliases=tuple(map(Name._make, names[1:])))
            held[number] = names or []
        store.apply(Changes(nodes=dict(nodes)), size)
    wanted = text.casefold()
    ranks = [
        (*min((len(name), name, namespace) for namespace, name in matching), dataset_key("key", str(number)))
        for number, names in held.items()
        if (matching := [each for each in names if any(wanted in part.casefold() for part in each)])
    ]
    with store.reader() as reader:
        nodes_found = reader.search(text, _BASES, limit)
    assert [node.key for node in nodes_found] == [rank[-1] for rank in sorted(ranks)[:limit]]
