"""What Iceberg's versions in Spark's events mean, from captures of Iceberg 1.10.1."""

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


INPUT_VERSION, OUTPUT_VERSION = "3252673320882482018", "1634575490426376556"


def raw(capture: str) -> list[Event]:
    return [parsed(event) for event in json.loads((CAPTURES / f"{capture}.json").read_text())]


def versions(events: list[Event]) -> list[tuple[str | None, list[str | None], list[str | None]]]:
    told = [(event.type, claims_of(event)) for event in events]
    return [(kind, [r.version for r in claims.reads], [w.version for w in claims.writes]) for kind, claims in told]


def test_the_version_that_a_read_met_is_that_of_the_start() -> None:
    assert versions(raw("iceberg_append_from_itself"))[-1] == ("COMPLETE", [OUTPUT_VERSION], [OUTPUT_VERSION])
    meant = versions(captured("iceberg_append_from_itself"))
    assert meant[0] == ("START", [INPUT_VERSION], [None])
    assert meant[-1] == ("COMPLETE", [None], [OUTPUT_VERSION])


def test_a_scan_that_agrees_as_a_double_keeps_its_version() -> None:
    complete = captured("iceberg_insert")[-1]
    assert complete.type == "COMPLETE"
    snapshot = complete.inputs[0].io_facets["icebergScanReport"]["snapshotId"]
    version = complete.inputs[0].facets["version"]["datasetVersion"]
    assert int(snapshot) != int(version)
    assert versions([complete])[0][1] == [version]


def test_a_committed_version_is_kept_with_and_without_statistics_of_its_own() -> None:
    start, complete = captured("iceberg_create_table_as_select")
    assert start.outputs == ()
    assert claims_of(complete).writes[0].version == "2668646322037255051"


@pytest.mark.parametrize(
    ("facets", "kept"),
    [
        ({"storage": {"storageLayer": "iceberg"}}, False),
        ({"catalog": {"framework": "iceberg"}}, False),
        ({"storage": {"storageLayer": "delta"}}, True),
        ({}, True),
    ],
)
def test_only_of_iceberg_a_version_without_commit_report_names_nothing(facets: dict[str, Any], kept: bool) -> None:
    event = json.loads((CAPTURES / "iceberg_insert.json").read_text())[-1]
    output = event["outputs"][0]
    output["facets"] = {**facets, "version": {"datasetVersion": "7"}}
    del output["outputFacets"]["icebergCommitReport"]
    given = parsed(event)
    assert ("version" in dialect_of(given).meant(given).outputs[0].facets) is kept


@pytest.mark.parametrize("snapshot", [None, True, "x", [], {}, "", 10**400])
def test_a_snapshot_that_is_no_number_refutes_nothing(snapshot: Any) -> None:
    event = json.loads((CAPTURES / "iceberg_insert.json").read_text())[-1]
    event["inputs"][0]["inputFacets"]["icebergScanReport"]["snapshotId"] = snapshot
    given = parsed(event)
    assert "version" in dialect_of(given).meant(given).inputs[0].facets


def test_claims_are_spark_s() -> None:
    assert {claims_of(event).dialect for event in captured("iceberg_insert")} == {by_name("spark").name}
    assert all(event.job != Name("", "") for event in captured("iceberg_insert"))
