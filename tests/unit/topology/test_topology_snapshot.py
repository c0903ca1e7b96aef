"""A snapshot is read as it was written, or not at all."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from lineage.topology import snapshot
from lineage.topology.base import Base, consolidated, empty_base
from lineage.topology.live import Topology
from lineage.topology.snapshot import DamagedSnapshotError, read_snapshot, snapshot_stamp, write_snapshot
from tests.unit.topology.random_changes import random_changes


@pytest.fixture(scope="module")
def base() -> Base:
    topology = Topology(empty_base())
    topology.prepare(random_changes(Random(5), first=True))
    topology.commit()
    return consolidated(topology.state)


def same(one: Base, other: Base) -> bool:
    arrays, others = dict(snapshot._arrays(one)), dict(snapshot._arrays(other))
    alike = (
        np.array_equal(array, others[name]) and array.dtype == others[name].dtype for name, array in arrays.items()
    )
    return arrays.keys() == others.keys() and all(alike)


def test_what_was_written_is_read(tmp_path: Path, base: Base) -> None:
    path = tmp_path / "graph.topology"
    for written, stamp in ((base, 7), (empty_base(), 2**60), (base, 8)):
        write_snapshot(path, written, stamp)
        found, told = read_snapshot(path)
        assert same(found, written)
        assert told == snapshot_stamp(path) == stamp
    assert [file.name for file in tmp_path.iterdir()] == ["graph.topology"]


def test_every_bit_that_matters_is_guarded(tmp_path: Path, base: Base) -> None:
    path, random = tmp_path / "graph.topology", Random(3)
    write_snapshot(path, base, 7)
    whole = path.read_bytes()
    noticed = 0
    for _ in range(400):
        octets = bytearray(whole)
        octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
        path.write_bytes(octets)
        try:
            found, stamp = read_snapshot(path)
        except DamagedSnapshotError:
            noticed += 1
        else:
            assert same(found, base)
            assert stamp == 7
    assert noticed > 200


def test_every_shorter_file_is_refused(tmp_path: Path, base: Base) -> None:
    path = tmp_path / "graph.topology"
    write_snapshot(path, base, 7)
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 97), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedSnapshotError):
            read_snapshot(path)


def test_no_snapshot_has_no_stamp(tmp_path: Path) -> None:
    assert snapshot_stamp(tmp_path / "graph.topology") is None


def test_a_release_with_another_layout_refuses_it(tmp_path: Path, base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    write_snapshot(tmp_path / "graph.topology", base, 7)
    monkeypatch.setattr(snapshot, "_LAYOUT", 1)
    with pytest.raises(DamagedSnapshotError):
        read_snapshot(tmp_path / "graph.topology")


def test_a_write_that_fails_leaves_the_file_before(tmp_path: Path, base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "graph.topology"
    write_snapshot(path, base, 7)

    def fail(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_snapshot(path, empty_base(), 8)
    assert [file.name for file in tmp_path.iterdir()] == ["graph.topology"]
    assert same(read_snapshot(path)[0], base)
