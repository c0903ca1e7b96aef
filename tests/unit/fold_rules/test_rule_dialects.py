"""The dialects' quirks, as they show in the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lineage.model import RunState
from tests.unit.fold_rules.story import AIRFLOW, DBT, FEAST, SPARK, Run, made, run, seen
from tests.unit.fold_rules.world import World

Fold = Callable[..., World]

WROTE = {"outputStatistics": {"rowCount": 3}}
PARQUET = "execute_insert_into_hadoop_fs_relation_command"


def spark(short: str, *, parent: str | None = None, job: str | None = None) -> Run:
    """A SQL job of a Spark application."""
    told = run(short, producer=SPARK, parent=parent, parent_job="app", job=job or f"job-{short}")
    return told.of_job(jobType={"jobType": "SQL_JOB", "processingType": "BATCH", "integration": "SPARK"})


def schema(*names: str) -> dict[str, Any]:
    """A schema facet."""
    return {"schema": {"fields": [{"name": name} for name in names]}}


# -- Spark


@pytest.mark.parametrize("column", ["_1", "value"])
def test_a_folder_with_spark_s_metadata_is_one_model(fold: Fold, column: str) -> None:
    """Spark: ``P/metadata`` whose schema is the one column: every name below P is P."""
    saves = spark("r1").start(0).writes("P/metadata", facets=schema(column), outputFacets=WROTE)
    world = fold(saves.writes("P/data", outputFacets=WROTE).complete(5))
    node = world.dataset("P")
    assert node is not None
    assert node.is_model
    assert world.dataset("P/data") is None
    assert world.versions("P") == ["P@r1"]


def test_a_folder_with_other_metadata_is_no_model(fold: Fold) -> None:
    """Spark: the one column ``_1`` or ``value``."""
    for columns in (("x",), ("_1", "value")):
        world = fold(spark("r1").start(0).writes("P/metadata", facets=schema(*columns)).complete(5))
        assert world.dataset("P") is None


def test_a_stage_makes_its_pipeline_one_model(fold: Fold) -> None:
    """Spark: ``P/stages/<n>_<Class>_<12 hex>/…``; the outermost wins."""
    stage = "P/stages/0_StringIndexer_0123456789ab"
    world = fold(spark("r1").start(0).writes(f"{stage}/metadata", f"{stage}/data", facets=schema("_1")).complete(5))
    node = world.dataset("P")
    assert node is not None
    assert node.is_model
    assert world.dataset(stage) is None


def test_the_parts_of_a_model_that_one_application_saves_are_one_version(fold: Fold) -> None:
    """Spark: keyed by the application run, replacing the one before."""
    first = [
        spark(f"a{n}", parent="app1").start(n).writes(part, facets=schema("_1")).complete(n + 1)
        for n, part in enumerate(("P/metadata", "P/stages/0_Lr_0123456789ab/metadata"))
    ]
    second = spark("b1", parent="app2").start(30).writes("P/metadata", facets=schema("_1")).complete(35)
    apps = [run(f"app{n}", job="app", producer=SPARK).start(0).complete(90) for n in (1, 2)]
    world = fold(*apps, *first, second, seen("r9", "P", 50))
    assert len(world.versions("P")) == 2
    assert world.met("r9", "P") == {world.versions("P")[1]}
    assert world.made_from(world.versions("P")[1]) == set()


def test_a_silent_write_of_spark_appends(fold: Fold) -> None:
    """Spark: no lifecycle facet = append."""
    world = fold(
        spark("r1").start(0).writes("a", outputFacets=WROTE).complete(5),
        spark("r2").start(10).writes("a", outputFacets=WROTE).complete(15),
    )
    assert world.made_from("a@r2") == {"a@r1"}


def test_create_on_a_living_table_appends(fold: Fold) -> None:
    """Spark: CREATE on a living table = append."""
    second = spark("r2").start(10).writes("a", lifecycle="CREATE", outputFacets=WROTE).complete(15)
    assert fold(made("r1", "a", 0, 5), second).made_from("a@r2") == {"a@r1"}


def test_create_after_a_drop_builds_on_nothing(fold: Fold) -> None:
    """Spark: on a living table."""
    drop = spark("r2").start(10).writes("a", lifecycle="DROP").complete(15)
    create = spark("r3").start(20).writes("a", lifecycle="CREATE", outputFacets=WROTE).complete(25)
    assert fold(made("r1", "a", 0, 5), drop, create).made_from("a@r3") == set()


def test_overwrite_replaces(fold: Fold) -> None:
    """Spark: a lifecycle facet that says so."""
    second = spark("r2").start(10).writes("a", lifecycle="OVERWRITE", outputFacets=WROTE).complete(15)
    assert fold(made("r1", "a", 0, 5), second).made_from("a@r2") == set()


def test_a_doubled_database_folder_is_one(fold: Fold) -> None:
    """Spark: ``X.db/X.db/`` is ``X.db/``."""
    world = fold(
        spark("r1").start(0).writes("/wh/mart.db/mart.db/t", outputFacets=WROTE).complete(5),
        seen("r2", "/wh/mart.db/t", 20),
    )
    assert world.met("r2", "/wh/mart.db/t") == {"/wh/mart.db/t@r1"}


def test_a_ctas_that_arrives_as_two_runs_is_one_write(fold: Fold) -> None:
    """Spark: a run inside another's interval under the same parent, writing the same dataset, is the same write."""
    outer = spark("r1", parent="app1").start(0).writes("a", outputFacets=WROTE).complete(50)
    inner = spark("r2", parent="app1").reads("x").start(10).writes("a", outputFacets=WROTE).complete(20)
    world = fold(outer, inner)
    assert len(world.versions("a")) == 1
    assert world.made_from(world.versions("a")[0]) == {"x?r2"}


def test_two_runs_one_after_the_other_are_two_writes(fold: Fold) -> None:
    """Spark: inside another's interval."""
    first = spark("r1", parent="app1").start(0).writes("a", outputFacets=WROTE).complete(5)
    second = spark("r2", parent="app1").start(10).writes("a", outputFacets=WROTE).complete(20)
    assert len(fold(first, second).versions("a")) == 2


def test_two_runs_of_two_applications_are_two_writes(fold: Fold) -> None:
    """Spark: under the same parent."""
    outer = spark("r1", parent="app1").start(0).writes("a", outputFacets=WROTE).complete(50)
    inner = spark("r2", parent="app2").start(10).writes("a", outputFacets=WROTE).complete(20)
    assert len(fold(outer, inner).versions("a")) == 2


def test_a_file_write_without_statistics_is_uncertain(fold: Fold) -> None:
    """Spark: with START and COMPLETE but no outputStatistics."""
    unproven = spark("r1", job=f"app.{PARQUET}.a").start(0).writes("a").complete(5).writes("a")
    proven = spark("r2", job=f"app.{PARQUET}.b").start(0).writes("b").complete(5).writes("b", outputFacets=WROTE)
    world = fold(unproven, proven)
    assert not world.version("a@r1").certain
    assert world.version("b@r2").certain


def test_a_file_write_that_goes_on_is_certain(fold: Fold) -> None:
    """Spark: START and COMPLETE; one of them was lost."""
    whole = spark("r1", job=f"app.{PARQUET}.a").writes("a").start(0).complete(5)
    assert fold(whole.without("COMPLETE")).version("a@r1").certain
    whole = spark("r1", job=f"app.{PARQUET}.a").writes("a").start(0).complete(5)
    assert fold(whole.without("START")).version("a@r1").certain


def test_job_names_lose_random_uids(fold: Fold) -> None:
    """Spark: two runs of one job."""
    first = spark("r1", job="app.fit_LogisticRegression_0123456789ab").start(0).reads("a").complete(5)
    second = spark("r2", job="app.fit_LogisticRegression_ba9876543210").start(10).reads("b").complete(15)
    world = fold(first, second)
    (job,) = {world.run_of("r1").job.name, world.run_of("r2").job.name}
    assert world.wires(job) == {None: {"a", "b"}}


# -- Iceberg


ICEBERG = {"storage": {"storageLayer": "iceberg"}}


def test_an_iceberg_input_whose_scan_report_differs_has_no_declared_version(fold: Fold) -> None:
    """Iceberg: as doubles."""
    scan = {"icebergScanReport": {"snapshotId": 7.0e18}}
    reader = spark("r2").start(20).writes("b").reads("a", version="1", facets=ICEBERG, inputFacets=scan).complete(25)
    world = fold(made("r1", "a", 0, 5, version="1"), made("r3", "a", 10, 15, version="9"), reader)
    assert (world.met("r2", "a"), world.read("r2", "a").binding) == ({"a@r3"}, "TIME")


def test_an_iceberg_input_whose_scan_report_agrees_as_a_double_is_declared(fold: Fold) -> None:
    """Iceberg: the version has more digits than a double."""
    scan = {"icebergScanReport": {"snapshotId": float(7000000000000000001)}}
    reader = spark("r2").start(20).writes("b")
    reader.reads("a", version="7000000000000000001", facets=ICEBERG, inputFacets=scan).complete(25)
    world = fold(made("r1", "a", 0, 5, version="7000000000000000001"), made("r3", "a", 10, 15, version="9"), reader)
    assert (world.met("r2", "a"), world.read("r2", "a").binding) == ({"a@r1"}, "DECLARED")


def test_an_iceberg_output_without_a_commit_report_names_nothing(fold: Fold) -> None:
    """Iceberg: a START shows an output's old version."""
    commit = {"outputFacets": {"icebergCommitReport": {"snapshotId": 2.0}, **WROTE}}
    told = spark("r1").start(0).writes("a", version="1", facets=ICEBERG)
    told.complete(5).writes("a", version="2", facets=ICEBERG, **commit)
    assert fold(told).version("a@r1").declared == ("2",)
    only_start = spark("r1").start(0).writes("a", version="1", facets=ICEBERG)
    assert fold(only_start).version("a@r1").declared == ()


# -- dbt


def dbt(short: str, job: str, job_type: str = "MODEL", **facets: Any) -> Run:
    """A node of dbt."""
    told = run(short, producer=DBT, job=job)
    return told.of_job(jobType={"jobType": job_type, "processingType": "BATCH", "integration": "DBT"}, **facets)


def test_a_dbt_test_writes_nothing(fold: Fold) -> None:
    """dbt: ``main_dbt_test__audit.*`` are no outputs."""
    told = dbt("r1", "test.shop.unique_id", "TEST").reads("a").writes("db.main_dbt_test__audit.unique_id")
    world = fold(told.start(0).complete(5))
    assert world.dataset("db.main_dbt_test__audit.unique_id") is None
    assert world.fed("r1", "test.shop.unique_id") == {None: {"a"}}


def test_a_skipped_dbt_node_never_ran(fold: Fold) -> None:
    """dbt: START and ABORT at one eventTime."""
    skipped = dbt("r1", "model.shop.b").reads("a").writes("b").start(0).abort(0)
    world = fold(skipped)
    assert world.versions("b") == []
    assert world.fed("r1", "model.shop.b") == {}


def test_an_aborted_dbt_node_that_took_its_time_did_run(fold: Fold) -> None:
    """dbt: at one eventTime."""
    aborted = dbt("r1", "model.shop.b").reads("a").writes("b").start(0).abort(3)
    world = fold(aborted)
    assert world.versions("b") == ["b@r1"]
    assert world.run("r1", "model.shop.b").state is RunState.ABORT


def test_one_dbt_model_s_three_job_names_are_one_job(fold: Fold) -> None:
    """dbt."""
    node = {"unique_id": "model.shop.b", "database": "db", "schema": "main"}
    names = ("db.main.shop.b", "db.main.shop.b.build.run", "model.shop.b")
    runs = [
        dbt(f"r{n}", name, dbt_node=node).reads(f"x{n}").writes("b").start(n * 10).complete(n * 10 + 5)
        for n, name in enumerate(names)
    ]
    assert fold(*runs).wires("db.main.shop.b") == {"b": {"x0", "x1", "x2"}}


# -- Feast


def test_a_feast_entity_is_no_dataset(fold: Fold) -> None:
    """Feast: ``producer`` is no URI, and is taken all the same."""
    told = (
        run("r1", producer=FEAST).start(0).reads("source").reads("driver", facets={"feast_entity": {"name": "driver"}})
    )
    world = fold(told.writes("view").complete(5))
    assert world.fed("r1") == {"view": {"source"}}
    assert world.dataset("driver") is None


def test_a_feast_online_store_s_only_input_is_its_view(fold: Fold) -> None:
    """Feast: the view that it is named after."""
    told = run("r1", producer=FEAST).reads("source", "v1", "v2").writes("online_store_v1", "online_store_v2")
    fed = fold(told.start(0).complete(5)).fed("r1")
    assert (fed["online_store_v1"], fed["online_store_v2"]) == ({"v1"}, {"v2"})


# -- Airflow


def test_an_airflow_retry_is_another_run_of_the_same_job(fold: Fold) -> None:
    """Airflow: a retry is a new runId."""
    first = run("r1", producer=AIRFLOW, job="dag.task").writes("a").start(0).fail(5)
    second = run("r2", producer=AIRFLOW, job="dag.task").writes("a").start(10).complete(15)
    world = fold(first, second, seen("r3", "a", 30))
    assert world.met("r3", "a") == {"a@r2"}
    assert not world.version("a@r1").certain


def test_airflow_s_mapped_tasks_do_not_mix(fold: Fold) -> None:
    """Airflow: they share a job."""
    tasks = [
        run(f"r{n}", producer=AIRFLOW, job="dag.task", parent="d1")
        .reads(f"in{n}")
        .writes(f"out{n}")
        .start(0)
        .complete(5)
        for n in range(3)
    ]
    world = fold(*tasks)
    assert world.downstream("in0") == {"out0"}
    assert world.versions_downstream("in1?r1") == {"out1@r1"}


def test_airflow_s_queries_are_child_jobs(fold: Fold) -> None:
    """Airflow: task-made queries."""
    task = run("t1", producer=AIRFLOW, job="dag.task").start(0).complete(9)
    query = run("r1", producer=AIRFLOW, job="dag.task.query.1", parent="t1", parent_job="dag.task")
    world = fold(task, query.reads("a").writes("b").start(1).complete(5))
    assert world.parent("r1", "dag.task.query.1") == ("t1", "dag.task")
    assert world.fed("t1", "dag.task") == {}
