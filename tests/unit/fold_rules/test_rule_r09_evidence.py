"""R9: how each edge is known, and whether it is certain or stale."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import copied, dataset, job_event, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_what_an_event_states_is_declared(fold: Fold) -> None:
    """R9: DECLARED; COLUMN and INFERRED are R7's and R8's."""
    world = fold(copied("r1", "a", "b", 0, 5))
    assert world.read("r1", "a").evidence == "DECLARED"
    assert world.wire("job-r1", "a", "b").evidence.value == "DECLARED"


def test_of_several_tellers_the_best_evidence_shows(fold: Fold) -> None:
    """R9: one run of the job declares what another told by columns only."""
    by_column = run("r1", job="j").start(0).reads("c").writes("b", claims={"y": ["a:x", "c:x"]}).complete(5)
    world = fold(by_column, run("r2", job="j").start(10).reads("a").writes("b").complete(15))
    assert world.wire("j", "a", "b").evidence.value == "DECLARED"


def test_an_edge_that_only_a_failed_run_tells_is_not_certain(fold: Fold) -> None:
    """R9: told only by runs that R14 counts as failed."""
    world = fold(run("r1", job="j").reads("a").writes("b").start(0).fail(5))
    assert not world.wire("j", "a", "b").certain
    assert not world.reads("r1", "a", job="j")[0].edge.certain
    assert not world.wrote_edge("b@r1").certain


def test_an_edge_that_only_an_aborted_batch_run_tells_is_not_certain(fold: Fold) -> None:
    """R9 and R14."""
    assert not fold(run("r1", job="j").reads("a").writes("b").start(0).abort(5)).wire("j", "a", "b").certain


def test_an_edge_that_a_run_that_goes_on_tells_is_certain(fold: Fold) -> None:
    """R9: COMPLETE was lost, or is still to come: that is no failure."""
    world = fold(run("r1", job="j").reads("a").writes("b").start(0).complete(5).without("COMPLETE"))
    assert world.wire("j", "a", "b").certain
    assert world.wrote_edge("b@r1").certain


def test_an_edge_that_a_run_tells_as_well_that_did_not_fail_is_certain(fold: Fold) -> None:
    """R9: only."""
    failed = run("r1", job="j").reads("a").writes("b").start(0).fail(5)
    world = fold(failed, copied("r2", "a", "b", 10, 15, job="j"))
    assert world.wire("j", "a", "b").certain
    assert not world.reads("r1", "a", job="j")[0].edge.certain
    assert world.reads("r2", "a", job="j")[0].edge.certain


def test_an_edge_that_a_job_event_tells_as_well_is_certain(fold: Fold) -> None:
    """R9: a JobEvent is no failed run."""
    failed = run("r1", job="j").reads("a").writes("b").start(0).fail(5)
    world = fold(failed, job_event("j", 9, inputs=[dataset("a")], outputs=[dataset("b")]))
    assert world.wire("j", "a", "b").certain


def test_an_edge_that_the_last_completed_run_no_longer_told_is_stale(fold: Fold) -> None:
    """R9."""
    world = fold(copied("r1", "a", "b", 0, 5, job="j"), copied("r2", "c", "b", 10, 15, job="j"))
    assert world.wire("j", "a", "b").stale
    assert not world.wire("j", "c", "b").stale


def test_an_edge_that_the_last_completed_run_told_again_is_not_stale(fold: Fold) -> None:
    """R9."""
    world = fold(
        copied("r1", "a", "b", 0, 5, job="j"),
        copied("r2", "c", "b", 10, 15, job="j"),
        copied("r3", "a", "b", 20, 25, job="j"),
    )
    assert not world.wire("j", "a", "b").stale
    assert world.wire("j", "c", "b").stale


def test_a_run_that_did_not_complete_makes_nothing_stale(fold: Fold) -> None:
    """R9: completed: neither failed, nor aborted, nor still running."""
    later = [
        run("r2", job="j").reads("c").writes("b").start(10).fail(15),
        run("r3", job="j").reads("c").writes("b").start(20).abort(25),
        run("r4", job="j").reads("c").writes("b").start(30),
    ]
    world = fold(copied("r1", "a", "b", 0, 5, job="j"), *later)
    assert not world.wire("j", "a", "b").stale


def test_what_a_failed_run_told_is_stale_once_a_later_run_completes_without_it(fold: Fold) -> None:
    """R9: whoever told it."""
    failed = run("r1", job="j").reads("a").writes("b").start(0).fail(5)
    assert fold(failed, copied("r2", "c", "b", 10, 15, job="j")).wire("j", "a", "b").stale


def test_what_a_job_event_tells_is_not_stale(fold: Fold) -> None:
    """R9 and R3: it stands until another JobEvent replaces it."""
    world = fold(
        job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]), copied("r1", "c", "b", 10, 15, job="j")
    )
    assert not world.wire("j", "a", "b").stale


def test_the_last_completed_run_is_the_one_of_the_largest_rank(fold: Fold) -> None:
    """R9 and R0: "last" goes by rank: r1 started later, and ended earlier."""
    world = fold(copied("r2", "a", "b", 0, 50, job="j"), copied("r1", "c", "b", 10, 15, job="j"))
    assert world.wire("j", "a", "b").stale
    assert not world.wire("j", "c", "b").stale


def test_a_run_that_fails_late_makes_nothing_stale(fold: Fold) -> None:
    """R9, R14 and R18: FAIL outranks COMPLETE."""
    failing = run("r2", job="j").reads("c").writes("b").start(10).complete(15).fail(15)
    assert not fold(copied("r1", "a", "b", 0, 5, job="j"), failing).wire("j", "a", "b").stale
