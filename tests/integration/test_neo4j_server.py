"""What a real Neo4j does when it is stopped, killed, guarded, full, or cut off: facts that the store is built on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import neo4j
import pytest
from neo4j.exceptions import ClientError, DatabaseError, IncompleteCommit, Neo4jError, ServiceUnavailable

from tests.neo4j_fixtures import wipe
from tests.neo4j_server import Neo4jServer, NotStartedError
from tests.tcp_proxy import Kind, Phase, TcpProxy

PATIENCE = 60.0
PASSWORD = "correct horse"
CREATE = "UNWIND range(1, 100) AS number CREATE (:Dataset {batch: $batch, number: number})"
COUNT = "MATCH (dataset:Dataset) RETURN count(dataset) AS count"
HINTS_OFF = {"notifications_min_severity": "OFF"}


def count(driver: neo4j.Driver) -> int:
    found: int = driver.execute_query(COUNT).records[0]["count"]
    return found


def connect(uri: str, **config: Any) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(uri, **{"max_transaction_retry_time": 0.1, **HINTS_OFF, **config})


def code_of(driver: neo4j.Driver, query: str, **parameters: Any) -> str:
    """The code of the error that the server answers."""
    with pytest.raises(Neo4jError) as caught:
        driver.execute_query(query, **parameters)
    assert caught.value.code is not None
    return caught.value.code


def test_a_wiped_database_has_no_data_no_schema_and_no_open_transaction(neo4j_uri: str) -> None:
    with connect(neo4j_uri) as driver, driver.session() as session:
        driver.execute_query("CREATE CONSTRAINT key FOR (d:Dataset) REQUIRE d.key IS UNIQUE")
        driver.execute_query("CREATE INDEX name FOR (d:Dataset) ON (d.name)")
        driver.execute_query("CREATE FULLTEXT INDEX text FOR (d:Dataset) ON EACH [d.name]")
        driver.execute_query("UNWIND range(1, 10000) AS key CREATE (:Dataset {key: key})-[:FEEDS]->()")
        holding = session.begin_transaction()
        holding.run("MATCH (d:Dataset {key: 1}) SET d.name = 'held'").consume()
        wipe(driver)
        with pytest.raises(ClientError) as caught:
            holding.run("RETURN 1").consume()
        assert caught.value.code == "Neo.ClientError.Transaction.Terminated"
        assert count(driver) == 0
        left = driver.execute_query("SHOW INDEXES YIELD type RETURN collect(type) AS types").records[0]["types"]
        assert set(left) == {"LOOKUP"}


def test_kill_9_loses_nothing_acknowledged_and_a_driver_finds_the_server_again(
    neo4j_server: Neo4jServer, neo4j_uri: str
) -> None:
    with connect(neo4j_uri) as driver:
        for batch in range(20):
            driver.execute_query(CREATE, batch=batch)
        port = neo4j_server.port
        neo4j_server.kill()
        assert not neo4j_server.running
        with pytest.raises(ServiceUnavailable):
            count(driver)
        neo4j_server.start()
        assert (neo4j_server.port, neo4j_server.uri) == (port, neo4j_uri)
        assert count(driver) == 2000


def test_a_paused_server_answers_when_it_goes_on(neo4j_server: Neo4jServer, neo4j_uri: str) -> None:
    with connect(neo4j_uri) as driver:
        driver.execute_query(CREATE, batch=0)
        neo4j_server.pause()
        with (
            connect(neo4j_uri, connection_acquisition_timeout=1) as other,
            pytest.raises(ServiceUnavailable, match="handshake"),
        ):
            count(other)
        neo4j_server.resume()
        assert count(driver) == 100


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.ANSWERED])
def test_a_commit_without_reply_is_done_only_if_the_server_saw_it(
    proxy: TcpProxy, neo4j_uri: str, phase: Phase
) -> None:
    """The driver can't know which, and so does not try again: IncompleteCommit."""
    with connect(proxy.uri) as driver, connect(neo4j_uri) as witness:
        fault = proxy.reset_at(Kind.COMMIT, phase)
        with pytest.raises(IncompleteCommit):
            driver.execute_query(CREATE, batch=0)
        assert fault.happened == 1
        assert proxy.messages[Kind.COMMIT] == (1 if phase is Phase.ANSWERED else 0)
        assert count(witness) == (100 if phase is Phase.ANSWERED else 0)
        assert count(driver) == count(witness)


def test_a_connection_lost_before_the_commit_is_tried_again_by_the_driver(proxy: TcpProxy) -> None:
    with connect(proxy.uri, max_transaction_retry_time=30) as driver:
        fault = proxy.reset_at(Kind.RUN, Phase.ANSWERED)
        driver.execute_query(CREATE, batch=0)
        assert fault.happened == 1
        assert proxy.messages[Kind.RUN] == 2
        assert count(driver) == 100


def test_a_reply_that_never_comes_keeps_the_driver_waiting_until_the_connection_breaks(proxy: TcpProxy) -> None:
    with connect(proxy.uri) as driver:
        fault = proxy.drop_replies_after(Kind.COMMIT)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(driver.execute_query, CREATE, batch=0)
            fault.wait()
            with pytest.raises(TimeoutError):
                answer.result(0.5)
            proxy.reset()
            with pytest.raises(IncompleteCommit):
                answer.result(PATIENCE)
        assert count(driver) == 100


def fill(driver: neo4j.Driver) -> tuple[int, DatabaseError]:
    """Write until a write fails; how many datasets are acknowledged then, and the error."""
    for batch in range(1, 100):
        try:
            driver.execute_query(CREATE, batch=batch)
        except DatabaseError as error:
            assert batch > 1
            return batch * 100, error
    pytest.fail("The disk never got full.")


def test_a_full_disk_ends_the_database_until_the_server_is_killed_and_started(
    neo4j_machine: None, tmp_path: Path
) -> None:
    """The first write that finds no room fails, and from then on the database refuses everything, reads too.

    Room alone does not mend it; a start after a kill does, and nothing acknowledged is lost.
    """
    with Neo4jServer(tmp_path / "neo4j") as server, connect(server.uri) as driver:
        driver.execute_query(CREATE, batch=0)
        log = server.home / "data" / "transactions" / "neo4j" / "neostore.transaction.db.0"
        server.limit_file_size(log.stat().st_size + 20_000)
        acknowledged, error = fill(driver)
        assert error.code == "Neo.DatabaseError.Transaction.TransactionLogError"
        for query in ("CREATE (:Dataset)", COUNT):
            assert code_of(driver, query) == "Neo.DatabaseError.Transaction.TransactionStartFailed"
        server.limit_file_size(None)
        assert code_of(driver, COUNT) == "Neo.DatabaseError.Transaction.TransactionStartFailed"
        assert server.running
        said = driver.execute_query("SHOW DATABASE neo4j YIELD currentStatus, statusMessage", database_="system")
        assert list(said.records[0]) == ["online", "File too large"]
        server.kill()
        server.start()
        assert count(driver) in (acknowledged, acknowledged + 100)
        driver.execute_query(CREATE, batch=100)


@pytest.fixture(scope="module")
def guarded(neo4j_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A server with a password and TLS."""
    with Neo4jServer(tmp_path_factory.mktemp("guarded"), password=PASSWORD, tls=True) as server:
        yield server


def refusal(server: Neo4jServer, password: str) -> str | None:
    """The code with which the server refuses this password."""
    with server.driver(auth=("neo4j", password)) as driver:
        try:
            driver.verify_connectivity()
        except ClientError as error:
            return error.code
    return None


def test_a_wrong_password_is_refused_and_after_three_the_right_one_too_for_a_while(guarded: Neo4jServer) -> None:
    """For five seconds by default: on a slow machine they may be over before the right one is tried."""
    assert refusal(guarded, "wrong") == "Neo.ClientError.Security.Unauthorized"
    for _ in range(20):
        for _ in range(3):
            refusal(guarded, "wrong")
        code = refusal(guarded, PASSWORD)
        if code is not None:
            break
    assert code == "Neo.ClientError.Security.AuthenticationRateLimit"
    until = time.monotonic() + PATIENCE
    while refusal(guarded, PASSWORD) is not None and time.monotonic() < until:
        time.sleep(0.5)
    assert refusal(guarded, PASSWORD) is None


def ask(uri: str, auth: tuple[str, str] | None) -> int:
    with connect(uri, auth=auth) as driver:
        return int(driver.execute_query("RETURN 1 AS one").records[0]["one"])


def ask_async(uri: str, auth: tuple[str, str] | None) -> int:
    async def asked() -> int:
        async with neo4j.AsyncGraphDatabase.driver(uri, auth=auth, max_transaction_retry_time=0.1) as driver:
            return int((await driver.execute_query("RETURN 1 AS one")).records[0]["one"])

    return asyncio.run(asked())


@pytest.mark.parametrize("way", [ask, ask_async])
def test_a_certificate_of_one_s_own_is_trusted_where_ssl_cert_file_names_it(
    guarded: Neo4jServer, monkeypatch: pytest.MonkeyPatch, way: Callable[[str, tuple[str, str] | None], int]
) -> None:
    assert way(guarded.uri.replace("bolt", "bolt+ssc"), guarded.auth) == 1
    for host in ("127.0.0.1", "localhost"):
        checked = f"bolt+s://{host}:{guarded.port}"
        with pytest.raises(ServiceUnavailable, match="SSLCertVerificationError"):
            way(checked, guarded.auth)
        with monkeypatch.context() as patched:
            patched.setenv("SSL_CERT_FILE", str(guarded.certificate))
            assert way(checked, guarded.auth) == 1
    with pytest.raises(ServiceUnavailable, match="incomplete handshake"):
        way(guarded.uri, guarded.auth)


def test_a_read_only_server_keeps_data_and_refuses_writes(guarded: Neo4jServer) -> None:
    """A MERGE that finds what it would make is no write."""
    with guarded.driver(**HINTS_OFF) as driver:
        driver.execute_query("CREATE CONSTRAINT key FOR (d:Dataset) REQUIRE d.key IS UNIQUE")
        driver.execute_query("CREATE (:Dataset {key: 1})")
        guarded.read_only = True
        guarded.restart()
        assert count(driver) == 1
        driver.execute_query("MERGE (:Dataset {key: 1})")
        for query in ("CREATE (:Dataset)", "MERGE (:Dataset {key: 2})", "CREATE INDEX FOR (d:Dataset) ON (d.name)"):
            assert code_of(driver, query) == "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase"
        assert count(driver) == 1


def test_a_setting_that_is_none_keeps_the_server_from_starting(neo4j_machine: None, tmp_path: Path) -> None:
    server = Neo4jServer(tmp_path, settings={"server.memory.pagecache.size": "much"})
    with pytest.raises(NotStartedError, match="much"):
        server.start()
    assert not server.running
    assert server.stop() == 0
