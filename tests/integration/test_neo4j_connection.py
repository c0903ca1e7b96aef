"""The connection to Neo4j: slow is not away, silent is, and nothing stays open after its end."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lineage.errors import UnavailableError, UnusableStoreError
from lineage.neo4j import Address
from lineage.neo4j.connection import PROMPT, Connection, rows
from tests.neo4j_server import Neo4jServer
from tests.tcp_proxy import TcpProxy

LONG = "UNWIND range(1, 8000000) AS n WITH sum(n % 7) AS sum RETURN sum"


@pytest.fixture
def connection(proxy: TcpProxy) -> Iterator[Connection]:
    made = Connection(Address(proxy.uri), PROMPT)
    yield made
    made.close()


def ask(connection: Connection, query: str = "RETURN 1") -> object:
    async def work() -> object:
        async with connection.session() as session:
            ((found,),) = await rows(session, query, {})
            return found

    return connection.call(work)


def test_query_that_takes_long_goes_on_while_the_server_answers(connection: Connection) -> None:
    begun = time.monotonic()
    assert ask(connection, LONG)
    assert time.monotonic() - begun > PROMPT.call


def test_slow_network_is_bad_for_the_first_call_at_most(connection: Connection, proxy: TcpProxy) -> None:
    proxy.delay(0.15)  # a new connection takes five times that, there and back
    for attempt in range(3):
        try:
            assert ask(connection) == 1
        except UnavailableError:
            assert attempt == 0
            time.sleep(2)


def test_silence_is_noticed_while_others_wait_for_the_same_answer(connection: Connection, proxy: TcpProxy) -> None:
    ask(connection)
    proxy.stall()
    took = []
    for _ in range(5):
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match="answers none"):
            ask(connection)
        took.append(time.monotonic() - begun)
    assert min(took) < 2 * (PROMPT.call + PROMPT.ping)
    proxy.resume()
    assert ask(connection) == 1


def test_connections_lost_for_good_are_replaced(connection: Connection, proxy: TcpProxy) -> None:
    """What was asked over a connection that never answers must not be waited for by all who come."""
    ask(connection)
    proxy.stall()
    with pytest.raises(UnavailableError):
        ask(connection)
    proxy.refuse()
    proxy.reset()
    with pytest.raises(UnavailableError):
        ask(connection)
    proxy.clear()
    assert ask(connection) == 1


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.parametrize("stalled", [False, True])
def test_nothing_stays_open(proxy: TcpProxy, stalled: bool) -> None:
    connection = Connection(Address(proxy.uri), PROMPT)
    ask(connection)
    if stalled:
        proxy.stall()
        with pytest.raises(UnavailableError):
            ask(connection)
    connection.close()
    del connection
    gc.collect()  # what is unclosed warns, and a warning is an error
    proxy.resume()


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_nothing_stays_open_with_tls(neo4j_machine: None, tmp_path: Path) -> None:
    with Neo4jServer(tmp_path / "neo4j", password="some long password", tls=True) as server:
        for password in ("some long password", "another long password"):
            address = Address(server.uri.replace("bolt", "bolt+ssc"), password=lambda told=password: told)
            connection = Connection(address, PROMPT)
            with suppress(UnusableStoreError):
                ask(connection)
            connection.close()
            del connection
            gc.collect()
