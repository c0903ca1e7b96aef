"""What a database is asked before it is used, and what stands in it afterwards."""

from __future__ import annotations

import asyncio
import gc
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace
from neo4j import Driver, GraphDatabase

from lineage.cli.program import run
from lineage.errors import BadInputError, UnavailableError, UnusableStoreError
from lineage.keys import Base
from lineage.ledger import Submission
from lineage.model import EdgeKind, Name, NameScope
from lineage.neo4j import Address, Neo4jStore, open_store, schema
from lineage.neo4j.schema import check_version
from lineage.neo4j.writer import ChangeList
from lineage.settings import read_settings
from lineage.store import Direction, GraphStore, Level
from tests.conformance.graphs import changes, dataset, feeds, flow, reached
from tests.conformance.stream import entries, stream
from tests.free_port import free_port
from tests.integration.neo4j_world import dump, dump_at, expected, go_on, make_ledger, projection, records
from tests.neo4j_fixtures import terminate_all, wipe
from tests.neo4j_server import Neo4jServer

HOSTILE = [
    "'; DROP TABLE node; --",
    'MATCH (n) DETACH DELETE n //"`',
    "`}) DETACH DELETE n; MATCH (m {x: '",
    "$key ${key} {key} \\u0027 \\",
    "Straße İ ﬁ 日本 🦜 \u202e",
    "x" * 10_000,
    "é" * 5_000,
]


@pytest.fixture
def driver(neo4j_uri: str) -> Iterator[Driver]:
    with GraphDatabase.driver(neo4j_uri) as made:
        yield made


@pytest.fixture
def opened(neo4j_uri: str) -> Iterator[Callable[..., Neo4jStore]]:
    """Opens stores on the database, which are closed in the end."""
    made: list[Neo4jStore] = []

    def open_one(**told: object) -> Neo4jStore:
        made.append(Neo4jStore(Address(neo4j_uri), **{"ledger": "one", **told}))  # type: ignore[arg-type]
        return made[-1]

    yield open_one
    for store in made:
        store.close()


def filled(store: Neo4jStore) -> Neo4jStore:
    """The same, with one dataset, at the watermark 5."""
    store.apply(changes([dataset("a")]), 5)
    store.settle()
    return store


def another() -> list[Submission]:
    """An event that is not among ``records``."""
    return entries([next(each for each in stream() if each not in records())], 99)


def nodes(driver: Driver) -> int:
    counts, _, _ = driver.execute_query("MATCH (n) RETURN count(n)")
    return int(counts[0][0])


def names(driver: Driver, what: str) -> set[str]:
    found, _, _ = driver.execute_query(f"SHOW {what} YIELD name RETURN name")  # type: ignore[arg-type]
    return {name for (name,) in found}


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_only_names(opened: Callable[..., GraphStore], name: str) -> None:
    store, one, other = opened(), dataset(name, name), flow(name)
    list_ = changes([one, other], [feeds(one, other)], [(NameScope.DIGEST, name, one.key)])
    store.apply(list_, 1)
    with store.reader() as reader:
        assert reader.fetch([one.key, other.key]) == [one, other]
        assert reader.lookup(NameScope.DIGEST, name) == [one.key]
        assert reader.search(name, list(Base), 5) == [one]
        assert reached(reader, Level.LOGICAL, [one], Direction.DOWNSTREAM) == {other.key: 1}
        assert reader.count()["DATASET"] == 1


@pytest.mark.parametrize(
    ("micros", "told"),
    [
        (-1, "1969-12-31T23:59:59.999999Z"),
        (0, "1970-01-01T00:00:00Z"),
        (1_777_629_600_000_001, "2026-05-01T10:00:00.000001Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000, None),
        (None, None),
    ],
)
def test_times_are_exact(
    driver: Driver, opened: Callable[..., GraphStore], micros: int | None, told: str | None
) -> None:
    store, one, other = opened(), replace(dataset("a"), updated_at=micros), flow("b")
    store.apply(changes([one, other], [replace(feeds(one, other), at=micros)]), 1)
    with store.reader() as reader:
        assert reader.fetch([one.key]) == [one]
    found, _, _ = driver.execute_query(
        "MATCH (n:Dataset)-[r:FEEDS]->() RETURN toString(n.updatedAt), toString(r.at), n.droppedAt, r.atMicros"
    )
    assert [tuple(row) for row in found] == [(told, told, None, micros)]


@pytest.mark.parametrize("uri", ["", "localhost:7687", "http://localhost:7474", "bolt://", "neo4j", "bolt:/x"])
def test_address_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises(BadInputError, match="no address of a Neo4j server") as refusal:
        Address(uri)
    assert refusal.value.field == "neo4j_uri"
    assert "bolt://" in refusal.value.hint


def test_nobody_there_is_said_within_two_seconds_and_the_store_can_be_made_all_the_same() -> None:
    store = Neo4jStore(Address(f"bolt://127.0.0.1:{free_port()}"), ledger="one")
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="does not answer"):
        store.check()
    assert time.monotonic() - begun < 2
    store.close()


@pytest.mark.parametrize("agent", ["Neo4j/4.4.30", "Neo4j/5.9.0", "Neo4j/5.25.1"])
def test_old_server_is_refused(agent: str) -> None:
    with pytest.raises(UnusableStoreError, match=r"5\.26"):
        check_version(agent)


@pytest.mark.parametrize("agent", ["Neo4j/5.26.0", "Neo4j/5.26.30-SNAPSHOT", "Neo4j/2026.08.1"])
def test_newer_server_is_taken(agent: str) -> None:
    check_version(agent)


def test_other_peoples_data_is_refused_unless_adopted(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    driver.execute_query("CREATE (:Person {name: 'Ada'})-[:KNOWS]->(:Dataset {name: 'hers'})")
    before = names(driver, "CONSTRAINTS"), names(driver, "INDEXES")
    with pytest.raises(UnusableStoreError, match="2 nodes that are not Lineage's") as refusal:
        opened().apply(changes([dataset("a")]), 1)
    assert "--adopt" in refusal.value.hint
    with pytest.raises(UnusableStoreError):
        opened(read_only=True).reader().__enter__()
    assert nodes(driver) == 2
    assert (names(driver, "CONSTRAINTS"), names(driver, "INDEXES")) == before
    store = opened(adopt=True)
    store.apply(changes([dataset("a")]), 1)
    with store.reader() as reader:
        assert reader.count()["DATASET"] == 1
        assert len(list(reader.dump())) == 1
    store.clear()
    found, _, _ = driver.execute_query("MATCH (p:Person)-[:KNOWS]->(d:Dataset) RETURN d.name")
    assert [name for (name,) in found] == ["hers"]


def test_graph_of_another_ledger_is_refused_unless_adopted(opened: Callable[..., Neo4jStore]) -> None:
    first = filled(opened())
    with pytest.raises(UnusableStoreError, match=r"another ledger \(one\)"):
        opened(ledger="two").watermark()
    assert first.watermark() == 5
    second = opened(ledger="two", adopt=True)
    assert second.watermark() == 0
    with pytest.raises(UnusableStoreError, match="two"):
        first.reader().__enter__()


def test_newer_releases_database_is_refused(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    opened().watermark()
    driver.execute_query("MATCH (p:LineageState) SET p.schema = 1000")
    with pytest.raises(UnusableStoreError, match="newer release"):
        opened().watermark()


def test_migrations_run_twice_and_by_many_at_once(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    failures: list[BaseException] = []
    replaced: list[UnusableStoreError] = []
    begun = int(time.time() * 1000)

    def prepare() -> None:
        try:
            opened().watermark()
        except UnusableStoreError as error:
            replaced.append(error)
        except BaseException as error:
            failures.append(error)

    for _ in range(2):
        threads = [threading.Thread(target=prepare) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
    assert len(replaced) <= 6
    assert all("Another server" in error.message for error in replaced)
    found, _, _ = driver.execute_query("MATCH (p:LineageState) RETURN p.epoch, p.schema, p.ledger")
    ((epoch, migrated, ledger),) = found
    assert (migrated, ledger) == (len(schema._MIGRATIONS), "one")
    assert begun <= epoch <= time.time() * 1000 + 8
    assert {"lineage_gate", "lineage_key", "lineage_name", "lineage_alias"} <= names(driver, "CONSTRAINTS")


def test_questions_asked_while_the_database_is_made_ready_wait_for_it_or_find_nothing(
    driver: Driver, opened: Callable[..., Neo4jStore]
) -> None:
    """Neo4j refuses, or holds up for ever, what is asked of a label while a constraint on it is being made."""

    def ask(store: Neo4jStore) -> list[tuple[int, int]]:
        seen = []
        while not done.is_set():
            if store is others:
                assert store.watermark() in (0, 5)
            with store.reader() as reader:
                seen.append((reader.ledger_size, reader.count()["DATASET"]))
        return seen

    for _ in range(5):
        wipe(driver)
        done, store, others = Event(), opened(), opened(read_only=True)
        with ThreadPoolExecutor() as pool:
            asking = [pool.submit(ask, each) for each in (store, store, others, others)]
            try:
                filled(store)
            finally:
                done.set()
            found = {each for future in asking for each in future.result(timeout=30)}
        assert found <= {(0, 0), (5, 1)}
        with others.reader() as reader:
            assert reader.ledger_size == 5
        store.close()
        others.close()


def test_who_asks_while_it_takes_long_to_be_made_ready_is_told(opened: Callable[..., Neo4jStore]) -> None:
    store = opened(prompt=True)
    store.check()
    store._ready.clear()
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="takes long to be made ready"):
        store.reader().__enter__()
    assert time.monotonic() - begun < 2


def test_nothing_of_a_database_that_is_not_ours_yet_is_written_by_who_only_reads(
    driver: Driver, opened: Callable[..., Neo4jStore]
) -> None:
    with opened(read_only=True).reader() as reader:
        assert (reader.ledger_size, list(reader.dump())) == (0, [])
    assert nodes(driver) == 0
    assert names(driver, "CONSTRAINTS") == set()


def test_an_index_that_is_left_of_a_constraint_is_no_hindrance(
    driver: Driver, opened: Callable[..., Neo4jStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_MADE_SECONDS", 0.3)
    told = "SHOW CONSTRAINTS YIELD name WHERE name IN ['lineage_gate', 'lineage_key'] RETURN count(*)"
    driver.execute_query("DROP CONSTRAINT lineage_gate IF EXISTS")
    driver.execute_query("DROP CONSTRAINT lineage_key IF EXISTS")
    driver.execute_query("CREATE INDEX lineage_gate FOR (n:LineageState) ON (n.gate)")
    driver.execute_query("CREATE INDEX lineage_key FOR (n:Other) ON (n.key)")
    filled(opened())
    assert driver.execute_query(told).records[0].value() == 2


def test_other_layout_of_bodies_is_made_anew(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    filled(opened())
    driver.execute_query("MATCH (p:LineageState) SET p.layout = 1")
    store = opened()
    assert store.watermark() == 0
    assert dump(store) == []
    assert opened().watermark() == 0


def test_graph_that_another_release_wrote_is_not_read(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    store = filled(opened())
    driver.execute_query("MATCH (p:LineageState) SET p.layout = 1")
    with pytest.raises(UnavailableError, match="Another release"), store.reader():
        pass


def test_emptying_that_was_broken_off_is_ended_by_the_next(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    first = filled(opened())
    driver.execute_query("MATCH (p:LineageState) SET p.watermark = 0, p.clearing = true")
    with pytest.raises(UnavailableError, match="being emptied"), first.reader():
        pass
    store = opened()
    assert store.watermark() == 0
    assert dump(store) == []
    store.apply(changes([dataset("b")]), 1)
    assert len(dump(store)) == 1


def test_database_that_was_emptied_is_no_empty_graph(driver: Driver, neo4j_uri: str, tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path)
    with projection(tmp_path, ledger, neo4j_uri) as projecting:
        projecting.catch_up()
        driver.execute_query("MATCH (n) DETACH DELETE n")
        store = projecting._store
        with pytest.raises(UnavailableError, match="gone"), store.reader():
            pass
        ledger.append(another())
        go_on(projecting)
        assert dump(store) == expected(tmp_path, ledger)
    ledger.close()


@pytest.mark.parametrize("at", [1, 2, 3, 10])
def test_database_that_is_emptied_in_the_middle_of_a_rebuild(
    driver: Driver, neo4j_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr("lineage.projector.spool._ROWS", 20)
    ledger, steps = make_ledger(tmp_path), count(1)

    def empty(done: int, of: int) -> None:
        if next(steps) == at:
            driver.execute_query("MATCH (n) DETACH DELETE n")

    with projection(tmp_path, ledger, neo4j_uri) as projecting:
        projecting.catch_up()
        driver.execute_query("MATCH (v:Version) DETACH DELETE v")
        with suppress(UnavailableError):
            projecting.rebuild(empty)
        go_on(projecting)
        assert next(steps) > at
        assert dump(projecting._store) == expected(tmp_path, ledger)
    ledger.close()


def test_database_that_was_set_back_is_brought_up_to_date(driver: Driver, neo4j_uri: str, tmp_path: Path) -> None:
    """As by a restore of its backup while the server runs: same ledger, same epoch, fewer entries."""
    ledger = make_ledger(tmp_path)
    with projection(tmp_path, ledger, neo4j_uri) as projecting:
        projecting.catch_up()
        driver.execute_query("MATCH (v:Version) WITH v ORDER BY v.key LIMIT 3 DETACH DELETE v")
        driver.execute_query("MATCH (p:LineageState) SET p.watermark = p.watermark - 10")
        ledger.append(another())
        go_on(projecting)
        assert dump(projecting._store) == expected(tmp_path, ledger)
    ledger.close()


@pytest.mark.parametrize("hold", [0.0, 20.0])
def test_view_that_lost_its_lock_says_so(
    driver: Driver, opened: Callable[..., Neo4jStore], monkeypatch: pytest.MonkeyPatch, hold: float
) -> None:
    """At its end at the latest."""
    store, counted = filled(opened()), []
    monkeypatch.setattr("lineage.neo4j.reader._HOLD_SECONDS", hold)

    def read() -> None:
        with store.reader() as reader:
            counted.append(reader.count()["DATASET"])
            terminate_all(driver)
            counted.append(reader.count()["DATASET"])

    with pytest.raises(UnavailableError):
        read()
    assert counted == [1] * (2 if hold else 1)


def test_server_copied_elsewhere_loses_nothing_of_its_own(driver: Driver, neo4j_uri: str, tmp_path: Path) -> None:
    """Once another writes its graph further, it finds fault with that, not with what it has itself."""
    ledger = make_ledger(tmp_path)
    with projection(tmp_path, ledger, neo4j_uri) as projecting:
        projecting.catch_up()
        known = projecting._predictions.watermark()
        assert known
        other = Neo4jStore(Address(neo4j_uri), ledger=ledger.id)
        other.apply(changes([dataset("a")]), ledger.size() + 5)
        other.close()
        for do in (projecting.look, projecting.step, projecting.step):
            with pytest.raises(UnusableStoreError, match="Another server"):
                do()
        assert projecting._predictions.watermark() == known
    ledger.close()


def test_state_that_somebody_removed_has_the_graph_made_anew(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    """What it said of the edges is not known any more."""
    store = filled(opened())
    driver.execute_query("MATCH (p:LineageState) DELETE p")
    with pytest.raises(UnavailableError, match="gone"), store.reader():
        pass
    with pytest.raises(UnavailableError, match="gone"):
        store.watermark()
    with pytest.raises(UnavailableError, match="gone"):
        store.apply(changes([dataset("b")]), 6)
    assert store.watermark() == 0
    assert dump(store) == []
    store.apply(changes([dataset("b")]), 1)
    assert len(dump(store)) == 1


def test_lock_of_a_client_that_is_gone_is_let_go(
    driver: Driver, opened: Callable[..., Neo4jStore], neo4j_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine lost power, say: nothing closes the connection."""
    store = filled(opened())
    monkeypatch.setattr("lineage.neo4j.gate.LONGEST_COMMIT", 3.0)
    hanging, entered = Event(), Event()

    async def hang(self: ChangeList, transaction: object) -> None:
        entered.set()
        await asyncio.to_thread(hanging.wait)

    with monkeypatch.context() as patched:
        patched.setattr(ChangeList, "write", hang)
        patched.setattr("lineage.neo4j.gate.asyncio.wait_for", lambda work, _: work)
        store.apply(changes([dataset("b")]), 6)
        entered.wait()
    other = opened()
    begun = time.monotonic()
    assert other.watermark() == 5
    assert time.monotonic() - begun < 20
    hanging.set()
    with pytest.raises(UnavailableError):
        store.settle()


def test_what_somebody_else_tied_to_the_graph_is_not_in_answers(
    driver: Driver, opened: Callable[..., Neo4jStore]
) -> None:
    store, one, other = opened(adopt=True), dataset("a"), flow("b")
    store.apply(changes([one, other], [feeds(one, other)]), 1)
    store.settle()
    driver.execute_query("MATCH (n:Dataset) MERGE (n)-[:FEEDS]->(:Dashboard {name: 'sales'})")
    with store.reader() as reader:
        assert reached(reader, Level.LOGICAL, [one], Direction.DOWNSTREAM) == {other.key: 1}
        assert [edge.target for edge in reader.neighbours([one.key], [EdgeKind.FEEDS], Direction.DOWNSTREAM)] == [
            other.key
        ]


def test_database_restored_from_its_files_is_found_under_a_running_server(neo4j_machine: None, tmp_path: Path) -> None:
    """It never comes to the transactions of which the driver keeps bookmarks."""
    settings = {"db.transaction.bookmark_ready_timeout": "1s"}
    with Neo4jServer(tmp_path / "neo4j", settings=settings) as server:
        store = filled(Neo4jStore(Address(server.uri), ledger="one"))
        server.stop()
        shutil.copytree(server.home / "data", tmp_path / "backup")
        server.start()
        assert _watermark_in_time(store) == 5
        for watermark in range(6, 30):
            store.apply(changes([dataset(f"{watermark}")]), watermark)
        store.settle()
        server.stop()
        shutil.rmtree(server.home / "data")
        shutil.copytree(tmp_path / "backup", server.home / "data")
        server.start()
        assert _watermark_in_time(store) == 5
        assert len(dump(store)) == 1
        store.apply(changes([dataset("b")]), 6)
        store.settle()
        assert len(dump(store)) == 2
        store.close()


def test_graph_set_back_before_the_last_start_is_not_another_servers(
    driver: Driver, opened: Callable[..., Neo4jStore]
) -> None:
    store = filled(opened())
    driver.execute_query("MATCH (p:LineageState) SET p.epoch = p.epoch - 1000, p.watermark = 3")
    with pytest.raises(UnavailableError, match="backup"):
        store.watermark()
    assert store.watermark() == 3


def test_aliases_are_written_anew_after_a_graph_was_set_back(driver: Driver, opened: Callable[..., Neo4jStore]) -> None:
    store = opened()
    named = replace(dataset("a"), aliases=(Name("other", "alias of a"),))
    store.apply(changes([named]), 5)
    store.settle()
    driver.execute_query("MATCH (n:LineageAlias) DETACH DELETE n")
    driver.execute_query("MATCH (p:LineageState) SET p.watermark = 3")
    assert store.watermark() == 3
    store.outdate()
    store.apply(changes([named]), 5)
    with store.reader() as reader:
        assert reader.search("alias of", [Base.DATASET], 5) == [named]


def test_view_that_lasts_too_long_says_so(opened: Callable[..., Neo4jStore]) -> None:
    store = opened()
    store.apply(changes([dataset("a")]), 1)
    with store.reader() as reader:
        reader._ends = time.monotonic()
        with pytest.raises(UnavailableError, match="too long"):
            reader.count()


def test_password_file_that_is_not_there_is_said_and_nothing_stays_open(tmp_path: Path) -> None:
    told = {
        "store": "neo4j",
        "neo4j_uri": "bolt://127.0.0.1:1",
        "neo4j_password_file": tmp_path / "no",
        "data": tmp_path,
    }
    store = open_store(read_settings(told), "one")
    for _ in range(2):
        with pytest.raises(UnusableStoreError, match="password of Neo4j can't be read"):
            store.check()
    store.close()
    gc.collect()


def test_rebuild_and_fsck_on_the_command_line(
    driver: Driver, neo4j_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ledger = make_ledger(tmp_path)
    monkeypatch.setenv("LINEAGE_NEO4J_URI", neo4j_uri)
    told = ["--store", "neo4j", "--data", str(tmp_path)]
    assert run(["rebuild", *told]) == 0
    assert dump_at(neo4j_uri, ledger) == expected(tmp_path, ledger)
    assert run(["fsck", *told]) == 0
    driver.execute_query("MATCH (v:Version) WITH v ORDER BY v.key LIMIT 3 DETACH DELETE v")
    assert run(["fsck", *told]) != 0
    assert "lacks" in "".join(capfd.readouterr())
    assert run(["rebuild", *told]) == 0
    assert dump_at(neo4j_uri, ledger) == expected(tmp_path, ledger)
    ledger.close()


def test_credentials_tls_and_what_the_settings_say(neo4j_machine: None, tmp_path: Path) -> None:
    """One server for all of it, as each takes its time to start."""
    with Neo4jServer(tmp_path / "neo4j", password="a long first password", tls=True) as server:
        secret = tmp_path / "password"
        secret.write_text("a long first password\n")
        told = {"store": "neo4j", "neo4j_uri": server.uri.replace("bolt", "bolt+ssc"), "data": tmp_path}
        store = open_store(read_settings({**told, "neo4j_password_file": secret}), "one")
        store.apply(changes([dataset("a")]), 1)
        assert store.watermark() == 1
        _change_password(server, "a long first password", "a long second password")
        server.restart()  # and so all connections have to be made anew
        with pytest.raises(UnavailableError):
            store.watermark()
        secret.write_text("a long second password")
        assert _watermark_in_time(store) == 1
        store.close()
        wrong = open_store(read_settings({**told, "neo4j_password": "not the one at all"}), "one")
        with pytest.raises(UnusableStoreError, match="refuses the user name or the password"):
            wrong.check()
        wrong.close()
        untrusted = {**told, "neo4j_uri": server.uri.replace("bolt", "bolt+s"), "neo4j_password_file": secret}
        store = open_store(read_settings(untrusted), "one")
        with pytest.raises(UnusableStoreError, match="certificate"):
            store.check()
        store.close()


def _watermark_in_time(store: Neo4jStore) -> int:
    """Once the new password has been read, and the server's pause after wrong ones is over."""
    end = time.monotonic() + 60
    while True:
        try:
            return store.watermark()
        except UnavailableError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def _change_password(server: Neo4jServer, old: str, new: str) -> None:
    with server.driver() as driver:
        driver.execute_query("ALTER CURRENT USER SET PASSWORD FROM $old TO $new", old=old, new=new, database_="system")
