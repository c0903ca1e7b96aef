"""The topology of a graph file: in step with its commits, begun with from a snapshot, and never in the way."""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path
from random import Random

import pytest

from lineage.memory import MemoryStore
from lineage.model import Changes, Edge, EdgeKind
from lineage.sqlite import SQLiteStore, Thresholds
from lineage.sqlite import topology as file_topology
from lineage.topology.live import Topology
from lineage.topology.snapshot import snapshot_stamp
from tests.unit.topology.pair import OFTEN, Pair, ask, damage
from tests.unit.topology.random_changes import KEYS, random_changes


@pytest.mark.parametrize("seed", range(4))
def test_each_commit_is_answered_from_memory_while_older_readers_go_on(tmp_path: Path, seed: int) -> None:
    pair = Pair(tmp_path, seed)
    for _ in range(12):
        with pair.store.reader() as before, pair.reference.reader() as expected:
            pair.apply()
            pair.check()
            pair.apply()
            ask(pair.random, before, expected)
        if pair.random.random() < 0.3:
            pair.store.topology.settle()
        if pair.random.random() < 0.2:
            pair.reopen()
    pair.check()
    pair.store.close()


def test_a_list_that_fails_leaves_the_topology_as_it_was(pair: Pair) -> None:
    for _ in range(3):
        failing = random_changes(pair.random)
        edge = Edge(EdgeKind.FEEDS, KEYS[0], KEYS[-3], at=1 << 70)
        failing.edges[edge.key] = edge
        with pytest.raises(OverflowError):
            pair.store.apply(failing, 99)
        pair.check()
        pair.apply()
        pair.check()


def test_a_commit_that_fails_leaves_the_topology_as_it_was(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = Topology.prepare

    def prepare_and_fail(topology: Topology, changes: Changes) -> None:
        prepare(topology, changes)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Topology, "prepare", prepare_and_fail)
        with pytest.raises(KeyboardInterrupt):
            pair.store.apply(random_changes(pair.random), 99)
    pair.check()
    pair.apply()
    pair.check()


def test_a_snapshot_is_begun_with(pair: Pair, never_scanned: None) -> None:
    for _ in range(4):
        pair.apply()
        pair.reopen()
        assert pair.snapshot.exists()
        pair.check()


def test_what_came_after_the_snapshot_is_followed(pair: Pair, never_scanned: None) -> None:
    pair.apply()
    pair.store.topology.settle()
    pair.reopen(Thresholds())
    written = pair.snapshot.read_bytes()
    for at_once in (1_000, 0):
        for _ in range(3):
            pair.apply()
        pair.reopen(Thresholds(at_once=at_once))
        assert pair.snapshot.read_bytes() == written
        pair.store.topology.settle()
        pair.check()


def test_the_log_of_changes_ends_with_each_snapshot(pair: Pair) -> None:
    for _ in range(10):
        pair.apply()
    pair.reopen()
    pair.store.topology.settle()
    with pair.store._database.reading() as connection:
        first = connection.execute("SELECT stamp, length(nodes), length(edges) FROM changed ORDER BY stamp").fetchone()
    assert first == (snapshot_stamp(pair.snapshot), 0, 0)


@pytest.mark.parametrize("how", ["start", "header", "keys", "shortened", "lengthened", "empty"])
def test_a_damaged_snapshot_is_said_and_built_anew(pair: Pair, how: str, caplog: pytest.LogCaptureFixture) -> None:
    pair.apply()
    pair.store.close()
    pair.snapshot.write_bytes(damage(pair.snapshot.read_bytes(), how))
    pair.reopen()
    assert "graph.topology can't be used" in caplog.text
    pair.check()


def test_a_snapshot_of_another_history_is_not_believed(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    backup = pair.path.with_name("backup")
    pair.reopen(Thresholds())
    pair.store.close()
    shutil.copy(pair.path, backup)
    pair.store = SQLiteStore(pair.path, thresholds=OFTEN)
    pair.store.apply(random_changes(Random(8), first=True), 2)
    pair.store.apply(random_changes(Random(9), first=True), 3)
    pair.store.close()
    shutil.copy(backup, pair.path)
    for suffix in ("-wal", "-shm"):
        pair.path.with_name(pair.path.name + suffix).unlink(missing_ok=True)
    pair.store = SQLiteStore(pair.path)
    assert "graph.topology is of another history of the file" in caplog.text
    pair.apply(random_changes(Random(9)))
    pair.check()


def test_clear_takes_the_snapshot_away_and_begins_anew(pair: Pair) -> None:
    pair.apply()
    pair.reopen()
    with pair.store.reader() as before, pair.reference.reader() as expected:
        pair.store.clear()
        pair.reference = MemoryStore()
        assert not pair.snapshot.exists()
        pair.check()
        pair.apply()
        ask(pair.random, before, expected)
    pair.check()


def test_a_large_file_is_walked_until_its_topology_is_built(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    go_on, scan = threading.Event(), file_topology.scan_base

    def waiting(connection: object) -> object:
        assert go_on.wait(30)
        return scan(connection)  # type: ignore[arg-type]

    pair.store.close()
    pair.snapshot.unlink(missing_ok=True)
    monkeypatch.setattr(file_topology, "scan_base", waiting)
    pair.store = SQLiteStore(pair.path, thresholds=Thresholds(at_once=0))
    assert "The topology is built from" in caplog.text
    pair.check(in_memory=False)
    pair.apply()
    pair.check(in_memory=False)
    go_on.set()
    pair.store.topology.settle()
    pair.check()
    pair.apply()
    pair.check()


def test_a_commit_that_was_missed_is_read_from_the_file(pair: Pair) -> None:
    pair.store.topology.settle()  # which would follow what it is to miss
    other = SQLiteStore(pair.path, thresholds=Thresholds())
    missed = random_changes(pair.random)
    other.apply(missed, 50)
    pair.reference.apply(missed, 50)
    other.close()
    pair.check(in_memory=False)
    pair.apply()
    pair.check()


def test_a_topology_that_fails_costs_no_commit_and_is_built_anew(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(topology: Topology, changes: Changes) -> None:
        raise ValueError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(Topology, "prepare", fail)
        pair.apply()
    assert "The topology can't follow a commit" in caplog.text
    pair.store.topology.settle()
    pair.check()
    pair.apply()
    pair.check()
