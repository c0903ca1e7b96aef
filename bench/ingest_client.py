"""A client for measuring: keep-alive connections that post one event after the other, and how long each answer took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import uvloop

PATH = "/api/v1/lineage"


@dataclass(slots=True)
class Load:
    """One run: ``bodies`` over ``connections``; with a ``rate`` (bodies/s) at that pace, else as fast as answers come.

    ``path`` is where to, ``taken`` the status of an answer that takes them. ``waits`` are seconds from when a body was
    due to its answer; ``answers`` when each came (perf_counter) and what it said; ``seconds`` is the whole run.
    """

    bodies: Sequence[bytes]
    connections: int = 32
    rate: float | None = None
    path: str = PATH
    taken: int = 201
    waits: list[float] = field(default_factory=list)
    answers: list[tuple[float, bytes]] = field(default_factory=list)
    seconds: float = 0.0

    def run(self, port: int) -> None:
        """Send everything. Raises RuntimeError at any answer of another status."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run(port))

    async def _run(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        todo = iter(enumerate(self.bodies))
        connected = [
            await loop.create_connection(lambda: _Connection(self, todo), "127.0.0.1", port)
            for _ in range(self.connections)
        ]
        begun = time.perf_counter()
        for transport, connection in connected:
            connection.begin(transport, begun)
        await asyncio.gather(*(connection.done for _, connection in connected))
        self.seconds = time.perf_counter() - begun


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load, todo: Iterator[tuple[int, bytes]]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load = load
        self._todo = todo
        self._begun = 0.0
        self._due = 0.0
        self._buffer = b""
        self._next: bytes | None = None

    def begin(self, transport: asyncio.Transport, begun: float) -> None:
        """Start; the run began at ``begun`` (perf_counter)."""
        self._transport = transport
        self._begun = begun
        self._take()

    def _take(self) -> None:
        number, body = next(self._todo, (0, None))
        if body is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._next = body
        now = time.perf_counter()
        self._due = now if self._load.rate is None else self._begun + number / self._load.rate
        if self._due > now:
            asyncio.get_running_loop().call_later(self._due - now, self._send)
        else:
            self._send()

    def _send(self) -> None:
        assert self._next is not None
        head = f"POST {self._load.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        length = f"Content-Length: {len(self._next)}\r\n\r\n"
        self._transport.write((head + length).encode() + self._next)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._buffer = b""
        if not head.startswith(b"HTTP/1.1 %d" % self._load.taken):
            self._fail(RuntimeError(f"Not taken: {head[:40]!r} {body[:500]!r}"))
            return
        now = time.perf_counter()
        self._load.waits.append(now - self._due)
        self._load.answers.append((now, body))
        self._take()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(RuntimeError(f"The server closed the connection: {error}"))

    def _fail(self, error: RuntimeError) -> None:
        if not self.done.done():
            self.done.set_exception(error)
