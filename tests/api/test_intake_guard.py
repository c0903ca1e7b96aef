"""API keys, web pages of somebody else's, and DNS rebinding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

URL = "/api/v1/lineage"
PATHS = [URL, "/api/v1/lineage/batch", "/api/v1/predictions", "/api/v1/ledger/entries", "/graphql", "/metrics", "/docs"]
Make = Callable[..., bytes]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_on_loopback_without_keys_anyone_may(client: TestClient, event: Make) -> None:
    assert client.post(URL, content=event()).status_code == 201


def test_the_key_names_the_sender_in_the_envelope(client: TestClient, house: Any, event: Make) -> None:
    token = house.keys.new("airflow")
    assert client.post(URL, content=event(), headers=bearer(token)).status_code == 201
    assert next(house.ledger.entries()).envelope.sender == "airflow"


@pytest.mark.parametrize("path", PATHS)
def test_once_a_key_was_made_every_address_needs_one(client: TestClient, house: Any, path: str) -> None:
    house.keys.new("airflow")
    for headers in ({}, bearer("nonsense"), {"authorization": "Basic YTpi"}):
        answer = client.post(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_no_key(client: TestClient, house: Any, path: str) -> None:
    house.keys.new("airflow")
    assert client.get(path).status_code == 200


def test_a_revoked_key_is_refused_at_once(client: TestClient, house: Any, event: Make) -> None:
    token = house.keys.new("airflow")
    assert client.post(URL, content=event(), headers=bearer(token)).status_code == 201
    house.keys.revoke("airflow")
    assert client.post(URL, content=event(), headers=bearer(token)).status_code == 401
    assert client.post(URL, content=event()).status_code == 401


@pytest.mark.parametrize(("insecure", "status"), [(False, 401), (True, 201)])
def test_another_address_than_loopback_needs_a_key_or_insecure(
    house: Any, event: Make, insecure: bool, status: int
) -> None:
    house.loopback, house.insecure = False, insecure
    with TestClient(house.serve()) as client:
        assert client.post(URL, content=event()).status_code == status


def test_a_damaged_key_file_lets_nobody_in(client: TestClient, house: Any, event: Make) -> None:
    (house.folder / "keys.json").write_text("{")
    assert client.post(URL, content=event()).status_code == 500
    assert house.ledger.size() == 0


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "", "testserver", "ftp://testserver"]
)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_somebody_else_can_do_nothing(client: TestClient, house: Any, path: str, origin: str) -> None:
    answer = client.post(path, headers={"origin": origin, "content-type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert house.ledger.size() == 0


def test_a_page_of_somebody_else_gets_no_preflight(client: TestClient) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = client.options(URL, headers=headers)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_the_servers_own_pages_may(client: TestClient, event: Make) -> None:
    assert client.post(URL, content=event(), headers={"origin": "http://testserver"}).status_code == 201


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "",
        "localhost.evil.example",
        "[::2]",
        "[",
        "0.0.0.0",
    ],
)
def test_a_name_that_was_pointed_here_is_refused(client: TestClient, event: Make, host: str) -> None:
    for headers in ({"host": host}, {"host": host, "origin": f"http://{host}"}):
        assert client.post(URL, content=event(), headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[0:0:0:0:0:0:0:1]"])
def test_the_names_of_loopback_are_taken(client: TestClient, event: Make, host: str) -> None:
    assert client.post(URL, content=event(), headers={"host": host}).status_code == 201


def test_with_a_key_any_name_is_taken_as_no_page_has_one(client: TestClient, house: Any, event: Make) -> None:
    headers = {**bearer(house.keys.new("airflow")), "host": "lineage.example"}
    assert client.post(URL, content=event(), headers=headers).status_code == 201


def test_insecure_with_names_takes_these_only(house: Any, event: Make) -> None:
    house.loopback, house.insecure, house.allowed_hosts = False, True, ("lineage.example",)
    with TestClient(house.serve()) as client:
        assert client.post(URL, content=event(), headers={"host": "lineage.example:80"}).status_code == 201
        assert client.post(URL, content=event()).status_code == 403


def test_refusals_of_access_are_counted(client: TestClient, house: Any, event: Make) -> None:
    token = house.keys.new("airflow")
    client.post(URL, content=event())
    text = client.get("/metrics", headers=bearer(token)).text
    assert 'lineage_records_refused_total{code="UNAUTHENTICATED"} 1.0' in text


@pytest.mark.parametrize("path", ["/docs", "/graphql"])
def test_a_browser_is_told_how_a_page_can_be_had_where_keys_are_asked_for(
    client: TestClient, house: Any, path: str
) -> None:
    house.keys.new("airflow")
    seen = client.get(path, headers={"accept": "text/html,*/*;q=0.8"})
    assert (seen.status_code, seen.json()["code"]) == (401, "UNAUTHENTICATED")
    assert "browser" in seen.json()["detail"]
    assert "browser" not in client.get(path, headers={"accept": "*/*"}).json()["detail"]


def test_the_adr_says_what_the_guard_does() -> None:
    adr = next((Path(__file__).parents[2] / "docs" / "adr").glob("0010-*.md")).read_text()
    for word in ("Origin", "Host", "/healthz", "/readyz", "/metrics", "LINEAGE_ALLOWED_HOSTS"):
        assert word in adr
