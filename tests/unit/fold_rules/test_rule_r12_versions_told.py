"""R12 a to c: what the versions that one run tells are taken for."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import made, moment, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


# -- a


def test_a_version_told_as_input_and_output_is_the_write_s(fold: Fold) -> None:
    """R12 a: the input then counts as undeclared: it binds by time."""
    appends = run("r2").start(10).reads("a").complete(15).reads("a", version="v2").writes("a", version="v2")
    world = fold(made("r1", "a", 0, 5, version="v1"), appends)
    assert world.version("a@r2").declared == ("v2",)
    assert world.met("r2", "a") == {"a@r1"}


def test_a_version_told_as_input_in_one_event_and_as_output_in_another_is_the_write_s(fold: Fold) -> None:
    """R12 a: for one dataset, whichever event tells it."""
    appends = run("r2").start(10).reads("a", version="v2").complete(15).writes("a", version="v2")
    world = fold(made("r1", "a", 0, 5, version="v1"), appends)
    assert world.met("r2", "a") == {"a@r1"}
    assert world.version("a@r2").declared == ("v2",)


def test_what_start_told_as_read_stands_where_complete_tells_the_new_version_for_both(fold: Fold) -> None:
    """R12 a and b: Iceberg's COMPLETE shows input = output; START has the version that was read."""
    appends = run("r3").start(20).reads("a", version="v1")
    appends.complete(25).reads("a", version="v3").writes("a", version="v3")
    world = fold(made("r1", "a", 0, 2, version="v1"), made("r2", "a", 8, 10, version="v2"), appends)
    assert ("a@r1", "DECLARED") in {(read.version, read.binding) for read in world.reads("r3", "a")}
    assert world.version("a@r3").declared == ("v3",)


def test_one_version_word_for_two_datasets_is_each_one_s_own(fold: Fold) -> None:
    """R12 a: for one dataset."""
    told = run("r2").start(10).reads("a", version="v1").writes("b", version="v1").complete(15)
    world = fold(made("r1", "a", 0, 5, version="v1"), told)
    assert world.read("r2", "a").binding == "DECLARED"
    assert world.version("b@r2").declared == ("v1",)


# -- b


def test_a_batch_run_read_the_version_of_the_earliest_event_that_tells_one(fold: Fold) -> None:
    """R12 b: later events may carry the state after the write."""
    reader = run("r3").writes("b").start(20).reads("a").running(22).reads("a", version="v1")
    world = fold(
        made("r1", "a", 0, 2, version="v1"),
        made("r2", "a", 8, 10, version="v2"),
        reader.complete(25).reads("a", version="v2"),
    )
    assert world.met("r3", "a") == {"a@r1"}


def test_of_events_of_one_time_start_tells_the_version_first(fold: Fold) -> None:
    """R12 b: ties: START first."""
    for first, second in (("v1", "v2"), ("v2", "v1")):
        reader = run("r3").writes("b").complete(20).reads("a", version=second).start(20).reads("a", version=first)
        world = fold(made("r1", "a", 0, 2, version="v1"), made("r2", "a", 8, 10, version="v2"), reader)
        assert world.met("r3", "a") == {"a@r1" if first == "v1" else "a@r2"}


def test_each_input_has_an_earliest_event_of_its_own(fold: Fold) -> None:
    """R12 b: per input."""
    reader = run("r3").writes("b").start(20).reads("a", version="v1").complete(25).reads("a", "c", version="v2")
    assert fold(reader).versions("a") == ["a=v1"]
    assert fold(reader).versions("c") == ["c=v2"]


def test_the_content_hashes_of_an_input_are_those_of_its_earliest_telling(fold: Fold) -> None:
    """R12 b: its content hashes likewise."""
    reader = run("r3").writes("b").start(20).reads("a", digest="h1").complete(25).reads("a", digest="h2")
    world = fold(made("r1", "a", 0, 2, digest="h1"), made("r2", "a", 8, 10, digest="h2"), reader)
    assert world.met("r3", "a") == {"a@r1"}
    assert world.read("r3", "a").binding == "HASH"


def test_a_version_and_content_hashes_may_be_told_by_different_events(fold: Fold) -> None:
    """R12 b: the earliest event that tells any of it, for each."""
    reader = run("r3").writes("b").start(20).reads("a", digest="h1").complete(25).reads("a", version="v1", digest="h2")
    world = fold(reader)
    assert world.versions("a") == ["a=v1"]
    assert [digest.digest for digest in world.version("a=v1").digests] == ["h1"]


def test_an_input_of_which_the_earliest_event_was_lost_has_the_next_one_s_version(fold: Fold) -> None:
    """R12 b: START was lost."""
    reader = run("r3").writes("b").start(20).reads("a", version="v1").complete(25).reads("a", version="v2")
    writers = made("r1", "a", 0, 2, version="v1"), made("r2", "a", 8, 10, version="v2")
    assert fold(*writers, reader.without("START")).met("r3", "a") == {"a@r2"}


def test_a_stream_read_every_version_that_it_tells(fold: Fold) -> None:
    """R12 b: a STREAMING or SERVICE run's are all it tells."""
    stream = run("s1", kind="STREAMING").start(20).reads("a", version="v1").running(30).reads("a", version="v2")
    world = fold(made("r1", "a", 0, 2, version="v1"), made("r2", "a", 8, 10, version="v2"), stream)
    assert world.met("s1", "a") == {"a@r1", "a@r2"}


def test_a_stream_reads_a_told_version_from_its_event_on(fold: Fold) -> None:
    """R12 b: each from its event."""
    stream = run("s1", kind="STREAMING").start(20).reads("a", version="v1").running(30).reads("a", version="v2")
    world = fold(made("r1", "a", 0, 2, version="v1"), made("r2", "a", 8, 10, version="v2"), stream)
    at = {read.version: read.edge.at for read in world.reads("s1", "a")}
    assert at == {"a@r1": moment(20), "a@r2": moment(30)}


def test_a_told_version_holds_until_the_next_telling(fold: Fold) -> None:
    """R12 b: until the next telling for that dataset: what is written meanwhile is not met."""
    stream = run("s1", kind="STREAMING").start(20).reads("a", version="v1").running(50).reads("a", version="v3")
    world = fold(
        made("r1", "a", 0, 2, version="v1"),
        made("r2", "a", 30, 35, version="v2"),
        made("r3", "a", 40, 45, version="v3"),
        stream,
    )
    assert world.met("s1", "a") == {"a@r1", "a@r3"}


def test_traffic_is_a_telling(fold: Fold) -> None:
    """R12 b: ``traffic[].version``, from its event on."""
    rollout = run("s1", kind="SERVICE").reads("m", model=True).start(20).traffic(("m", "v1", 100))
    rollout.running(30).traffic(("m", "v2", 100))
    world = fold(
        made("r1", "m", 0, 2, version="v1", model=True), made("r2", "m", 8, 10, version="v2", model=True), rollout
    )
    at = {read.version: read.edge.at for read in world.reads("s1", "m")}
    assert at == {"m@r1": moment(20), "m@r2": moment(30)}
    assert {read.binding for read in world.reads("s1", "m")} == {"DECLARED"}


def test_traffic_that_is_split_tells_all_its_versions_at_once(fold: Fold) -> None:
    """R12 b: two versions of one model in one event."""
    rollout = run("s1", kind="SERVICE").start(20).traffic(("m", "v1", 90), ("m", "v2", 10))
    world = fold(
        made("r1", "m", 0, 2, version="v1", model=True), made("r2", "m", 8, 10, version="v2", model=True), rollout
    )
    assert world.met("s1", "m") == {"m@r1", "m@r2"}


def test_a_model_that_only_traffic_names_is_read(fold: Fold) -> None:
    """R12 b: a telling, though no input names the model, nor anything else: it is a dataset that can be found."""
    world = fold(run("s1", kind="SERVICE").start(20).traffic(("m", "v1", 100)))
    assert world.met("s1", "m") == {"m=v1"}
    assert world.dataset("m") is not None


# -- c


def test_an_output_has_the_version_that_was_told_last(fold: Fold) -> None:
    """R12 c."""
    world = fold(run("r1").start(0).writes("a", version="v1").complete(5).writes("a", version="v2"), seen("r2", "a", 9))
    assert world.version("a@r1").declared == ("v2",)


def test_a_later_event_that_tells_no_version_takes_none_away(fold: Fold) -> None:
    """R12 c: told last."""
    world = fold(run("r1").start(0).writes("a", version="v1").complete(5).writes("a"))
    assert world.version("a@r1").declared == ("v1",)


def test_an_output_of_which_the_last_event_was_lost_has_the_version_before(fold: Fold) -> None:
    """R12 c: COMPLETE was lost."""
    told = run("r1").start(0).writes("a", version="v1").complete(5).writes("a", version="v2")
    assert fold(told.without("COMPLETE")).version("a@r1").declared == ("v1",)
