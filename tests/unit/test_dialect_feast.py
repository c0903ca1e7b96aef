"""What Feast's events mean: feast 0.67.0, from its source."""

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


FEAST = by_name("feast")


def dataset(name: str, **facets: Any) -> dict[str, Any]:
    return {"namespace": "shop", "name": name, "facets": facets}


def feast_event(inputs: list[Any], outputs: list[Any], job_facets: dict[str, Any] | None = None) -> Event:
    return parsed(
        {
            "eventTime": "2026-11-21T12:00:00Z",
            "eventType": "COMPLETE",
            "producer": "feast",
            "schemaURL": "",
            "run": {"runId": "0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f"},
            "job": {"namespace": "shop", "name": "materialize_shop", "facets": job_facets or {}},
            "inputs": inputs,
            "outputs": outputs,
        }
    )


def view(name: str, *entities: str) -> dict[str, Any]:
    return dataset(name, feast_featureView={"name": name, "entities": list(entities)})


def store(name: str) -> dict[str, Any]:
    return dataset(f"online_store_{name}", feast_onlineStore={"feature_view": name, "store_type": "sqlite"})


def materialisation() -> Event:
    entity = dataset("driver", feast_entity={"name": "driver"})
    source = dataset("driver_stats", dataSource={"name": "driver_stats"})
    inputs = [view("hourly", "driver"), source, entity, view("daily", "driver")]
    return FEAST.meant(feast_event(inputs, [store("hourly"), store("daily")]))


def test_an_entity_is_no_dataset() -> None:
    assert [read.name.name for read in claims_of(materialisation()).reads] == ["hourly", "driver_stats", "daily"]


def test_a_bare_entity_is_known_by_its_view() -> None:
    job_facets = {"feast_featureView": {"entities": ["driver"]}}
    bare = {"namespace": "shop", "name": "driver"}
    event = feast_event([dataset("driver", dataSource={"name": "driver"}), bare], [view("hourly")], job_facets)
    assert [each.facets for each in FEAST.meant(event).inputs] == [{"dataSource": {"name": "driver"}}]


def test_an_online_store_is_fed_by_the_view_that_it_is_named_after_and_by_nothing_else() -> None:
    entries = claims_of(materialisation()).entries
    assert {(entry.target, *(source.name for source in entry.sources)) for entry in entries} == {
        (Name("shop", "online_store_hourly"), Name("shop", "hourly")),
        (Name("shop", "online_store_daily"), Name("shop", "daily")),
    }


def test_a_store_without_its_facet_is_known_by_its_name() -> None:
    event = FEAST.meant(
        feast_event([view("hourly")], [dataset("online_store_hourly"), dataset("online_store_"), dataset("x")])
    )
    assert [entry.target for entry in claims_of(event).entries] == [Name("shop", "online_store_hourly")]


def test_what_the_producer_says_of_a_store_s_lineage_stays() -> None:
    told = dataset("online_store_hourly", lineage={"inputs": []})
    event = feast_event([], [told])
    assert FEAST.meant(event) is event


def test_a_view_takes_its_sources() -> None:
    event = feast_event([dataset("driver_stats", dataSource={})], [view("hourly", "driver")])
    assert FEAST.meant(event) is event
    assert claims_of(event).dialect == "feast"


@pytest.mark.parametrize("producer", ["feast", "", "no uri", "acme/features"])
def test_a_producer_that_is_no_uri_is_taken(producer: str) -> None:
    event = {
        "eventTime": "2026-11-21T12:00:00Z",
        "producer": producer,
        "schemaURL": "",
        "job": {"namespace": "n", "name": "j", "facets": {"feast_jobKind": {"kind": "definition"}}},
    }
    assert dialect_of(parsed(event)) is FEAST


def test_no_capture_of_another_producer_is_taken_for_feast_s() -> None:
    assert not any(dialect_of(event).name == "feast" for event in captured("dbt_run"))
