"""R17: a rollout that never ended."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import Run, made, moment, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def rollout(short: str, at: float, *, percent: float | None = None, environment: str | None = None) -> Run:
    """A rollout of the deployment ``serve``."""
    lines = [] if percent is None else [("m", f"v-{short}", percent)]
    return run(short, job="serve", kind="SERVICE").traffic(*lines, environment=environment).reads("m").start(at)


def ends(world: World, short: str) -> int | None:
    """When a rollout ended."""
    return world.run(short, "serve").ended_at


def not_ended(world: World, short: str) -> bool:
    """Whether the gap says that nothing told the end."""
    return "ROLLOUT_NOT_ENDED" in {gap.code for gap in world.run(short, "serve").gaps}


def test_the_next_rollout_ends_one_that_never_ended(fold: Fold) -> None:
    """R17: INFERRED, gap ROLLOUT_NOT_ENDED."""
    world = fold(rollout("s1", 10), rollout("s2", 50))
    assert ends(world, "s1") == moment(50)
    assert not_ended(world, "s1")
    assert ends(world, "s2") is None
    assert not not_ended(world, "s2")


def test_the_next_of_several_ends_it(fold: Fold) -> None:
    """R17: the next."""
    world = fold(rollout("s1", 10), rollout("s3", 90), rollout("s2", 50))
    assert (ends(world, "s1"), ends(world, "s2"), ends(world, "s3")) == (moment(50), moment(90), None)


def test_a_rollout_that_ended_keeps_its_end(fold: Fold) -> None:
    """R17: one that never ended: whether the next began before or after."""
    world = fold(rollout("s1", 10).abort(30), rollout("s2", 20), rollout("s3", 50))
    assert ends(world, "s1") == moment(30)
    assert not not_ended(world, "s1")


def test_an_end_that_comes_late_counts(fold: Fold) -> None:
    """R17 and R18."""
    world = fold(rollout("s1", 10).complete(70), rollout("s2", 50))
    assert ends(world, "s1") == moment(70)


def test_a_rollout_in_another_environment_ends_nothing(fold: Fold) -> None:
    """R17: the same deployment and environment."""
    world = fold(rollout("s1", 10, environment="prod"), rollout("s2", 50, environment="test"))
    assert ends(world, "s1") is None


def test_a_rollout_in_the_same_environment_ends_it(fold: Fold) -> None:
    """R17: another environment's stands between."""
    world = fold(
        rollout("s1", 10, environment="prod"),
        rollout("s2", 50, environment="test"),
        rollout("s3", 90, environment="prod"),
    )
    assert ends(world, "s1") == moment(90)


def test_a_rollout_of_another_deployment_ends_nothing(fold: Fold) -> None:
    """R17: the same deployment."""
    world = fold(rollout("s1", 10), run("s2", job="other", kind="SERVICE").start(50))
    assert ends(world, "s1") is None


def test_a_rollout_of_part_of_the_traffic_ends_nothing(fold: Fold) -> None:
    """R17: unless the next one's traffic sums to under 100: both serve."""
    world = fold(rollout("s1", 10, percent=100), rollout("s2", 50, percent=10))
    assert ends(world, "s1") is None
    assert not not_ended(world, "s1")


def test_a_rollout_of_all_the_traffic_ends_it(fold: Fold) -> None:
    """R17: a canary first, then everything: both end."""
    world = fold(rollout("s1", 10, percent=90), rollout("s2", 50, percent=10), rollout("s3", 90, percent=100))
    assert (ends(world, "s1"), ends(world, "s2")) == (moment(90), moment(90))


def test_traffic_that_is_split_sums_up(fold: Fold) -> None:
    """R17: sums."""
    split = run("s2", job="serve", kind="SERVICE").traffic(("m", "v1", 60), ("m", "v2", 40)).reads("m").start(50)
    assert ends(fold(rollout("s1", 10), split), "s1") == moment(50)


def test_a_rollout_that_was_ended_meets_nothing_later(fold: Fold) -> None:
    """R17 and R13: until its end: a reference table that it reads."""
    first = run("s1", job="serve", kind="SERVICE").reads("t").start(10)
    world = fold(made("r1", "t", 0, 5), made("r2", "t", 20, 25), made("r3", "t", 60, 65), first, rollout("s2", 50))
    assert {read.version for read in world.reads("s1", "t", job="serve")} == {"t@r1", "t@r2"}


def test_runs_of_a_batch_job_do_not_end_each_other(fold: Fold) -> None:
    """R17: rollouts."""
    world = fold(run("r1", job="j").start(10), run("r2", job="j").start(50))
    assert world.run("r1", "j").ended_at is None


def test_runs_of_a_stream_do_not_end_each_other(fold: Fold) -> None:
    """R17: a rollout is a run of a deployment."""
    world = fold(run("s1", job="j", kind="STREAMING").start(10), run("s2", job="j", kind="STREAMING").start(50))
    assert world.run("s1", "j").ended_at is None


def test_a_rollout_without_a_start_ends_the_one_before(fold: Fold) -> None:
    """R17 and R1: START was lost: its earliest event."""
    world = fold(rollout("s1", 10), rollout("s2", 50).running(55).without("START"))
    assert ends(world, "s1") == moment(55)
