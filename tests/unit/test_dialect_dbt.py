"""What dbt's events mean, from captures of openlineage-dbt 1.54.0 with dbt 1.11 and DuckDB."""

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


DBT = by_name("dbt")
CUSTOMERS = Name("dbt_prod", "shop.main.shop.customers")


def dbt_event(name: str, node: dict[str, Any] | None = None, job_type: str = "MODEL", **parts: Any) -> Event:
    facets: dict[str, Any] = {"jobType": {"jobType": job_type, "integration": "DBT"}}
    if node is not None:
        facets["dbt_node"] = node
    return parsed(
        {
            "eventTime": "2026-11-21T12:00:00Z",
            "producer": "",
            "schemaURL": "",
            "run": {"runId": "0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f"},
            "job": {"namespace": "n", "name": name, "facets": facets},
            **parts,
        }
    )


def name_of(event: Event) -> str:
    job = DBT.meant(event).job
    assert job
    return job.name


def test_one_model_is_one_job_in_all_three_modes() -> None:
    jobs = {
        event.job
        for mode in ("dbt_run", "dbt_build", "dbt_structured")
        for event in captured(mode)
        if event.job and "customers" in event.job.name and ".sql." not in event.job.name
    }
    assert jobs == {CUSTOMERS, Name("dbt_prod", "shop.main.shop.customers.test")}


def test_the_sql_of_a_node_stays_a_child_job() -> None:
    child = captured("dbt_structured")[-1]
    told = claims_of(child).parent
    assert child.job == Name("dbt_prod", "model.shop.customers.sql.1")
    assert told
    assert not told.single_process


NODE = {"database": "db", "schema": "s", "unique_id": "model.p.m"}


@pytest.mark.parametrize(
    ("name", "node", "meant"),
    [
        ("model.p.m", NODE, "db.s.p.m"),
        ("db.s.p.m.build.run", NODE, "db.s.p.m"),
        ("db.s.p.m.build.test", NODE, "db.s.p.m.test"),
        ("db.s.p.m.test", NODE, "db.s.p.m.test"),
        ("model.p.m.v2", {**NODE, "unique_id": "model.p.m.v2"}, "db.s.p.m.v2"),
        ("snapshot.p.m", {**NODE, "unique_id": "snapshot.p.m"}, "db.s.p.m.snapshot"),
        ("db.s.p.m.build.snapshot", {**NODE, "unique_id": "snapshot.p.m"}, "db.s.p.m.snapshot"),
        ("model.p.m", {**NODE, "database": None}, "s.p.m"),
        ("db.s.source.p.a.t.build.test", {**NODE, "unique_id": "source.p.a.t"}, "db.s.source.p.a.t.test"),
        (
            "test.p.unique_m.8722169a9d",
            {**NODE, "unique_id": "test.p.unique_m.8722169a9d"},
            "test.p.unique_m.8722169a9d",
        ),
        ("seed.p.raw", {**NODE, "unique_id": "seed.p.raw"}, "seed.p.raw"),
        ("db.s.build.run", {**NODE, "unique_id": "model.build.run"}, "db.s.build.run"),
        ("db.s.p.m.build.run", None, "db.s.p.m"),
        ("s.p.m.build.snapshot", None, "s.p.m.snapshot"),
        ("s.build.run", None, "s.build.run"),
        ("model.p.m", None, "model.p.m"),
        ("dbt-run-p", None, "dbt-run-p"),
    ],
)
def test_a_node_s_name_is_that_of_the_default_mode(name: str, node: dict[str, Any] | None, meant: str) -> None:
    assert name_of(dbt_event(name, node)) == meant


def test_a_test_writes_nothing() -> None:
    raw = [parsed(event) for event in json.loads((CAPTURES / "dbt_test.json").read_text())]
    assert {output.name.name for event in raw for output in event.outputs} == {
        "shop.main_dbt_test__audit.unique_customers_customer"
    }
    for event in captured("dbt_test"):
        assert claims_of(event).writes == ()
        assert [read.name.name for read in claims_of(event).reads] == ["shop.main.customers"]


def test_an_audit_table_is_no_output_of_any_job() -> None:
    outputs = [{"namespace": "n", "name": name} for name in ("db.s.m", "db.s_dbt_test__audit.t", "dbt_test__audit")]
    meant = DBT.meant(dbt_event("x", None, "MODEL", outputs=outputs))
    assert [output.name.name for output in meant.outputs] == ["db.s.m", "dbt_test__audit"]


def test_a_skipped_node_never_ran() -> None:
    events = captured("dbt_skipped")
    assert all(event.inputs and event.outputs for event in events)
    types = frozenset(event.type or "" for event in events)
    assert DBT.never_ran(types, frozenset((event.type or "", event.time) for event in events))


@pytest.mark.parametrize(
    "instants",
    [
        {("START", 1), ("ABORT", 2)},
        {("START", 1), ("ABORT", 1), ("FAIL", 1)},
        {("START", 1), ("COMPLETE", 1)},
        {("ABORT", 1)},
        {("START", 1), ("ABORT", 1), ("ABORT", 2)},
    ],
)
def test_what_ended_otherwise_ran(instants: set[tuple[str, int]]) -> None:
    assert not DBT.never_ran(frozenset(kind for kind, _ in instants), frozenset(instants))


def test_a_seed_that_only_columns_name_is_vouched_for_and_a_cte_is_not() -> None:
    model = next(event for event in captured("dbt_run") if event.job and event.job.name.endswith("stg_orders"))
    (write,) = claims_of(model).writes
    assert {source.name.name for source in write.columns} == {"shop.main.raw_orders"}
    assert not model.inputs
    assert all(DBT.vouches(write.name, source.name) for source in write.columns)
    assert not DBT.vouches(write.name, Name(write.name.namespace, "agg"))
    assert not DBT.vouches(write.name, Name("elsewhere", "shop.main.raw_orders"))
    assert not DBT.vouches(write.name, Name(write.name.namespace, "..agg"))


def test_an_event_that_says_what_it_means_is_not_copied() -> None:
    for event in (parsed(each) for each in json.loads((CAPTURES / "dbt_run.json").read_text())):
        assert DBT.meant(event) is event
        assert claims_of(event).dialect == "dbt"
