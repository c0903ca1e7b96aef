"""R6: columnLineage divides where no ``lineage`` facet does."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def test_an_input_feeds_only_the_output_that_claims_it(fold: Fold) -> None:
    """R6: an input that some output claims feeds the outputs that claim it."""
    told = run("r1").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]}).writes("d", claims={"y": ["c:x"]})
    assert fold(told.complete(5)).fed("r1") == {"b": {"a"}, "d": {"c"}}


def test_an_input_that_two_outputs_claim_feeds_both(fold: Fold) -> None:
    """R6: the outputs that claim it."""
    told = run("r1").start(0).reads("a").writes("b", claims={"y": ["a:x"]}).writes("d", claims={"y": ["a:x"]})
    assert fold(told.complete(5)).fed("r1") == {"b": {"a"}, "d": {"a"}}


def test_a_dataset_entry_is_a_claim(fold: Fold) -> None:
    """R6: a claim is any inputField or ``dataset`` entry."""
    told = run("r1").start(0).reads("a", "c").writes("b", claims=["a"]).writes("d", claims=["c:x"])
    assert fold(told.complete(5)).fed("r1") == {"b": {"a"}, "d": {"c"}}


def test_a_claimed_input_feeds_an_output_that_tells_nothing(fold: Fold) -> None:
    """R6: and those that tell nothing."""
    told = run("r1").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]}).writes("d").complete(5)
    assert fold(told).fed("r1") == {"b": {"a", "c"}, "d": {"a", "c"}}


def test_a_facet_without_a_claim_tells_nothing(fold: Fold) -> None:
    """R6: fields without inputFields are no claim."""
    told = run("r1").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]}).writes("d", claims={"y": []})
    assert fold(told.complete(5)).fed("r1") == {"b": {"a", "c"}, "d": {"a", "c"}}


def test_an_input_that_nobody_claims_feeds_every_output(fold: Fold) -> None:
    """R6."""
    told = run("r1").start(0).reads("a", "c", "e").writes("b", claims={"y": ["a:x"]})
    told.writes("d", claims={"y": ["c:x"]}).complete(5)
    assert fold(told).fed("r1") == {"b": {"a", "e"}, "d": {"c", "e"}}


def test_a_claim_belongs_to_the_run_that_made_it(fold: Fold) -> None:
    """R6: to (run, output), not to the dataset: another job's run of the same output is not divided by it."""
    claims = run("r1").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]}).writes("d", claims={"y": ["c:x"]})
    tells_nothing = run("r2").start(10).reads("a", "c").writes("b", "d").complete(15)
    assert fold(claims.complete(5), tells_nothing).fed("r2") == {"b": {"a", "c"}, "d": {"a", "c"}}


def test_columns_are_the_union_over_runs(fold: Fold) -> None:
    """R6."""
    world = fold(
        run("r1").start(0).reads("a").writes("b", claims={"y": ["a:x"]}).complete(5),
        run("r2").start(10).reads("a").writes("b", claims={"z": ["a:x"]}).complete(15),
    )
    assert world.columns() == {("a:x", "b:y"), ("a:x", "b:z")}


def test_a_claim_that_comes_late_withdraws_what_it_divides(fold: Fold) -> None:
    """R6: flows come from the run's merged state, and are withdrawn when that changes."""
    told = run("r1").reads("a", "c").start(0).writes("b", "d").complete(5)
    told.writes("b", claims={"y": ["a:x"]}).writes("d", claims={"y": ["c:x"]})
    world = fold(told)
    assert world.fed("r1") == {"b": {"a"}, "d": {"c"}}
    assert world.versions_downstream("a?r1") == {"b@r1"}
    assert world.wires("job-r1") == {"b": {"a"}, "d": {"c"}}


def test_the_claims_of_several_events_of_one_run_divide_together(fold: Fold) -> None:
    """R6: the run's merged state; each output's facet is the one told last."""
    told = run("r1").reads("a", "c").start(0).writes("b", claims={"y": ["a:x"]}).writes("d")
    told.complete(5).writes("d", claims={"y": ["c:x"]})
    assert fold(told).fed("r1") == {"b": {"a"}, "d": {"c"}}


def test_a_run_that_tells_nothing_is_divided_by_the_job_s_other_runs(fold: Fold) -> None:
    """R6: while a run tells nothing, what the job's other runs claim divides it."""
    claims = run("r1", job="j").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]})
    claims.writes("d", claims={"y": ["c:x"]}).complete(5)
    tells_nothing = run("r2", job="j").start(10).reads("a", "c").writes("b", "d").complete(15)
    assert fold(claims, tells_nothing).fed("r2", "j") == {"b": {"a"}, "d": {"c"}}


def test_a_later_run_of_the_job_divides_an_earlier_one_as_well(fold: Fold) -> None:
    """R6: other runs, whichever came first."""
    tells_nothing = run("r1", job="j").start(0).reads("a", "c").writes("b", "d").complete(5)
    claims = run("r2", job="j").start(10).reads("a", "c").writes("b", claims={"y": ["a:x"]})
    claims.writes("d", claims={"y": ["c:x"]}).complete(15)
    assert fold(tells_nothing, claims).fed("r1", "j") == {"b": {"a"}, "d": {"c"}}


def test_a_run_without_a_complete_is_divided_by_its_own_and_the_other_runs_claims(fold: Fold) -> None:
    """R6: together with its own claims; COMPLETE was lost."""
    claims = run("r1", job="j").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]})
    claims.writes("d", claims={"y": ["c:x"]}).complete(5)
    running = run("r2", job="j").start(10).reads("a", "c").writes("b", claims={"y": ["a:x"]}).writes("d")
    assert fold(claims, running).fed("r2", "j") == {"b": {"a"}, "d": {"c"}}


def test_a_completed_run_that_tells_something_is_divided_by_its_own_claims_alone(fold: Fold) -> None:
    """R6: it has a COMPLETE, and tells something."""
    claims = run("r1", job="j").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]})
    claims.writes("d", claims={"y": ["c:x"]}).complete(5)
    own = run("r2", job="j").start(10).reads("a", "c").writes("b", claims={"y": ["a:x"]}).writes("d").complete(15)
    assert fold(claims, own).fed("r2", "j") == {"b": {"a", "c"}, "d": {"a", "c"}}


def test_what_other_runs_claim_adds_no_input(fold: Fold) -> None:
    """R6: it divides, and adds nothing that this run did not read."""
    claims = run("r1", job="j").start(0).reads("a", "c").writes("b", claims={"y": ["a:x", "c:x"]}).complete(5)
    other = run("r2", job="j").start(10).reads("a").writes("b").complete(15)
    assert fold(claims, other).fed("r2", "j") == {"b": {"a"}}


def test_what_the_lineage_facet_decides_no_claim_changes(fold: Fold) -> None:
    """R6: columnLineage divides where no ``lineage`` facet does."""
    told = run("r1").start(0).reads("a", "c", "e").writes("b", sources=["a"]).writes("d", claims={"y": ["c:x"]})
    told.writes("f", claims={"y": ["e:x"]}).complete(5)
    assert fold(told).fed("r1") == {"b": {"a"}, "d": {"c"}, "f": {"e"}}


def test_several_inputs_and_outputs_that_nothing_divides_are_marked(fold: Fold) -> None:
    """R6: the edges are marked undivided."""
    world = fold(run("r1").start(0).reads("a", "c").writes("b", "d").complete(5))
    assert all(read.edge.undivided for read in world.reads("r1"))
    assert len(world.reads("r1")) == 4
    assert world.wire("job-r1", "a", "b").undivided


def test_one_input_or_one_output_needs_no_division(fold: Fold) -> None:
    """R6: several inputs and outputs."""
    world = fold(
        run("r1").start(0).reads("a", "c").writes("b").complete(5),
        run("r2").start(0).reads("a").writes("e", "f").complete(5),
    )
    assert not any(read.edge.undivided for read in [*world.reads("r1"), *world.reads("r2")])


def test_what_a_claim_or_an_entry_divides_is_not_marked(fold: Fold) -> None:
    """R6."""
    by_columns = (
        run("r1").start(0).reads("a", "c").writes("b", claims={"y": ["a:x"]}).writes("d", claims={"y": ["c:x"]})
    )
    by_entries = run("r2").start(0).reads("a", "c").writes("e", sources=["a"]).writes("f", sources=["c"])
    world = fold(by_columns.complete(5), by_entries.complete(5))
    assert not any(read.edge.undivided for read in [*world.reads("r1"), *world.reads("r2")])


def test_a_claim_that_comes_late_takes_the_mark_away(fold: Fold) -> None:
    """R6 and R18."""
    told = run("r1").reads("a", "c").start(0).writes("b", "d").complete(5).writes("b", claims={"y": ["a:x"]})
    world = fold(told.writes("d", claims={"y": ["c:x"]}))
    assert not any(read.edge.undivided for read in world.reads("r1"))
