"""Reading a request's body in bounded memory: limits while it streams, gzip with and without ``Content-Encoding``.

gzip is RFC 1952 with any number of members; older Java clients send it without saying so, hence the look at the first
two bytes.
"""

from __future__ import annotations

import asyncio
import zlib
from concurrent.futures import Executor

from starlette.types import Message, Receive, Scope

from lineage.errors import QueueFullError, RefusedError, TooLargeError

GZIP_MAGIC = b"\x1f\x8b"
INLINE_GZIP = 8 << 10
"""Compressed bytes up to which a body is inflated on the event loop: at gzip's best ratio, 8 MB or 10 ms."""

_WINDOW = 64 << 10
_MAX_MEMBERS = 10_000
_ENCODINGS = {b"": False, b"identity": False, b"gzip": True, b"x-gzip": True}


class DisconnectedError(Exception):
    """The client went away before its body was whole; there is nobody to answer."""


class UnsupportedEncodingError(RefusedError):
    """A ``Content-Encoding`` that is neither gzip nor identity (RFC 9110 section 8.4: 415)."""

    status = 415


class SlowBodyError(RefusedError):
    """A body that did not arrive in time (RFC 9110 section 15.5.9: 408)."""

    status = 408


class Budget:
    """The bytes of all bodies that are in memory at once. Used from the event loop only."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    def take(self, size: int) -> None:
        """Count ``size`` bytes in. Raises QueueFullError when they don't fit; a body that is alone always fits."""
        if self.used and self.used + size > self.limit:
            raise QueueFullError("Too many bodies are being read at once.", hint="Send it again in a moment.")
        self.used += size

    def give_back(self, size: int) -> None:
        """Count ``size`` bytes out."""
        self.used -= size


class Body:
    """One request's body. ``wire`` is what was read as it was sent; ``whole`` says whether that is all of it."""

    __slots__ = ("_budget", "content_type", "declared", "encoding", "taken", "whole", "wire")

    def __init__(self, scope: Scope, budget: Budget) -> None:
        self.content_type: str | None = None
        self.encoding = b""
        self.declared = 0
        self.wire: bytes | bytearray = b""
        self.taken = 0
        self.whole = False
        self._budget = budget
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.declared = int(value) if value.isdigit() else 0
            elif name == b"content-type":
                self.content_type = value.decode("latin-1")
            elif name == b"content-encoding":
                self.encoding = value.strip().lower()

    @property
    def size(self) -> int:
        """Bytes on the wire: as declared, or as read so far."""
        return max(self.declared, len(self.wire))

    async def read(self, receive: Receive, limit: int, timeout: float, executor: Executor) -> bytes:
        """All of the body, decompressed, at most ``limit`` bytes before and after; ``timeout`` in seconds.

        Raises TooLargeError, UnsupportedEncodingError, SlowBodyError, RefusedError (broken gzip), QueueFullError (too
        much in memory), DisconnectedError.
        """
        if self.encoding not in _ENCODINGS:
            named = self.encoding[:100].decode("latin-1")
            raise UnsupportedEncodingError(f"Content-Encoding {named!r} is not taken.", hint="Send gzip, or none.")
        if self.declared > limit:
            raise _too_large(self.declared, limit)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.wire = message.get("body", b"")
            self._take(len(self.wire))
        else:
            await self._stream(message, receive, limit, timeout)
        self.whole = True
        if len(self.wire) > limit:
            raise _too_large(len(self.wire), limit)
        data = bytes(self.wire)
        if _ENCODINGS[self.encoding] or data.startswith(GZIP_MAGIC):
            return await self._inflated(data, limit, executor)
        return data

    def release(self) -> None:
        """Give back what this body took of the budget."""
        self._budget.give_back(self.taken)
        self.taken = 0

    def _take(self, size: int) -> None:
        self._budget.take(size)
        self.taken += size

    async def _stream(self, message: Message, receive: Receive, limit: int, timeout: float) -> None:
        self.wire = whole = bytearray()
        more = True
        try:
            async with asyncio.timeout(timeout):
                while more:
                    if message["type"] != "http.request":
                        raise DisconnectedError
                    chunk = message.get("body", b"")
                    self._take(len(chunk))
                    whole += chunk
                    if len(whole) > limit:
                        raise _too_large(len(whole), limit)
                    more = message.get("more_body", False)
                    if more:
                        message = await receive()
        except TimeoutError:
            raise SlowBodyError(f"The body was not whole after {timeout:g} s.", hint="Send it again.") from None

    async def _inflated(self, data: bytes, limit: int, executor: Executor) -> bytes:
        if len(data) <= INLINE_GZIP:
            plain = inflate(data, limit)
        else:
            plain = await asyncio.get_running_loop().run_in_executor(executor, inflate, data, limit)
        self._take(len(plain))
        return plain


def inflate(data: bytes, limit: int) -> bytes:
    """The content of a gzip file of one or more members, at most ``limit`` bytes.

    No more than ``limit`` bytes and one window are ever held. Raises TooLargeError past the limit, RefusedError when
    the data is broken, cut short, followed by something else, or in more than 10,000 members.
    """
    pieces: list[bytes] = []
    room, at, members = limit, 0, 0
    while at < len(data) and (members == 0 or data[at] != 0 or data[at:].strip(b"\0")):
        members += 1
        if members > _MAX_MEMBERS:
            raise RefusedError(f"The gzip body has more than {_MAX_MEMBERS} members.")
        at, room = _inflate_member(data, at, room, pieces, limit)
    if not members:
        raise _broken("it is empty")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _inflate_member(data: bytes, at: int, room: int, pieces: list[bytes], limit: int) -> tuple[int, int]:
    decoder = zlib.decompressobj(wbits=31)
    while not decoder.eof:
        window = data[at : at + _WINDOW]
        if not window:
            raise _broken("it ends too early")
        try:
            piece = decoder.decompress(window, room + 1)
        except zlib.error as error:
            raise _broken(str(error)) from error
        room -= len(piece)
        if room < 0:
            raise TooLargeError(f"The body is larger than {limit} bytes when decompressed.", hint=_SPLIT)
        if piece:
            pieces.append(piece)
        at += len(window) - len(decoder.unconsumed_tail) - len(decoder.unused_data)
    return at, room


_SPLIT = "Send less at once, or raise the server's limit."


def _broken(why: str) -> RefusedError:
    return RefusedError(f"The body is no whole gzip data: {why}.")


def _too_large(size: int, limit: int) -> TooLargeError:
    return TooLargeError(f"The body has {size} bytes or more; {limit} are taken.", hint=_SPLIT)
