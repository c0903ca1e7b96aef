"""Whatever happens between the projector and Neo4j, the graph is what a rebuild gives: nothing lost, nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from lineage.errors import UnavailableError, UnusableStoreError
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.neo4j import Address, Neo4jStore, gate
from tests.conformance.graphs import changes, dataset
from tests.integration.neo4j_world import dump_at, expected, go_on, make_ledger, projection
from tests.neo4j_server import Neo4jServer
from tests.tcp_proxy import Kind, Phase, TcpProxy

TIMES = 10
PROJECTOR = """
import sys
from pathlib import Path
from lineage.ledger.sqlite import SQLiteLedger
from tests.integration.neo4j_world import projection

ledger = SQLiteLedger(Path(sys.argv[1]) / "ledger.sqlite", read_only=True)
with projection(Path(sys.argv[2]), ledger, sys.argv[3]) as projecting:
    print("begins", flush=True)
    while projecting.step():
        print(projecting.reached, flush=True)
    projecting.keep()
    print("done", flush=True)
"""


class Told:
    """The ledger, and the graph that it must give."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = make_ledger(folder)
        self.dump = expected(folder, self.ledger)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    made = Told(tmp_path_factory.mktemp("told"))
    yield made
    made.ledger.close()


LOST = (Phase.BEFORE, Phase.SENT, Phase.ANSWERED)
PHASES = [
    *((kind, phase) for kind in (Kind.BEGIN, Kind.RUN, Kind.PULL, Kind.COMMIT) for phase in LOST),
    (Kind.LOGON, Phase.BEFORE),
    (Kind.COMMIT, Phase.SILENCE),
]


@pytest.mark.parametrize(("kind", "phase"), PHASES, ids=lambda value: value.name)
def test_connection_lost_at_each_phase_of_a_batch(
    told: Told,
    proxy: TcpProxy,
    neo4j_uri: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    phase: Phase,
) -> None:
    monkeypatch.setattr(gate, "LONGEST_COMMIT", 2.0)
    random = Random(f"{kind}{phase}")
    happened = 0
    with projection(tmp_path, told.ledger, proxy.uri) as projecting:
        for _ in range(TIMES):
            fault = proxy.reset_at(kind, phase, nth=random.randint(1, 9 if kind in (Kind.RUN, Kind.PULL) else 1))
            if kind is Kind.LOGON:
                proxy.reset()
            go_on(projecting, projecting.reached + told.ledger.size() // TIMES)
            happened += fault.happened
        proxy.clear()
        go_on(projecting)
    assert happened >= TIMES - 1
    assert dump_at(neo4j_uri, told.ledger) == told.dump


@pytest.mark.timeout(900)
def test_server_that_stands_still(told: Told, proxy: TcpProxy, neo4j_uri: str, tmp_path: Path) -> None:
    failures = 0
    with projection(tmp_path, told.ledger, proxy.uri) as projecting:
        for number in range(TIMES):
            go_on(projecting, (number + 1) * told.ledger.size() // (TIMES + 1))
            proxy.stall()
            resuming = threading.Timer(60.0 if number == 0 else 7.0, proxy.resume)
            resuming.start()
            failures += go_on(projecting, projecting.reached + 1 + told.ledger.size() // (TIMES + 1))
            resuming.join()
        failures += go_on(projecting)
    assert failures >= TIMES - 1
    assert dump_at(neo4j_uri, told.ledger) == told.dump


@pytest.mark.timeout(900)
def test_killed_server_under_load(told: Told, neo4j_server: Neo4jServer, neo4j_uri: str, tmp_path: Path) -> None:
    random, failures = Random(3), 0
    with projection(tmp_path, told.ledger, neo4j_uri) as projecting:
        for number in range(TIMES):
            go_on(projecting, number * told.ledger.size() // TIMES)
            killing = threading.Timer(random.uniform(0.0, 0.4), neo4j_server.kill)
            killing.start()
            try:
                while killing.is_alive() and projecting.step():
                    pass
            except UnavailableError:
                failures += 1
            killing.join()
            neo4j_server.start()
        failures += go_on(projecting)
    assert failures >= 1
    assert dump_at(neo4j_uri, told.ledger) == told.dump


@pytest.mark.timeout(900)
def test_killed_projector_under_load(told: Told, neo4j_uri: str, tmp_path: Path) -> None:
    random, root = Random(5), Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    command = [sys.executable, "-c", PROJECTOR, str(told.folder), str(tmp_path), neo4j_uri]
    killed = 0
    for number in range(TIMES + 1):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        if number < TIMES:
            time.sleep(random.uniform(0.0, 0.6))
            process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().split()
        process.wait()
        killed += process.returncode == -signal.SIGKILL
        process.stdout.close()
    assert killed >= TIMES // 2
    assert lines[-1] == "done"
    assert dump_at(neo4j_uri, told.ledger) == told.dump


def test_replaced_projector_is_fenced_off(neo4j_uri: str) -> None:
    first, second = (Neo4jStore(Address(neo4j_uri), ledger="one") for _ in range(2))
    first.apply(changes([dataset("a")]), 1)
    first.settle()
    second.apply(changes([dataset("b")]), 2)
    second.settle()
    first.apply(changes([dataset("c")]), 3)
    with pytest.raises(UnusableStoreError, match="Another server"):
        first.settle()
    reference = MemoryStore()
    reference.apply(changes([dataset("a"), dataset("b")]), 2)
    with second.reader() as reader, reference.reader() as wanted:
        assert reader.ledger_size == 2
        assert list(reader.dump()) == list(wanted.dump())
    with first.reader() as reader:
        assert reader.ledger_size == 2
    first.close()
    second.close()


def test_list_that_the_server_refuses_says_so_itself(neo4j_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one before it is not blamed, and what comes after it is written."""
    store = Neo4jStore(Address(neo4j_uri), ledger="one")
    store.apply(changes([dataset("a")]), 1)
    monkeypatch.setattr("lineage.neo4j.writer._put_nodes", lambda kind: "UNWIND $rows AS r RETURN 1 / 0")
    store.apply(changes([dataset("b")]), 2)
    with pytest.raises(Exception, match="could not be written") as failure:
        store.apply(changes([dataset("c")]), 3)
    assert failure.value.code == "UNAVAILABLE"  # type: ignore[attr-defined]
    assert store.watermark() == 1
    with pytest.raises(Exception, match="refuses") as failure:
        store.apply(changes([dataset("b")]), 2)
    assert failure.value.code != "UNAVAILABLE"  # type: ignore[attr-defined]
    monkeypatch.undo()
    store.apply(Changes(), 2)
    assert store.watermark() == 2
    store.close()
