"""``lineage demo``: from nothing to both answers, again and again, and what it says to try next really works."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lineage.cli.program import run

COMMAND = (sys.executable, "-m", "lineage.cli")
SECONDS = 60


@pytest.fixture(scope="module")
def taken(require: Callable[..., None]) -> socket.socket:
    """A port that somebody else listens on."""
    require("loopback")
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, taken: socket.socket) -> tuple[str, Path]:
    """What the second of two demos in one folder says, on a port that is taken; and its folder."""
    parent = tmp_path_factory.mktemp("demos")
    said = ""
    with taken:
        for _ in range(2):
            done = run_demo(parent, str(taken.getsockname()[1]))
            assert (done.returncode, done.stderr) == (0, "")
            said = done.stdout
    return said, parent / "2"


def chapter(said: str, title: str) -> str:
    """What stands below the heading that begins with ``title``."""
    found = re.search(rf"^━━ {title}[^\n]* ━━$(.*?)(?=^━━ |\Z)", said, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def run_demo(parent: Path, port: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [*COMMAND, "demo", "--folder", str(parent), "--port", port]
    told = {**os.environ, **environment}
    return subprocess.run(words, capture_output=True, text=True, env=told, stdin=subprocess.DEVNULL, timeout=SECONDS)


def test_a_taken_port_gives_another_and_says_so(told: tuple[str, Path], taken: socket.socket) -> None:
    said = re.search(r"^Port (\d+) is taken; the demo's server takes (\d+) instead\.$", told[0], re.MULTILINE)
    assert said is not None
    assert f"The server is http://127.0.0.1:{said[2]}," in told[0]


def test_without_a_terminal_the_server_ends_with_the_demo(told: tuple[str, Path]) -> None:
    (url,) = set(re.findall(r"OPENLINEAGE_URL=(\S+)", told[0]))
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_the_first_answer_has_the_hashes_of_the_files_that_were_really_written(told: tuple[str, Path]) -> None:
    answer = chapter(told[0], "Which data trained")
    files = told[1] / "files"
    for name in ("split/train.csv", "split/test.csv", "features/features.csv", "clean/labs.csv", "raw/patients.csv"):
        assert hashlib.sha256((files / name).read_bytes()).hexdigest() in answer
    for kept in ("commit", "parameters", "metrics", "TRAIN", "TEST", "Score 0.", "Complete, as of ledger entry"):
        assert kept in answer


def test_the_change_is_told_by_the_hash_of_the_changed_file(told: tuple[str, Path]) -> None:
    raw = told[1] / "files" / "raw" / "labs.csv"
    now = hashlib.sha256(raw.read_bytes()).hexdigest()
    before, after = told[0].split("is corrected on disk")
    assert now not in before
    assert f"sha256:{now}  {raw}" in after


def test_the_second_answer_has_both_radii_consequences_path_and_predictions(told: tuple[str, Path]) -> None:
    answer = chapter(told[0], "What is affected by the change")
    potential, actual = answer.split("Potential: ")[1].split("Actual: ")
    assert "redeploy" in potential
    for consequence in ("rebuild", "retrain", "redeploy", "rescore"):
        assert consequence in actual
    assert "600 were made by what is affected" in actual
    path = chapter(told[0], "How does it get")
    assert path.count("progression-scoring") == 2
    assert "reads it by its hash" in path


def test_a_demo_in_a_clone_tells_the_commit(told: tuple[str, Path], require: Callable[..., None]) -> None:
    require("git")
    root = Path(__file__).parents[2]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, timeout=SECONDS)
    if head.returncode:
        assert re.search(r"commit +not told", told[0])
    else:
        assert re.search(rf"commit +{head.stdout.strip()}", told[0])


def test_every_command_that_it_shows_can_be_pasted(told: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.findall(r"^\$ lineage (.+)$", told[0], re.MULTILINE)
    tried = chapter(told[0], "What to try next")
    shown += re.findall(r"^  \S*lineage ((?:impact|training-data|provenance|search) .+)$", tried, re.MULTILINE)
    assert len(shown) == 9
    data = ("--data", str(told[1] / "store"))
    for words in (shlex.split(line) for line in shown):
        place = () if words[0] == "hash" else data
        assert run([*(word for word in words if word != "--emit"), *place]) == 0, words
        assert capsys.readouterr().err == ""


def test_what_is_set_for_another_server_does_not_disturb_it(tmp_path: Path, require: Callable[..., None]) -> None:
    require("loopback")
    elsewhere = {"LINEAGE_URL": "http://127.0.0.1:9", "LINEAGE_DATA": str(tmp_path / "elsewhere"), "LINEAGE_PORT": "1"}
    done = run_demo(tmp_path / "demo", "0", **elsewhere, OPENLINEAGE_URL="http://127.0.0.1:9")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "elsewhere").exists()


def test_on_a_terminal_it_serves_until_it_is_told_to_stop(tmp_path: Path, require: Callable[..., None]) -> None:
    require("loopback")
    process, terminal = pty.fork()
    if process == 0:
        words = (*COMMAND, "demo", "--folder", str(tmp_path / "demo"), "--port", "0")
        os.execvpe(words[0], words, {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"})
    seen = b""
    try:
        while b"until you press Ctrl-C" not in seen:
            seen += os.read(terminal, 4096)
        (url,) = set(re.findall(rb"OPENLINEAGE_URL=(http://[0-9.:]+)", seen))
        assert httpx.get(f"{url.decode()}/readyz", trust_env=False).status_code == 200
        os.write(terminal, b"\x03")
        while chunk := _read(terminal):
            seen += chunk
        _, status = os.waitpid(process, 0)
    except BaseException:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        raise
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "└ ".encode() in seen
    assert b"Stopped." in seen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # what a terminal answers once nobody writes to it any more
        return b""
