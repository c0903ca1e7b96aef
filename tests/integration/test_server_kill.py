"""kill -9 of the server under load, again and again: nothing that was acknowledged is lost, and all still agrees."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any

from lineage.app import open_folder
from lineage.ledger.sqlite import SQLiteLedger
from lineage.proof import merkle
from lineage.settings import Settings
from tests.integration.server_process import ServerProcess

ROUNDS = 20
CONNECTIONS = 8
BATCH = 20
CHECK_EVERY = 5
DATASETS = 200
LONGEST_LOAD = 1.0


@dataclass(frozen=True)
class Acknowledged:
    """A record that was answered with a receipt."""

    index: int
    position: int
    event_hash: str
    sent: bytes


@dataclass
class Client:
    """Sends pairs and batches on one connection until the server is gone; sends again what got no answer."""

    number: int
    random: Random
    acknowledged: list[Acknowledged] = field(default_factory=list)
    doubtful: list[bytes] = field(default_factory=list)
    runs: int = 0

    def send_until_gone(self, url: str) -> None:
        connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
        with closing(connection), suppress(OSError, HTTPException):
            while True:
                self._send(connection)

    def _send(self, connection: HTTPConnection) -> None:
        if not self.doubtful:
            self.doubtful = list(self._pairs(BATCH // 2 if self.random.random() < 0.1 else 1))
        if len(self.doubtful) > 2:
            status, told = post(connection, "/api/v1/lineage/batch", b"[" + b",".join(self.doubtful) + b"]")
            assert status == 200, told
            self._note(told["receipts"], self.doubtful)
            self.doubtful = []
        while self.doubtful:
            status, told = post(connection, "/api/v1/lineage", self.doubtful[0])
            assert status in (200, 201), told
            self._note([told], self.doubtful[:1])
            self.doubtful = self.doubtful[1:]

    def _note(self, receipts: list[dict[str, Any]], sent: list[bytes]) -> None:
        assert len(receipts) == len(sent)
        for receipt, record in zip(receipts, sent, strict=True):
            self.acknowledged.append(
                Acknowledged(
                    int(str(receipt["index"])), int(str(receipt["position"])), str(receipt["eventHash"]), record
                )
            )

    def _pairs(self, count: int) -> Iterator[bytes]:
        """START and COMPLETE of ``count`` runs."""
        for _ in range(count):
            self.runs += 1
            source, target = (f"d{self.random.randrange(DATASETS)}" for _ in range(2))
            moment = self.random.randrange(3600)
            for event_type in ("START", "COMPLETE"):
                told = {
                    "eventTime": f"2026-05-01T10:{moment // 60:02d}:{moment % 60:02d}.{self.runs % 1000:03d}Z",
                    "eventType": event_type,
                    "producer": "urn:tests",
                    "schemaURL": "urn:schema",
                    "run": {"runId": f"{self.number:08d}-0000-7000-8000-{self.runs:012d}"},
                    "job": {"namespace": "jobs", "name": f"{source}-{target}"},
                    "inputs": [{"namespace": "db", "name": source}],
                    "outputs": [{"namespace": "db", "name": target}] if event_type == "COMPLETE" else [],
                }
                yield json.dumps(told).encode()
                moment = min(moment + 1, 3599)


def post(connection: HTTPConnection, path: str, body: bytes) -> tuple[int, Any]:
    """The status and what is told; raises OSError or HTTPException when the server goes away."""
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


class Witness:
    """Looks into the ledger from outside, and remembers the last root that it saw."""

    def __init__(self) -> None:
        self.size = 0
        self.root = merkle.Frontier().root()

    def look(self, ledger: SQLiteLedger) -> None:
        """The ledger must be an extension of the one last seen."""
        size = ledger.size()
        root = ledger.root(size)
        assert size >= self.size
        if self.size:
            proof = ledger.consistency_proof(self.size, size)
            merkle.verify_consistency(self.size, size, proof, self.root, root)
        self.size, self.root = size, root


def hold(ledger: SQLiteLedger, acknowledged: list[Acknowledged]) -> None:
    """Each acknowledged record stands at its receipt's place, byte for byte."""
    if not acknowledged:
        return
    by_place = {(each.index, each.position): each for each in acknowledged}
    first = min(index for index, _ in by_place)
    for entry in ledger.entries(first - 1):
        for position, record in enumerate(entry.records):
            each = by_place.pop((entry.index, position), None)
            if each is not None:
                assert record == each.sent
                assert each.event_hash == "sha256:" + hashlib.sha256(each.sent).hexdigest()
    assert not by_place


def load(server: ServerProcess, clients: list[Client], random: Random, witness: Witness) -> None:
    """All clients send; once so many records were acknowledged, or after a while, the server is killed."""
    enough = acknowledged(clients) + random.choice([0, 10, 50, 200])
    until = time.monotonic() + LONGEST_LOAD
    threads = [threading.Thread(target=client.send_until_gone, args=(server.url,)) for client in clients]
    for thread in threads:
        thread.start()
    while acknowledged(clients) < enough and time.monotonic() < until:
        time.sleep(random.uniform(0, 0.01))
    ledger = SQLiteLedger(server.data / "ledger.sqlite", read_only=True)
    witness.look(ledger)
    server.kill()
    ledger.close()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def acknowledged(clients: list[Client]) -> int:
    """The number of records that were answered with a receipt."""
    return sum(len(client.acknowledged) for client in clients)


def settle(server: ServerProcess) -> None:
    """Wait until all that is in the ledger is projected."""
    until = time.monotonic() + 30
    while server.metric("lineage_projection_lag_entries") and time.monotonic() < until:
        time.sleep(0.02)


def test_kill_9_under_load_twenty_times_in_a_row_loses_nothing(tmp_path: Path) -> None:
    data, random, witness = tmp_path / "data", Random(1), Witness()
    clients = [Client(number, Random(number)) for number in range(CONNECTIONS)]
    for number in range(ROUNDS + 1):
        with ServerProcess(data) as server:
            ledger = SQLiteLedger(data / "ledger.sqlite", read_only=True)
            witness.look(ledger)
            hold(ledger, [each for client in clients for each in client.acknowledged])
            ledger.close()
            if number and number % CHECK_EVERY == 0:
                settle(server)
                with open_folder(Settings(data=data), read_only=True) as folder:
                    report = folder.check()
                assert report.sound, report.faults
                assert report.graph_size == report.entries == witness.size
            if number < ROUNDS:
                load(server, clients, random, witness)
            else:
                assert server.metric("lineage_projection_skipped") == 0
    assert acknowledged(clients) > 200
    assert "Traceback" not in server.logged()
    assert "built anew" not in server.logged()
