"""R2: symlinks."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import copied, dataset_event, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_an_identifier_leads_to_the_dataset_that_carries_it(fold: Fold) -> None:
    """R2: a symlink maps its identifier to the dataset that carries it: what one name wrote the other reads."""
    path = run("r1").writes("s3|path", symlinks=["table"]).start(0).complete(5)
    world = fold(path, copied("r2", "table", "b", 10, 15))
    node = world.dataset("s3|path")
    assert node is not None
    assert [alias.name for alias in node.aliases] == ["table"]
    assert world.dataset("table") is None
    assert world.made_from("b@r2") == {"path@r1"}


def test_an_identifier_that_nothing_else_names_is_an_alias(fold: Fold) -> None:
    """R2: else the name that events use is the public one."""
    node = fold(dataset_event("a", 0, symlinks=["x", "y"])).dataset("a")
    assert node is not None
    assert sorted(alias.name for alias in node.aliases) == ["x", "y"]


def test_a_symlink_that_is_told_late_joins_what_was_apart(fold: Fold) -> None:
    """R2: the runs came first."""
    world = fold(
        copied("r1", "x", "table", 0, 5),
        copied("r2", "path", "b", 10, 15),
        dataset_event("path", 99, symlinks=["table"]),
    )
    assert world.made_from("b@r2") == {"path@r1"}


def test_a_symlink_that_is_withdrawn_splits_what_was_joined(fold: Fold) -> None:
    """R2: last told."""
    world = fold(
        copied("r1", "x", "table", 0, 5),
        copied("r2", "path", "b", 10, 15),
        dataset_event("path", 20, symlinks=["table"]),
        dataset_event("path", 30, symlinks=[]),
    )
    assert world.made_from("b@r2") == {"path?r2"}
    assert world.dataset("table") is not None


def test_a_symlink_that_is_deleted_splits_what_was_joined(fold: Fold) -> None:
    """R2: last told, with the facet removed."""
    world = fold(
        copied("r1", "x", "table", 0, 5),
        copied("r2", "path", "b", 10, 15),
        dataset_event("path", 20, symlinks=["table"]),
        dataset_event("path", 30, facets={"symlinks": {"_deleted": True}}),
    )
    assert world.made_from("b@r2") == {"path?r2"}


def test_a_symlink_that_moves_leads_to_its_last_carrier_s_own_links_only(fold: Fold) -> None:
    """R2: last told: another identifier replaces the one before."""
    world = fold(dataset_event("a", 0, symlinks=["x"]), dataset_event("a", 9, symlinks=["y"]))
    node = world.dataset("a")
    assert node is not None
    assert [alias.name for alias in node.aliases] == ["y"]


def test_an_event_that_tells_no_symlinks_withdraws_none(fold: Fold) -> None:
    """R2 and R3: a facet stands until it is told anew."""
    world = fold(dataset_event("a", 0, symlinks=["x"]), dataset_event("a", 9))
    node = world.dataset("a")
    assert node is not None
    assert [alias.name for alias in node.aliases] == ["x"]


def test_links_are_followed_to_the_end(fold: Fold) -> None:
    """R2: x leads to y, y to z."""
    world = fold(
        dataset_event("y", 0, symlinks=["x"]),
        dataset_event("z", 0, symlinks=["y"]),
        copied("r1", "in", "x", 10, 15),
        copied("r2", "z", "b", 20, 25),
    )
    assert world.made_from("b@r2") == {"z@r1"}
    assert world.dataset("x") is None
    assert world.dataset("y") is None


def test_in_a_loop_the_smallest_name_is_the_public_one(fold: Fold) -> None:
    """R2: the smallest (namespace, name)."""
    world = fold(dataset_event("z|a", 0, symlinks=["b"]), dataset_event("b", 0, symlinks=["z|a"]))
    node = world.dataset("b")
    assert node is not None
    assert [tuple(alias) for alias in node.aliases] == [("z", "a")]
    assert world.dataset("z|a") is None


def test_what_leads_into_a_loop_is_the_loop_s_smallest_name(fold: Fold) -> None:
    """R2: the smallest of the loop, not of all."""
    world = fold(
        dataset_event("c", 0, symlinks=["b"]),
        dataset_event("b", 0, symlinks=["c", "a"]),
        copied("r1", "a", "out", 9, 12),
    )
    node = world.dataset("b")
    assert node is not None
    assert sorted(alias.name for alias in node.aliases) == ["a", "c"]


def test_an_identifier_that_two_datasets_carry_joins_neither(fold: Fold) -> None:
    """R2: dev and prod share table names; gap ALIAS_CONFLICT."""
    world = fold(
        dataset_event("dev", 0, symlinks=["t"]),
        dataset_event("prod", 5, symlinks=["t"]),
        copied("r1", "x", "dev", 10, 15),
        copied("r2", "t", "b", 20, 25),
        copied("r3", "prod", "c", 20, 25),
    )
    assert world.made_from("b@r2") == {"t?r2"}
    assert world.made_from("c@r3") == {"prod?r3"}
    assert all("ALIAS_CONFLICT" in world.dataset_gaps(name) for name in ("dev", "prod", "t"))


def test_an_identifier_that_one_of_two_lets_go_joins_the_other(fold: Fold) -> None:
    """R2: carried by two at once; last told."""
    world = fold(
        dataset_event("dev", 0, symlinks=["t"]),
        dataset_event("prod", 5, symlinks=["t"]),
        dataset_event("dev", 9, symlinks=[]),
        copied("r1", "x", "prod", 10, 15),
        copied("r2", "t", "b", 20, 25),
    )
    assert world.made_from("b@r2") == {"prod@r1"}
    assert world.dataset_gaps("prod") == set()


def test_names_are_not_joined_where_one_run_reads_one_and_writes_the_other(fold: Fold) -> None:
    """R2: gap ALIAS_CONFLICT."""
    world = fold(dataset_event("a", 0, symlinks=["b"]), copied("r1", "a", "b", 10, 15))
    assert world.made_from("b@r1") == {"a?r1"}
    assert "ALIAS_CONFLICT" in world.dataset_gaps("a")
    assert "ALIAS_CONFLICT" in world.dataset_gaps("b")


def test_a_run_that_reads_and_writes_one_name_parts_nothing(fold: Fold) -> None:
    """R2: it is one name that is read and written, the other one is not."""
    world = fold(
        dataset_event("a", 0, symlinks=["b"]),
        copied("r1", "x", "b", 1, 5),
        run("r2").reads("a").writes("a").start(10).complete(15),
    )
    assert world.made_from("a@r2") == {"a@r1"}


def test_a_conflict_unjoins_the_whole_group(fold: Fold) -> None:
    """R2: the whole group unjoined, also the tie that is in no conflict itself."""
    world = fold(
        dataset_event("a", 0, symlinks=["b"]),
        dataset_event("b", 0, symlinks=["c"]),
        copied("r1", "b", "c", 10, 15),
        copied("r2", "x", "b", 20, 25),
        copied("r3", "a", "out", 30, 35),
    )
    assert world.made_from("out@r3") == {"a?r3"}
    assert "ALIAS_CONFLICT" in world.dataset_gaps("a")


def test_thirty_two_names_are_joined(fold: Fold) -> None:
    """R2: up to 32 names."""
    names = [f"n{number:02}" for number in range(31)]
    world = fold(dataset_event("a", 0, symlinks=names), copied("r1", "x", "n00", 1, 5), copied("r2", "n30", "b", 9, 15))
    assert world.made_from("b@r2") == {"a@r1"}


def test_past_thirty_two_names_nothing_is_joined(fold: Fold) -> None:
    """R2: nor is there a join past 32 names; gap ALIAS_CONFLICT."""
    names = [f"n{number:02}" for number in range(32)]
    world = fold(dataset_event("a", 0, symlinks=names), copied("r1", "x", "n00", 1, 5), copied("r2", "n30", "b", 9, 15))
    assert world.made_from("b@r2") == {"n30?r2"}
    assert "ALIAS_CONFLICT" in world.dataset_gaps("a")


def test_a_symlink_to_itself_changes_nothing(fold: Fold) -> None:
    """R2: a loop of one."""
    node = fold(dataset_event("a", 0, symlinks=["a"])).dataset("a")
    assert node is not None
    assert node.aliases == ()
    assert node.gaps == ()


def test_column_lineage_goes_through_aliases(fold: Fold) -> None:
    """R2 and R6: what a claim names is the dataset that carries the identifier."""
    told = run("r1").start(0).reads("path", "other").writes("b", claims={"y": ["table:x"]}).complete(5)
    world = fold(told, dataset_event("path", 20, symlinks=["table"]))
    assert world.columns() == {("path:x", "b:y")}
    assert world.fed("r1") == {"b": {"path", "other"}}


def test_names_are_not_joined_where_one_run_s_lineage_facet_reads_one_and_it_writes_the_other(fold: Fold) -> None:
    """R2 and R5: what only the ``lineage`` facet names is read as well."""
    told = run("r1").start(10).writes("b", sources=["a"]).complete(15)
    world = fold(dataset_event("a", 0, symlinks=["b"]), told)
    assert world.made_from("b@r1") == {"a?r1"}
    assert "ALIAS_CONFLICT" in world.dataset_gaps("a")


def test_names_are_not_joined_where_one_run_s_columns_read_one_and_it_writes_the_other(fold: Fold) -> None:
    """R2 and R7: what only columnLineage names is an input of evidence COLUMN."""
    told = run("r1").start(10).writes("b", claims={"y": ["a:x"]}).complete(15)
    world = fold(dataset_event("a", 0, symlinks=["b"]), told)
    assert world.made_from("b@r1") == {"a?r1"}
    assert "ALIAS_CONFLICT" in world.dataset_gaps("a")
