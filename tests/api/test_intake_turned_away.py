"""Records that came without a key, or from a page of somebody else: that they came is kept, and nothing of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lineage.errors import ForbiddenError, LineageError, UnauthenticatedError
from lineage_ingest.intake import RejectedLog, Rejection, TurnedAway
from lineage_ingest.intake.turned_away import PAUSE, RECORD_PATHS

Make = Callable[..., bytes]
NO_KEY = UnauthenticatedError("This server asks for an API key.")
LINEAGE = "/api/v1/lineage"


class Door:
    """What a TurnedAway keeps, by a clock that is set by hand."""

    def __init__(self) -> None:
        self.kept: list[Rejection] = []
        self.now = 100.0
        self._turned_away = TurnedAway(self.kept.append, lambda: self.now)

    def refuse(
        self, error: LineageError = NO_KEY, path: str = LINEAGE, method: str = "POST", length: str = "7"
    ) -> None:
        headers = [(b"content-length", length.encode()), (b"authorization", b"Bearer lineage_secret")]
        self._turned_away({"type": "http", "method": method, "path": path, "headers": headers}, error)


def test_a_request_with_records_and_no_key_is_kept_without_its_body(
    client: TestClient, house: Any, event: Make
) -> None:
    house.keys.new("airflow")
    answer = client.post(LINEAGE, content=event(), headers={"authorization": "Bearer lineage_secret"})
    house.rejected.flush()
    (kept,) = house.rejected.list()
    assert (kept.code, kept.reason, kept.target) == ("UNAUTHENTICATED", answer.json()["detail"], LINEAGE)
    assert (kept.sender, kept.body, kept.size, kept.cut) == (None, b"", len(event()), True)
    assert kept.time > 1_700_000_000_000_000


@pytest.mark.parametrize("authorization", ["{token}", "{token} x", "Token {token}", "Bearer {token}x", "Bearer{token}"])
def test_a_key_that_is_sent_wrongly_is_kept_nowhere(
    client: TestClient, house: Any, event: Make, authorization: str
) -> None:
    token = house.keys.new("airflow")
    headers = {"authorization": authorization.format(token=token)}
    answer = client.post(LINEAGE, content=event(), headers=headers)
    house.rejected.flush()
    assert answer.status_code == 401
    assert len(house.rejected.list()) == 1
    secret = token[len("lineage_") :][:20]
    assert secret not in answer.text
    assert secret not in repr(house.rejected.list())


def test_a_page_of_somebody_else_that_sends_records_is_kept(client: TestClient, house: Any, event: Make) -> None:
    client.post(LINEAGE, content=event(), headers={"origin": "https://evil.example"})
    house.rejected.flush()
    assert [kept.code for kept in house.rejected.list()] == ["FORBIDDEN"]


def test_all_addresses_that_take_records_are_meant_and_no_other(house: Any) -> None:
    house.serve()
    assert {path for path, methods in house.router.methods.items() if "POST" in methods} == RECORD_PATHS
    door = Door()
    for path in ("/graphql", "/api/v1/answers", "/api/v1/ledger/entries", "/"):
        door.refuse(path=path)
    door.refuse(method="GET")
    assert door.kept == []
    door.refuse(path=LINEAGE + "/")
    assert [kept.target for kept in door.kept] == [LINEAGE]


def test_one_a_second_is_kept_of_each_code_and_address() -> None:
    door = Door()
    for _ in range(100):
        door.refuse()
        door.refuse(ForbiddenError("No."))
        door.refuse(path="/api/v1/predictions")
    assert len(door.kept) == 3
    door.now += PAUSE / 2
    door.refuse()
    assert len(door.kept) == 3
    door.now += PAUSE / 2
    door.refuse()
    assert len(door.kept) == 4


@pytest.mark.parametrize(("length", "size"), [("0", 0), ("-1", 0), ("", 0), ("9" * 18, 10**18 - 1), ("9" * 19, 0)])
def test_a_length_that_is_none_is_not_believed(length: str, size: int) -> None:
    door = Door()
    door.refuse(length=length)
    assert door.kept[0].size == size


def test_whoever_has_no_key_cant_push_out_what_others_sent(tmp_path: Path) -> None:
    door = Door()
    door.refuse()
    log = RejectedLog(tmp_path / "rejected.sqlite", records=50)
    refused = replace(door.kept[0], code="NOT_JSON")
    for number in range(60):
        log.add(replace(refused, time=number))
    log.flush()
    for number in range(200):
        log.add(replace(door.kept[0], code=("UNAUTHENTICATED", "FORBIDDEN")[number % 2], time=1000 + number))
        log.flush()
    kept = log.list(1000)
    log.close()
    assert [row.time for row in kept] == [1199, 1198, 1197, 1196, 1195, *range(59, 14, -1)]
