"""A TCP proxy that does harm: in front of any port of 127.0.0.1, and exact to the message if Bolt passes through it.

    with TcpProxy(server.port) as proxy, GraphDatabase.driver(proxy.uri) as driver:
        fault = proxy.reset_at(Kind.COMMIT, Phase.ANSWERED)
        with pytest.raises(ServiceUnavailable):
            driver.execute_query("CREATE (:Dataset)")
        fault.wait()

For the messages to be seen the driver must use ``bolt://``: ``neo4j://`` asks the server for its own address and goes
there, and TLS passes as bytes. Whole messages are passed on, never a part of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

from tests.bolt_messages import Kind, Piece
from tests.free_port import free_port
from tests.proxied_connection import Connection, Weather, close
from tests.proxy_faults import Fault, Match, Phase

__all__ = ["Fault", "Kind", "Match", "Phase", "Piece", "TcpProxy"]

T = TypeVar("T")


class TcpProxy:
    """Listens on ``port`` of 127.0.0.1 from the beginning of the ``with`` to its end, or from ``start`` to ``close``.

    Where the server behind it can't be reached, a connection is taken, and then reset. Methods may be called from any
    thread, and what they do is done when they return. Counters say what has passed since the proxy was made.
    """

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.port = free_port()
        self.connections = 0
        """Connections that were taken."""
        self.resets = 0
        """Connections that ended with a reset, whoever wanted it."""
        self._weather = Weather()
        self._weather.flowing.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"tcp-proxy-{self.port}", daemon=True)
        self._open: dict[asyncio.Task[None], socket.socket] = {}
        self._errors: list[BaseException] = []
        self._listening: asyncio.Task[None] | None = None

    @property
    def uri(self) -> str:
        """``bolt://127.0.0.1:PORT``."""
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    @property
    def messages(self) -> Counter[int]:
        """Bolt messages that were passed on to the server, by signature (Kind)."""
        return self._weather.messages.copy()

    @property
    def replies(self) -> Counter[int]:
        """Bolt messages that were passed on to the client, by signature (Kind)."""
        return self._weather.replies.copy()

    @property
    def bytes_to_server(self) -> int:
        """Bytes that were passed on to the server."""
        return self._weather.bytes_to_server

    @property
    def bytes_to_client(self) -> int:
        """Bytes that were passed on to the client."""
        return self._weather.bytes_to_client

    def start(self) -> TcpProxy:
        """Listen."""
        self._thread.start()
        self.accept()
        return self

    def close(self) -> None:
        """Listen no more, and reset what is open; raises what a predicate raised."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            self.refuse()
            self.reset()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        self._loop.close()
        if self._errors:
            raise self._errors[0]

    def refuse(self) -> None:
        """Refuse new connections; those that are open stay so."""
        self._do(self._refuse())

    def accept(self) -> None:
        """Take new connections again, on the same port."""
        self._do(self._accept())

    def reset(self) -> int:
        """Reset all open connections (RST to both sides); how many there were."""
        return self._do(self._reset())

    def stall(self) -> None:
        """Take bytes and pass none on, on connections that are open and that come, as if the network were lost."""
        self._do(self._let_flow(False))

    def resume(self) -> None:
        """Pass on what came during ``stall``, and go on."""
        self._do(self._let_flow(True))

    def delay(self, seconds: float) -> None:
        """Pass on each byte so much later, in both directions; order is kept, and throughput too. 0 takes it away."""
        self._weather.delay = seconds

    def reset_at(self, match: Match, phase: Phase, *, nth: int = 1, times: int = 1) -> Fault:
        """Reset the connection at the ``nth`` message of the client from now on that ``match`` means, in this phase.

        Messages of all connections count. With ``times`` the same happens at as many such messages in a row.
        """
        fault = Fault(match, phase, nth, times)
        self._do(self._arm(fault))
        return fault

    def drop_replies_after(self, match: Match, *, nth: int = 1, times: int = 1) -> Fault:
        """As ``reset_at``, but the connection stays open, and the client hears nothing more on it: its reply is lost.

        It has happened when the server has answered. Replies to earlier messages still reach the client.
        """
        return self.reset_at(match, Phase.SILENCE, nth=nth, times=times)

    def clear(self) -> None:
        """Forget faults that have not happened, the stall, and the delay; take connections."""
        self._do(self._arm(None))
        self.delay(0)
        self.resume()
        self.accept()

    def __enter__(self) -> TcpProxy:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _do(self, action: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(action, self._loop).result(30)

    async def _arm(self, fault: Fault | None) -> None:
        if fault is None:
            self._weather.faults.clear()
        else:
            self._weather.faults.append(fault)

    async def _let_flow(self, flows: bool) -> None:
        if flows:
            self._weather.flowing.set()
        else:
            self._weather.flowing.clear()

    async def _accept(self) -> None:
        if self._listening is None:
            listener = socket.create_server(("127.0.0.1", self.port), backlog=100)
            listener.setblocking(False)
            self._listening = asyncio.create_task(self._listen(listener))

    async def _refuse(self) -> None:
        if self._listening is not None:
            await _ended(self._listening)
            self._listening = None

    async def _listen(self, listener: socket.socket) -> None:
        with listener:
            while True:
                client, _ = await self._loop.sock_accept(listener)
                self.connections += 1
                task = asyncio.create_task(self._serve(client))
                self._open[task] = client
                task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        """A task that was cancelled before it began has not closed its socket."""
        close(self._open.pop(task), abruptly=True)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._errors.append(error)

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket()
        went_well = False
        try:
            for end in (client, server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(ConnectionError):
                await self._loop.sock_connect(server, ("127.0.0.1", self.server_port))
                went_well = await Connection(client, server, self._weather).run()
        finally:
            self.resets += not went_well
            close(client, server, abruptly=not went_well)

    async def _reset(self) -> int:
        open_now = list(self._open)
        await _ended(*open_now)
        return len(open_now)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    """Cancel them, and wait until they have given up their sockets."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
