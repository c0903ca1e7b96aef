"""R8: what is inferred inside one process, and never otherwise."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.fold_rules.story import AIRFLOW, SPARK, Run, made, run
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]


def spark(short: str, parent: str = "app") -> Run:
    """A job of a Spark application."""
    told = run(short, producer=SPARK, parent=parent, parent_job="app")
    return told.of_job(jobType={"jobType": "SQL_JOB", "processingType": "BATCH", "integration": "SPARK"})


def test_parents_tie_no_datasets(fold: Fold) -> None:
    """R8: what the parent reads feeds nothing of its children, nor the other way round."""
    parent = run("p1", job="parent").reads("a").writes("z").start(0).complete(50)
    child = run("r1", parent="p1").writes("b").start(5).complete(9)
    world = fold(parent, child)
    assert world.made_from("b@r1") == set()
    assert world.made_from("z@p1") == {"a?p1"}
    assert world.downstream("a") == {"z"}


def test_a_child_that_reads_nothing_builds_on_what_its_siblings_read_before(fold: Fold) -> None:
    """R8: INFERRED."""
    reader = spark("r1").reads("a").start(10).complete(15)
    world = fold(made("r0", "a", 0, 5), reader, spark("r2").writes("b").start(20).complete(25))
    assert world.made_from("b@r2") == {"a@r0"}
    read = world.read("r2", "a")
    assert (read.binding, read.evidence) == ("INFERRED", "INFERRED")
    assert "INFERRED" in read.gaps
    assert world.wire("job-r2", "a", "b").evidence.value == "INFERRED"


def test_what_a_sibling_reads_that_writes_counts_for_a_child_that_reads_nothing(fold: Fold) -> None:
    """R8: what its siblings read, whatever they write."""
    world = fold(
        spark("r1").reads("a").writes("c").start(10).complete(15), spark("r2").writes("b").start(20).complete(25)
    )
    assert world.made_from("b@r2") == {"a?r1"}


def test_what_a_sibling_reads_later_is_not_built_on(fold: Fold) -> None:
    """R8: before = earlier start."""
    world = fold(spark("r1").reads("a").start(22).complete(24), spark("r2").writes("b").start(20).complete(25))
    assert world.made_from("b@r2") == set()


def test_what_a_sibling_reads_at_the_same_start_is_not_built_on(fold: Fold) -> None:
    """R8: earlier, not equal."""
    world = fold(spark("r1").reads("a").start(20).complete(24), spark("r2").writes("b").start(20).complete(25))
    assert world.made_from("b@r2") == set()


def test_a_child_that_reads_something_builds_on_that_alone(fold: Fold) -> None:
    """R8: widening it to all reads made 21 of 34 edges false."""
    world = fold(
        spark("r1").reads("a").start(10).complete(15), spark("r2").reads("c").writes("b").start(20).complete(25)
    )
    assert world.made_from("b@r2") == {"c?r2"}


def test_a_child_of_another_application_builds_on_nothing_of_this_one(fold: Fold) -> None:
    """R8: siblings."""
    world = fold(spark("r1").reads("a").start(10).complete(15), spark("r2", "other").writes("b").start(20).complete(25))
    assert world.made_from("b@r2") == set()


def test_tasks_of_a_dag_run_infer_nothing(fold: Fold) -> None:
    """R8: never an orchestrator's DAG run."""
    world = fold(
        run("r1", producer=AIRFLOW, parent="dag").reads("a").start(10).complete(15),
        run("r2", producer=AIRFLOW, parent="dag").writes("b").start(20).complete(25),
    )
    assert world.made_from("b@r2") == set()


def test_children_of_an_unknown_producer_infer_nothing(fold: Fold) -> None:
    """R8: except where a dialect marks the parent as a single process."""
    world = fold(
        run("r1", parent="p1").reads("a").start(10).complete(15),
        run("r2", parent="p1").writes("b").start(20).complete(25),
    )
    assert world.made_from("b@r2") == set()


def test_a_child_that_writes_reads_the_model_that_a_sibling_loaded_before(fold: Fold) -> None:
    """R8: a sibling which writes nothing read a MODEL before it: at that version, though it is newer now."""
    world = fold(
        made("m1", "m", 0, 2, model=True),
        spark("r1").reads("m").start(10).complete(12),
        made("m2", "m", 14, 16, model=True),
        spark("r2").reads("x").writes("scores").start(20).complete(25),
    )
    assert world.made_from("scores@r2") == {"x?r2", "m@m1"}
    assert world.read("r2", "m").evidence == "INFERRED"


def test_a_model_that_a_sibling_reads_which_writes_is_not_inferred(fold: Fold) -> None:
    """R8: a sibling which writes nothing."""
    world = fold(
        made("m1", "m", 0, 2, model=True),
        spark("r1").reads("m").writes("y").start(10).complete(12),
        spark("r2").reads("x").writes("scores").start(20).complete(25),
    )
    assert world.made_from("scores@r2") == {"x?r2"}


def test_a_model_that_is_loaded_later_is_not_inferred(fold: Fold) -> None:
    """R8: before = earlier start."""
    world = fold(
        made("m1", "m", 0, 2, model=True),
        spark("r1").reads("m").start(22).complete(23),
        spark("r2").reads("x").writes("scores").start(20).complete(25),
    )
    assert world.made_from("scores@r2") == {"x?r2"}


def test_a_plain_dataset_that_a_sibling_read_is_not_inferred_for_a_child_that_reads(fold: Fold) -> None:
    """R8: a MODEL only."""
    world = fold(
        spark("r1").reads("a").start(10).complete(12), spark("r2").reads("x").writes("scores").start(20).complete(25)
    )
    assert world.made_from("scores@r2") == {"x?r2"}


def test_a_sibling_s_read_that_moves_takes_the_inferred_one_along(fold: Fold) -> None:
    """R8 and R18: at that version: a late write re-points both."""
    world = fold(
        made("r0", "a", 0, 2),
        made("r3", "a", 5, 8),
        spark("r1").reads("a").start(12).complete(15),
        spark("r2").writes("b").start(20).complete(25),
    )
    assert world.met("r1", "a") == world.met("r2", "a") == {"a@r3"}


def test_a_child_whose_own_read_comes_late_withdraws_what_was_inferred(fold: Fold) -> None:
    """R8 and R18: it does read something."""
    late = spark("r2").start(20).writes("b").complete(25).reads("c")
    world = fold(spark("r1").reads("a").start(10).complete(15), late)
    assert world.made_from("b@r2") == {"c?r2"}


def test_a_child_that_writes_nothing_infers_nothing(fold: Fold) -> None:
    """R8: a child run that writes."""
    world = fold(spark("r1").reads("a").start(10).complete(15), spark("r2").start(20).complete(25))
    assert world.reads("r2") == []
