"""R0: rank, and what never happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256

from lineage.event.parser import parse_event
from tests.unit.fold_rules.story import copied, dataset_event, encoded, hashes, made, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_of_two_versions_written_at_once_the_one_with_the_later_start_stands_last(fold: Fold) -> None:
    """R0: versions stand by (written, rank), rank by start first."""
    world = fold(made("r2", "a", 0, 50), made("r1", "a", 10, 50), seen("r3", "a", 100))
    assert world.met("r3", "a") == {"a@r1"}


def test_a_version_written_later_stands_last_though_its_run_started_first(fold: Fold) -> None:
    """R0: written goes before rank."""
    world = fold(made("r2", "a", 0, 60), made("r1", "a", 10, 50), seen("r3", "a", 100))
    assert world.met("r3", "a") == {"a@r2"}


def test_of_two_versions_of_equal_times_the_one_with_the_larger_run_id_stands_last(fold: Fold) -> None:
    """R0: rank is (start, runId, job)."""
    world = fold(made("r2", "a", 10, 50), made("r1", "a", 10, 50), seen("r3", "a", 100))
    assert world.met("r3", "a") == {"a@r2"}


def test_of_two_versions_of_one_run_id_the_one_with_the_larger_job_stands_last(fold: Fold) -> None:
    """R0: rank is (start, runId, job), the job last."""
    first = run("r1", job="x").writes("a", version="v1").start(10).complete(50)
    second = run("r1", job="y").writes("a", version="v2").start(10).complete(50)
    world = fold(first, second, seen("r3", "a", 100))
    assert world.declared_of(world.read("r3", "a")) == ("v2",)


def test_versions_of_a_stream_stand_by_their_moments(fold: Fold) -> None:
    """R0: the rank of a version of a STREAMING run is (moment, runId, job), not its start."""
    stream = run("r9", kind="STREAMING").start(0).writes("a").running(50).writes("a", version="v2")
    world = fold(stream, made("r1", "a", 10, 30), seen("r2", "a", 40), seen("r3", "a", 100))
    assert world.met("r2", "a") == {"a@r1"}
    assert world.met("r3", "a") == {"a@r9:50"}


def test_between_events_of_one_time_the_larger_hash_tells_last(fold: Fold) -> None:
    """R0: events go by (eventTime, hash of the event), the hash being SHA-256 of the record's bytes."""
    events = [
        dataset_event("a", 5, facets={"documentation": {"description": text}}) for text in ("one", "two", "three")
    ]
    last = max(encoded(events), key=lambda told: sha256(told).digest())
    assert parse_event(last).hash == sha256(last).digest()
    node = fold(*events).dataset("a")
    assert node is not None
    assert node.description == json.loads(last)["dataset"]["facets"]["documentation"]["description"]


def test_a_later_event_tells_last_whatever_its_hash(fold: Fold) -> None:
    """R0: eventTime goes before the hash."""
    texts = [f"text {number}" for number in range(5)]
    events = [dataset_event("a", at, facets={"documentation": {"description": text}}) for at, text in enumerate(texts)]
    node = fold(*events).dataset("a")
    assert node is not None
    assert node.description == texts[-1]


def test_within_one_event_the_later_position_tells_last(fold: Fold) -> None:
    """R0: within one event by position."""
    twice = run("r1").start(0).writes("a", facets={"lineageGraph_contentHash": hashes("h1", "h2")}).complete(5)
    world = fold(twice)
    assert [digest.digest for digest in world.version("a@r1").digests] == ["h2"]


def test_an_output_named_twice_in_one_event_has_the_version_of_the_later_place(fold: Fold) -> None:
    """R0: within one event by position."""
    world = fold(run("r1").start(0).complete(5).writes("a", version="v1").writes("a", version="v2"))
    assert world.version("a@r1").declared == ("v2",)


def test_a_dataset_named_twice_in_one_event_has_the_facet_of_the_later_place(fold: Fold) -> None:
    """R0: within one event by position."""
    told = run("r1").start(0)
    for text in ("one", "two"):
        told.writes("a", facets={"documentation": {"description": text}})
    node = fold(told).dataset("a")
    assert node is not None
    assert node.description == "two"


# -- a flow that writes reads only versions of smaller rank, whatever the binding


def test_a_declared_read_of_a_version_of_larger_rank_is_none(fold: Fold) -> None:
    """R0, DECLARED: by R12 d the stamp names nothing then."""
    writer = made("r1", "a", 10, 20, version="v1")
    world = fold(writer, run("r2").start(0).writes("b").complete(30).reads("a", version="v1"))
    assert world.met("r2", "a") == {"a=v1"}
    assert world.made_from("b@r2") == {"a=v1"}


def test_a_read_by_hash_of_a_version_of_larger_rank_is_none(fold: Fold) -> None:
    """R0, HASH: of equal starts the larger runId is the larger rank."""
    writer = made("r5", "a", 10, 10, digest="h1")
    world = fold(made("r1", "a", 0, 2, digest="h0"), writer, seen("r2", "a", 10, digest="h1"))
    assert "a@r5" not in world.made_from("by-r2@r2")


def test_a_read_by_time_of_a_version_of_larger_rank_meets_the_one_before(fold: Fold) -> None:
    """R0, TIME."""
    world = fold(made("r1", "a", 0, 2), made("r5", "a", 10, 10), seen("r2", "a", 10))
    assert world.met("r2", "a") == {"a@r1"}


def test_a_read_by_time_of_a_version_of_smaller_rank_and_equal_time_meets_it(fold: Fold) -> None:
    """R0: the same times, and the rank of the write is the smaller one."""
    world = fold(made("r1", "a", 0, 2), made("r2", "a", 10, 10), seen("r5", "a", 10))
    assert world.met("r5", "a") == {"a@r2"}


def test_an_inferred_join_to_a_version_of_larger_rank_is_none(fold: Fold) -> None:
    """R0, INFERRED: the version read first joins r5's write, which a run of smaller rank can't have read."""
    early = run("r3").start(20).writes("b").complete(60).reads("a", version="v1")
    late = run("r1").start(0).writes("c").complete(60).reads("a", version="v2")
    world = fold(made("r5", "a", 5, 8), early, late)
    assert world.met("r3", "a") == {"a@r5"}
    assert "a@r5" not in world.made_from("c@r1")


def test_a_rename_takes_no_version_of_larger_rank_along(fold: Fold) -> None:
    """R0, RENAME."""
    renames = run("r2").start(0).complete(50).writes("b", renamed_from="a")
    world = fold(made("r1", "a", -20, -10), made("r5", "a", 10, 20), renames)
    assert world.made_from("b@r2") == {"a@r1"}


def test_a_version_builds_on_none_of_larger_rank(fold: Fold) -> None:
    """R0 and R15: the write in between began after this one."""
    appends = run("r3").reads("a").writes("a").start(10).complete(50)
    world = fold(made("r1", "a", 0, 5), made("r5", "a", 20, 40), appends)
    assert world.made_from("a@r3") == {"a@r1"}


def test_two_runs_that_read_what_the_other_writes_make_no_cycle(fold: Fold) -> None:
    """R0: so the version graph has no cycle."""
    one = run("r1").start(0).complete(10).reads("a", version="v1").writes("b", version="w1")
    other = run("r2").start(0).complete(10).reads("b", version="w1").writes("a", version="v1")
    world = fold(one, other)
    assert world.made_from("b@r1") == {"a=v1"}
    assert world.made_from("a@r2") == {"b@r1"}


def test_a_run_never_reads_what_it_wrote(fold: Fold) -> None:
    """R0: neither by version, nor by hash, nor by time, nor for no output."""
    itself = (
        run("r2").start(10).complete(10).reads("a", version="v2", digest="h2").writes("a", version="v2", digest="h2")
    )
    also = run("r3").start(30).reads("b").complete(30).writes("b")
    world = fold(made("r1", "a", 0, 2), itself, also)
    assert world.met("r2", "a") == {"a@r1"}
    assert world.met("r3", "b") == {"b?r3"}


def test_a_stream_never_reads_what_it_wrote(fold: Fold) -> None:
    """R0: a run that goes on reads and writes one dataset."""
    stream = run("r2", kind="STREAMING").reads("a").writes("a", "b").start(10).running(20).running(30).complete(40)
    world = fold(copied("r1", "x", "a", 0, 5), stream)
    assert not {version for version in world.met("r2", "a") if version.startswith("a@r2")}
