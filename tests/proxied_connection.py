"""One connection through a proxy: two sockets, and what passes between them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.bolt_messages import Conversation, Kind, Piece, SideBytes
from tests.proxy_faults import Fault, Phase

_ENDS = (Kind.SUCCESS, Kind.FAILURE, Kind.IGNORED)
_RECV = 1 << 16
_Pass = Callable[[Piece], Awaitable[None]]


@dataclass
class Weather:
    """What all connections of one proxy are exposed to, and what has passed in all of them."""

    delay: float = 0.0
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    faults: list[Fault] = field(default_factory=list)
    messages: Counter[int] = field(default_factory=Counter)
    replies: Counter[int] = field(default_factory=Counter)
    bytes_to_server: int = 0
    bytes_to_client: int = 0

    def fault_of(self, message: Piece) -> Fault | None:
        """The first fault whose turn it is; each fault counts the message."""
        struck = [fault for fault in self.faults if fault.strikes(message)]
        return struck[0] if struck else None


class Connection:
    """Passes on what comes, until both sides have ended, one of them is reset, or a fault strikes."""

    def __init__(self, client: socket.socket, server: socket.socket, weather: Weather) -> None:
        self._client = client
        self._server = server
        self._weather = weather
        self._unanswered: deque[Fault | None] = deque()
        self._is_silent = False

    async def run(self) -> bool:
        """True if it ended well, False if it broke. The caller closes the sockets."""
        conversation = Conversation()
        went_well = True
        try:
            async with asyncio.TaskGroup() as group:
                self._pump(group, self._client, conversation.client, self._to_server, self._server)
                self._pump(group, self._server, conversation.server, self._to_client, self._client)
        except* OSError:
            went_well = False
        return went_well

    def _pump(
        self, group: asyncio.TaskGroup, source: socket.socket, side: SideBytes, out: _Pass, target: socket.socket
    ) -> None:
        """Take bytes as they come, whatever the weather, and pass them on when the weather lets them."""
        taken: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        group.create_task(self._take(source, taken))
        group.create_task(self._pass_on(taken, side, out, target))

    async def _take(self, source: socket.socket, taken: asyncio.Queue[tuple[float, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        data = b"begin"
        while data:
            data = await loop.sock_recv(source, _RECV)
            taken.put_nowait((loop.time() + self._weather.delay, data))

    async def _pass_on(
        self, taken: asyncio.Queue[tuple[float, bytes]], side: SideBytes, out: _Pass, target: socket.socket
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await taken.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            for piece in side.pieces(data) if data else [side.rest()]:
                await self._weather.flowing.wait()
                await out(piece)
            if not data:
                with contextlib.suppress(OSError):
                    target.shutdown(socket.SHUT_WR)
                return

    async def _to_server(self, piece: Piece) -> None:
        fault = None if piece.signature is None else self._weather.fault_of(piece)
        if fault is not None and fault.phase is Phase.BEFORE:
            self._break(fault)
        if piece.signature not in (None, Kind.GOODBYE):
            self._unanswered.append(fault)
        self._weather.bytes_to_server += len(piece.raw)
        if piece.signature is not None:
            self._weather.messages[piece.signature] += 1
        await asyncio.get_running_loop().sock_sendall(self._server, piece.raw)
        if fault is not None and fault.phase is Phase.SENT:
            self._break(fault)

    async def _to_client(self, piece: Piece) -> None:
        """Each message of the client is answered by records, if any, and one message that ends its answer, in order."""
        if self._is_silent:
            return
        is_reply = piece.signature is not None and bool(self._unanswered)
        fault = self._unanswered[0] if is_reply else None
        is_end = is_reply and piece.signature in _ENDS
        if is_end:
            self._unanswered.popleft()
        if fault is None:
            await self._reply(piece)
        elif is_end and fault.phase is Phase.ANSWERED:
            self._break(fault)
        elif is_end:
            self._is_silent = True
            fault.happen()

    async def _reply(self, piece: Piece) -> None:
        self._weather.bytes_to_client += len(piece.raw)
        if piece.signature is not None:
            self._weather.replies[piece.signature] += 1
        await asyncio.get_running_loop().sock_sendall(self._client, piece.raw)

    def _break(self, fault: Fault) -> None:
        fault.happen()
        raise ConnectionResetError(fault.phase.value)


def close(*ends: socket.socket, abruptly: bool) -> None:
    """Close sockets that nobody waits for any more; ``abruptly`` sends RST instead of FIN."""
    for end in ends:
        if abruptly:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()
