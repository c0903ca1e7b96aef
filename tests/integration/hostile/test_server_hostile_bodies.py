"""Bodies that are bombs, too large, or no JSON: the contract's answer in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from pathlib import Path

import httpx
import pytest

from tests.integration.hostile.answers import (
    DATASET_EVENT,
    QUICK,
    RUN_EVENT,
    dataset,
    problem,
    run_event,
    run_id,
    timed,
    told_outputs,
)
from tests.integration.server_process import ServerProcess

MIB = 1 << 20

NOT_JSON = {
    "nesting bomb of arrays": b"[" * 8_000_000,
    "nesting bomb of objects": b'{"a":' * 4_000_000,
    "nesting bomb that is closed": b"[" * 4_000_000 + b"]" * 4_000_000,
    "nesting bomb in a facet": json.dumps(DATASET_EVENT)
    .encode()
    .replace(b'"facets": {}', b'"facets": {"x": {"y": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"),
    "NaN": b'{"eventTime": NaN}',
    "minus Infinity": b'{"eventTime": -Infinity}',
    "a number past every double": b'{"eventTime": 1e999}',
    "an integer of a million digits": b'{"eventTime": ' + b"9" * 1_000_000 + b"}",
    "a key twice": json.dumps(RUN_EVENT).encode().replace(b'"eventType"', b'"eventType": "START", "eventType"'),
    "no UTF-8": b'{"eventTime": "\xff\xfe"}',
    "UTF-16": '{"eventTime": "x"}'.encode("utf-16"),
    "cut short": json.dumps(RUN_EVENT).encode()[:-1],
    "two values": b"{} {}",
    "a comma too many": b'{"a": 1,}',
    "a control character in a string": b'{"a": "\x01"}',
    "nothing": b"",
    "spaces": b" " * 1_000_000,
    "quotes": b'"' * 1_000_001,
    "backslashes": b'"' + b"\\" * 1_000_001,
}  # fmt: skip


@pytest.mark.parametrize("what", NOT_JSON)
def test_what_is_no_json_is_refused_at_once(server: ServerProcess, what: str) -> None:
    told = problem(timed(lambda: server.post("/api/v1/lineage", NOT_JSON[what])), 400, "NOT_JSON")
    assert len(json.dumps(told)) < 2_000


def test_a_gzip_bomb_is_refused_at_once(server: ServerProcess) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([packer.compress(bytes(MIB)) for _ in range(300)]) + packer.flush()
    assert len(bomb) < MIB
    for headers in ({"content_encoding": "gzip"}, {}):
        for path in ("/api/v1/lineage", "/api/v1/lineage/batch", "/api/v1/predictions"):
            answer = timed(lambda path=path, headers=headers: server.post(path, bomb, **headers))  # type: ignore[misc]
            problem(answer, 413, "TOO_LARGE")


def test_a_gzip_bomb_of_many_members_is_refused_at_once(server: ServerProcess) -> None:
    answer = timed(lambda: server.post("/api/v1/lineage", gzip.compress(b"") * 500_000))
    problem(answer, 400, "REFUSED")


def test_a_body_of_100_mb_is_refused_before_it_is_read(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        sender.sendall(b"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n{")
        sender.settimeout(QUICK)
        assert sender.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_100_mb_that_does_not_say_so_is_refused_on_the_way(server: ServerProcess) -> None:
    chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        sender.settimeout(QUICK)
        sender.sendall(b"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < 100:
                sender.sendall(chunk)
                sent += 1
        except OSError:
            pass
        answer = b""
        try:
            answer = sender.recv(1000)
        except OSError:
            assert sent < 100
        assert answer.startswith(b"HTTP/1.1 413 ") or sent < 100


def test_the_largest_event_that_is_taken_is_projected(server: ServerProcess) -> None:
    large = dataset("large", lineageGraph_model={"framework": "x" * (31 * MIB), "estimator": "y"})
    answer = timed(lambda: server.post("/api/v1/lineage", run_event(outputs=[large])), 30)
    assert answer.status_code == 201
    wait_until_projected(server)
    assert told_outputs(server, {"run": {"runId": run_id("large")}}) == ["large"]


def wait_until_projected(server: ServerProcess) -> None:
    while httpx.get(f"{server.url}/readyz").json()["projection"]["lag"]:
        time.sleep(0.2)


def test_many_slow_and_broken_connections_leave_the_server_free(server: ServerProcess, tmp_path: Path) -> None:
    senders = []
    try:
        for number in range(100):
            sender = socket.create_connection(("127.0.0.1", server.port))
            senders.append(sender)
            sender.sendall(
                b"\x16\x03\x01" * 10
                if number % 3 == 0
                else b"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
            )
        answer = timed(lambda: server.post("/api/v1/lineage", run_event(outputs=[dataset("beside the slow")])))
        assert answer.status_code == 201
    finally:
        for sender in senders:
            sender.close()
