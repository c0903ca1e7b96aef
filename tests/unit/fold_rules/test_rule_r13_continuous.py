"""R13: what a run that goes on met."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import made, moment, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_a_stream_meets_each_version_written_until_its_end(fold: Fold) -> None:
    """R13: of an input of which it tells no version."""
    stream = run("s1", kind="STREAMING").reads("a").writes("b").start(10).complete(60)
    writers = [made(f"r{number}", "a", at, at + 5) for number, at in enumerate((0, 20, 40, 70))]
    assert fold(*writers, stream).met("s1", "a") == {"a@r0", "a@r1", "a@r2"}


def test_a_stream_that_never_ended_meets_every_later_version(fold: Fold) -> None:
    """R13: COMPLETE was lost."""
    stream = run("s1", kind="STREAMING").reads("a").writes("b").start(10).complete(60).without("COMPLETE")
    writers = [made(f"r{number}", "a", at, at + 5) for number, at in enumerate((0, 20, 40, 70))]
    assert fold(*writers, stream).met("s1", "a") == {"a@r0", "a@r1", "a@r2", "a@r3"}


def test_a_stream_meets_the_version_at_its_start(fold: Fold) -> None:
    """R13: the last certain one, not those before."""
    stream = run("s1", kind="STREAMING").reads("a").start(20).complete(60)
    assert fold(made("r1", "a", 0, 2), made("r2", "a", 5, 8), stream).met("s1", "a") == {"a@r2"}


def test_of_a_model_a_rollout_meets_only_the_version_at_its_start(fold: Fold) -> None:
    """R13: of a MODEL only the one at START."""
    rollout = run("s1", kind="SERVICE").reads("m").start(10).complete(60)
    world = fold(made("r1", "m", 0, 5, model=True), made("r2", "m", 20, 25, model=True), rollout)
    assert world.met("s1", "m") == {"m@r1"}


def test_the_flow_of_a_moment_reads_what_the_run_met_up_to_it(fold: Fold) -> None:
    """R13: its flow at moment m."""
    stream = run("s1", kind="STREAMING").reads("a").writes("b").start(10).running(30).running(50).complete(60)
    world = fold(made("r1", "a", 0, 5), made("r2", "a", 20, 25), made("r3", "a", 40, 45), stream)
    assert world.moments("s1", "b") == {
        10: {"a@r1"},
        30: {"a@r1", "a@r2"},
        50: {"a@r1", "a@r2", "a@r3"},
    }


def test_what_a_stream_met_after_its_last_moment_feeds_no_output(fold: Fold) -> None:
    """R13: what it met later stands in (run, none)."""
    stream = run("s1", kind="STREAMING").reads("a").start(10).writes("b").complete(60)
    world = fold(made("r1", "a", 0, 5), made("r2", "a", 20, 25), stream)
    assert world.moments("s1", "b") == {10: {"a@r1"}}
    assert world.loose("s1") == {"a@r2"}


def test_a_stream_s_read_says_when_it_was_made(fold: Fold) -> None:
    """R13 and R0: at the version's writing, or the start."""
    stream = run("s1", kind="STREAMING").reads("a").start(10).complete(60)
    world = fold(made("r1", "a", 0, 5), made("r2", "a", 20, 25), stream)
    assert {read.version: read.edge.at for read in world.reads("s1", "a")} == {"a@r1": moment(10), "a@r2": moment(25)}


def test_a_stream_that_found_nothing_meets_what_is_written_later(fold: Fold) -> None:
    """R13: AS_FOUND at the start, then each version written."""
    stream = run("s1", kind="STREAMING").reads("a").start(10).complete(60)
    assert fold(made("r2", "a", 20, 25), stream).met("s1", "a") == {"a?s1", "a@r2"}


def test_a_stream_s_read_is_close_to_another_version(fold: Fold) -> None:
    """R13: of a run that goes on as well: r2 was written just after it began."""
    stream = run("s1", kind="STREAMING").reads("a").start(20).complete(60)
    world = fold(made("r1", "a", 0, 5), made("r2", "a", 10, 21), stream)
    assert {read.version: "CLOSE" in read.gaps for read in world.reads("s1", "a")} == {"a@r1": True, "a@r2": False}


def test_a_stream_that_tells_a_version_meets_none_before_it(fold: Fold) -> None:
    """R13 and R12 b: it tells a version of this input: nothing is met by time, neither before nor after."""
    stream = run("s1", kind="STREAMING").start(10).reads("a").running(30).reads("a", version="v2").complete(60)
    world = fold(
        made("r1", "a", 0, 5, version="v1"), made("r2", "a", 20, 25, version="v2"), made("r3", "a", 40, 45), stream
    )
    assert world.met("s1", "a") == {"a@r2"}


def test_a_stream_meets_by_content_at_the_telling(fold: Fold) -> None:
    """R13: HASH, of a run that goes on as well."""
    stream = run("s1", kind="STREAMING").start(20).reads("a", digest="h1").complete(60)
    world = fold(made("r1", "a", 0, 2, digest="h1"), made("r2", "a", 5, 8, digest="h2"), stream)
    assert {(read.version, read.binding) for read in world.reads("s1", "a")} == {("a@r1", "HASH")}


def test_a_stream_that_tells_content_alone_also_meets_each_later_version(fold: Fold) -> None:
    """R13: of an input of which it tells no version it also meets each version written until its end."""
    stream = run("s1", kind="STREAMING").start(20).reads("a", digest="h1").complete(60)
    world = fold(made("r1", "a", 0, 2, digest="h1"), made("r2", "a", 30, 35), stream)
    assert world.met("s1", "a") == {"a@r1", "a@r2"}
