"""A real Neo4j for tests: one server for each test process, empty for each test.

``tests/conftest.py`` names this module as a plugin. A test that needs a server of its own, or harms its disk, takes
``neo4j_machine`` and makes a ``Neo4jServer``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import neo4j

    from tests.neo4j_server import Neo4jServer
    from tests.tcp_proxy import TcpProxy

_OPEN = (
    "SHOW TRANSACTIONS YIELD transactionId, database WHERE database = $database RETURN collect(transactionId) AS open"
)
_SCHEMA = """
SHOW INDEXES YIELD name, type, owningConstraint WHERE type <> 'LOOKUP'
RETURN coalesce('CONSTRAINT `' + owningConstraint + '`', 'INDEX `' + name + '`') AS found
"""
_DELETE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"


@pytest.fixture(scope="session")
def neo4j_machine(require: Callable[..., None]) -> None:
    """A machine on which a Neo4jServer can be started; its jars are there."""
    require("java", "maven", "loopback")
    from tests.neo4j_jars import JarsError, jars

    try:
        jars()
    except JarsError as error:
        pytest.skip(f"maven: {error}")


@pytest.fixture(scope="session")
def neo4j_server(neo4j_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """This process's server, without authentication; it runs on until the process ends.

    Tests may stop, kill and pause it: the next one that takes ``neo4j_uri`` finds it running.
    """
    from tests.neo4j_server import Neo4jServer

    with Neo4jServer(tmp_path_factory.mktemp("neo4j")) as server:
        yield server
    shutil.rmtree(server.home / "data")


@pytest.fixture
def neo4j_uri(neo4j_server: Neo4jServer) -> str:
    """The ``bolt://`` address of this process's server, running and empty."""
    if neo4j_server.running:
        neo4j_server.resume()
    else:
        neo4j_server.start()
    with neo4j_server.driver() as driver:
        wipe(driver)
    return neo4j_server.uri


@pytest.fixture
def proxy(neo4j_server: Neo4jServer, neo4j_uri: str) -> Iterator[TcpProxy]:
    """What stands between a driver and the server of ``neo4j_uri``, and can be made to fail."""
    from tests.tcp_proxy import TcpProxy

    with TcpProxy(neo4j_server.port) as made:
        yield made


def terminate_all(driver: neo4j.Driver, database: str = "neo4j") -> None:
    """End all transactions of the database."""
    with driver.session(database="system") as session:
        left_open = session.run(_OPEN, database=database).single(strict=True)["open"]
        if left_open:
            session.run("TERMINATE TRANSACTIONS $left_open", left_open=left_open).consume()


def wipe(driver: neo4j.Driver, database: str = "neo4j") -> None:
    """End all transactions, then delete all data, constraints and indexes, but not those for looking up by label.

    Names of labels and properties that were used once stay known to the server. (A change of the schema that waits for
    the locks of another transaction waits for ever, whatever time it was given.)
    """
    terminate_all(driver, database)
    with driver.session(database=database) as session:
        schema = [record["found"] for record in session.run(_SCHEMA)]
        with session.begin_transaction() as transaction:
            for found in schema:
                transaction.run(f"DROP {found}")
            transaction.commit()
        session.run(_DELETE).consume()
