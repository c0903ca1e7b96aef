"""What a command says and exits with when there is no answer, or not all of one."""

from __future__ import annotations

import http.server
import json
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
        (["something else"], 1, "not as a Lineage server does"),
    ],
)
def test_what_a_server_refuses_is_said(response: Any, code: int, says: str, capsys: Told) -> None:
    with answering(response) as url:
        assert run(["search", "x", "--url", url]) == code
    assert says in capsys.readouterr().err


@contextmanager
def answering(response: Any) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps(response).encode()
            self.send_response(200)
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
