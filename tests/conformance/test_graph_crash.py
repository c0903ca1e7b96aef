"""A process killed while it applies lists leaves a store at some watermark, equal to the lists up to there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lineage.memory import MemoryStore
from lineage.model import Changes, Edge, EdgeKind, NameScope
from lineage.sqlite import SQLiteStore
from lineage.store import Direction, Level
from tests.conformance.graphs import changes, dataset, flow, rows, version

WRITER = """
import sys
from pathlib import Path
from lineage.sqlite import SQLiteStore, Thresholds
from tests.conformance.test_graph_crash import list_number

store = SQLiteStore(Path(sys.argv[1]), thresholds=Thresholds(changes=9, share=0.0))
for number in range(int(sys.argv[2]), 1_000_000):
    store.apply(list_number(number), number + 1)
    print(number + 1, flush=True)
"""


def list_number(number: int) -> Changes:
    """The list that brings a store from watermark ``number`` to the next: some of it undoes the list before."""
    v, f, old = version(f"v{number}", at=number), flow(f"f{number % 7}"), version(f"v{number - 1}")
    list_ = changes(
        [v, f, dataset(f"d{number % 5}", "db" * (number % 3 + 1))],
        [Edge(EdgeKind.WROTE, f.key, v.key, at=number), Edge(EdgeKind.READ_BY, v.key, f.key)],
        [(NameScope.DIGEST, f"{number:064x}", v.key)],
    )
    if number % 3 == 0:
        list_.nodes[old.key] = None
        list_.names[(NameScope.DIGEST, f"{number - 1:064x}", old.key)] = False
    return list_


@pytest.mark.parametrize("rounds", [5])
def test_killed_writer_leaves_a_prefix(tmp_path: Path, rounds: int) -> None:
    path = tmp_path / "graph.sqlite"
    reference = MemoryStore()
    applied = 0
    for attempt in range(rounds):
        acknowledged = _run_and_kill(path, applied, delay=0.03 + 0.05 * attempt)
        store = SQLiteStore(path)
        watermark = store.watermark()
        assert watermark >= acknowledged
        for number in range(applied, watermark):
            reference.apply(list_number(number), number + 1)
        applied = watermark
        with store.reader() as reader, reference.reader() as expected:
            assert list(reader.dump()) == list(expected.dump())
            assert reader.count() == expected.count()
            for seed in (f"f{number}" for number in range(7)):
                question = Level.VERSION, [flow(seed).key], Direction.DOWNSTREAM
                assert rows(reader.reach(*question)) == rows(expected.reach(*question))
            assert reader._state is not None
        store.close()
    assert applied > 0


def _run_and_kill(path: Path, start: int, delay: float) -> int:
    """Let a process apply lists from ``start`` on, and kill it ``delay`` seconds after the first; the last it told."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITER, str(path), str(start)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        lines = (first + process.stdout.read()).split(b"\n")
    complete = [int(line) for line in lines[:-1]]
    assert complete, "the writer never wrote"
    return complete[-1]
