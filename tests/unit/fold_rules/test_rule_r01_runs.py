"""R1: what a run is, whatever its events' order, and whichever of them are lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lineage.model import RunState, RunType
from tests.unit.fold_rules.story import dataset, job_event, made, moment, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_the_events_of_one_run_accumulate(fold: Fold) -> None:
    """R1: a run's state accumulates: inputs, outputs and facets of any of its events."""
    told = run("r1").start(0).reads("a").running(3).reads("b").writes("c").complete(5).writes("d")
    world = fold(told)
    assert world.fed("r1") == {"c": {"a", "b"}, "d": {"a", "b"}}
    assert world.run("r1").state is RunState.COMPLETE


def test_one_run_id_under_two_jobs_is_two_runs(fold: Fold) -> None:
    """R1: state accumulates per (runId, job)."""
    one = run("r1", job="x").reads("a").writes("b").start(0).complete(5)
    other = run("r1", job="y").reads("c").writes("d").start(10).fail(15)
    world = fold(one, other)
    assert world.fed("r1", "x") == {"b": {"a"}}
    assert world.fed("r1", "y") == {"d": {"c"}}
    assert world.run("r1", "x").state is RunState.COMPLETE
    assert world.run("r1", "y").state is RunState.FAIL


def test_a_parent_is_found_by_run_id_though_the_child_names_its_job_otherwise(fold: Fold) -> None:
    """R1: producers name parents otherwise than themselves."""
    parent = run("p1", job="dag").start(0).complete(50)
    world = fold(parent, run("r1", parent="p1", parent_job="dag.task").start(1).complete(5))
    assert world.parent("r1") == ("p1", "dag")


def test_a_parent_is_the_one_that_the_child_names_where_two_runs_have_the_run_id(fold: Fold) -> None:
    """R1: by runId alone only where one run has it."""
    parents = [run("p1", job=job).start(0).complete(50) for job in ("x", "y")]
    world = fold(*parents, run("r1", parent="p1", parent_job="y").start(1).complete(5))
    assert world.parent("r1") == ("p1", "y")


def test_a_parent_that_never_speaks_is_a_run_of_unknown_state(fold: Fold) -> None:
    """R1: events come never."""
    world = fold(run("r1", parent="p1", parent_job="dag").start(1).complete(5))
    assert world.parent("r1") == ("p1", "dag")
    assert world.run("p1", "dag").state is RunState.UNKNOWN


def test_the_start_is_the_earliest_of_several_starts(fold: Fold) -> None:
    """R1: start = its earliest START."""
    world = fold(run("r1").start(10).start(20).start(30).complete(40))
    assert world.run("r1").started_at == moment(10)


def test_an_event_before_the_start_does_not_start_the_run(fold: Fold) -> None:
    """R1: start = its earliest START, not an earlier event of another type."""
    world = fold(run("r1").running(2).start(10).complete(40))
    assert world.run("r1").started_at == moment(10)


def test_without_a_start_the_earliest_event_is_the_start(fold: Fold) -> None:
    """R1: START was lost."""
    world = fold(run("r1").start(0).running(10).complete(40).without("START"))
    assert world.run("r1").started_at == moment(10)


def test_a_run_of_which_only_the_end_is_known_starts_there(fold: Fold) -> None:
    """R1: all but COMPLETE was lost; it reads and writes all the same."""
    world = fold(made("r1", "a", 0, 2), run("r2").reads("a").writes("b").start(0).complete(40).without("START"))
    assert (world.run("r2").started_at, world.run("r2").ended_at) == (moment(40), moment(40))
    assert world.made_from("b@r2") == {"a@r1"}


def test_the_end_is_the_latest_terminal_event(fold: Fold) -> None:
    """R1: end = its latest terminal event, whatever comes after."""
    world = fold(run("r1").start(0).complete(5).complete(9).running(12))
    assert world.run("r1").ended_at == moment(9)


def test_a_run_without_a_terminal_event_has_no_end(fold: Fold) -> None:
    """R1: COMPLETE was lost."""
    world = fold(run("r1").start(0).running(5).complete(9).without("COMPLETE"))
    assert world.run("r1").ended_at is None
    assert world.run("r1").state is RunState.RUNNING


@pytest.mark.parametrize(
    ("facet", "kind"),
    [
        ({"processingType": "BATCH"}, RunType.BATCH),
        ({"processingType": "STREAMING"}, RunType.STREAMING),
        ({"processingType": "SERVICE"}, RunType.SERVICE),
        ({"processingType": "DEPLOYMENT"}, RunType.SERVICE),
        ({"processingType": "BATCH", "jobType": "DEPLOYMENT"}, RunType.SERVICE),
    ],
)
def test_a_run_has_the_type_that_it_tells(fold: Fold, facet: dict[str, str], kind: RunType) -> None:
    """R1: BATCH, STREAMING, SERVICE; DEPLOYMENT counts as SERVICE."""
    assert fold(run("r1").of_job(jobType=facet).start(0)).run("r1").type is kind


def test_a_run_has_the_type_that_its_own_events_told_last(fold: Fold) -> None:
    """R1: its type is what its own events told last."""
    told = run("r1", job="j").start(0).of_job(jobType={"processingType": "BATCH"})
    told.running(5).of_job(jobType={"processingType": "STREAMING"}).complete(9)
    later = run("r2", job="j", kind="BATCH").start(20)
    assert fold(told, later).run("r1", "j").type is RunType.STREAMING


def test_a_run_that_tells_no_type_has_its_jobs(fold: Fold) -> None:
    """R1: else its job's."""
    world = fold(job_event("j", 100, jobType={"processingType": "STREAMING"}), run("r1", job="j").start(0))
    assert world.run("r1", "j").type is RunType.STREAMING


def test_a_job_that_tells_another_type_changes_no_run_that_told_its_own(fold: Fold) -> None:
    """R1: what its own events told goes before its job's."""
    told = run("r1", job="j", kind="BATCH").start(0)
    world = fold(told, job_event("j", 100, jobType={"processingType": "STREAMING"}))
    assert world.run("r1", "j").type is RunType.BATCH


def test_a_run_that_starts_and_ends_at_one_time_reads_and_writes(fold: Fold) -> None:
    """R1: START and the end may carry one time."""
    world = fold(made("r1", "a", 5, 5), run("r2").reads("a").writes("b").start(20).complete(20), seen("r3", "b", 50))
    assert world.made_from("b@r2") == {"a@r1"}
    assert world.met("r3", "b") == {"b@r2"}
    assert world.run("r2").state is RunState.COMPLETE


def test_a_job_event_is_no_event_of_a_run(fold: Fold) -> None:
    """R1: what a job declares starts and ends no run."""
    world = fold(run("r1", job="j").start(10).complete(20), job_event("j", 0, inputs=[dataset("a")]))
    assert world.run("r1", "j").started_at == moment(10)
    assert world.fed("r1", "j") == {}
