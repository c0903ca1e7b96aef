"""The intake behind a real server and real sockets; run as a program, this file is that server."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MIB = 1 << 20
URL = "/api/v1/lineage"
Make = Callable[..., bytes]


def serve(folder: Path) -> None:
    """Serve an intake on a free port of loopback, say which, and go on until standard input ends."""
    import uvicorn
    from starlette.applications import Starlette

    from lineage.access import KeyRing
    from lineage.ledger.sqlite import SQLiteLedger
    from lineage.ledger.writer import GroupCommit
    from lineage_ingest.intake import Guard, IntakeLimits, IntakeParts, RejectedLog, intake_router

    ledger = SQLiteLedger(folder / "ledger.sqlite")
    writer = GroupCommit(ledger)
    limits = IntakeLimits(body_timeout=1.0, event_bytes=32 * MIB, batch_bytes=32 * MIB)
    parts = IntakeParts(ledger, writer, RejectedLog(folder / "rejected.sqlite"), limits=limits)
    router = intake_router(parts, Starlette())
    app = Guard(router, KeyRing(folder / "keys.json"), loopback=True)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(app, loop="uvloop", http="httptools", log_level="error", lifespan="off"))
    threading.Thread(target=stop_at_end_of_input, args=(server,), daemon=True).start()
    server.run(sockets=[listening])
    router.close()
    writer.close()
    parts.rejected.close()
    ledger.close()


def stop_at_end_of_input(server: Any) -> None:
    sys.stdin.read()
    server.should_exit = True


@dataclass
class Server:
    """A server of this test, in its own process."""

    port: int
    pid: int
    folder: Path

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def post(self, content: Any, headers: dict[str, str] | None = None, path: str = URL) -> tuple[int, Any]:
        with contextlib.closing(self.connect()) as connection:
            connection.request("POST", path, content, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def size(self) -> int:
        with contextlib.closing(self.connect()) as connection:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith("lineage_ledger_entries "))))

    def peak_memory(self) -> int:
        """The most bytes of memory that the server ever held."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), process.pid, folder)
        process.stdin.close()
        assert process.wait(20) == 0


def read_answer(opened: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := opened.recv(65536):
            received += chunk
    return received


def test_a_connection_is_kept_alive_and_each_answer_comes_without_delay(server: Server, event: Make) -> None:
    """Headers and body in two segments without TCP_NODELAY would cost 40 ms each time."""
    times: list[float] = []
    with contextlib.closing(server.connect()) as connection:
        connection.connect()
        first = connection.sock
        for number in range(30):
            begun = time.perf_counter()
            connection.request("POST", URL, event(1000 + number), {"content-type": "application/json"})
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["duplicate"]) == (201, False)
            times.append(time.perf_counter() - begun)
            assert connection.sock is first
    assert min(times) < 0.03


def test_gzip_without_its_header_is_taken(server: Server, event: Make) -> None:
    assert server.post(gzip.compress(event(2000)))[0] == 201
    assert server.post(event(2000))[1]["duplicate"] is True


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_100_mb_is_refused_in_bounded_memory_and_the_sender_hears_of_it(
    server: Server, declared: bool
) -> None:
    chunk = bytes(MIB)
    content = (chunk for _ in range(100))
    headers = {"content-length": str(100 * MIB)} if declared else {"transfer-encoding": "chunked"}
    before = server.peak_memory()
    with contextlib.closing(server.connect()) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", URL, content, headers, encode_chunked=not declared)
        connection._HTTPConnection__state = http.client._CS_REQ_SENT  # type: ignore[attr-defined]
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (413, "TOO_LARGE")
    # A body up to the limit of 32 MB is held once as it grows, and once as it is kept with the refused.
    assert server.peak_memory() - before < 110 * MIB


def test_bombs_are_refused_in_bounded_memory(server: Server) -> None:
    before = server.peak_memory()
    for _ in range(5):
        assert server.post(gzip.compress(bytes(100 * MIB)))[0] == 413
        assert server.post(b"[" * (16 * MIB))[0] == 400
        assert server.post(b"[" + b"," * (30 * MIB) + b"]", path=URL + "/batch")[0] == 413
    assert server.peak_memory() - before < 250 * MIB


def test_a_sender_that_asks_first_is_told_without_sending(server: Server) -> None:
    with server.socket() as opened:
        request = (
            f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {100 * MIB}\r\nExpect: 100-continue\r\n\r\n"
        )
        opened.sendall(request.encode())
        answer = read_answer(opened)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_slow_body_holds_nobody_up_and_ends_with_408(server: Server, event: Make) -> None:
    with server.socket() as slow:
        slow.sendall(f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert server.post(event(3000))[0] == 201
        assert read_answer(slow).startswith(b"HTTP/1.1 408 ")


def test_senders_that_go_away_break_nothing_and_a_whole_event_is_kept(server: Server, event: Make) -> None:
    before = server.size()
    data = event(4000)
    head = f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    for part in (head[:30], head, head + data[:50]):
        with server.socket() as opened:
            opened.sendall(part)
    with server.socket() as opened:
        opened.sendall(head + data)
    deadline = time.monotonic() + 10
    while server.size() == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.size() == before + 1
    assert server.post(data)[1]["duplicate"] is True


def test_requests_sent_without_waiting_are_answered_in_order(server: Server, event: Make) -> None:
    bodies = [event(5000), b"{", event(5001), event(5000)]
    request = b"".join(
        f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for body in bodies
    )
    with server.socket() as opened:
        opened.sendall(request + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answers = read_answer(opened)
    statuses = [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [201, 400, 201, 200, 200]


def test_large_events_and_small_ones_are_taken_side_by_side(server: Server, event: Make) -> None:
    large = event(
        6000,
        producer="x",
        run={
            "runId": "01890000-0000-7000-8000-000000006000",
            "facets": {"plan": {"nodes": [{"id": number, "name": f"node {number}"} for number in range(600_000)]}},
        },
    )
    assert len(large) > 20 * MIB
    outcomes: list[int] = []
    sender = threading.Thread(target=lambda: outcomes.append(server.post(large)[0]))
    sender.start()
    small = [server.post(event(7000 + number))[0] for number in range(20)]
    sender.join()
    assert outcomes == [201]
    assert small == [201] * 20


def test_a_reader_of_the_feed_that_goes_away_is_let_go(server: Server, event: Make) -> None:
    after = server.size() - 1
    with server.socket() as opened:
        opened.sendall(f"GET /api/v1/ledger/entries?after={after}&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(0.2)
    assert server.post(event(8000))[0] == 201


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
