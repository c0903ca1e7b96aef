"""A process that was launched outlives the thread that asked for it, and not the process."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.free_port import LOWEST, free_port
from tests.neo4j_process import answers_bolt, launch

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
COMMAND = ["sh", "-c", "echo begun; exec sleep 1000"]
PARENT = f"""
import sys, time
from pathlib import Path
from tests.neo4j_process import launch
print(launch({COMMAND}, Path(sys.argv[1])).pid, flush=True)
time.sleep(1000)
"""


def wait_until_begun(console: Path) -> None:
    until = time.monotonic() + PATIENCE
    while console.read_text() != "begun\n":
        assert time.monotonic() < until
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_launched_process_ends_with_the_one_that_launched_it_even_by_kill_9(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "console")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until_begun(tmp_path / "console")
        assert lives(pid)
        parent.kill()
    until = time.monotonic() + PATIENCE
    while lives(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not lives(pid)


def test_a_launched_process_outlives_the_thread_that_launched_it(tmp_path: Path) -> None:
    launched: list[subprocess.Popen[bytes]] = []
    console = tmp_path / "console"

    def launch_and_end() -> None:
        launched.append(launch(COMMAND, console))
        wait_until_begun(console)

    thread = threading.Thread(target=launch_and_end)
    thread.start()
    thread.join()
    with pytest.raises(subprocess.TimeoutExpired):
        launched[0].wait(0.5)
    launched[0].kill()
    launched[0].wait(PATIENCE)


def test_nobody_answers_bolt_on_a_free_port() -> None:
    port = free_port()
    assert LOWEST <= port < 65_536
    assert not answers_bolt(port, tls=False)
    assert not answers_bolt(port, tls=True)
