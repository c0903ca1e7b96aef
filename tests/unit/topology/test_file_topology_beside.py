"""The topology of a graph file in a process that only reads it, beside one that may write."""

from __future__ import annotations

import pytest

from lineage.model import Changes
from lineage.sqlite import SQLiteStore, Thresholds
from tests.conformance.graphs import dataset
from tests.unit.topology.pair import Pair, damage


def test_a_reader_beside_uses_the_snapshot_and_follows(pair: Pair, never_scanned: None) -> None:
    pair.apply()
    pair.reopen(Thresholds())
    guest = SQLiteStore(pair.path, read_only=True)
    pair.check(guest)
    for _ in range(3):
        pair.apply()
        pair.check(guest)
    guest.close()


@pytest.mark.parametrize("how", ["missing", "keys", "header"])
def test_a_reader_beside_walks_without_a_snapshot_and_writes_nothing(
    pair: Pair, how: str, never_scanned: None, caplog: pytest.LogCaptureFixture
) -> None:
    pair.apply()
    pair.reopen(Thresholds())
    content = pair.snapshot.read_bytes()
    pair.snapshot.unlink()
    if how != "missing":
        pair.snapshot.write_bytes(damage(content, how))
    files = sorted(path.name for path in pair.path.parent.iterdir())
    guest = SQLiteStore(pair.path, read_only=True)
    pair.check(guest, in_memory=False)
    pair.apply()
    pair.check(guest, in_memory=False)
    guest.close()
    assert sorted(path.name for path in pair.path.parent.iterdir()) == files
    assert caplog.text == ""


def test_a_reader_beside_walks_where_its_snapshot_is_far_behind(pair: Pair, never_scanned: None) -> None:
    pair.apply()
    pair.reopen(Thresholds())
    pair.apply(Changes({node.key: node for node in map(dataset, map(str, range(9)))}, {}, {}))
    guest = SQLiteStore(pair.path, read_only=True, thresholds=Thresholds(at_once=2))
    pair.check(guest, in_memory=False)
    guest.close()
