"""R16: DROP, RENAME, OVERWRITE and TRUNCATE."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.fold_rules.story import Run, copied, made, moment, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def drops(short: str, output: str, start: float, end: float) -> Run:
    """A run that drops a dataset."""
    return run(short).writes(output, lifecycle="DROP").start(start).complete(end)


def renames(short: str, old: str, new: str, start: float, end: float) -> Run:
    """A run that renames a dataset."""
    return run(short).writes(new, renamed_from=old).start(start).complete(end)


def test_a_drop_is_no_write(fold: Fold) -> None:
    """R16."""
    world = fold(made("r1", "a", 0, 5), drops("r2", "a", 10, 15))
    assert world.versions("a") == ["a@r1"]
    assert world.wrote("r2") == set()


def test_a_drop_ends_the_dataset_s_life(fold: Fold) -> None:
    """R16: an undeclared read in between binds to nothing, gap DROPPED."""
    world = fold(made("r1", "a", 0, 5), drops("r2", "a", 10, 15), seen("r3", "a", 20))
    assert world.met("r3", "a") == set()
    assert "DROPPED" in world.gaps("r3")
    node = world.dataset("a")
    assert node is not None
    assert node.dropped_at == moment(15)


def test_a_drop_counts_at_the_run_s_end(fold: Fold) -> None:
    """R16: a read after its start meets what was there."""
    world = fold(made("r1", "a", 0, 5), drops("r2", "a", 10, 50), seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r1"}


def test_the_next_write_begins_another_life(fold: Fold) -> None:
    """R16: until the next write."""
    world = fold(made("r1", "a", 0, 5), drops("r2", "a", 10, 15), made("r4", "a", 20, 25), seen("r3", "a", 30))
    assert world.met("r3", "a") == {"a@r4"}
    assert world.gaps("r3") == set()
    node = world.dataset("a")
    assert node is not None
    assert node.dropped_at is None


@pytest.mark.parametrize("end", ["FAIL", "ABORT"])
def test_a_drop_that_failed_does_not_count(fold: Fold, end: str) -> None:
    """R16: if the run did not fail."""
    failed = run("r2").writes("a", lifecycle="DROP").start(10).event(end, 15)
    world = fold(made("r1", "a", 0, 5), failed, seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r1"}


def test_a_drop_whose_run_fails_late_does_not_count(fold: Fold) -> None:
    """R16 and R18: a late FAIL."""
    failed = run("r2").writes("a", lifecycle="DROP").start(10).complete(15).fail(15)
    assert fold(made("r1", "a", 0, 5), failed, seen("r3", "a", 20)).met("r3", "a") == {"a@r1"}


def test_a_drop_does_not_unwire(fold: Fold) -> None:
    """R16: what was made from the dataset before, and how it is wired, stays."""
    world = fold(made("r1", "a", 0, 2), seen("r3", "a", 5), drops("r2", "a", 20, 25))
    assert world.made_from("by-r3@r3") == {"a@r1"}
    assert world.downstream("a") == {"by-r3"}


def test_a_read_after_a_drop_is_wired_logically(fold: Fold) -> None:
    """R16: it does not unwire."""
    world = fold(made("r1", "a", 0, 2), drops("r2", "a", 5, 8), seen("r3", "a", 20))
    assert world.downstream("a") == {"by-r3"}


def test_a_declared_read_after_a_drop_meets_its_version(fold: Fold) -> None:
    """R16: an undeclared read binds to nothing."""
    world = fold(made("r1", "a", 0, 2, version="v1"), drops("r2", "a", 5, 8), seen("r3", "a", 20, version="v1"))
    assert world.met("r3", "a") == {"a@r1"}
    assert world.gaps("r3") == set()


def test_a_write_after_a_drop_builds_on_nothing(fold: Fold) -> None:
    """R16 and R15: the life has ended: there is nothing to build on, nor a mode to know."""
    first = run("r1", parent="p1").writes("a").start(0).complete(2)
    third = run("r3", parent="p1").writes("a").start(10).complete(15)
    world = fold(first, drops("r2", "a", 5, 8), third)
    assert world.made_from("a@r3") == set()
    assert world.version_gaps("a@r3") == set()


def test_a_drop_without_an_end_counts_at_its_last_event(fold: Fold) -> None:
    """R16 and R11: COMPLETE was lost: it did not fail."""
    world = fold(made("r1", "a", 0, 2), drops("r2", "a", 5, 8).without("COMPLETE"), seen("r3", "a", 20))
    assert world.met("r3", "a") == set()


def test_a_drop_of_what_was_never_written_leaves_nothing_to_read(fold: Fold) -> None:
    """R16: DROPPED rather than NO_PRODUCER."""
    world = fold(drops("r2", "a", 5, 8), seen("r3", "a", 20))
    assert world.met("r3", "a") == set()
    assert "DROPPED" in world.gaps("r3")


def test_a_rename_is_a_write_of_the_new_name_from_the_last_version_of_the_old(fold: Fold) -> None:
    """R16: binding RENAME."""
    world = fold(made("r0", "a", 0, 2), made("r1", "a", 4, 6), renames("r2", "a", "b", 10, 15), seen("r3", "b", 20))
    assert world.made_from("b@r2") == {"a@r1"}
    assert [edge.binding for edge in world.edges_into("b@r2")] == ["RENAME"]
    assert world.met("r3", "b") == {"b@r2"}
    assert world.downstream("a") == {"b", "by-r3"}


def test_a_rename_ends_the_old_name_s_life(fold: Fold) -> None:
    """R16."""
    world = fold(made("r1", "a", 0, 2), renames("r2", "a", "b", 10, 15), seen("r3", "a", 20))
    assert world.met("r3", "a") == set()
    assert "DROPPED" in world.gaps("r3")


def test_a_rename_is_no_alias(fold: Fold) -> None:
    """R16: both names are datasets of their own."""
    world = fold(made("r1", "a", 0, 2), renames("r2", "a", "b", 10, 15), made("r4", "a", 20, 25), seen("r3", "b", 30))
    assert (world.versions("a"), world.versions("b")) == (["a@r1", "a@r4"], ["b@r2"])
    assert world.met("r3", "b") == {"b@r2"}


def test_a_rename_that_is_told_twice_is_one(fold: Fold) -> None:
    """R16: once per pair and life."""
    world = fold(made("r1", "a", 0, 2), renames("r2", "a", "b", 10, 15), renames("r3", "a", "b", 20, 25))
    assert world.versions("b") == ["b@r2"]


def test_a_rename_in_the_next_life_is_another(fold: Fold) -> None:
    """R16: once per pair and life."""
    world = fold(
        made("r1", "a", 0, 2),
        renames("r2", "a", "b", 10, 15),
        made("r4", "a", 20, 25),
        renames("r5", "a", "b", 30, 35),
    )
    assert world.versions("b") == ["b@r2", "b@r5"]
    assert world.made_from("b@r5") == {"a@r4"}


def test_a_rename_replaces_what_went_by_the_new_name(fold: Fold) -> None:
    """R16 and R15: a write from the last version of the old, of nothing else."""
    world = fold(made("r0", "b", 0, 2), made("r1", "a", 4, 6), renames("r2", "a", "b", 10, 15))
    assert world.made_from("b@r2") == {"a@r1"}
    assert "WRITE_MODE_UNKNOWN" not in world.version_gaps("b@r2")


def test_a_rename_that_failed_ends_no_life(fold: Fold) -> None:
    """R16 and R14."""
    failed = run("r2").writes("b", renamed_from="a").start(10).fail(15)
    world = fold(made("r1", "a", 0, 2), failed, seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r1"}


def test_a_late_write_of_the_old_name_is_taken_along(fold: Fold) -> None:
    """R16 and R18: the last version under the old name."""
    world = fold(renames("r2", "a", "b", 10, 15), made("r0", "a", 0, 2), made("r1", "a", 4, 6))
    assert world.made_from("b@r2") == {"a@r1"}


def test_a_rename_of_what_nobody_wrote_takes_along_what_was_found(fold: Fold) -> None:
    """R16 and R13."""
    world = fold(renames("r2", "a", "b", 10, 15))
    assert world.made_from("b@r2") == {"a?r2"}


@pytest.mark.parametrize("lifecycle", ["OVERWRITE", "TRUNCATE"])
def test_overwrite_and_truncate_replace(fold: Fold, lifecycle: str) -> None:
    """R16: a new version from nothing that was there."""
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 5, 8, lifecycle=lifecycle), seen("r3", "a", 20))
    assert world.made_from("a@r2") == set()
    assert world.version_gaps("a@r2") == set()
    assert world.met("r3", "a") == {"a@r2"}


def test_a_rename_carries_a_path_through(fold: Fold) -> None:
    """R16: no path is lost on the way: source, staging, final."""
    world = fold(
        copied("r1", "raw", "staging", 0, 5),
        renames("r2", "staging", "final", 10, 15),
        copied("r3", "final", "m", 20, 25),
    )
    assert world.versions_downstream("raw?r1") == {"staging@r1", "final@r2", "m@r3"}


def test_a_name_that_comes_back_by_a_rename_lives_again(fold: Fold) -> None:
    """R16: a becomes b, and b becomes a again."""
    world = fold(
        made("r1", "a", 0, 2), renames("r2", "a", "b", 10, 15), renames("r3", "b", "a", 20, 25), seen("r4", "a", 40)
    )
    assert world.met("r4", "a") == {"a@r3"}
    assert world.made_from("a@r3") == {"b@r2"}


def test_a_swap_by_three_renames_carries_each_version_to_its_new_name(fold: Fold) -> None:
    """R16: how tables are swapped: old aside, new in place."""
    world = fold(
        made("r1", "live", 0, 2),
        made("r2", "new", 0, 3),
        renames("r3", "live", "old", 10, 12),
        renames("r4", "new", "live", 20, 22),
        seen("r5", "live", 40),
        seen("r6", "old", 40),
    )
    assert world.made_from("live@r4") == {"new@r2"}
    assert (world.met("r5", "live"), world.met("r6", "old")) == ({"live@r4"}, {"old@r3"})


def test_a_stream_does_not_read_between_a_drop_and_the_next_write(fold: Fold) -> None:
    """R16 and R13: it meets what was there, and what is written later."""
    stream = run("s1", kind="STREAMING").reads("a").start(20).complete(60)
    world = fold(made("r1", "a", 0, 2), drops("r2", "a", 5, 8), made("r3", "a", 30, 35), stream)
    assert world.met("s1", "a") == {"a@r3"}
    assert "DROPPED" in world.gaps("s1")


def test_a_read_that_tells_content_after_a_drop_binds_to_nothing(fold: Fold) -> None:
    """R16: it declares no version, so it is an undeclared read; the content is another life's."""
    world = fold(made("r1", "a", 0, 2, digest="h1"), drops("r2", "a", 5, 8), seen("r3", "a", 20, digest="h1"))
    assert world.met("r3", "a") == set()
    assert "DROPPED" in world.gaps("r3")


def test_a_rename_from_a_name_that_no_event_gives_otherwise_is_wired(fold: Fold) -> None:
    """R16: the old name is a dataset that can be found."""
    world = fold(run("r2").writes("b", renamed_from="a").start(10))
    assert world.dataset("a") is not None
