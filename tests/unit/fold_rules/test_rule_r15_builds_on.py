"""R15: which version a version builds on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.fold_rules.story import SPARK, made, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_a_run_that_also_reads_the_dataset_builds_on_the_last_version(fold: Fold) -> None:
    """R15: the last written before it."""
    appends = run("r3").reads("a").writes("a").start(10).complete(15)
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 5, 8), appends)
    assert world.made_from("a@r3") == {"a@r2"}
    assert world.version_gaps("a@r3") == set()


def test_a_run_that_also_reads_the_dataset_builds_on_what_was_written_meanwhile(fold: Fold) -> None:
    """R15: the last written before it, which is after the read; both are upstream."""
    appends = run("r3").reads("a").writes("a").start(10).complete(50)
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 5, 30), appends)
    assert world.made_from("a@r3") == {"a@r1", "a@r2"}
    assert {read.version: read.binding for read in world.reads("r3", "a")} == {"a@r1": "TIME", "a@r2": "BUILDS_ON"}


def test_a_write_that_a_dialect_knows_for_an_append_builds_on_the_last_version(fold: Fold) -> None:
    """R15: a dialect says append (Spark: no lifecycle facet)."""
    appends = run("r2", producer=SPARK).of_job(jobType={"jobType": "SQL_JOB", "integration": "SPARK"})
    world = fold(made("r1", "a", 0, 2), appends.writes("a").start(10).complete(15))
    assert world.made_from("a@r2") == {"a@r1"}
    assert [edge.binding for edge in world.edges_into("a@r2")] == ["BUILDS_ON"]


@pytest.mark.parametrize("lifecycle", ["CREATE", None])
def test_a_write_under_the_parent_of_the_last_one_builds_on_it(fold: Fold, lifecycle: str | None) -> None:
    """R15: it says CREATE or nothing, and that one was written under the same parent run."""
    first = run("r1", parent="p1").writes("a").start(0).complete(2)
    second = run("r2", parent="p1").writes("a", lifecycle=lifecycle).start(10).complete(15)
    world = fold(first, second)
    assert world.made_from("a@r2") == {"a@r1"}
    assert world.version_gaps("a@r2") == set()


@pytest.mark.parametrize("lifecycle", ["OVERWRITE", "TRUNCATE"])
def test_a_write_that_says_that_it_replaces_builds_on_nothing(fold: Fold, lifecycle: str) -> None:
    """R15 and R16, under the same parent run too."""
    first = run("r1", parent="p1").writes("a").start(0).complete(2)
    second = run("r2", parent="p1").writes("a", lifecycle=lifecycle).start(10).complete(15)
    world = fold(first, second)
    assert world.made_from("a@r2") == set()
    assert world.version_gaps("a@r2") == set()


def test_a_write_under_another_parent_replaces(fold: Fold) -> None:
    """R15: under the same parent run."""
    first = run("r1", parent="p1").writes("a").start(0).complete(2)
    second = run("r2", parent="p2").writes("a").start(10).complete(15)
    assert fold(first, second).made_from("a@r2") == set()


def test_the_last_version_has_to_be_the_one_under_the_same_parent(fold: Fold) -> None:
    """R15: that one, the last written before it."""
    first = run("r1", parent="p1").writes("a").start(0).complete(2)
    between = run("r3", parent="p2").writes("a").start(5).complete(8)
    second = run("r2", parent="p1").writes("a").start(10).complete(15)
    assert fold(first, between, second).made_from("a@r2") == set()


def test_a_silent_write_replaces_and_says_that_it_is_not_known(fold: Fold) -> None:
    """R15: otherwise it replaces; where no mode was told, gap WRITE_MODE_UNKNOWN."""
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 10, 15))
    assert world.made_from("a@r2") == set()
    assert world.version_gaps("a@r2") == {"WRITE_MODE_UNKNOWN"}


def test_a_write_that_says_create_replaces_without_a_gap(fold: Fold) -> None:
    """R15: a mode was told."""
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 10, 15, lifecycle="CREATE"))
    assert world.made_from("a@r2") == set()
    assert world.version_gaps("a@r2") == set()


def test_the_first_version_has_no_gap(fold: Fold) -> None:
    """R15: there is nothing that it could have built on."""
    assert fold(made("r1", "a", 0, 2)).version_gaps("a@r1") == set()


def test_a_silent_write_of_a_model_replaces_and_says_that_it_is_not_known(fold: Fold) -> None:
    """R15: silence is no append: it gave a model 38 training versions; and no mode was told."""
    world = fold(made("r1", "m", 0, 2, model=True), made("r2", "m", 10, 15, model=True))
    assert world.made_from("m@r2") == set()
    assert world.version_gaps("m@r2") == {"WRITE_MODE_UNKNOWN"}


def test_a_write_that_says_alter_keeps_the_content(fold: Fold) -> None:
    """R15 with docs/adr/0014: a change of the schema builds on what was there."""
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 10, 15, lifecycle="ALTER"))
    assert world.made_from("a@r2") == {"a@r1"}


def test_a_version_that_was_written_later_but_began_before_builds_on_it(fold: Fold) -> None:
    """R15 and R0: the last one written before it, and of smaller rank: r2's is of larger rank."""
    slow = run("r1").reads("a").writes("a").start(10).complete(50)
    world = fold(made("r0", "a", 0, 2), made("r2", "a", 20, 30), slow)
    assert world.made_from("a@r1") == {"a@r0"}


def test_a_chain_of_appends_leads_back_to_the_first(fold: Fold) -> None:
    """R15: each builds on the one before; no path is lost."""
    appends = [run(f"r{n}").reads("a").writes("a").start(n * 10).complete(n * 10 + 5) for n in (1, 2, 3)]
    world = fold(made("r0", "a", 0, 2), *appends)
    assert world.versions_downstream("a@r0") == {"a@r1", "a@r2", "a@r3"}


def test_a_write_that_comes_late_between_two_appends_is_built_on(fold: Fold) -> None:
    """R15 and R18."""
    late = run("r2").reads("a").writes("a").start(20).complete(25)
    early = [run(f"r{n}").reads("a").writes("a").start(n * 10).complete(n * 10 + 5) for n in (1, 3)]
    world = fold(*early, late)
    assert world.made_from("a@r3") == {"a@r2"}
    assert world.made_from("a@r2") == {"a@r1"}


def test_a_stream_s_versions_do_not_build_on_each_other(fold: Fold) -> None:
    """R15 and R0: silence replaces, in a run that goes on as well."""
    stream = run("s1", kind="STREAMING").start(10).writes("a", version="v1").running(20).writes("a", version="v2")
    assert fold(stream).made_from("a@s1:20") == set()


def test_a_stream_s_later_silent_version_says_that_its_mode_is_not_known(fold: Fold) -> None:
    """R15: where no mode was told, gap WRITE_MODE_UNKNOWN: there is a version before it."""
    stream = run("s1", kind="STREAMING").start(10).writes("a", version="v1").running(20).writes("a", version="v2")
    assert fold(stream).version_gaps("a@s1:20") == {"WRITE_MODE_UNKNOWN"}
