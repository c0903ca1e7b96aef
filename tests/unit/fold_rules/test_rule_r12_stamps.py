"""R12 d to f: stale stamps, claims of several runs, and versions that nobody wrote."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import Run, dataset_event, made, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


# -- d


def test_a_stamp_that_an_earlier_run_had_read_names_nothing(fold: Fold) -> None:
    """R12 d: a batch run of smaller rank had declared it as read."""
    stale = made("r3", "a", 20, 25, version="v1")
    world = fold(made("r1", "a", 0, 2), seen("r2", "a", 10, version="v1"), stale, seen("r4", "a", 40, version="v1"))
    assert world.version("a@r3").declared == ()
    assert world.met("r2", "a") == world.met("r4", "a") == {"a@r1"}
    assert world.version_gaps("a@r3") & {"VERSION_CLAIMED_TWICE"} == set()


def test_a_stamp_that_a_later_run_read_names_the_write(fold: Fold) -> None:
    """R12 d: of smaller rank only."""
    world = fold(made("r1", "a", 20, 25, version="v1"), seen("r2", "a", 40, version="v1"))
    assert world.read("r2", "a").binding == "DECLARED"
    assert world.met("r2", "a") == {"a@r1"}


def test_a_stamp_that_a_stream_had_told_before_the_writer_s_start_is_stale(fold: Fold) -> None:
    """R12 d: in an event before the writer's start."""
    stream = run("s1", kind="STREAMING").start(0).running(10).reads("a", version="v1")
    world = fold(stream, made("r3", "a", 20, 25, version="v1"))
    assert world.version("a@r3").declared == ()


def test_a_stamp_that_a_stream_tells_after_the_writer_s_start_is_the_write_s(fold: Fold) -> None:
    """R12 d: the stream's own start is of no account."""
    stream = run("s1", kind="STREAMING").start(0).running(30).reads("a", version="v1")
    world = fold(stream, made("r3", "a", 20, 25, version="v1"))
    assert world.version("a@r3").declared == ("v1",)
    assert world.met("s1", "a") == {"a@r3"}


def test_a_reader_that_comes_late_makes_a_stamp_stale(fold: Fold) -> None:
    """R12 d and R18: whoever declared it, whenever that is heard."""
    early = run("r2").start(10).complete(15).reads("a", version="v1")
    world = fold(made("r3", "a", 20, 25, version="v1"), early)
    assert world.version("a@r3").declared == ()
    assert world.met("r2", "a") == {"a=v1"}


# -- e


def test_a_version_that_several_runs_claim_is_the_last_to_end_s(fold: Fold) -> None:
    """R12 e: gap VERSION_CLAIMED_TWICE."""
    world = fold(
        made("r1", "a", 0, 30, version="v1"), made("r2", "a", 5, 20, version="v1"), seen("r3", "a", 50, version="v1")
    )
    assert world.met("r3", "a") == {"a@r1"}
    assert world.version("a@r1").declared == ("v1",)
    assert world.version("a@r2").declared == ()
    assert "VERSION_CLAIMED_TWICE" in world.version_gaps("a@r1")


def test_a_stale_stamp_is_no_claim(fold: Fold) -> None:
    """R12, in this order: d goes before e."""
    world = fold(
        made("r1", "a", 0, 5, version="v1"), seen("r2", "a", 10, version="v1"), made("r3", "a", 20, 25, version="v1")
    )
    assert world.version("a@r1").declared == ("v1",)
    assert "VERSION_CLAIMED_TWICE" not in world.version_gaps("a@r1")
    assert world.met("r2", "a") == {"a@r1"}


# -- f


def test_a_version_that_was_read_and_written_by_nobody_joins_the_last_write_before(fold: Fold) -> None:
    """R12 f: INFERRED, and the gap says so."""
    world = fold(made("r1", "a", 0, 5), seen("r2", "a", 10, version="v1"))
    read = world.read("r2", "a")
    assert (read.version, read.binding) == ("a@r1", "INFERRED")
    assert "INFERRED" in read.gaps
    assert world.version("a@r1").declared == ("v1",)


def test_only_a_write_that_told_no_version_is_joined(fold: Fold) -> None:
    """R12 f: the last write before that read which told no version."""
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 5, 8, version="v9"), seen("r3", "a", 20, version="v1"))
    assert world.met("r3", "a") == {"a@r1"}


def test_no_write_after_the_read_is_joined(fold: Fold) -> None:
    """R12 f: before that read."""
    world = fold(seen("r2", "a", 10, version="v1"), made("r1", "a", 20, 25))
    assert world.met("r2", "a") == {"a=v1"}
    assert world.version("a@r1").declared == ()


def test_a_version_is_joined_as_of_its_earliest_read(fold: Fold) -> None:
    """R12 f: for the earliest read: r4 reads the same version after another write."""
    world = fold(
        made("r1", "a", 0, 2),
        seen("r2", "a", 10, version="v1"),
        made("r3", "a", 20, 25),
        seen("r4", "a", 40, version="v1"),
    )
    assert world.met("r2", "a") == world.met("r4", "a") == {"a@r1"}


def test_a_write_is_joined_by_one_version_only(fold: Fold) -> None:
    """R12 f: a later read's other version joins nothing, not even an older write."""
    world = fold(
        made("r0", "a", 0, 1),
        made("r1", "a", 3, 5),
        seen("r2", "a", 10, version="v1"),
        seen("r3", "a", 20, version="v2"),
    )
    assert world.met("r2", "a") == {"a@r1"}
    assert world.met("r3", "a") == {"a=v2"}
    assert world.version("a@r0").declared == ()


def test_versions_of_several_reads_join_the_write_before_each(fold: Fold) -> None:
    """R12 f."""
    world = fold(
        made("r1", "a", 0, 2),
        seen("r2", "a", 10, version="v1"),
        made("r3", "a", 20, 25),
        seen("r4", "a", 40, version="v2"),
    )
    assert (world.met("r2", "a"), world.met("r4", "a")) == ({"a@r1"}, {"a@r3"})


def test_a_version_that_a_run_wrote_joins_nothing(fold: Fold) -> None:
    """R12 f: written by nobody."""
    world = fold(made("r1", "a", 0, 2, version="v1"), made("r2", "a", 5, 8), seen("r3", "a", 20, version="v1"))
    assert world.met("r3", "a") == {"a@r1"}
    assert world.read("r3", "a").binding == "DECLARED"
    assert world.version("a@r2").declared == ()


def test_a_stamp_that_comes_late_undoes_a_join(fold: Fold) -> None:
    """R12 f and R18: the write told its version after all."""
    late = run("r1").start(0).writes("a").complete(5).writes("a", version="v9")
    world = fold(late, seen("r2", "a", 10, version="v1"))
    assert world.met("r2", "a") == {"a=v1"}
    assert world.version("a@r1").declared == ("v9",)


def test_a_version_told_by_traffic_joins_the_last_write_before(fold: Fold) -> None:
    """R12 b and f: a telling is a declaration."""
    rollout = run("s1", kind="SERVICE").start(20).traffic(("m", "v1", 100))
    world = fold(made("r1", "m", 0, 2, model=True), rollout)
    assert {(read.version, read.binding) for read in world.reads("s1", "m")} == {("m@r1", "INFERRED")}


def test_a_version_that_a_dataset_event_alone_tells_joins_nothing(fold: Fold) -> None:
    """R12 f: declared as read."""
    world = fold(made("r1", "a", 0, 5), dataset_event("a", 10, version="v1"))
    assert world.version("a@r1").declared == ()
    assert sorted(world.versions("a")) == ["a=v1", "a@r1"]


def test_the_run_s_own_write_is_not_joined(fold: Fold) -> None:
    """R12 f and R0: before that read, and a run never reads what it wrote."""
    itself: Run = run("r2").start(10).reads("a", version="v1").writes("a").complete(10)
    world = fold(made("r1", "a", 0, 5), itself)
    assert world.met("r2", "a") == {"a@r1"}
    assert world.version("a@r2").declared == ()
