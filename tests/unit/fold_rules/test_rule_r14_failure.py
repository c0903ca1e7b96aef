"""R14: what failed, and what that means for what it names as output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lineage.model import RunState
from tests.unit.fold_rules.story import made, moment, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


@pytest.mark.parametrize(("complete", "fail"), [(20, 10), (10, 20), (10, 10)])
def test_fail_outranks_complete(fold: Fold, complete: float, fail: float) -> None:
    """R14: within one attempt, whichever comes last."""
    world = fold(run("r1").writes("a").start(0).complete(complete).fail(fail))
    assert world.run("r1").state is RunState.FAIL
    assert world.run("r1").ended_at == moment(max(complete, fail))
    assert not world.version("a@r1").certain


def test_a_start_after_the_fail_begins_another_attempt(fold: Fold) -> None:
    """R14: state and end are those of the last attempt."""
    world = fold(run("r1").writes("a").start(0).fail(10).start(20).complete(30))
    assert world.run("r1").state is RunState.COMPLETE
    assert world.run("r1").ended_at == moment(30)
    assert world.version("a@r1").certain
    assert world.version_gaps("a@r1") == set()


def test_a_start_at_the_fail_s_own_time_begins_none(fold: Fold) -> None:
    """R14: not at its own time."""
    world = fold(run("r1").writes("a").start(0).fail(10).start(10).complete(30))
    assert world.run("r1").state is RunState.FAIL


def test_an_attempt_that_goes_on_has_no_end(fold: Fold) -> None:
    """R14: end of the last attempt; COMPLETE was lost."""
    world = fold(run("r1").writes("a").start(0).fail(10).start(20).running(25))
    assert world.run("r1").state is RunState.RUNNING
    assert world.run("r1").ended_at is None
    assert "WRITER_NOT_ENDED" in world.version_gaps("a@r1")


def test_the_last_of_three_attempts_counts(fold: Fold) -> None:
    """R14: a START after the FAIL begins another, and another."""
    world = fold(run("r1").writes("a").start(0).fail(10).start(20).complete(30).fail(32).start(40).complete(50))
    assert world.run("r1").state is RunState.COMPLETE
    assert world.run("r1").ended_at == moment(50)


def test_a_start_after_a_complete_begins_no_attempt(fold: Fold) -> None:
    """R14: after the FAIL; a START that is sent again changes nothing."""
    world = fold(run("r1").writes("a").start(0).complete(10).start(20))
    assert world.run("r1").state is RunState.COMPLETE
    assert world.run("r1").ended_at == moment(10)


@pytest.mark.parametrize("kind", ["STREAMING", "SERVICE"])
def test_abort_is_the_ordinary_end_of_a_run_that_goes_on(fold: Fold, kind: str) -> None:
    """R14."""
    world = fold(run("s1", kind=kind).writes("a").start(0).abort(10), seen("r2", "a", 20))
    assert world.version("a@s1:0").certain
    assert world.read("r2", "a").gaps == {"TIME_BINDING"}
    assert world.wrote_edge("a@s1:0").certain
    assert world.run("s1").ended_at == moment(10)


@pytest.mark.parametrize("end", ["FAIL", "ABORT"])
def test_what_a_failed_run_names_as_output_is_uncertain(fold: Fold, end: str) -> None:
    """R14: a failed or aborted run; it is a version all the same."""
    world = fold(run("r1").reads("x").writes("a").start(0).event(end, 10))
    assert not world.version("a@r1").certain
    assert "UNCERTAIN" in world.version_gaps("a@r1")
    assert not world.wrote_edge("a@r1").certain


def test_what_a_stream_that_failed_wrote_is_uncertain(fold: Fold) -> None:
    """R14: FAIL is no ordinary end."""
    assert not fold(run("s1", kind="STREAMING").writes("a").start(0).fail(10)).version("a@s1:0").certain


@pytest.mark.parametrize("end", ["FAIL", "ABORT"])
def test_reads_bind_to_the_last_certain_version_and_name_the_other(fold: Fold, end: str) -> None:
    """R14: with gap UNCERTAIN naming the other."""
    world = fold(made("r1", "a", 0, 2), run("r2").writes("a").start(5).event(end, 10), seen("r3", "a", 20))
    read = world.read("r3", "a")
    assert (read.version, read.gaps) == ("a@r1", {"TIME_BINDING", "UNCERTAIN"})
    (message,) = [gap.message for gap in read.edge.gaps if gap.code == "UNCERTAIN"]
    assert world.run("r2").run_id in message


def test_a_later_certain_write_ends_the_doubt(fold: Fold) -> None:
    """R14: until a later certain write."""
    world = fold(
        made("r1", "a", 0, 2), run("r2").writes("a").start(5).fail(10), made("r4", "a", 12, 15), seen("r3", "a", 20)
    )
    read = world.read("r3", "a")
    assert (read.version, read.gaps) == ("a@r4", {"TIME_BINDING"})


def test_a_run_that_fails_after_all_loses_its_readers(fold: Fold) -> None:
    """R14 and R18: a late FAIL."""
    world = fold(made("r1", "a", 0, 2), run("r2").writes("a").start(5).complete(10).fail(11), seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r1"}


def test_a_retry_that_succeeds_gains_its_readers_back(fold: Fold) -> None:
    """R14 and R18: under the same runId."""
    again = run("r2").writes("a").start(5).fail(8).start(10).complete(15)
    world = fold(made("r1", "a", 0, 2), again, seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r2"}


def test_a_declared_read_of_an_uncertain_version_meets_it(fold: Fold) -> None:
    """R14 and R13: DECLARED goes first; the version's doubt stays."""
    unsure = run("r2").writes("a", version="v2").start(5).fail(10)
    world = fold(made("r1", "a", 0, 2, version="v1"), unsure, seen("r3", "a", 20, version="v2"))
    assert (world.met("r3", "a"), world.read("r3", "a").binding) == ({"a@r2"}, "DECLARED")


def test_a_failed_run_s_reads_are_kept(fold: Fold) -> None:
    """R14: only its outputs are in doubt; R9: its edges are not certain."""
    world = fold(made("r1", "a", 0, 2), run("r2").reads("a").writes("b").start(5).fail(10))
    assert world.met("r2", "a") == {"a@r1"}
    assert not world.read("r2", "a").edge.certain


def test_a_stream_goes_on_reading_the_last_certain_version(fold: Fold) -> None:
    """R14 and R13."""
    stream = run("s1", kind="STREAMING").reads("a").start(3).complete(60)
    world = fold(made("r1", "a", 0, 2), run("r2").writes("a").start(5).fail(10), stream)
    assert world.met("s1", "a") == {"a@r1"}
