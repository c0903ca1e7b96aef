"""The stores that the suite holds to the interface: another store is one more maker here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lineage.memory import MemoryStore
from lineage.neo4j import Address
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore
from tests.conformance.settled import SettledNeo4jStore

Maker = Callable[[Path, pytest.FixtureRequest], GraphStore]


def _neo4j(folder: Path, request: pytest.FixtureRequest) -> GraphStore:
    return SettledNeo4jStore(Address(request.getfixturevalue("neo4j_uri")), ledger="tests")


MAKERS: dict[str, Maker] = {
    "memory": lambda folder, request: MemoryStore(),
    "sqlite": lambda folder, request: SQLiteStore(folder / "graph.sqlite"),
    "neo4j": _neo4j,
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    """One empty store of each kind in turn."""
    made = MAKERS[request.param](tmp_path, request)
    yield made
    made.close()
