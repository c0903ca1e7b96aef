"""R4: a flow feeds one output, and no path crosses a run or a job."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import copied, dataset, job_event, made, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_each_output_of_a_run_has_a_flow_of_its_own(fold: Fold) -> None:
    """R4: key (run, output)."""
    told = run("r1").start(0).reads("a", "c").writes("b", sources=["a"]).writes("d", sources=["c"]).complete(5)
    world = fold(told)
    assert world.fed("r1") == {"b": {"a"}, "d": {"c"}}
    assert world.versions_downstream("a?r1") == {"b@r1"}


def test_each_moment_of_a_stream_has_a_flow_of_its_own(fold: Fold) -> None:
    """R4: in a STREAMING run (run, output, moment)."""
    stream = run("s1", kind="STREAMING").reads("a").writes("b").start(10).running(30).complete(50)
    world = fold(made("r1", "a", 0, 5), made("r2", "a", 15, 20), stream)
    assert world.moments("s1", "b") == {10: {"a@r1"}, 30: {"a@r1", "a@r2"}}


def test_a_job_s_flow_is_the_union_over_its_runs(fold: Fold) -> None:
    """R4: logically (job, output)."""
    world = fold(copied("r1", "a", "b", 0, 5, job="j"), copied("r2", "c", "b", 10, 15, job="j"))
    assert world.wires("j") == {"b": {"a", "c"}}


def test_what_is_read_and_feeds_no_output_stands_in_one_more_flow(fold: Fold) -> None:
    """R4: (run, none) and (job, none)."""
    world = fold(run("r1", job="j").reads("a").start(0).complete(5))
    assert world.fed("r1", "j") == {None: {"a"}}
    assert world.wires("j") == {None: {"a"}}


def test_an_input_that_no_output_takes_stands_apart_from_those_that_feed(fold: Fold) -> None:
    """R4 and R5: outputs that name their inputs leave one out."""
    told = run("r1", job="j").start(0).reads("a", "c").writes("b", sources=["a"]).complete(5)
    world = fold(told)
    assert world.fed("r1", "j") == {"b": {"a"}, None: {"c"}}
    assert world.wires("j") == {"b": {"a"}, None: {"c"}}


def test_a_rollout_that_logs_nothing_still_reads_its_model(fold: Fold) -> None:
    """R4: (run, none)."""
    rollout = run("s1", kind="SERVICE").reads("m", model=True).start(10)
    world = fold(made("r1", "m", 0, 5, model=True), rollout)
    assert world.fed("s1") == {None: {"m"}}
    assert world.met("s1", "m") == {"m@r1"}


def test_a_job_event_s_input_without_an_output_stands_in_a_flow_without_one(fold: Fold) -> None:
    """R4: (job, none)."""
    assert fold(job_event("j", 0, inputs=[dataset("a")])).wires("j") == {None: {"a"}}


def test_an_output_without_an_input_has_a_flow_all_the_same(fold: Fold) -> None:
    """R4: the part that feeds one output, however little feeds it."""
    world = fold(run("r1", job="j").writes("b").start(0).complete(5))
    assert world.fed("r1", "j") == {"b": set()}
    assert world.wires("j") == {"b": set()}


def test_mapped_tasks_of_one_job_do_not_feed_each_other_s_outputs(fold: Fold) -> None:
    """R4: reach passes through flows, never through a run or job node."""
    world = fold(copied("r1", "a", "b", 0, 5, job="j"), copied("r2", "c", "d", 0, 5, job="j"))
    assert world.downstream("a") == {"b"}
    assert world.downstream("c") == {"d"}


def test_siblings_of_one_parent_do_not_feed_each_other_s_outputs(fold: Fold) -> None:
    """R4: nor through the run that started them."""
    world = fold(copied("r1", "a", "b", 0, 5, parent="p1"), copied("r2", "c", "d", 10, 15, parent="p1"))
    assert world.versions_downstream("a?r1") == {"b@r1"}
    assert world.downstream("a") == {"b"}
