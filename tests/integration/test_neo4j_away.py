"""A server whose Neo4j is away, slow, read-only or full: intake goes on, questions say so at once, it comes back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from lineage.ledger.sqlite import SQLiteLedger
from tests.integration.neo4j_world import dump_at, expected
from tests.integration.server_process import ServerProcess
from tests.neo4j_server import Neo4jServer
from tests.tcp_proxy import TcpProxy

SEARCH = 'query { search(text: "orders") { ledgerIndex behind hits { id } } }'
QUICK = 2.0
"""Seconds in which a question is told that there is no answer, on a machine that does nothing else."""
SLACK = 5.0
"""What a machine that does much else may take longer, now and then; without a limit it would be a minute and more."""
PATIENCE = 120.0


def event(number: int) -> bytes:
    return json.dumps(
        {
            "eventType": "COMPLETE",
            "eventTime": f"2026-05-01T10:{number // 60 % 60:02}:{number % 60:02}Z",
            "run": {"runId": f"00000000-0000-4000-8000-{number:012}"},
            "job": {"namespace": "shop", "name": f"fill {number % 7}"},
            "inputs": [{"namespace": "db", "name": f"orders_{number % 5}"}],
            "outputs": [{"namespace": "db", "name": f"orders_{number % 5 + 1}"}],
            "producer": "urn:shop",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        }
    ).encode()


class Shop:
    """A server that tells its own story: how long things took, and that all of it is there in the end."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder = folder
        self.server = ServerProcess(folder / "data", store="neo4j", neo4j_uri=uri)
        self.told = 0

    def tell(self, count: int) -> float:
        """Send so many events; how long the slowest acknowledgement took."""
        slowest = 0.0
        for _ in range(count):
            begun = time.monotonic()
            answer = self.server.post("/api/v1/lineage", event(self.told))
            slowest = max(slowest, time.monotonic() - begun)
            assert answer.status_code == 201, answer.text
            self.told += 1
        return slowest

    def refusal(self) -> tuple[str, str, float]:
        """What a question is told while there is no answer: code, message, seconds."""
        begun = time.monotonic()
        answer = self.server.ask(SEARCH)
        seconds = time.monotonic() - begun
        assert "errors" in answer, answer
        (error,) = answer["errors"]
        return error["extensions"]["code"], error["message"], seconds

    def behind(self) -> int | None:
        """How many entries an answer is behind; None while there is none."""
        answer = self.server.ask(SEARCH)
        return None if "errors" in answer else answer["data"]["search"]["behind"]

    def answers(self) -> bool:
        """Whether a question is answered as of the newest entry."""
        return self.behind() == 0

    def readiness(self) -> dict[str, Any]:
        """What /readyz says."""
        answer = self.server.client.get("/readyz")
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told

    def ends_well(self, uri: str) -> None:
        """The graph is what the ledger says, once the server has stopped."""
        until(self.answers)
        assert self.server.stop() == 0
        ledger = SQLiteLedger(self.folder / "data" / "ledger.sqlite", read_only=True)
        assert dump_at(uri, ledger) == expected(self.folder, ledger)
        ledger.close()


Open = Callable[[str], Shop]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "It does not come back."
        time.sleep(0.2)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Makes shops, whose servers end with the test."""
    with ExitStack() as closing:

        def make(uri: str) -> Shop:
            made = Shop(tmp_path, uri)
            closing.callback(made.server.kill)
            return made

        yield make


@pytest.fixture
def shop(proxy: TcpProxy, opened: Open) -> Shop:
    return opened(proxy.uri)


def away(shop: Shop) -> None:
    """What holds while the database is away."""
    assert shop.tell(50) < QUICK + SLACK
    took = []
    for _ in range(5):
        code, message, seconds = shop.refusal()
        assert code == "UNAVAILABLE"
        assert "Neo4j" in message
        took.append(seconds)
    assert median(took) < QUICK
    assert max(took) < QUICK + SLACK
    until(lambda: "Neo4j" in (shop.readiness()["projection"]["waits"] or ""))
    told = shop.readiness()["projection"]
    assert told["behind"] >= 50
    assert told["seconds"] > 0
    assert shop.server.metric("lineage_graph_store_up") == 0


def test_server_starts_and_takes_events_while_neo4j_is_away(
    opened: Open, proxy: TcpProxy, neo4j_uri: str, tmp_path: Path
) -> None:
    proxy.refuse()
    shop = opened(proxy.uri)
    away(shop)
    proxy.accept()
    shop.ends_well(neo4j_uri)


def test_refused_connections(shop: Shop, proxy: TcpProxy, neo4j_uri: str) -> None:
    shop.tell(20)
    until(shop.answers)
    proxy.refuse()
    proxy.reset()
    away(shop)
    proxy.accept()
    shop.ends_well(neo4j_uri)


def test_network_that_swallows_all(shop: Shop, proxy: TcpProxy, neo4j_uri: str) -> None:
    shop.tell(20)
    until(shop.answers)
    proxy.stall()
    away(shop)
    proxy.resume()
    shop.ends_well(neo4j_uri)


def test_slow_network_is_slow_and_no_outage(shop: Shop, proxy: TcpProxy, neo4j_uri: str) -> None:
    proxy.delay(0.1)
    assert shop.tell(50) < QUICK + SLACK
    until(shop.answers)
    proxy.delay(0)
    shop.ends_well(neo4j_uri)


def test_stopped_and_restarted_read_only_then_writable(opened: Open, neo4j_server: Neo4jServer, neo4j_uri: str) -> None:
    shop = opened(neo4j_uri)
    shop.tell(20)
    until(shop.answers)
    neo4j_server.stop()
    away(shop)
    neo4j_server.read_only = True
    try:
        neo4j_server.start()
        assert shop.tell(20) < QUICK + SLACK
        until(lambda: "takes no writes" in (shop.readiness()["projection"]["waits"] or ""))
        until(lambda: shop.behind() == 70)
        neo4j_server.stop()
    finally:
        neo4j_server.read_only = False
    neo4j_server.start()
    shop.ends_well(neo4j_uri)


def test_server_that_nobody_asks_notices_an_outage_and_an_emptied_database(
    shop: Shop, proxy: TcpProxy, neo4j_server: Neo4jServer, neo4j_uri: str
) -> None:
    shop.tell(20)
    until(shop.answers)
    proxy.refuse()
    proxy.reset()
    until(lambda: "Neo4j" in (shop.readiness()["projection"]["waits"] or ""))
    proxy.accept()
    until(lambda: shop.readiness()["projection"]["waits"] is None)
    with neo4j_server.driver() as driver:
        driver.execute_query("MATCH (n) DETACH DELETE n")
        until(lambda: driver.execute_query("MATCH (r:Run) RETURN count(r)").records[0][0] == 20)
    shop.ends_well(neo4j_uri)


def test_full_disk(opened: Open, neo4j_machine: None, tmp_path: Path) -> None:
    with Neo4jServer(tmp_path / "neo4j") as neo4j:
        shop = opened(neo4j.uri)
        shop.tell(20)
        until(shop.answers)
        neo4j.limit_file_size(1)
        until(lambda: shop.tell(5) < QUICK + SLACK and shop.readiness()["projection"]["behind"] > 5)
        away(shop)
        neo4j.kill()
        neo4j.limit_file_size(None)
        neo4j.start()
        shop.ends_well(neo4j.uri)


def test_frozen_server_process(shop: Shop, neo4j_server: Neo4jServer, neo4j_uri: str) -> None:
    shop.tell(20)
    until(shop.answers)
    neo4j_server.pause()
    away(shop)
    neo4j_server.resume()
    shop.ends_well(neo4j_uri)
