"""The ledger's bytes against the JSON's, on events built with the official client and names no dictionary has seen."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    datasource_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
    sql_job,
)
from openlineage.client.serde import Serde

from lineage.ledger import Envelope, Submission
from lineage.ledger.sqlite import SQLiteLedger

EVENTS = 3000
PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/client/python"
NOUNS = ["glacier", "harbour", "lantern", "meadow", "orchid", "pebble", "quarry", "ravine", "saddle", "thicket"]
TABLES = [f"hydro.{a}_{b}" for a in NOUNS for b in NOUNS if a != b]
COLUMNS = [f"{a}_{suffix}" for a in NOUNS for suffix in ("depth", "flow", "seen_at", "grade", "key")]


def event(draw: random.Random, number: int) -> bytes:
    source, target = draw.sample(TABLES, 2)
    columns = draw.sample(COLUMNS, 4)
    schema = schema_dataset.SchemaDatasetFacet(
        fields=[schema_dataset.SchemaDatasetFacetFields(name=name, type="DOUBLE") for name in columns]
    )
    storage = datasource_dataset.DatasourceDatasetFacet(name="postgres://gauges:5432", uri="postgres://gauges:5432")
    transformation = column_lineage_dataset.Transformation("DIRECT", "IDENTITY", "", False)
    traced = column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            name: column_lineage_dataset.Fields(
                inputFields=[
                    column_lineage_dataset.InputField("postgres://gauges:5432", source, name, [transformation])
                ]
            )
            for name in columns[:2]
        }
    )
    query = f"INSERT INTO {target} SELECT {', '.join(columns)} FROM {source} WHERE {columns[0]} > {number}"
    told = RunEvent(
        eventType=draw.choice([RunState.START, RunState.COMPLETE]),
        eventTime=(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(milliseconds=number * 731)).isoformat(),
        run=Run(
            runId=str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            facets={
                "parent": parent_run.ParentRunFacet(
                    run=parent_run.Run(runId=str(uuid.UUID(int=draw.getrandbits(128), version=4))),
                    job=parent_run.Job(namespace="gauges", name="nightly"),
                ),
                "processing_engine": processing_engine_run.ProcessingEngineRunFacet("3.3.2", "Airflow", "2.9.0"),
            },
        ),
        job=Job(
            namespace="gauges",
            name=f"nightly.load_{target}",
            facets={
                "sql": sql_job.SQLJobFacet(query=query),
                "jobType": job_type_job.JobTypeJobFacet("BATCH", "AIRFLOW", "TASK"),
            },
        ),
        producer=PRODUCER,
        inputs=[InputDataset("postgres://gauges:5432", source, facets={"schema": schema, "dataSource": storage})],
        outputs=[
            OutputDataset(
                "postgres://gauges:5432",
                target,
                facets={
                    "schema": schema,
                    "dataSource": storage,
                    "columnLineage": traced,
                },
                outputFacets={
                    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                        rowCount=draw.randrange(10**6), size=draw.randrange(10**8)
                    )
                },
            )
        ],
    )
    return Serde.to_json(told).encode()


def test_ledger_takes_at_most_fifteen_hundredths_of_the_json(tmp_path: Path) -> None:
    draw = random.Random(11)
    events = [event(draw, number) for number in range(EVENTS)]
    mean = sum(map(len, events)) / EVENTS
    assert 2500 < mean < 4500
    path = tmp_path / "ledger.sqlite"
    ledger = SQLiteLedger(path)
    envelope = Envelope(sender="airflow", content_type="application/json")
    for start in range(0, EVENTS, 100):
        ledger.append([Submission("lineage", (one,), envelope) for one in events[start : start + 100]])
    ledger.close()
    assert not path.with_name("ledger.sqlite-wal").exists()
    assert path.stat().st_size / sum(map(len, events)) <= 0.15
