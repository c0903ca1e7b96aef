"""Generated OpenLineage events in the shapes that Spark, dbt and Airflow send; all names are made up."""

from __future__ import annotations

import random
from collections.abc import Callable

from ledger_shapes_ml import prediction, rollout, training
from ledger_words import (
    AIRFLOW,
    DBT,
    JSON,
    SPARK,
    SPARK_TYPES,
    SQL_TYPES,
    columns,
    custom,
    event,
    event_type,
    facet,
    fields,
    hexadecimal,
    parent,
    run_id,
    select,
    when,
    word,
)


def spark(draw: random.Random) -> JSON:
    """A Spark SQL or DataFrame execution: file, Hive, Iceberg or Delta datasets with symlinks and column lineage."""
    store = draw.choice(["file", f"s3://{word(draw)}-lake".replace("_", "-"), "hdfs://namenode:8020"])
    sources = [f"/warehouse/{word(draw, 1)}.db/{word(draw)}" for _ in range(draw.randint(1, 3))]
    target = f"/warehouse/{word(draw, 1)}.db/{word(draw)}"
    namespace = word(draw)
    names = [word(draw) for _ in range(draw.randint(2, 6))]

    def dataset(name: str, members: JSON) -> JSON:
        table = "spark_catalog.default." + name.rsplit("/", 1)[-1]
        symlink = {"namespace": "file:/warehouse", "name": table, "type": "TABLE"}
        facets = {
            "dataSource": facet(SPARK, "DatasourceDatasetFacet", name=store, uri=store),
            "schema": facet(SPARK, "SchemaDatasetFacet", fields=fields(draw, SPARK_TYPES, names)),
            "symlinks": facet(SPARK, "SymlinksDatasetFacet", identifiers=[symlink]),
        }
        if draw.random() < 0.5:
            provider = draw.choice(["parquet", "iceberg", "delta"])
            facets["storage"] = facet(SPARK, "StorageDatasetFacet", storageLayer=provider, fileFormat="parquet")
            facets["catalog"] = facet(
                SPARK, "CatalogDatasetFacet", framework=provider, type="hadoop", name="spark_catalog",
                warehouseUri="file:/warehouse", source="spark",
            )  # fmt: skip
        if draw.random() < 0.4:
            version = str(draw.getrandbits(63))
            facets["version"] = facet(SPARK, "DatasetVersionDatasetFacet", datasetVersion=version)
        return {"namespace": store, "name": name, "facets": facets | members}

    out = {"columnLineage": columns(SPARK, draw, store, names, sources)}
    if draw.random() < 0.5:
        state = draw.choice(["OVERWRITE", "CREATE", "DROP"])
        out["lifecycleStateChange"] = facet(SPARK, "LifecycleStateChangeDatasetFacet", lifecycleStateChange=state)
    written = dataset(target, out)
    counts = {"rowCount": draw.randint(1, 10**6), "size": draw.randint(100, 10**9), "fileCount": draw.randint(1, 200)}
    written["outputFacets"] = {"outputStatistics": facet(SPARK, "OutputStatisticsOutputDatasetFacet", **counts)}
    application = word(draw)
    properties = {
        "spark.master": draw.choice(["local[*]", "yarn", "k8s://https://kubernetes.default"]),
        "spark.app.name": application,
    }
    details = {
        "master": properties["spark.master"], "appName": application, "deployMode": "client", "uiWebUrl": None,
        "driverHost": f"10.{draw.randint(0, 255)}.{draw.randint(0, 255)}.{draw.randint(0, 255)}", "userName": "spark",
        "webUrl": None, "applicationId": f"local-{draw.randint(17 * 10**11, 19 * 10**11)}",
    }  # fmt: skip
    facets = {
        "parent": parent(SPARK, draw, namespace),
        "spark_properties": custom(SPARK, properties=properties),
        "processing_engine": facet(
            SPARK, "ProcessingEngineRunFacet", version=f"{draw.choice(['3.5.5', '4.0.1'])}", name="spark",
            openlineageAdapterVersion="1.53.0",
        ),
        "environment-properties": {**custom(SPARK), "environment-properties": {}},
        "spark_applicationDetails": custom(SPARK, **details),
    }  # fmt: skip
    if draw.random() < 0.3:
        facets["spark_version"] = {**custom(SPARK), "spark-version": "3.5.5", "openlineage-spark-version": "1.53.0"}
    job_type = facet(SPARK, "JobTypeJobFacet", processingType="BATCH", integration="SPARK", jobType="SQL_JOB")
    command = draw.choice(
        [
            "execute_insert_into_hadoop_fs_relation_command",
            "execute_create_table_as_select_command",
            "atomic_replace_table_as_select",
            "append_data",
            "adaptive_spark_plan",
            "overwrite_by_expression",
            "map_partitions_parallel_collection",
        ]
    )
    job_facets: JSON = {"jobType": job_type}
    if draw.random() < 0.4:
        job_facets["sql"] = facet(
            SPARK, "SQLJobFacet", query=select(draw, word(draw), [word(draw), word(draw)], names), dialect="spark"
        )
    job_name = f"{application}.{command}.{target.strip('/').replace('/', '_').replace('.', '_')}"
    return event(
        SPARK, draw, eventType=event_type(draw), run={"runId": run_id(draw), "facets": facets},
        job={"namespace": namespace, "name": job_name, "facets": job_facets},
        inputs=[dataset(name, {}) | {"inputFacets": {}} for name in sources[: draw.randint(0, 3)]],
        outputs=[written] if draw.random() < 0.8 else [],
    )  # fmt: skip


def dbt(draw: random.Random) -> JSON:
    """A dbt model or test, as dbt-ol reports it."""
    source = draw.choice(
        ["duckdb:///data/jaffle.duckdb", "snowflake://ab12345.eu-west-1", "postgres://db:5432", "bigquery"]
    )
    project, schema = word(draw), draw.choice(["main", "analytics", "public", "staging"])
    inputs = [f"{project}.{schema}.{word(draw)}" for _ in range(draw.randint(1, 3))]
    target = f"{project}.{schema}.{word(draw)}"
    names = [word(draw) for _ in range(draw.randint(2, 8))]

    def dataset(name: str, members: JSON) -> JSON:
        facets = {
            "dataSource": facet(DBT, "DatasourceDatasetFacet", name=source, uri=source),
            "schema": facet(DBT, "SchemaDatasetFacet", fields=fields(draw, SQL_TYPES, names, draw.random() < 0.6)),
            "documentation": facet(DBT, "DocumentationDatasetFacet", description=word(draw, 6).replace("_", " ")),
        }
        return {"namespace": source, "name": name, "facets": facets | members}

    unique = f"model.{project}.{target.rsplit('.', 1)[-1]}"
    run = {
        "parent": parent(DBT, draw, word(draw)),
        "dbt_version": custom(DBT, version="1.11.0"),
        "dbt_run": custom(DBT, invocation_id=run_id(draw), project_name=project, project_version="1.0.0",
                          profile_name=project, dbt_runtime="core"),
        "dbt_node": custom(DBT, original_file_path=f"models/{word(draw)}.sql", database=project, schema=schema,
                           alias=target.rsplit(".", 1)[-1], unique_id=unique),
        "processing_engine": facet(DBT, "ProcessingEngineRunFacet", version="1.11.0", name="dbt",
                                   openlineageAdapterVersion="1.54.0"),
    }  # fmt: skip
    if draw.random() < 0.1:
        text = "Database Error in model\n  Catalog Error: Table does not exist!"
        run["errorMessage"] = facet(DBT, "ErrorMessageRunFacet", message=text, programmingLanguage="python")
    job = {
        "jobType": facet(DBT, "JobTypeJobFacet", processingType="BATCH", integration="DBT", jobType="MODEL"),
        "sql": facet(DBT, "SQLJobFacet", query=select(draw, target, inputs, names), dialect="duckdb"),
    }
    outputs = [dataset(target, {"columnLineage": columns(DBT, draw, source, names, inputs)}) | {"outputFacets": {}}]
    if draw.random() < 0.3:
        checks = [
            {"assertion": draw.choice(["not_null", "unique", "accepted_values"]), "success": True, "column": name}
            for name in names
        ]
        checked = facet(DBT, "DataQualityAssertionsDatasetFacet", assertions=checks)
        inputs_told = [dataset(inputs[0], {}) | {"inputFacets": {"dataQualityAssertions": checked}}]
        outputs = []
    else:
        inputs_told = [dataset(name, {}) | {"inputFacets": {}} for name in inputs]
    name = f"{project}.{schema}.{project}.{target.rsplit('.', 1)[-1]}.build.run"
    return event(
        DBT, draw, eventType=event_type(draw), run={"runId": run_id(draw), "facets": run},
        job={"namespace": word(draw), "name": name, "facets": job}, inputs=inputs_told, outputs=outputs,
    )  # fmt: skip


def airflow(draw: random.Random) -> JSON:
    """An Airflow task instance or DAG run, with the provider's own facets."""
    dag, task = word(draw), word(draw)
    names = [word(draw) for _ in range(draw.randint(2, 8))]
    operator = draw.choice(["SQLExecuteQueryOperator", "PythonOperator", "BashOperator", "S3CopyObjectOperator"])
    tags = f"['{word(draw, 1)}', '{word(draw, 1)}']"
    scheduled = draw.choice(["scheduled", "manual"])
    at = when(draw, "+00:00", 0)
    details = {
        "dag": {"dag_id": dag, "description": word(draw, 4).replace("_", " "), "fileloc": f"/opt/airflow/dags/{dag}.py",
                "owner": "airflow", "schedule_interval": draw.choice(["@daily", "None", "0 3 * * *"]),
                "start_date": at, "tags": tags, "owner_links": {}, "timetable": {}},
        "dagRun": {"conf": {}, "dag_id": dag, "data_interval_end": at, "data_interval_start": at, "logical_date": at,
                   "run_id": f"{scheduled}__{at}", "run_type": scheduled, "start_date": when(draw, "+00:00", 6)},
        "task": {"depends_on_past": False, "downstream_task_ids": f"['{word(draw)}']", "execution_timeout": None,
                 "executor_config": {}, "ignore_first_depends_on_past": False, "is_setup": False, "is_teardown": False,
                 "mapped": False, "max_active_tis_per_dag": None, "max_active_tis_per_dagrun": None,
                 "max_retry_delay": None, "multiple_outputs": False, "operator_class": operator,
                 "operator_class_path": f"airflow.providers.standard.operators.python.{operator}", "owner": "airflow",
                 "priority_weight": 1, "queue": "default", "retries": 0, "retry_exponential_backoff": False,
                 "run_as_user": None, "task_group": None, "task_id": task, "trigger_rule": "all_success",
                 "upstream_task_ids": "[]", "wait_for_downstream": False,
                 "wait_for_past_depends_before_skipping": False,
                 "weight_rule": "<<non-serializable: _DownstreamPriorityWeightStrategy>>", "inlets": "[]",
                 "outlets": "[]"},
        "taskInstance": {"duration": round(draw.random() * 100, 6), "log_url": f"http://localhost:8080/dags/{dag}/runs",
                         "map_index": -1, "pool": "default_pool",
                         "queued_dttm": when(draw, "+00:00", 6), "try_number": 1},
        "taskUuid": run_id(draw),
    }  # fmt: skip
    engine = {"version": "3.3.2", "name": "Airflow", "openlineageAdapterVersion": "2.9.0"}
    run = {
        "airflow": custom(AIRFLOW, **details),
        "nominalTime": facet(AIRFLOW, "NominalTimeRunFacet", nominalStartTime=at, nominalEndTime=at),
        "parent": parent(AIRFLOW, draw, "default"),
        "processing_engine": facet(AIRFLOW, "ProcessingEngineRunFacet", **engine),
        "tags": facet(AIRFLOW, "TagsRunFacet", tags=[
            {"key": "openlineage_client_version", "value": "1.54.0", "source": "OPENLINEAGE_CLIENT"}
        ]),
    }  # fmt: skip
    if draw.random() < 0.2:
        query = hexadecimal(draw, 32)
        run["externalQuery"] = facet(
            AIRFLOW, "ExternalQueryRunFacet", externalQueryId=query, source="postgres://db:5432"
        )
    sources = [f"{word(draw, 1)}.public.{word(draw)}" for _ in range(2)]
    owners = [{"name": "airflow", "type": None}]
    job = {
        "jobType": facet(AIRFLOW, "JobTypeJobFacet", processingType="BATCH", integration="AIRFLOW",
                         jobType=draw.choice(["TASK", "DAG"])),
        "documentation": facet(AIRFLOW, "DocumentationJobFacet", description="", contentType="text/plain"),
        "ownership": facet(AIRFLOW, "OwnershipJobFacet", owners=owners),
        "sql": facet(AIRFLOW, "SQLJobFacet", query=select(draw, sources[0], sources, names), dialect="postgres"),
        "tags": facet(AIRFLOW, "TagsJobFacet", tags=[
            {"key": word(draw, 1), "value": word(draw, 1), "source": "AIRFLOW"}
        ]),
    }  # fmt: skip

    def dataset(name: str) -> JSON:
        schema = facet(AIRFLOW, "SchemaDatasetFacet", fields=fields(draw, SQL_TYPES, names))
        return {"namespace": "postgres://db:5432", "name": name, "facets": {"schema": schema}}

    told = draw.random() < 0.6
    return event(
        AIRFLOW, draw, eventType=event_type(draw), run={"runId": run_id(draw), "facets": run},
        job={"namespace": "default", "name": f"{dag}.{task}", "facets": job},
        inputs=[dataset(sources[1])] if told else [], outputs=[dataset(sources[0])] if told else [],
    )  # fmt: skip


SHAPES: tuple[Callable[[random.Random], JSON], ...] = (
    spark, spark, spark, dbt, dbt, airflow, airflow, training, rollout, prediction,
)  # fmt: skip
