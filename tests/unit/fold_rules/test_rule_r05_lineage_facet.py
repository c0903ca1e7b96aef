"""R5: the ``lineage`` facet decides for the outputs that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.fold_rules.story import made_of, named, run, source
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def entry(output: str, *sources: str, **fields: list[str]) -> dict[str, Any]:
    """An entry of a job's facet: what an output is made of, as a whole and by its fields."""
    told = {"type": "DATASET", **named(output), **made_of(*sources)}
    if fields:
        told["fields"] = {name: made_of(*took) for name, took in fields.items()}
    return told


def job_entry(*sources: str) -> dict[str, Any]:
    """What the job as a whole takes in."""
    return {"type": "JOB", "namespace": "jobs", "name": "j", **made_of(*sources)}


def test_an_output_gets_exactly_the_inputs_that_its_facet_names(fold: Fold) -> None:
    """R5: on the output dataset."""
    told = run("r1", job="j").start(0).reads("a", "c", "e").writes("b", sources=["a"]).writes("d", sources=["a", "c"])
    assert fold(told).fed("r1", "j") == {"b": {"a"}, "d": {"a", "c"}, None: {"e"}}


def test_an_output_gets_exactly_the_inputs_that_the_job_s_facet_names(fold: Fold) -> None:
    """R5: on the job."""
    told = run("r1", job="j").reads("a", "c").writes("b", "d").entries(entry("b", "a"), entry("d", "c"))
    assert fold(told.start(0).complete(5)).fed("r1", "j") == {"b": {"a"}, "d": {"c"}}


def test_the_inputs_of_an_output_s_fields_are_its_inputs(fold: Fold) -> None:
    """R5: of its ``inputs`` and ``fields``."""
    told = run("r1", job="j").reads("a", "c", "e").writes("b").entries(entry("b", "a", y=["c:x"])).start(0).complete(5)
    world = fold(told)
    assert world.fed("r1", "j") == {"b": {"a", "c"}, None: {"e"}}
    assert ("c:x", "b:y") in world.columns()


def test_a_dataset_that_only_the_facet_names_is_an_input(fold: Fold) -> None:
    """R5: each gets exactly the datasets that are named, also those that ``inputs`` leave out."""
    told = run("r1", job="j").writes("b").entries(entry("b", "a")).start(0).complete(5)
    world = fold(told)
    assert world.fed("r1", "j") == {"b": {"a"}}
    assert [read.evidence for read in world.reads("r1", "a", job="j")] == ["DECLARED"]


def test_the_own_job_stands_for_what_the_facet_s_job_entries_take_in(fold: Fold) -> None:
    """R5: an input of type JOB that is the event's own job."""
    told = run("r1", job="j").reads("a", "c", "e").writes("b")
    told.entries(job_entry("a", "c"), entry("b", "job j")).start(0).complete(5)
    assert fold(told).fed("r1", "j") == {"b": {"a", "c"}, None: {"e"}}


def test_the_own_job_stands_for_all_inputs_if_nothing_says_what_it_takes_in(fold: Fold) -> None:
    """R5: if there are none, and the entry names no dataset."""
    told = run("r1", job="j").reads("a", "c").writes("b", "d").entries(entry("b", "job j"), entry("d", "a"))
    assert fold(told.start(0).complete(5)).fed("r1", "j") == {"b": {"a", "c"}, "d": {"a"}}


def test_the_own_job_beside_a_dataset_adds_nothing(fold: Fold) -> None:
    """R5: for all inputs only if the entry names no dataset."""
    told = run("r1", job="j").reads("a", "c").writes("b").entries(entry("b", "job j", "a")).start(0).complete(5)
    assert fold(told).fed("r1", "j") == {"b": {"a"}, None: {"c"}}


def test_the_own_job_beside_a_dataset_adds_what_the_job_entries_take_in(fold: Fold) -> None:
    """R5: what the facet's own JOB entries take in, in any case."""
    told = run("r1", job="j").reads("a", "c", "e").writes("b")
    told.entries(job_entry("c"), entry("b", "job j", "a")).start(0).complete(5)
    assert fold(told).fed("r1", "j") == {"b": {"a", "c"}, None: {"e"}}


def test_another_job_as_an_input_feeds_no_dataset(fold: Fold) -> None:
    """R5: another job ties jobs only."""
    other = run("r0", job="other").reads("x").writes("y").start(0).complete(5)
    told = run("r1", job="j").reads("a").writes("b").entries(entry("b", "job other")).start(10).complete(15)
    assert fold(other, told).fed("r1", "j") == {"b": set(), None: {"a"}}


def test_an_empty_list_means_no_tracked_upstream(fold: Fold) -> None:
    """R5: ``inputs: []``."""
    told = run("r1", job="j").start(0).reads("a").writes("b", sources=[]).writes("d").complete(5)
    assert fold(told).fed("r1", "j") == {"b": set(), "d": {"a"}}


def test_a_facet_that_names_an_output_goes_before_column_lineage(fold: Fold) -> None:
    """R5: it decides."""
    told = run("r1").start(0).reads("a", "c").writes("b", sources=["a"], claims={"y": ["c:x"]}).complete(5)
    assert fold(told).fed("r1") == {"b": {"a"}, None: {"c"}}


def test_an_input_that_an_entry_names_feeds_no_other_output_that_has_an_unnamed_one(fold: Fold) -> None:
    """R5: only if neither columnLineage nor an unnamed input feeds that output."""
    told = run("r1").start(0).reads("a", "c").writes("b", sources=["a"]).writes("d").complete(5)
    assert fold(told).fed("r1") == {"b": {"a"}, "d": {"c"}}


def test_an_input_that_an_entry_names_feeds_no_other_output_that_column_lineage_feeds(fold: Fold) -> None:
    """R5: columnLineage feeds d."""
    told = run("r1").start(0).reads("a", "c").writes("b", sources=["a", "c"]).writes("d", claims={"y": ["c:x"]})
    assert fold(told.complete(5)).fed("r1") == {"b": {"a", "c"}, "d": {"c"}}


def test_an_input_that_an_entry_names_feeds_an_output_that_nothing_else_feeds(fold: Fold) -> None:
    """R5: an output that no entry names."""
    told = run("r1").start(0).reads("a").writes("b", sources=["a"]).writes("d").complete(5)
    assert fold(told).fed("r1") == {"b": {"a"}, "d": {"a"}}


def test_the_facet_of_any_event_of_the_run_counts(fold: Fold) -> None:
    """R5 and R6: it accumulates, and flows come from the run's merged state."""
    told = run("r1").reads("a", "c").start(0).writes("b", "d").complete(5).writes("b", sources=["a"])
    assert fold(told).fed("r1") == {"b": {"a"}, "d": {"c"}}


def test_facets_of_several_events_accumulate(fold: Fold) -> None:
    """R5: on RunEvents the facet accumulates."""
    told = run("r1").reads("a", "c").start(0).writes("b", sources=["a"]).complete(5).writes("b", sources=["c"])
    assert fold(told).fed("r1") == {"b": {"a", "c"}}


def test_an_output_that_only_an_entry_names_is_written(fold: Fold) -> None:
    """R5: the outputs that it names."""
    told = run("r1", job="j").reads("a").start(0).entries(entry("b", "a")).complete(5)
    world = fold(told)
    assert world.fed("r1", "j") == {"b": {"a"}}
    assert world.versions("b") == ["b@r1"]


def test_a_source_is_given_as_the_specification_has_it() -> None:
    """The story's words for the facet of OpenLineage."""
    assert source("a:x") == {"type": "DATASET", "namespace": "db", "name": "a", "field": "x"}
    assert source("job j") == {"type": "JOB", "namespace": "jobs", "name": "j"}
