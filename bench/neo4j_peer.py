"""A Neo4j server to measure against: the one that the tests start, with the JVM that operators would have.

Here it runs for longer than in a test, and gets the JVM's defaults, a heap of 1 GB and a page cache of 512 MB.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from neo4j import Driver, GraphDatabase

from lineage.settings import Settings
from tests.neo4j_jars import LTS
from tests.neo4j_server import Neo4jServer

_FIRST_QUESTIONS = 10
_HEAP = "1g"
_SETTINGS = {"server.memory.pagecache.size": "512m"}
_WIPE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"


def lack() -> str | None:
    """What this machine lacks to start a server, in a sentence; None if it has all."""
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    return f"There is no `{'` and no `'.join(missing)}` on the PATH: nothing was measured." if missing else None


@contextmanager
def neo4j_server(home: Path) -> Iterator[str]:
    """A server on the folder ``home``, new or not: its address. Ends with this process at the latest. Raises JarsError
    where the jars can't be had, NotStartedError if it does not start."""
    with Neo4jServer(home, settings=_SETTINGS, heap=_HEAP, release=LTS, measured=True) as server:
        _warm(server.uri)
        yield server.uri


@dataclass(frozen=True, slots=True)
class Ground:
    """Where it is measured: a database, and a folder for what is made meanwhile."""

    uri: str
    folder: Path

    def settings(self, store: str) -> Settings:
        """Those of a new data folder with this store: ``sqlite``, or ``neo4j``, which is emptied for it."""
        if store == "neo4j":
            wipe(self.uri)
        path = next(path for path in (self.folder / f"{store}-{number}" for number in count()) if not path.exists())
        return Settings.model_validate({"data": path, "store": store, "neo4j_uri": self.uri})


def environment(settings: Settings) -> dict[str, str]:
    """That of a server with these settings, on a port of its own."""
    told = {"DATA": settings.data, "STORE": settings.store, "NEO4J_URI": settings.neo4j_uri, "PORT": 0}
    return {f"LINEAGE_{name}": str(value) for name, value in told.items()}


def _warm(uri: str) -> None:
    """Ask until the server has loaded what a first answer takes: those who ask it wait no second."""
    for _ in range(_FIRST_QUESTIONS):
        with connected(uri) as driver:
            driver.execute_query("MERGE (n:Warm {key: 1}) SET n.key = 1 DELETE n")


def connected(uri: str) -> Driver:
    """A driver of one's own; to be closed by the caller."""
    return GraphDatabase.driver(uri, notifications_min_severity="OFF", telemetry_disabled=True)


def wipe(uri: str) -> None:
    """Delete all nodes; constraints and indexes stay."""
    with connected(uri) as driver, driver.session() as session:
        session.run(_WIPE).consume()
