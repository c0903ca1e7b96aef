"""The stores that the suite holds to the interface: another store is one more maker here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lineage.memory import MemoryStore
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore

MAKERS: dict[str, Callable[[Path], GraphStore]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SQLiteStore(folder / "graph.sqlite"),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    """One empty store of each kind in turn."""
    made = MAKERS[request.param](tmp_path)
    yield made
    made.close()
