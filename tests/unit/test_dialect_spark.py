"""What Spark's events mean, from captures of openlineage-spark 1.53.0 with Spark 4.0.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lineage.dialects import by_name, dialect_of
from lineage.event.model import Event, Name
from lineage.event.parser import parse_event
from lineage.facts.claims import Claims
from lineage.facts.extract import run_claims

CAPTURES = Path(__file__).parent / "data" / "dialects"


def parsed(event: dict[str, Any]) -> Event:
    return parse_event(json.dumps(event).encode())


def captured(name: str) -> list[Event]:
    """The events of a capture as meant."""
    events = [parsed(event) for event in json.loads((CAPTURES / f"{name}.json").read_text())]
    return [dialect_of(event).meant(event) for event in events]


def claims_of(event: Event) -> Claims:
    return dialect_of(event).claims(event, run_claims(event, 0, 0))


RUN_ID = "0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f"
AGENT = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"
MODEL = Name("file", "/data/lake/models/lr")
SPARK = by_name("spark")


def spark_event(job: str = "etl.x", job_type: str | None = "SQL_JOB", **parts: Any) -> dict[str, Any]:
    facets = {"jobType": {"jobType": job_type, "integration": "SPARK"}} if job_type else {}
    return {
        "eventTime": "2026-11-21T12:00:00Z",
        "eventType": "COMPLETE",
        "producer": AGENT,
        "schemaURL": "",
        "run": {"runId": RUN_ID, "facets": parts.pop("run_facets", {})},
        "job": {"namespace": "spark_prod", "name": job, "facets": facets},
        **parts,
    }


def job_name(name: str, job_type: str | None = "SQL_JOB") -> str:
    job = SPARK.meant(parsed(spark_event(name, job_type))).job
    assert job
    return job.name


def parent(name: str, namespace: str = "spark_prod") -> dict[str, Any]:
    run, job = {"runId": RUN_ID}, {"namespace": namespace, "name": name}
    return {"parent": {"run": run, "job": job, "root": {"run": dict(run), "job": dict(job)}}}


def test_a_saved_pipeline_is_one_model_by_everything_that_is_written_and_read() -> None:
    events = captured("spark_ml_pipeline")
    assert {root for event in events for root in SPARK.model_roots(event)} == {MODEL}
    writes = [write for event in events for write in claims_of(event).writes]
    assert len(writes) >= 12
    assert all(write.part_of_model and not write.appends for write in writes)


def test_a_single_model_is_known_by_its_metadata_and_its_other_parts_by_no_event_of_their_own() -> None:
    metadata, *others = captured("spark_ml_model")
    assert SPARK.model_roots(metadata) == (Name("file", "/data/lake/models/rf"),)
    assert claims_of(metadata).writes[0].part_of_model
    assert [SPARK.model_roots(event) for event in others] == [(), ()]


@pytest.mark.parametrize("columns", [["id"], ["_1", "x"], [], ["value", "value"]])
def test_a_folder_called_metadata_with_other_columns_makes_no_model(columns: list[str]) -> None:
    schema = {"schema": {"fields": [{"name": column} for column in columns]}}
    event = parsed(spark_event(inputs=[{"namespace": "file", "name": "/lake/metadata", "facets": schema}]))
    assert SPARK.model_roots(event) == ()


@pytest.mark.parametrize(
    "name", ["/metadata", "metadata", "/m/stages/0_Assembler_abc/data", "/stages/0_A_f38e6fdcc188/data"]
)
def test_what_has_no_folder_or_no_uid_is_no_model(name: str) -> None:
    schema = {"schema": {"fields": [{"name": "value"}]}}
    event = parsed(spark_event(inputs=[{"namespace": "file", "name": name, "facets": schema}]))
    assert SPARK.model_roots(event) == ()


def test_of_nested_pipelines_the_outermost_folder_is_told() -> None:
    name = "models/p/stages/0_Pipeline_f38e6fdcc188/stages/1_LinearRegression_5daf47c4e640/data"
    event = parsed(spark_event(outputs=[{"namespace": "s3://b", "name": name}]))
    assert SPARK.model_roots(event) == (Name("s3://b", "models/p"),)


def test_silence_about_the_mode_is_an_append() -> None:
    modes = [
        (write.lifecycle, write.appends)
        for event in captured("spark_overwrite_and_append")
        for write in claims_of(event).writes
    ]
    assert set(modes) == {("OVERWRITE", False), (None, True)}


def test_create_may_append_and_overwrite_does_not() -> None:
    writes = [write for event in captured("spark_create_table_as_select") for write in claims_of(event).writes]
    assert {(write.lifecycle, write.appends) for write in writes} == {("CREATE", True), ("OVERWRITE", False)}


def test_drop_and_rename_neither_append_nor_wait_for_proof() -> None:
    writes = [write for event in captured("spark_drop_and_rename") for write in claims_of(event).writes]
    assert {write.lifecycle for write in writes} == {"DROP", "RENAME"}
    assert not any(write.appends or write.unproven for write in writes)
    assert writes[-1].previous == Name("file", "/data/warehouse/mart.db/p2")


def test_create_table_as_select_is_two_runs_of_one_parent_that_write_one_dataset() -> None:
    events = captured("spark_create_table_as_select")
    runs = {event.run_id: claims_of(event).parent for event in events}
    assert len(runs) == 2
    assert len({parent.run_id for parent in runs.values() if parent}) == 1
    assert {output.name for event in events for output in event.outputs} == {Name("file", "/data/warehouse/totals")}
    assert SPARK.nests_writes


@pytest.mark.parametrize("capture", ["spark_failed_create_table_as_select", "spark_failed_write"])
def test_a_write_that_failed_and_says_complete_is_unproven(capture: str) -> None:
    events = captured(capture)
    assert {event.type for event in events} == {"START", "COMPLETE"}
    assert all(write.unproven for event in events for write in claims_of(event).writes)


@pytest.mark.parametrize("capture", ["spark_overwrite_and_append", "spark_create_table_as_select"])
def test_every_run_that_wrote_is_proven_by_one_of_its_events(capture: str) -> None:
    proven: dict[str | None, bool] = {}
    for event in captured(capture):
        for write in claims_of(event).writes:
            proven[event.run_id] = proven.get(event.run_id, False) or not write.unproven
    assert len(proven) == 2
    assert all(proven.values())


def test_delta_writes_need_no_statistics() -> None:
    writes = [write for event in captured("spark_delta_create_table_as_select") for write in claims_of(event).writes]
    assert writes
    assert not any(write.unproven for write in writes)


def test_a_read_or_another_kind_of_job_needs_no_proof() -> None:
    output = [{"namespace": "postgres://db", "name": "a.b.c"}]
    event = parsed(spark_event("etl.execute_save_into_data_source_command.b_c", outputs=output))
    assert not claims_of(event).writes[0].unproven


def test_the_application_is_one_process_and_what_started_it_is_none() -> None:
    for event in captured("spark_application"):
        told = claims_of(event).parent
        assert told
        assert event.job
        is_application = event.job.name == "churn_model_2"
        assert told.job.name == ("daily.train" if is_application else "churn_model_2")
        assert told.single_process is not is_application


@pytest.mark.parametrize(
    ("job", "job_type", "parent_name", "namespace", "single"),
    [
        ("Churn Model.execute_insert.t", None, "churn_model", "spark_prod", True),
        ("my.app.execute_insert.t", None, "my_app", "spark_prod", True),
        ("ChurnModel.collect_limit", "JOB", "churn_model", "spark_prod", True),
        ("daily_train.collect_limit", None, "daily.train", "spark_prod", False),
        ("etl.collect_limit", None, "etl", "airflow_prod", False),
        ("etl.collect_limit", None, "daily", "spark_prod", False),
        ("etl", None, "etl", "spark_prod", False),
        ("etl", "APPLICATION", "etl", "spark_prod", False),
    ],
)
def test_older_agents_jobs_are_known_by_their_application_s_name(
    job: str, job_type: str | None, parent_name: str, namespace: str, single: bool
) -> None:
    told = claims_of(parsed(spark_event(job, job_type, run_facets=parent(parent_name, namespace)))).parent
    assert told
    assert told.single_process is single


def test_rdd_jobs_lose_uids_and_expression_ids() -> None:
    names = [event.job.name.partition(".")[2] for event in captured("spark_rdd_names") if event.job]
    assert names[0] == "map_partitions_logistic_regression_training_blocks_block_size_in_mb"
    assert names[1] == "map_partitions_python_map_partitions_sql_execution_map_partitions"
    assert names[2].endswith("sql_execution_map_partitions")
    assert names[3].endswith("_map_partitions_sql_exec")


@pytest.mark.parametrize(
    ("name", "job_type", "kept"),
    [
        ("etl.execute_insert.0_StringIndexer_f38e6fdcc188_data", "SQL_JOB", "etl.execute_insert.0_StringIndexer_data"),
        ("etl.execute_insert.0_StringIndexer_123456789012_data", "SQL_JOB", "etl.execute_insert.0_StringIndexer_data"),
        ("etl.execute_insert.events_202611211200", "SQL_JOB", "etl.execute_insert.events_202611211200"),
        ("etl.execute_insert.orders_2024", "SQL_JOB", "etl.execute_insert.orders_2024"),
        ("etl 2.map_partitions_1_project_id_3", "RDD_JOB", "etl 2.map_partitions"),
        ("etl.17", "RDD_JOB", "etl.rdd"),
        ("etl.17", None, "etl.rdd"),
        ("etl.map_partitions_7", None, "etl.map_partitions"),
        (
            "etl.map_partitions_" + "x" * 80 + "_assembler_39e",
            "RDD_JOB",
            "etl.map_partitions_" + "x" * 80 + "_assembler",
        ),
        ("etl.map_partitions_feed", "RDD_JOB", "etl.map_partitions_feed"),
        ("report_2024", "APPLICATION", "report_2024"),
    ],
)
def test_a_job_name_keeps_what_lasts(name: str, job_type: str | None, kept: str) -> None:
    assert job_name(name, job_type) == kept
    assert job_name(kept, job_type) == kept


def test_an_application_with_a_uid_in_its_name_is_the_same_in_its_jobs_and_as_their_parent() -> None:
    name = "fit_f38e6fdcc188"
    child = SPARK.meant(parsed(spark_event(f"{name}.collect_limit", run_facets=parent(name))))
    told = claims_of(child).parent
    assert child.job == Name("spark_prod", "fit.collect_limit")
    assert told
    assert told.job == Name("spark_prod", job_name(name, "APPLICATION"))
    assert told.root == (RUN_ID, told.job)


def test_the_name_of_an_orchestrator_s_task_stays() -> None:
    application = SPARK.meant(
        parsed(spark_event("fit", "APPLICATION", run_facets=parent("dag.fit_f38e6fdcc188", "airflow")))
    )
    told = claims_of(application).parent
    assert told
    assert told.job.name == "dag.fit_f38e6fdcc188"


def test_a_database_folder_that_stands_twice_stands_once_wherever_the_name_is_told() -> None:
    twice, once = "/wh/mart.db/mart.db/t", "/wh/mart.db/t"
    name = {"namespace": "file", "name": twice}
    lineage = {"entries": [{**name, "type": "DATASET", "inputs": [name], "fields": {"a": {"inputs": [name]}}}]}
    facets = {
        "columnLineage": {"fields": {"a": {"inputFields": [{**name, "field": "a"}]}}, "dataset": [name]},
        "symlinks": {"identifiers": [{**name, "type": "TABLE"}]},
        "lifecycleStateChange": {"lifecycleStateChange": "RENAME", "previousIdentifier": name},
        "lineage": {"inputs": [name]},
    }
    event = spark_event(inputs=[{**name, "facets": facets}], outputs=[{**name, "facets": facets}])
    event["job"]["facets"]["lineage"] = lineage
    meant = SPARK.meant(parsed(event))
    seen = str((meant.inputs, meant.outputs, meant.job_facets))
    assert twice not in seen
    assert seen.count(once) == 15


@pytest.mark.parametrize("name", ["/wh/mart.db/t", "/wh/a.db/b.db/t", "/wh/xmart.db/mart.db/t", "mart.db"])
def test_other_database_folders_stay(name: str) -> None:
    event = parsed(spark_event(outputs=[{"namespace": "file", "name": name}]))
    assert SPARK.meant(event) is event


def test_an_event_that_says_what_it_means_is_not_copied() -> None:
    for raw in json.loads((CAPTURES / "spark_overwrite_and_append.json").read_text()):
        event = parsed(raw)
        assert SPARK.meant(event) is event
