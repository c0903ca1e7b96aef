"""A whole intake on a real ledger, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from lineage.access import KeyRing
from lineage.ledger.sqlite import SQLiteLedger
from lineage.ledger.writer import GroupCommit
from lineage_ingest.intake import Guard, IntakeLimits, IntakeParts, IntakeRouter, RejectedLog, TurnedAway, intake_router

LIMITS = IntakeLimits(event_bytes=100_000, batch_bytes=200_000, batch_records=200, body_timeout=5, feed_wait=5)


@dataclass
class House:
    """The parts of one intake; ``serve`` puts them together."""

    folder: Path
    limits: IntakeLimits = LIMITS
    changes: dict[str, Any] = field(default_factory=dict)
    loopback: bool = True
    insecure: bool = False
    allowed_hosts: tuple[str, ...] = ("testserver",)

    def __post_init__(self) -> None:
        self.ledger = SQLiteLedger(self.folder / "ledger.sqlite")
        self.writer = GroupCommit(self.ledger, capacity_records=1000, capacity_bytes=1 << 26)
        self.rejected = RejectedLog(self.folder / "rejected.sqlite", body_bytes=1000)
        self.keys = KeyRing(self.folder / "keys.json", look_every=0)
        self.router: IntakeRouter | None = None

    def serve(self) -> ASGIApp:
        parts = IntakeParts(self.ledger, self.writer, self.rejected, limits=self.limits)
        parts = replace(parts, **self.changes)
        self.router = intake_router(parts, Starlette())
        return Guard(
            self.router,
            self.keys,
            loopback=self.loopback,
            insecure=self.insecure,
            allowed_hosts=self.allowed_hosts,
            refused=parts.metrics.refused,
            turned_away=TurnedAway(self.rejected.add),
        )

    def stored(self) -> list[bytes | None]:
        return [record for entry in self.ledger.entries() for record in entry.records]

    def close(self) -> None:
        if self.router is not None:
            self.router.close()
        self.writer.close()
        self.rejected.close()
        self.ledger.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.close()


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(house.serve()) as opened:
        yield opened


@pytest.fixture(scope="session")
def event() -> Callable[..., bytes]:
    """Makes the bytes of a valid RunEvent; keyword arguments replace members, None leaves one out."""

    def make(number: int = 0, **members: Any) -> bytes:
        whole = {
            "eventTime": "2026-05-01T10:00:00Z",
            "eventType": "COMPLETE",
            "producer": "https://example.org/tests",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": f"01890000-0000-7000-8000-{number:012d}"},
            "job": {"namespace": "tests", "name": "job"},
            "inputs": [],
            "outputs": [],
        }
        whole.update(members)
        return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()

    return make


@pytest.fixture(scope="session")
def prediction() -> Callable[..., bytes]:
    """Makes the bytes of a valid prediction record."""

    def make(number: int = 0, **members: Any) -> bytes:
        whole = {
            "id": f"request-{number}",
            "time": "2026-05-01T10:00:00Z",
            "deployment": {"namespace": "tests", "name": "scorer"},
        }
        whole.update(members)
        return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()

    return make


@pytest.fixture(scope="session")
def make_house() -> Callable[[Path], House]:
    """Makes a further intake in a folder; whoever makes one closes it."""
    return House
