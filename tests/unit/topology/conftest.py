"""A pair of stores, and a file that is not to be read as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage.sqlite import topology as file_topology
from tests.unit.topology.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def never_scanned(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the topology is not built from the file."""

    def scan(connection: object) -> None:
        raise AssertionError("the file was read")

    monkeypatch.setattr(file_topology, "scan_base", scan)
