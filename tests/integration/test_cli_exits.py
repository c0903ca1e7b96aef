"""What a command says and exits with when there is no answer, or not all of one."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lineage.cli.program import run
from lineage_ingest.demo.server import find_place

Told = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _loopback(require: Any) -> None:
    require("loopback")


def test_no_server_exits_with_1_and_says_what_to_do(capsys: Told) -> None:
    assert run(["search", "x", "--url", find_place(0).url]) == 1
    assert "lineage serve" in capsys.readouterr().err


def test_no_folder_exits_with_1_and_says_what_to_do(tmp_path: Path, capsys: Told) -> None:
    assert run(["search", "x", "--data", str(tmp_path / "none")]) == 1
    assert "holds no ledger" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("json_asked", [True, False])
def test_an_answer_that_is_cut_exits_with_4(json_asked: bool, capsys: Told) -> None:
    answer = {"complete": False, "cut": {"reason": "NODES", "limit": 5}, "ledgerIndex": 7, "behind": 2}
    data = {"search": answer | {"hits": []}}
    with answering({"data": data}) as url:
        assert run(["search", "x", "--url", url, *(["--json"] if json_asked else [])]) == 4
    said = capsys.readouterr().out
    assert json.loads(said) == data if json_asked else "INCOMPLETE: cut after 5 nodes" in said


@pytest.mark.parametrize(
    ("response", "code", "says"),
    [
        ({"data": None, "errors": [{"message": "Too much.", "extensions": {"code": "TOO_COSTLY"}}]}, 1, "Too much."),
        ({"errors": [{"message": "Gone."}]}, 1, "Gone."),
        ({"detail": "Who are you?", "code": "UNAUTHENTICATED"}, 1, "Who are you?"),
        (["something else"], 1, "it is no Lineage server, or not its root"),
    ],
)
def test_what_a_server_refuses_is_said(response: Any, code: int, says: str, capsys: Told) -> None:
    with answering(response) as url:
        assert run(["search", "x", "--url", url]) == code
    assert says in capsys.readouterr().err


def test_an_address_that_is_not_there_is_no_thing_never_seen(capsys: Told) -> None:
    with answering({"detail": "There is nothing here.", "code": "NOT_FOUND"}, 404) as url:
        assert run(["search", "x", "--url", url]) == 1
    assert "it is no Lineage server, or not its root" in capsys.readouterr().err


def test_a_taken_port_exits_with_1_and_says_what_to_do(tmp_path: Path, capsys: Told) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--port", str(port), "--data", str(tmp_path / "data")]) == 1
    said = capsys.readouterr().err
    assert f"Can't listen on 127.0.0.1, port {port}" in said
    assert "another port" in said
    assert not (tmp_path / "data").exists()


def test_a_setting_that_is_not_usable_exits_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    monkeypatch.setenv("LINEAGE_QUEUE_RECORDS", "many")
    assert run(["serve", "--port", "0", "--data", str(tmp_path / "data")]) == 2
    assert capsys.readouterr().err == (
        'lineage: The setting queue_records must be a whole number of at least 1, in records, but is "many".\n'
        "  Its environment variable is LINEAGE_QUEUE_RECORDS; without it, it is 20000.\n"
    )


# -- a hash that can't be told


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "raw.csv"
    path.write_bytes(b"a")
    return str(path)


def test_a_hash_and_no_server_is_one_sentence_and_what_to_do(file: str) -> None:
    url = find_place(0).url
    command = [sys.executable, "-m", "lineage.cli", "hash", file, "--emit", "--url", url]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"lineage: The hash was not told: no server answers at {url}.\n"
        "  Start one with `lineage serve`, or name another with --url.\n"
    )


@pytest.mark.parametrize(
    ("response", "status", "says"),
    [
        ({"detail": "Who are you?", "code": "UNAUTHENTICATED"}, 401, "The hash was not told: Who are you?"),
        ({"title": "No.", "code": "FORBIDDEN"}, 403, "The hash was not told: No."),
        ({"detail": "Nothing here.", "code": "NOT_FOUND"}, 404, "HTTP 404; it is no Lineage server, or not its root"),
        (["something else"], 418, "HTTP 418; it is no Lineage server, or not its root"),
    ],
)
def test_a_hash_that_is_refused_says_why(file: str, response: Any, status: int, says: str, capsys: Told) -> None:
    with answering(response, status) as url:
        assert run(["hash", file, "--emit", "--url", url]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert "urllib3" not in said


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://host", "http://[", "http://host:x"])
def test_a_hash_for_what_is_no_url_is_wrong_usage(file: str, url: str, capsys: Told) -> None:
    assert run(["hash", file, "--emit", "--url", url]) == 2
    assert f"{url!r} is no URL of a server." in capsys.readouterr().err


@contextmanager
def answering(response: Any, status: int = 200) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps(response).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
