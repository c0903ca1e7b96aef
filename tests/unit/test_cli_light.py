"""What the light install can do, which has nothing of the server, and how quickly the command line is there."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lineage.settings import Settings

BLOCKED = """
import sys

class Absent:
    names = frozenset({names})
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from lineage.cli import main
main()
"""
# pydantic is no part of this: newer releases of typer bring it along.
SERVER = (
    "apsw",
    "cryptography",
    "fastapi",
    "jiter",
    "msgspec",
    "networkx",
    "numpy",
    "orjson",
    "prometheus_client",
    "pydantic_settings",
    "rfc8785",
    "sklearn",
    "strawberry",
    "uvicorn",
    "zstandard",
)


def lineage(*words: str, absent: tuple[str, ...] = SERVER) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCKED.format(names=set(absent)), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


class _Server(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, Any]] = {
        "/graphql": {"data": {"search": {"ledgerIndex": 4, "behind": 0, "hits": []}}},
        "/api/v1/lineage/batch": {
            "receipts": [{"element": 0, "index": 5, "position": 0, "duplicate": False, "warnings": []}],
            "failed_events": [],
        },
        "/api/v1/lineage": {"index": 6, "position": 0, "duplicate": False, "warnings": []},
    }

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(self.answers[self.path]).encode()
        self.send_response(201 if self.path == "/api/v1/lineage" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url(require: Any) -> Iterator[str]:
    require("loopback")
    with HTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_light_install_hashes(tmp_path: Path) -> None:
    file = tmp_path / "raw.csv"
    file.write_bytes(b"a,b\n1,2\n")
    done = lineage("hash", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}\n"


def test_the_light_install_tells_a_hash(tmp_path: Path, url: str) -> None:
    file = tmp_path / "raw.csv"
    file.write_bytes(b"a\n")
    done = lineage("hash", str(file), "--emit", "--url", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Told to {url}" in done.stdout


def test_the_light_install_sends(tmp_path: Path, url: str) -> None:
    file = tmp_path / "events.json"
    file.write_text("{}\n")
    done = lineage("ingest", str(file), "--url", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 new" in done.stdout


def test_the_light_install_asks(url: str) -> None:
    done = lineage("search", "orders", "--url", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "as of ledger entry 4" in done.stdout


def test_the_light_install_keeps_keys(tmp_path: Path) -> None:
    assert lineage("keys", "new", "pipeline", "--data", str(tmp_path)).stdout.startswith("lineage_")
    done = lineage("keys", "list", "--data", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "pipeline" in done.stdout


@pytest.mark.parametrize("words", [["serve"], ["fsck"], ["rebuild"], ["search", "x"], ["rejected"]], ids=" ".join)
def test_what_needs_the_server_says_what_to_install(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    done = lineage(*words, "--data", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pip install 'lineage-graph[server]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_demo_without_scikit_learn_says_what_to_install(tmp_path: Path) -> None:
    done = lineage("demo", "--folder", str(tmp_path / "demo"), absent=("sklearn",))
    assert done.returncode == 1
    assert "pip install 'lineage-graph[demo]'" in done.stderr


def test_help_is_there_at_once() -> None:
    """CPU time of the quickest of a few runs: what else the machine does is no part of it."""
    best = min(_help_seconds() for _ in range(5))
    assert best < 0.3


def _help_seconds() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "lineage.cli", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "training-data" in done.stdout
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_options_default_to_the_settings() -> None:
    from lineage.cli import options

    fields = Settings.model_fields
    assert fields["url"].default == options.DEFAULT_URL
    assert fields["data"].default == options.DEFAULT_DATA


def test_the_version_is_told() -> None:
    assert lineage("--version").stdout.startswith("lineage-graph ")
