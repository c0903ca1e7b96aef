"""R11: when a version was written."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import made, moment, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_a_batch_run_writes_at_its_end(fold: Fold) -> None:
    """R11: whenever an event named the output."""
    world = fold(run("r1").start(0).writes("a").complete(50))
    assert world.version("a@r1").written_at == moment(50)
    assert world.version_gaps("a@r1") == set()


def test_a_run_without_an_end_wrote_when_an_event_last_named_the_output(fold: Fold) -> None:
    """R11: COMPLETE was lost: the last event that names the output, gap WRITER_NOT_ENDED."""
    told = run("r1").start(0).writes("a").running(10).writes("a").running(20).complete(50).without("COMPLETE")
    world = fold(told)
    assert world.version("a@r1").written_at == moment(10)
    assert world.version_gaps("a@r1") == {"WRITER_NOT_ENDED"}


def test_the_gap_goes_when_the_end_comes(fold: Fold) -> None:
    """R11 and R18."""
    assert fold(run("r1").start(0).writes("a").running(10).complete(50)).version_gaps("a@r1") == set()


def test_a_version_is_never_written_before_its_run_s_start(fold: Fold) -> None:
    """R11: an event before the START, and an end before it."""
    world = fold(run("r1").running(0).writes("a").start(10), run("r2").complete(0).writes("b").start(10))
    assert world.version("a@r1").written_at == moment(10)
    assert world.version("b@r2").written_at == moment(10)


def test_without_a_start_a_batch_run_still_writes_at_its_end(fold: Fold) -> None:
    """R11: START was lost."""
    world = fold(run("r1").writes("a").start(0).running(10).complete(50).without("START"))
    assert world.version("a@r1").written_at == moment(50)


def test_a_stream_writes_at_its_start(fold: Fold) -> None:
    """R11: a STREAMING or SERVICE run writes at its START, though a later event is the first to name the output."""
    for kind in ("STREAMING", "SERVICE"):
        world = fold(run("s1", kind=kind).start(10).running(20).writes("a"))
        assert world.versions("a") == ["a@s1:10"]


def test_a_stream_without_a_start_writes_at_its_earliest_event(fold: Fold) -> None:
    """R11 and R1: START was lost."""
    world = fold(run("s1", kind="STREAMING").writes("a").start(0).running(10).without("START"))
    assert world.versions("a") == ["a@s1:10"]


def test_a_stream_s_later_event_that_tells_nothing_new_is_no_write(fold: Fold) -> None:
    """R11: if that tells a new version, or a version that the run reads was written since."""
    world = fold(run("s1", kind="STREAMING").writes("a", version="v1").start(10).running(20).complete(30))
    assert world.versions("a") == ["a@s1:10"]
    assert world.version("a@s1:10").declared == ("v1",)


def test_a_stream_s_later_event_that_tells_a_new_version_is_a_write(fold: Fold) -> None:
    """R11."""
    told = run("s1", kind="STREAMING").start(10).writes("a", version="v1").running(20).writes("a", version="v2")
    world = fold(told.complete(30).writes("a", version="v2"))
    assert world.versions("a") == ["a@s1:10", "a@s1:20"]
    assert world.version("a@s1:20").declared == ("v2",)


def test_a_stream_s_later_event_after_an_input_was_written_is_a_write(fold: Fold) -> None:
    """R11: a version that the run reads was written since the last such moment."""
    stream = run("s1", kind="STREAMING").reads("x").writes("a").start(10).running(20).running(30).running(40)
    world = fold(made("r1", "x", 0, 5), made("r2", "x", 22, 27), stream)
    assert world.versions("a") == ["a@s1:10", "a@s1:30"]


def test_a_stream_s_event_that_does_not_name_the_output_is_no_write_of_it(fold: Fold) -> None:
    """R11: at each later event that names the output."""
    stream = run("s1", kind="STREAMING").reads("x").start(10).writes("a").running(30).running(40).writes("a")
    world = fold(made("r1", "x", 0, 5), made("r2", "x", 22, 27), stream)
    assert world.versions("a") == ["a@s1:10", "a@s1:40"]


def test_each_output_of_a_stream_has_moments_of_its_own(fold: Fold) -> None:
    """R11: each event that names the output."""
    stream = run("s1", kind="STREAMING").start(10).writes("a", "b", version="v1").running(20).writes("a", version="v2")
    world = fold(stream)
    assert (world.versions("a"), world.versions("b")) == (["a@s1:10", "a@s1:20"], ["b@s1:10"])


def test_a_stream_that_never_ends_has_no_unended_writer(fold: Fold) -> None:
    """R11: WRITER_NOT_ENDED is of batch runs."""
    assert "WRITER_NOT_ENDED" not in fold(run("s1", kind="STREAMING").writes("a").start(10)).version_gaps("a@s1:10")


def test_a_stream_s_input_that_was_written_by_a_failed_run_makes_no_new_version(fold: Fold) -> None:
    """R11 and R14: the stream goes on reading the last certain version."""
    stream = run("s1", kind="STREAMING").reads("x").writes("a").start(10).running(30)
    world = fold(made("r1", "x", 0, 5), run("r2").writes("x").start(12).fail(20), stream)
    assert world.versions("a") == ["a@s1:10"]


def test_a_rollout_s_model_that_was_trained_anew_makes_no_new_version_of_its_log(fold: Fold) -> None:
    """R11 and R13: the run reads the model of its START: no version that it reads was written since."""
    rollout = run("s1", kind="SERVICE").reads("m").writes("log").start(10).running(30)
    world = fold(made("r1", "m", 0, 5, model=True), made("r2", "m", 15, 20, model=True), rollout)
    assert world.versions("log") == ["log@s1:10"]


def test_a_stream_that_tells_that_it_reads_a_newer_version_writes_anew(fold: Fold) -> None:
    """R11 and R12 b: a version that the run reads was written since."""
    stream = run("s1", kind="STREAMING").start(10).reads("x", version="v1").writes("a")
    stream.running(30).reads("x", version="v2").writes("a")
    world = fold(made("r1", "x", 0, 5, version="v1"), made("r2", "x", 15, 20, version="v2"), stream)
    assert world.moments("s1", "a") == {10: {"x@r1"}, 30: {"x@r1", "x@r2"}}
