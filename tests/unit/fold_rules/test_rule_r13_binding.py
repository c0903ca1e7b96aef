"""R13: what a read met, and how that is known."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import Run, copied, dataset_event, made, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def failed(short: str, output: str, start: float, end: float) -> Run:
    """A run that failed to write."""
    return run(short).writes(output).start(start).fail(end)


def test_a_declared_version_is_met_though_a_later_one_was_written(fold: Fold) -> None:
    """R13: DECLARED goes before everything, and has no gap."""
    world = fold(
        made("r1", "a", 0, 2, version="v1", digest="h1"),
        made("r2", "a", 5, 8, version="v2", digest="h2"),
        seen("r3", "a", 20, version="v1", digest="h2"),
    )
    read = world.read("r3", "a")
    assert (read.version, read.binding, read.gaps) == ("a@r1", "DECLARED", set())


def test_a_declared_version_is_met_though_it_was_written_after_the_start(fold: Fold) -> None:
    """R13: what is declared needs no time: the read began before the write had ended."""
    world = fold(made("r1", "a", 0, 30, version="v1"), seen("r3", "a", 20, version="v1"))
    assert world.met("r3", "a") == {"a@r1"}


def test_a_content_hash_that_agrees_is_met_though_a_later_one_was_written(fold: Fold) -> None:
    """R13: HASH goes before TIME, and has no gap."""
    world = fold(
        made("r1", "a", 0, 2, digest="h1"), made("r2", "a", 5, 8, digest="h2"), seen("r3", "a", 20, digest="h1")
    )
    read = world.read("r3", "a")
    assert (read.version, read.binding, read.gaps) == ("a@r1", "HASH", set())


def test_of_several_writes_with_the_content_the_last_one_is_met(fold: Fold) -> None:
    """R13: the last write at or before the start."""
    world = fold(
        made("r1", "a", 0, 2, digest="h1"),
        made("r2", "a", 5, 8, digest="h1"),
        made("r4", "a", 30, 35, digest="h1"),
        seen("r3", "a", 20, digest="h1"),
    )
    assert world.met("r3", "a") == {"a@r2"}


def test_a_write_at_the_very_start_agrees_by_content(fold: Fold) -> None:
    """R13: at the start."""
    world = fold(made("r1", "a", 0, 20, digest="h1"), seen("r3", "a", 20, digest="h1"))
    assert world.met("r3", "a") == {"a@r1"}


def test_hashes_of_another_scope_method_or_algorithm_do_not_compare(fold: Fold) -> None:
    """R13: comparable; contract section 2: only within one (algorithm, scope, method). Then it is TIME."""
    for other in ({"method": "table"}, {"scope": "SAMPLE"}, {"algorithm": "md5"}):
        world = fold(made("r1", "a", 0, 2, digest="h1"), seen("r3", "a", 20, digest=[{"digest": "h1", **other}]))
        assert (world.met("r3", "a"), world.read("r3", "a").binding) == ({"a@r1"}, "TIME")


def test_content_that_no_write_left_was_changed_outside(fold: Fold) -> None:
    """R13: the last certain write tells comparable hashes and none agrees."""
    world = fold(made("r1", "a", 0, 2, digest="h1"), seen("r3", "a", 20, digest="h9"))
    read = world.read("r3", "a")
    assert (read.version, read.binding, read.gaps) == ("a#h9", "AS_FOUND", {"CONTENT_CHANGED_OUTSIDE"})


def test_content_is_compared_with_the_last_certain_write(fold: Fold) -> None:
    """R13: the last write tells nothing comparable: TIME on that one."""
    world = fold(made("r1", "a", 0, 2, digest="h1"), made("r2", "a", 5, 8), seen("r3", "a", 20, digest="h9"))
    assert (world.met("r3", "a"), world.read("r3", "a").binding) == ({"a@r2"}, "TIME")


def test_content_is_not_compared_with_an_uncertain_write(fold: Fold) -> None:
    """R13: the last certain write."""
    unsure = run("r2").writes("a", digest="h5").start(5).fail(8)
    world = fold(made("r1", "a", 0, 2), unsure, seen("r3", "a", 20, digest="h9"))
    assert (world.met("r3", "a"), world.read("r3", "a").binding) == ({"a@r1"}, "TIME")


def test_one_agreeing_hash_is_enough(fold: Fold) -> None:
    """R13: none agrees, only then it changed."""
    both = ["h1", {"digest": "t1", "method": "table"}]
    world = fold(
        made("r1", "a", 0, 2, digest=both), seen("r3", "a", 20, digest=["h9", {"digest": "t1", "method": "table"}])
    )
    assert world.read("r3", "a").binding == "HASH"


def test_without_any_name_the_last_certain_version_is_met_by_time(fold: Fold) -> None:
    """R13: TIME, gap TIME_BINDING."""
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 5, 8), made("r4", "a", 30, 35), seen("r3", "a", 20))
    read = world.read("r3", "a")
    assert (read.version, read.binding, read.gaps) == ("a@r2", "TIME", {"TIME_BINDING"})


def test_a_version_written_at_the_very_start_is_met(fold: Fold) -> None:
    """R13: at or before the start."""
    assert fold(made("r1", "a", 0, 20), seen("r3", "a", 20)).met("r3", "a") == {"a@r1"}


def test_a_version_written_while_the_run_went_on_is_not_met(fold: Fold) -> None:
    """R13: at or before the start, not the end."""
    world = fold(made("r1", "a", 0, 5), made("r2", "a", 22, 24), seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r1"}


def test_without_a_start_the_read_is_as_of_the_earliest_event(fold: Fold) -> None:
    """R13 and R1: START was lost."""
    reader = run("r3").reads("a").writes("b").start(20).complete(50).without("START")
    assert fold(made("r1", "a", 0, 5), made("r2", "a", 22, 24), reader).met("r3", "a") == {"a@r2"}


def test_a_writer_whose_end_was_lost_is_met_as_of_its_last_word(fold: Fold) -> None:
    """R13 and R11: COMPLETE was lost."""
    unended = run("r2").writes("a").start(10).complete(15).without("COMPLETE")
    assert fold(made("r1", "a", 0, 5), unended, seen("r3", "a", 20)).met("r3", "a") == {"a@r2"}


def test_where_no_certain_version_is_there_the_last_uncertain_one_is_met(fold: Fold) -> None:
    """R13: else TIME on the last uncertain one, gap UNCERTAIN."""
    world = fold(failed("r1", "a", 0, 2), failed("r2", "a", 5, 8), seen("r3", "a", 20))
    read = world.read("r3", "a")
    assert (read.version, read.binding) == ("a@r2", "TIME")
    assert "UNCERTAIN" in read.gaps


def test_what_nobody_wrote_is_met_as_found(fold: Fold) -> None:
    """R13: else AS_FOUND with gap NO_PRODUCER."""
    read = fold(seen("r3", "a", 20)).read("r3", "a")
    assert (read.version, read.binding, read.gaps) == ("a?r3", "AS_FOUND", {"NO_PRODUCER"})


def test_what_was_written_only_later_is_met_as_found(fold: Fold) -> None:
    """R13: at or before the start."""
    assert fold(made("r1", "a", 30, 35), seen("r3", "a", 20)).met("r3", "a") == {"a?r3"}


def test_what_was_found_without_a_producer_is_named_by_its_content(fold: Fold) -> None:
    """R13 and R10: AS_FOUND under its content hash."""
    read = fold(seen("r3", "a", 20, digest="h1")).read("r3", "a")
    assert (read.version, read.binding, read.gaps) == ("a#h1", "AS_FOUND", {"NO_PRODUCER"})


def test_a_declared_version_without_a_writer_is_declared(fold: Fold) -> None:
    """R13: DECLARED, whoever wrote it."""
    assert fold(seen("r3", "a", 20, version="v1")).read("r3", "a").binding == "DECLARED"


def test_a_chain_of_reads_is_met_step_by_step(fold: Fold) -> None:
    """R13: raw to features to model."""
    world = fold(
        made("r1", "raw", 0, 5), copied("r2", "raw", "features", 10, 15), copied("r3", "features", "m", 20, 25)
    )
    assert world.versions_downstream("raw@r1") == {"features@r2", "m@r3"}


def test_a_read_that_an_uncertain_later_version_makes_doubtful_still_compares_content(fold: Fold) -> None:
    """R13 and R14: the content of the last certain write agrees: HASH."""
    world = fold(made("r1", "a", 0, 2, digest="h1"), failed("r2", "a", 5, 8), seen("r3", "a", 20, digest="h1"))
    assert (world.met("r3", "a"), world.read("r3", "a").binding) == ({"a@r1"}, "HASH")


def test_a_content_hash_that_a_dataset_event_told_of_a_write_is_met(fold: Fold) -> None:
    """R13 and R10: a version's digests are the union over its events, and the content agrees with the older write's."""
    told = dataset_event("a", 8, version="v1", digest="h1")
    world = fold(made("r1", "a", 0, 5, version="v1"), told, made("r2", "a", 10, 15), seen("r3", "a", 20, digest="h1"))
    assert (world.met("r3", "a"), world.read("r3", "a").binding) == ({"a@r1"}, "HASH")


def test_a_content_hash_that_another_reader_told_of_a_write_is_met(fold: Fold) -> None:
    """R13 and R10: r4 declared the version, and told its content."""
    told = seen("r4", "a", 8, version="v1", digest="h1")
    world = fold(made("r1", "a", 0, 5, version="v1"), told, made("r2", "a", 10, 15), seen("r3", "a", 20, digest="h1"))
    assert (world.met("r3", "a"), world.read("r3", "a").binding) == ({"a@r1"}, "HASH")


def test_content_that_differs_from_what_a_dataset_event_told_of_the_last_write_was_changed_outside(fold: Fold) -> None:
    """R13 and R10: the last certain write's digests are the union over its events."""
    told = dataset_event("a", 8, version="v1", digest="h1")
    world = fold(made("r1", "a", 0, 5, version="v1"), told, seen("r3", "a", 20, digest="h9"))
    assert world.read("r3", "a").gaps == {"CONTENT_CHANGED_OUTSIDE"}
