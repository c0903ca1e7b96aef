"""Liveness, readiness, metrics, facet schemas, and the OpenAPI fragment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi.openapi.models import OpenAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from lineage.settings import Settings
from lineage_ingest.intake import IntakeLimits, Projected, openapi_paths
from lineage_ingest.intake.operations import facet_schemas

Make = Callable[..., bytes]


def test_the_limits_are_the_settings_defaults() -> None:
    for limit in fields(IntakeLimits):
        name = limit.name if limit.name in Settings.model_fields else f"max_{limit.name}"
        assert Settings.model_fields[name].default == limit.default, name


def samples(client: TestClient) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found[sample.name + "".join(f" {value}" for value in sample.labels.values())] = sample.value
    return found


def test_healthz_and_readyz_are_green(house: Any) -> None:
    house.changes = {"projected": lambda: Projected(7, 3.14159, "The graph store is away.")}
    with TestClient(house.serve()) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json() == {
            "ready": True,
            "ledger": {"writable": True, "fault": None},
            "projection": {"lag": 7, "behind": 7, "seconds": 3.142, "waits": "The graph store is away."},
        }
        assert client.head("/healthz").status_code == 200
        found = samples(client)
        assert (found["lineage_projection_lag_entries"], found["lineage_projection_lag_seconds"]) == (7, 3.14159)


def test_every_series_is_there_from_the_start(client: TestClient) -> None:
    found = samples(client)
    for kind in ("lineage", "predictions"):
        assert found[f"lineage_records_accepted_total {kind}"] == 0
        assert found[f"lineage_records_duplicate_total {kind}"] == 0
    for code in ("NOT_JSON", "INVALID_EVENT", "TOO_LARGE", "QUEUE_FULL", "LEDGER_UNAVAILABLE"):
        assert found[f"lineage_records_refused_total {code}"] == 0
    assert found["lineage_commit_seconds_count"] == 0
    for gauge in (
        "queue_records",
        "ledger_entries",
        "projection_lag_entries",
        "projection_lag_seconds",
        "inflight_bytes",
    ):
        assert found[f"lineage_{gauge}"] == 0


def test_what_happens_is_counted(client: TestClient, event: Make) -> None:
    client.post("/api/v1/lineage", content=event(1))
    client.post("/api/v1/lineage", content=event(1))
    client.post("/api/v1/lineage", content=b"{")
    client.post("/api/v1/lineage/batch", content=b"[" + event(2) + b"," + event(2) + b",{},{}]")
    found = samples(client)
    assert found["lineage_records_accepted_total lineage"] == 2
    assert found["lineage_records_duplicate_total lineage"] == 2
    assert found["lineage_records_refused_total NOT_JSON"] == 1
    assert found["lineage_records_refused_total INVALID_EVENT"] == 2
    assert found["lineage_commit_seconds_count"] == 3
    assert found["lineage_ledger_entries"] == 2


def test_a_gauge_that_fails_does_not_take_the_others_along(house: Any) -> None:
    house.changes = {"queue_depth": lambda: 1 // 0}
    with TestClient(house.serve()) as client:
        assert samples(client)["lineage_ledger_entries"] == 0


def test_each_facet_schema_is_served_by_its_name_and_its_id(client: TestClient) -> None:
    folder = Path(__file__).parents[2] / "ingest" / "lineage_ingest" / "facets"
    listed = client.get("/api/v1/facets").json()["facets"]
    for file in folder.glob("*.json"):
        schema = json.loads(file.read_bytes())
        for name in (file.stem, schema["$id"]):
            assert name in listed
            answer = client.get(f"/api/v1/facets/{name}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
            assert answer.json() == schema


def test_facet_schemas_are_read_by_stem_and_id(tmp_path: Path) -> None:
    (tmp_path / "A.json").write_text('{"$id": "urn:a:1"}')
    (tmp_path / "README.md").write_text("no schema")
    assert facet_schemas(tmp_path) == {"A": b'{"$id": "urn:a:1"}', "urn:a:1": b'{"$id": "urn:a:1"}'}
    assert facet_schemas(tmp_path / "missing") == {}


@pytest.mark.parametrize("name", ["Nothing", "..%2F..%2Fpy.typed", ""])
def test_a_facet_that_is_none_is_not_found(client: TestClient, name: str) -> None:
    answer = client.get(f"/api/v1/facets/{name}x")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_the_openapi_fragment_is_valid_and_names_every_address(client: TestClient, house: Any) -> None:
    paths = openapi_paths()
    document = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths}
    OpenAPI.model_validate(document)
    served = {path: {method.lower() for method in methods} for path, methods in house.router.methods.items()}
    served["/api/v1/facets/{name}"] = {"get"}
    assert {path: set(operations) for path, operations in paths.items()} == {
        path: methods - {"head"} for path, methods in served.items()
    }


def test_answers_are_as_the_openapi_fragment_says(client: TestClient, event: Make, prediction: Make) -> None:
    asked: list[tuple[str, str, bytes | None]] = [
        ("post", "/api/v1/lineage", event(1)),
        ("post", "/api/v1/lineage", event(1)),
        ("post", "/api/v1/lineage", event(1, eventTime=None)),
        ("post", "/api/v1/lineage", b"{"),
        ("post", "/api/v1/lineage", bytes(200_000)),
        ("post", "/api/v1/lineage/batch", b"[" + event(2) + b", 5]"),
        ("post", "/api/v1/predictions", prediction(1)),
        ("post", "/api/v1/predictions", prediction(1) + b"\n" + prediction(2)),
        ("get", "/api/v1/ledger/entries?limit=1", None),
        ("get", "/api/v1/ledger/entries?limit=x", None),
        ("get", "/healthz", None),
        ("get", "/readyz", None),
        ("get", "/api/v1/facets", None),
    ]
    for method, url, content in asked:
        answer = client.request(method, url, content=content)
        responses = openapi_paths()[url.partition("?")[0]][method]["responses"]
        content_type = answer.headers["content-type"]
        schema = responses[str(answer.status_code)]["content"][content_type]["schema"]
        jsonschema_rs.validate(schema, answer.json())
