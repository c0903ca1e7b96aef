"""R13: reads and writes nearer to each other than clocks differ."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import Run, made, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def failed(short: str, output: str, start: float, end: float) -> Run:
    """A run that failed to write."""
    return run(short).writes(output).start(start).fail(end)


def test_a_read_just_after_another_version_s_write_is_close(fold: Fold) -> None:
    """R13: nearer than 2 s to another version's write: gap CLOSE."""
    world = fold(made("r1", "a", 0, 5), made("r2", "a", 20, 21.5), seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r1"}
    assert world.read("r3", "a").gaps == {"TIME_BINDING", "CLOSE"}


def test_a_read_two_seconds_from_another_version_s_write_is_not_close(fold: Fold) -> None:
    """R13: nearer than 2 s, and this is 2 s."""
    after = fold(made("r1", "a", 0, 5), made("r2", "a", 10, 22), seen("r3", "a", 20))
    before = fold(made("r1", "a", 0, 18), made("r2", "a", 10, 19), seen("r3", "a", 20))
    assert after.read("r3", "a").gaps == before.read("r3", "a").gaps == {"TIME_BINDING"}


def test_a_read_just_after_its_own_version_s_write_is_not_close(fold: Fold) -> None:
    """R13: another version's write."""
    world = fold(made("r1", "a", 0, 19), seen("r3", "a", 20))
    assert world.read("r3", "a").gaps == {"TIME_BINDING"}


def test_a_close_write_before_the_one_that_is_met_counts(fold: Fold) -> None:
    """R13: to another version's write, before or after."""
    world = fold(made("r1", "a", 0, 19), made("r2", "a", 0, 19.5), seen("r3", "a", 20))
    assert world.met("r3", "a") == {"a@r2"}
    assert "CLOSE" in world.read("r3", "a").gaps


def test_a_declared_read_is_never_close(fold: Fold) -> None:
    """R13: clocks differ: that is of reads by TIME."""
    world = fold(made("r1", "a", 0, 5, version="v1"), made("r2", "a", 20, 21), seen("r3", "a", 20, version="v1"))
    assert world.read("r3", "a").gaps == set()


def test_the_run_s_own_write_is_not_close(fold: Fold) -> None:
    """R13 and R0: another run's."""
    world = fold(made("r1", "a", 0, 5), run("r2").reads("a").writes("a").start(20).complete(21))
    (read,) = world.reads("r2", "a")
    assert "CLOSE" not in read.gaps


def test_a_read_just_before_the_first_write_is_close(fold: Fold) -> None:
    """R13: nearer than 2 s to another version's write, of what it found without a producer too: clocks differ."""
    read = fold(made("r1", "a", 0, 21), seen("r3", "a", 20)).read("r3", "a")
    assert (read.version, read.gaps) == ("a?r3", {"NO_PRODUCER", "CLOSE"})


def test_a_read_bound_to_an_uncertain_version_is_close_to_another(fold: Fold) -> None:
    """R13: any other version's write."""
    world = fold(failed("r1", "a", 0, 10), failed("r2", "a", 15, 21), seen("r3", "a", 20))
    assert world.read("r3", "a").gaps == {"TIME_BINDING", "UNCERTAIN", "CLOSE"}
