"""R10: what keys a version, and what names it."""

from __future__ import annotations

from collections.abc import Callable

from lineage.model import Digest, Name
from lineage.timeline.binding import declared_key, digest_key, found_key
from lineage.timeline.writes import version_key
from tests.unit.fold_rules.story import dataset_event, made, moment, run, run_id, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]

A = Name("db", "a")
WRITER = (run_id("r1"), "jobs", "job-r1", None)


def digest(value: str, scope: str = "FULL", method: str = "file", algorithm: str = "sha256") -> Digest:
    """A digest as the graph has it."""
    return Digest(algorithm, value, scope, method)


def told(value: str, scope: str = "FULL", method: str = "file", algorithm: str = "sha256") -> dict[str, str]:
    """A digest as an event tells it."""
    return {"digest": value, "scope": scope, "method": method, "algorithm": algorithm}


def test_a_written_version_is_keyed_by_its_run(fold: Fold) -> None:
    """R10: (dataset, run that wrote it), whatever its declared version is."""
    plain, stamped = fold(made("r1", "a", 0, 5)), fold(made("r1", "a", 0, 5, version="v1", digest="h1"))
    assert plain.version("a@r1").key == stamped.version("a@r1").key == version_key(A, WRITER)


def test_a_stream_s_version_is_keyed_by_its_moment_too(fold: Fold) -> None:
    """R10: in a STREAMING or SERVICE run also the moment."""
    stream = run("s1", kind="STREAMING").start(0).writes("a").running(10).writes("a", version="v2")
    world = fold(stream)
    assert world.versions("a") == ["a@s1:0", "a@s1:10"]
    assert world.version("a@s1:0").key != world.version("a@s1:10").key


def test_declared_versions_and_hashes_name_a_written_version(fold: Fold) -> None:
    """R10: names of it."""
    world = fold(made("r1", "a", 0, 5, version="v1", digest="h1"))
    assert world.versions("a") == ["a@r1"]
    assert world.version("a@r1").declared == ("v1",)
    assert world.with_digest("h1") == {"a@r1"}
    assert world.resolve(declared_key(A, "v1")) == ["a@r1"]
    assert world.resolve(digest_key(A, digest("h1"))) == ["a@r1"]


def test_without_a_writer_the_declared_version_is_the_key(fold: Fold) -> None:
    """R10: (dataset, declared version), before any content hash."""
    world = fold(seen("r2", "a", 10, version="v1", digest="h1"), seen("r3", "a", 20, version="v1"))
    assert world.versions("a") == ["a=v1"]
    assert world.version("a=v1").key == declared_key(A, "v1")
    assert world.with_digest("h1") == {"a=v1"}


def test_without_a_declared_version_the_content_hash_is_the_key(fold: Fold) -> None:
    """R10: two runs that find the same content find the same version."""
    world = fold(seen("r2", "a", 10, digest="h1"), seen("r3", "a", 20, digest="h1"))
    assert world.versions("a") == ["a#h1"]
    assert world.version("a#h1").key == digest_key(A, digest("h1"))


def test_of_several_content_hashes_the_first_by_scope_is_the_key(fold: Fold) -> None:
    """R10: FULL, SAMPLE, METADATA, whatever the letters say."""
    hashes = [told("h0", "METADATA", "a"), told("h1", "SAMPLE", "b"), told("h2", "FULL", "z")]
    world = fold(seen("r2", "a", 10, digest=hashes))
    (version,) = world.versions("a")
    assert world.version(version).key == digest_key(A, digest("h2", "FULL", "z"))


def test_within_a_scope_the_method_then_the_algorithm_then_the_digest_decide(fold: Fold) -> None:
    """R10: then method, algorithm, digest."""
    by_method = [told("h1", method="tree", algorithm="md5"), told("h2", method="file", algorithm="sha256")]
    world = fold(seen("r2", "a", 10, digest=by_method))
    (version,) = world.versions("a")
    assert world.version(version).key == digest_key(A, digest("h2"))
    by_algorithm = [told("h1", algorithm="sha256"), told("h2", algorithm="md5")]
    world = fold(seen("r2", "a", 10, digest=by_algorithm))
    (version,) = world.versions("a")
    assert world.version(version).key == digest_key(A, digest("h2", algorithm="md5"))


def test_without_either_it_is_as_found_by_the_run(fold: Fold) -> None:
    """R10: (dataset, as found by run R): each run's own."""
    world = fold(seen("r2", "a", 10), seen("r3", "a", 20))
    assert world.versions("a") == ["a?r2", "a?r3"]
    assert world.version("a?r2").key == found_key(A, run_id("r2"), Name("jobs", "job-r2"))


def test_a_version_without_a_writer_is_of_the_earliest_start_that_names_it(fold: Fold) -> None:
    """R10: its time is when it was first seen."""
    world = fold(seen("r2", "a", 30, version="v1"), seen("r3", "a", 20, version="v1"))
    assert world.version("a=v1").written_at == moment(20)
    assert world.version("a=v1").run is None


def test_a_version_that_a_late_event_of_a_run_names_is_of_the_run_s_start(fold: Fold) -> None:
    """R10: the earliest start."""
    late = run("r2").start(10).writes("b").complete(50).reads("a", version="v1")
    assert fold(late).version("a=v1").written_at == moment(10)


def test_a_version_that_an_event_without_a_run_names_is_of_its_event_time(fold: Fold) -> None:
    """R10: or eventTime."""
    world = fold(dataset_event("a", 10, version="v1"), seen("r3", "a", 20, version="v1"))
    assert world.version("a=v1").written_at == moment(10)


def test_the_key_by_declared_version_still_resolves_once_the_writer_is_known(fold: Fold) -> None:
    """R10: each key that it ever had still resolves: the reader was told before the writer."""
    reader = seen("r2", "a", 10, version="v1")
    before = fold(reader).version("a=v1").key
    assert fold(reader, made("r1", "a", 0, 5, version="v1")).resolve(before) == ["a@r1"]


def test_the_key_by_content_still_resolves_once_the_writer_is_known(fold: Fold) -> None:
    """R10."""
    reader = seen("r2", "a", 10, digest="h1")
    before = fold(reader).version("a#h1").key
    assert fold(reader, made("r1", "a", 0, 5, digest="h1")).resolve(before) == ["a@r1"]


def test_the_key_as_found_still_resolves_once_the_writer_is_known(fold: Fold) -> None:
    """R10."""
    reader = seen("r2", "a", 10)
    before = fold(reader).version("a?r2").key
    assert fold(reader, made("r1", "a", 0, 5)).resolve(before) == ["a@r1"]


def test_the_key_as_found_still_resolves_once_the_version_is_declared(fold: Fold) -> None:
    """R10: the same run tells the version in a later event."""
    first = run("r2").reads("a").writes("b").start(10)
    before = fold(first).version("a?r2").key
    both = run("r2").start(10).reads("a").writes("b").complete(15).reads("a", version="v1")
    assert fold(both).resolve(before) == ["a=v1"]


def test_the_key_by_content_still_resolves_once_the_version_is_declared(fold: Fold) -> None:
    """R10: one version of both names."""
    first = run("r2").start(10).reads("a", digest="h1").writes("b")
    before = fold(first).version("a#h1").key
    both = run("r2").start(10).reads("a", digest="h1").writes("b").complete(15).reads("a", version="v1")
    assert fold(both).resolve(before) == ["a=v1"]


def test_a_key_under_an_alias_still_resolves(fold: Fold) -> None:
    """R10 and R2: the name that the dataset had before the symlink was told."""
    writer = made("r1", "t", 0, 5, version="v1")
    before = fold(writer).version("t@r1").key
    world = fold(writer, dataset_event("path", 20, symlinks=["t"]))
    assert world.resolve(before) == ["path@r1"]
    assert world.resolve(declared_key(Name("db", "t"), "v1")) == ["path@r1"]


def test_a_version_name_that_the_run_itself_replaced_names_nothing(fold: Fold) -> None:
    """R12 c: the one told last is the version's; the first may be a stamp of the state before."""
    world = fold(run("r1").start(0).writes("a", version="v1").complete(5).writes("a", version="v2"))
    assert world.version("a@r1").declared == ("v2",)
    assert world.resolve(declared_key(A, "v1")) == []


def test_a_content_hash_that_the_run_itself_replaced_names_nothing(fold: Fold) -> None:
    """R10: of each algorithm, scope and method the one told last; the first may be of the state before."""
    world = fold(run("r1").start(0).writes("a", digest="h1").complete(5).writes("a", digest="h2"))
    assert [d.digest for d in world.version("a@r1").digests] == ["h2"]
    assert world.resolve(digest_key(A, digest("h1"))) == []


def test_digests_are_the_union_over_the_events_of_a_version(fold: Fold) -> None:
    """R10: of the writer's events, of DatasetEvents and of reads that declare the version."""
    writer = run("r1").start(0).writes("a", version="v1", digest=[told("h1")])
    writer.complete(5).writes("a", version="v1", digest=[told("h2", method="table")])
    world = fold(
        writer,
        dataset_event("a", 20, version="v1", digest=[told("h3", scope="SAMPLE")]),
        seen("r2", "a", 30, version="v1", digest=[told("h4", scope="METADATA")]),
    )
    assert {d.digest for d in world.version("a@r1").digests} == {"h1", "h2", "h3", "h4"}


def test_per_algorithm_scope_and_method_the_digest_told_last_counts(fold: Fold) -> None:
    """R10."""
    world = fold(
        made("r1", "a", 0, 5, version="v1", digest="h1"),
        dataset_event("a", 30, version="v1", digest="h3"),
        dataset_event("a", 20, version="v1", digest="h2"),
    )
    assert [d.digest for d in world.version("a@r1").digests] == ["h3"]
