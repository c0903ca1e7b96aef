"""Search: names in part, aliases among them, and what is named exactly."""

from __future__ import annotations

from typing import Any

from lineage.answer import Cut, Kind
from lineage.model import Name
from lineage.questions.narrowing import Only
from lineage.questions.search import search

TABLE = Name("hive://metastore", "sales.orders")


def found(world: Any, text: str, *kinds: Kind, limit: int = 20) -> list[tuple[str, Name | None]]:
    answer = search(world.view(), text, Only(kinds), limit)
    assert answer.by_alias.keys() <= {hit.key for hit in answer.hits}
    return [(hit.name, answer.by_alias.get(hit.key)) for hit in answer.hits]  # type: ignore[union-attr]


def test_a_dataset_is_found_by_an_alias_under_its_public_name(world: Any) -> None:
    world.dataset("warehouse/orders/", aliases=(TABLE,))
    assert found(world, "SALES.ord") == [("warehouse/orders/", TABLE)]
    assert found(world, "metastore") == [("warehouse/orders/", TABLE)]
    assert found(world, "sales.order_items") == []


def test_a_dataset_that_several_names_match_is_found_once_and_by_its_own_name(world: Any) -> None:
    world.dataset("warehouse/orders", aliases=(TABLE, Name("hive://other", "orders")))
    assert found(world, "orders") == [("warehouse/orders", None)]


def test_of_several_aliases_the_shortest_that_matches_is_said(world: Any) -> None:
    world.dataset("path", aliases=(Name("n", "sales.orders"), Name("n", "orders"), Name("m", "orders")))
    assert found(world, "orders") == [("path", Name("m", "orders"))]


def test_the_shortest_matching_name_comes_first_alias_or_not(world: Any) -> None:
    world.dataset("s3/a/very/long/path", aliases=(Name("hive", "orders"),))
    world.dataset("orders_by_day")
    world.dataset("an_order", aliases=(Name("x", "q"),))
    ranked = ["s3/a/very/long/path", "an_order", "orders_by_day"]
    assert [name for name, _ in found(world, "order")] == ranked
    assert [name for name, _ in found(world, "order", limit=1)] == ranked[:1]


def test_aliases_are_found_among_the_kinds_asked_for(world: Any) -> None:
    world.model("bucket/churn", aliases=(Name("mlflow", "champion"),))
    world.dataset("d", aliases=(Name("x", "champion_inputs"),))
    world.job("champion_builder")
    assert found(world, "champion", Kind.MODEL) == [("bucket/churn", Name("mlflow", "champion"))]
    assert {name for name, _ in found(world, "champion", Kind.DATASET, Kind.JOB)} == {"d", "champion_builder"}


def test_what_is_named_exactly_comes_first_and_by_no_alias(world: Any) -> None:
    raw = world.dataset("raw", aliases=(Name("x", "abc"),))
    world.version(raw, 10, digest="abc")
    answer = search(world.view(), "abc")
    assert [type(hit).__name__ for hit in answer.hits] == ["Version", "Dataset"]
    assert answer.by_alias == {raw: Name("x", "abc")}


def test_a_content_hash_is_found_in_any_case_with_its_algorithm_or_without(world: Any) -> None:
    raw = world.dataset("raw")
    world.version(raw, 10, digest="abc")
    for text in ("abc", "ABC", "sha256:abc", "SHA256:ABC"):
        assert [type(hit).__name__ for hit in search(world.view(), text).hits] == ["Version"], text


def test_an_answer_that_has_no_room_for_all_that_match_says_so(world: Any) -> None:
    world.version(world.dataset("abc"), 10, digest="abc")
    world.dataset("abcd")
    world.job("abcde")
    for limit in (1, 2, 3):
        answer = search(world.view(), "abc", limit=limit)
        assert (answer.complete, answer.cut, len(answer.hits)) == (False, Cut("NODES", limit, 0), limit)
    whole = search(world.view(), "abc", limit=4)
    assert (whole.complete, whole.cut, len(whole.hits)) == (True, None, 4)
    assert search(world.view(), "abc", Only((Kind.JOB,)), limit=1).complete


def test_whose_name_it_is_comes_before_whose_name_or_namespace_holds_it(world: Any) -> None:
    world.dataset("lab_b")
    world.dataset("b")
    assert [name for name, _ in found(world, "b")][:2] == ["b", "lab_b"]
    assert [name for name, _ in found(world, "lab")][:1] == ["lab_b"]


def test_an_alias_is_said_by_its_name_before_one_of_a_shorter_name_whose_namespace_matches(world: Any) -> None:
    world.dataset("path", aliases=(Name("orders", "q"), Name("n", "old_orders")))
    assert found(world, "orders") == [("path", Name("n", "old_orders"))]
