"""What Airflow's events mean: apache-airflow-providers-openlineage 2.20.3, from its source."""

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


AIRFLOW = by_name("airflow")


def task_event(**parts: Any) -> Event:
    run = {"runId": "0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f"}
    parent = {"run": run, "job": {"namespace": "airflow_prod", "name": "daily"}}
    return parsed(
        {
            "eventTime": "2026-11-21T12:00:00Z",
            "eventType": "COMPLETE",
            "producer": "https://github.com/apache/airflow/tree/providers-openlineage/2.20.3",
            "schemaURL": "",
            "run": {**run, "facets": {"parent": parent}},
            "job": {
                "namespace": "airflow_prod",
                "name": "daily.load",
                "facets": {"jobType": {"jobType": "TASK", "integration": "AIRFLOW", "processingType": "BATCH"}},
            },
            **parts,
        }
    )


def test_a_dag_run_is_an_orchestrator() -> None:
    claims = claims_of(task_event())
    assert claims.parent
    assert claims.parent.job == Name("airflow_prod", "daily")
    assert not claims.parent.single_process
    assert claims.dialect == "airflow"
    assert not AIRFLOW.nests_writes


def test_a_task_means_what_it_says() -> None:
    event = task_event(outputs=[{"namespace": "postgres://db:5432", "name": "shop.public.t"}])
    assert AIRFLOW.meant(event) is event
    assert claims_of(event).writes == run_claims(event, 0, 0).writes


@pytest.mark.parametrize(
    ("source", "vouched"),
    [("shop.public.orders", True), ("agg", False), ("public.agg", False), ("a.b.c.d", False), ("", False)],
)
def test_a_cte_has_fewer_parts_than_the_output(source: str, vouched: bool) -> None:
    database = "postgres://db:5432"
    assert AIRFLOW.vouches(Name(database, "shop.public.totals"), Name(database, source)) is vouched


def test_no_capture_of_another_producer_is_taken_for_airflow_s() -> None:
    assert not any(dialect_of(event).name == "airflow" for event in captured("dbt_run"))
