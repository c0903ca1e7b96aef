"""A server and commands whose graph store is a database that can be away, or there and not to be used.

The database is a file here, which behaves as one: its graph stays when it is outdated, and it is away when told so.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar, cast

import apsw
import pytest
from starlette.testclient import TestClient

from lineage.app import create_app, open_folder
from lineage.app.probe import StoreProbe
from lineage.cli.program import run
from lineage.errors import UnavailableError, UnusableStoreError
from lineage.ledger import Submission
from lineage.memory import MemoryReader, MemoryStore
from lineage.model import Changes
from lineage.settings import Settings
from lineage.sqlite import SQLiteStore

Told = pytest.CaptureFixture[str]

AWAY = UnavailableError("The database does not answer.", hint="Is it started?")
UNUSABLE = UnusableStoreError("The database holds the graph of another ledger.", hint="Use --adopt to replace it.")
SEARCH = 'query($i: Long) { search(text: "table", minIndex: $i) { ledgerIndex behind hits { label } } }'


class Database(SQLiteStore):
    """``error`` is what every call raises, ``refusal`` what every write; ``opened`` is how it was opened, ``applied``
    the watermarks of what it got."""

    error: ClassVar[Exception | None] = None
    refusal: ClassVar[Exception | None] = None
    opened: ClassVar[list[tuple[str, bool, bool]]] = []
    applied: ClassVar[list[int]] = []

    def check(self) -> None:
        if self.error is not None:
            raise self.error

    def watermark(self) -> int:
        if isinstance(self.error, UnusableStoreError) and self.opened[-1][1]:
            return 1_000  # whoever reads only is told of what is there
        self.check()
        return super().watermark()

    def apply(self, changes: Changes, watermark: int) -> None:
        self.check()
        if self.refusal is not None:
            raise self.refusal
        super().apply(changes, watermark)
        self.applied.append(watermark)

    @contextmanager
    def reader(self) -> Iterator[Any]:
        self.check()
        with super().reader() as reader:
            yield reader

    def outdate(self) -> bool:
        self.apply(Changes(), 0)
        return True


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Database]:
    def open_store(settings: Settings, ledger: str, *, read_only: bool = False, adopt: bool = False) -> Database:
        Database.opened.append((ledger, read_only, adopt))
        return Database(tmp_path / "database.sqlite", read_only=read_only)

    monkeypatch.setitem(sys.modules, "lineage.neo4j", cast(ModuleType, SimpleNamespace(open_store=open_store)))
    monkeypatch.setattr(Database, "error", None)
    monkeypatch.setattr(Database, "refusal", None)
    monkeypatch.setattr(Database, "opened", [])
    monkeypatch.setattr(Database, "applied", [])
    return Database


def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", store="neo4j", allowed_hosts=("testserver",))


@pytest.fixture
def start(tmp_path: Path, database: type[Database]) -> Callable[[], Any]:
    @contextmanager
    def begin() -> Iterator[TestClient]:
        with TestClient(create_app(settings(tmp_path))) as client:
            yield client

    return begin


def event(number: int) -> bytes:
    told = {
        "eventType": "COMPLETE",
        "eventTime": f"2026-05-01T10:00:{number:02}Z",
        "run": {"runId": f"01900000-0000-7000-8000-{number:012}"},
        "job": {"namespace": "chain", "name": f"step-{number}"},
        "outputs": [{"namespace": "db", "name": f"table-{number}"}],
        "producer": "urn:tests",
        "schemaURL": "urn:schema",
    }
    return json.dumps(told).encode()


def send(client: TestClient, number: int) -> int:
    answer = client.post("/api/v1/lineage", content=event(number), headers={"content-type": "application/json"})
    assert answer.status_code == 201
    return int(answer.json()["index"])


def ask(client: TestClient, index: int | None = None) -> dict[str, Any]:
    answer = client.post("/graphql", json={"query": SEARCH, "variables": {"i": index}})
    told: dict[str, Any] = answer.json()
    return told


def metric(client: TestClient, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


# -- a server


def test_a_server_takes_events_while_its_store_is_away_and_shows_them_when_it_is_back(
    start: Callable[[], Any], database: type[Database], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    database.error = AWAY
    with start() as client:
        assert (
            "The graph store is away, and records are taken all the same: The database does not answer." in caplog.text
        )
        for number in range(3):
            assert send(client, number) == number
        until(lambda: client.get("/readyz").json()["projection"]["waits"] is not None)
        ready = client.get("/readyz")
        projection = ready.json()["projection"]
        assert (ready.status_code, ready.json()["ready"]) == (200, True)
        assert (projection["behind"], projection["waits"]) == (3, "The database does not answer. Is it started?")
        assert projection["seconds"] > 0
        assert metric(client, "lineage_projection_lag_entries") == 3
        assert metric(client, "lineage_projection_lag_seconds") > 0
        assert metric(client, "lineage_graph_store_up") == 0
        begun = time.monotonic()
        for index in (None, 2) * 5:
            (error,) = ask(client, index)["errors"]
            assert (error["extensions"]["code"], error["message"]) == ("UNAVAILABLE", "The database does not answer.")
        assert time.monotonic() - begun < 10, "nobody waits 2 s each time"
        database.error = None
        until(lambda: "errors" not in ask(client, 2))
        assert ask(client, 2)["data"]["search"]["behind"] == 0
        assert len(ask(client, 2)["data"]["search"]["hits"]) == 3
        assert client.get("/readyz").json()["projection"] == {"lag": 0, "behind": 0, "seconds": 0.0, "waits": None}
        until(lambda: metric(client, "lineage_graph_store_up") == 1)


def test_a_server_stops_while_its_store_is_away(start: Callable[[], Any], database: type[Database]) -> None:
    with start() as client:
        database.error = AWAY
        send(client, 0)
        begun = time.monotonic()
    assert time.monotonic() - begun < 15
    database.error = None
    with start() as client:
        until(lambda: "errors" not in ask(client, 0))


def test_a_graph_that_lags_is_said_to_lag(start: Callable[[], Any], database: type[Database]) -> None:
    with start() as client:
        assert ask(client, send(client, 0))["data"]["search"]["ledgerIndex"] == 0
        database.refusal = UnavailableError("The database takes no writes.")
        (error,) = ask(client, send(client, 1))["errors"]
        assert error["extensions"]["code"] == "INDEX_AHEAD"
        assert error["message"] == "The graph reflects 1 entry; entry 1 was asked for: 1 behind."
        until(lambda: client.get("/readyz").json()["projection"]["waits"] == "The database takes no writes.")
        assert ask(client)["data"]["search"]["behind"] == 1
        assert metric(client, "lineage_graph_store_up") == 1


def test_a_database_that_can_not_be_used_refuses_the_start_and_gets_nothing(
    tmp_path: Path, database: type[Database], capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.app.serving._Uvicorn.run", lambda *_, **__: pytest.fail("It serves."))
    database.error = UNUSABLE
    assert run(["serve", "--port", "0", "--data", str(tmp_path / "data"), "--store", "neo4j"]) == 1
    told = capsys.readouterr().err
    assert told == "lineage: The database holds the graph of another ledger.\n  Use --adopt to replace it.\n"
    assert database.applied == []
    assert not (tmp_path / "data" / "facts.sqlite").exists()
    database.error = None
    with open_folder(settings(tmp_path)):
        pass


@pytest.mark.parametrize("words", [[], ["--adopt"]])
def test_a_command_says_whether_a_database_is_to_be_adopted(
    tmp_path: Path, database: type[Database], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ["--data", str(tmp_path / "data"), "--store", "neo4j"]
    with open_folder(settings(tmp_path)) as folder:
        folder.ledger.append([Submission("lineage", (event(0),))])
        ledger = folder.ledger.id
    assert run(["rebuild", *place, *words]) == 0
    assert database.opened[-1] == (ledger, False, bool(words))
    monkeypatch.setattr("lineage.app.serving._Uvicorn.run", lambda *_, **__: None)
    assert run(["serve", "--port", "0", *place, *words]) == 0
    assert database.opened[-1] == (ledger, False, bool(words))


# -- the other commands


@pytest.fixture
def filled(tmp_path: Path, database: type[Database]) -> list[str]:
    """The options that name a folder of three entries, which are projected."""
    with open_folder(settings(tmp_path)) as folder:
        folder.ledger.append([Submission("lineage", (event(number),)) for number in range(3)])
        assert folder.projector is not None
        folder.projector.catch_up()
    return ["--data", str(tmp_path / "data"), "--store", "neo4j"]


def test_what_differs_is_found_and_mended_and_no_more(
    tmp_path: Path, filled: list[str], database: type[Database], capsys: Told
) -> None:
    assert run(["fsck", *filled]) == 0
    db = apsw.Connection(str(tmp_path / "database.sqlite"))
    db.execute("DELETE FROM edge WHERE (source, kind, target) IN (SELECT source, kind, target FROM edge LIMIT 1)")
    db.close()
    assert run(["fsck", *filled]) == 1
    assert "FAULT: The graph lacks" in capsys.readouterr().out
    database.applied.clear()
    assert run(["rebuild", *filled]) == 0
    assert "Rebuilt from 3 ledger entries." in capsys.readouterr().out
    assert database.applied == [0, 0, 3]
    assert run(["fsck", *filled]) == 0
    assert {read_only for _, read_only, _ in database.opened} == {True, False}
    assert sorted(path.name for path in (tmp_path / "data").iterdir() if path.is_dir()) == []
    assert not (tmp_path / "data" / "graph.sqlite").exists()


@pytest.mark.parametrize("command", ["fsck", "rebuild"])
@pytest.mark.parametrize("error", [AWAY, UNUSABLE], ids=["away", "unusable"])
def test_maintenance_without_the_database_exits_with_1_and_says_why(
    filled: list[str], database: type[Database], capsys: Told, command: str, error: UnavailableError
) -> None:
    database.error = error
    assert run([command, *filled]) == 1
    assert f"lineage: {error.message}\n  {error.hint}\n" in capsys.readouterr().err
    database.error = None
    assert run(["fsck", *filled]) == 0


def test_a_question_to_the_folder_says_that_the_database_is_away(
    filled: list[str], database: type[Database], capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGE_STORE", "neo4j")
    assert run(["search", "table-1", *filled[:2]]) == 0
    assert "table-1" in capsys.readouterr().out
    database.error = AWAY
    assert run(["search", "table-1", *filled[:2]]) == 1
    assert "The database does not answer." in capsys.readouterr().err


def test_a_transaction_is_short_and_what_a_crash_left_is_removed(tmp_path: Path, database: type[Database]) -> None:
    (tmp_path / "data" / "renewal").mkdir(parents=True)
    with open_folder(settings(tmp_path)) as folder:
        assert not (tmp_path / "data" / "renewal").exists()
        folder.ledger.append([Submission("lineage", (event(0).replace(b"00Z", b"00.%06dZ" % n),)) for n in range(310)])
        assert folder.projector is not None
        folder.projector.catch_up()
    assert database.applied == [0, 300, 310]


def test_a_folder_that_is_left_for_another_store_and_come_back_to_is_made_anew(
    tmp_path: Path, filled: list[str], database: type[Database], caplog: pytest.LogCaptureFixture
) -> None:
    with open_folder(Settings(data=tmp_path / "data", store="sqlite")) as folder:
        assert folder.projector is not None
        folder.projector.catch_up()
        assert folder.check().sound
    assert "it was last kept in another store, neo4j" in caplog.text
    with open_folder(settings(tmp_path)) as folder:
        assert folder.projector is not None
        folder.projector.catch_up()
        assert folder.check().sound
    assert "it was last kept in another store, sqlite" in caplog.text
    assert database.applied[-1] == 3


def test_a_server_that_is_mirrored_for_an_export_is_not_written_to_the_database(
    database: type[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lineage.cli.feed import mirror

    entry = {"index": 0, "kind": "lineage", "records": [event(0).decode()]}
    monkeypatch.setattr("lineage.cli.feed.server_entries", lambda server: iter([entry]))
    monkeypatch.setenv("LINEAGE_STORE", "neo4j")
    with mirror("http://127.0.0.1:1", None) as folder:
        assert folder.store.watermark() == 1
    assert database.opened == []


def test_a_driver_that_is_missing_is_said_with_what_to_install(tmp_path: Path) -> None:
    program = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "neo4j":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from lineage.cli import main
main()
"""
    command = [sys.executable, "-c", program, "serve", "--port", "0", "--store", "neo4j", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        "lineage: The store neo4j needs Neo4j's driver, which is not installed.\n"
        "  Run: pip install 'lineage-graph[server,neo4j]'\n"
    )


# -- the probe


def test_a_store_is_asked_whether_it_answers_every_other_second_at_most() -> None:
    now, asked = [0.0], []

    class Store(MemoryStore):
        def reader(self) -> AbstractContextManager[MemoryReader]:
            asked.append(now[0])
            if now[0] < 3:
                raise AWAY
            return super().reader()

    probe = StoreProbe(Store(), lambda: now[0])
    told = []
    for tenth in range(60):
        now[0] = tenth / 10
        told.append(probe())
    assert asked == [0.0, 2.0, 4.0]
    assert told == [False] * 40 + [True] * 20


def test_a_store_that_hangs_keeps_one_thread_alone() -> None:
    class Store(MemoryStore):
        def reader(self) -> AbstractContextManager[MemoryReader]:
            hung.append(probe())
            return super().reader()

    hung: list[bool] = []
    probe = StoreProbe(Store())
    assert probe() is True
    assert hung == [False]
