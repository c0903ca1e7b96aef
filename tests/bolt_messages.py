"""The messages of a Bolt connection, cut out of the bytes that pass in both directions.

Follows the Bolt protocol's "handshake" (versions 1 to 6, with the manifest of version 1) and "message chunking":
https://neo4j.com/docs/bolt/current/bolt/. What is no Bolt (TLS, say) passes as it comes, and has no messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

MAGIC = bytes.fromhex("6060b017")
MANIFEST = bytes.fromhex("000001ff")


class Kind(IntEnum):
    """What a message is: its signature. The first ones are the client's, the last ones the server's."""

    HELLO = 0x01
    GOODBYE = 0x02
    RESET = 0x0F
    RUN = 0x10
    BEGIN = 0x11
    COMMIT = 0x12
    ROLLBACK = 0x13
    DISCARD = 0x2F
    PULL = 0x3F
    TELEMETRY = 0x54
    ROUTE = 0x66
    LOGON = 0x6A
    LOGOFF = 0x6B
    SUCCESS = 0x70
    RECORD = 0x71
    IGNORED = 0x7E
    FAILURE = 0x7F


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that pass together: one whole message with its chunks, and what it says (PackStream); or anything else."""

    raw: bytes
    payload: bytes | None = None

    @property
    def signature(self) -> int | None:
        """A value of Kind, for all messages known today; None if this is no message."""
        return self.payload[1] if self.payload is not None and len(self.payload) > 1 else None


class Conversation:
    """One connection, seen from between: give ``client`` and ``server`` the bytes of each as they come."""

    def __init__(self) -> None:
        self.is_bolt: bool | None = None
        self.has_manifest = False
        self.client = ClientBytes(self)
        self.server = ServerBytes(self)


class SideBytes:
    """What one side has sent and has not been passed on."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._held = bytearray()
        self._turns = 0
        self._at = 0
        self._payload = bytearray()

    def pieces(self, data: bytes) -> Iterator[Piece]:
        """The pieces that have become whole with ``data``; what is not whole yet is held back."""
        raise NotImplementedError

    def rest(self) -> Piece:
        """All that is held back: when no more comes, the beginning of a message."""
        return self._take(len(self._held), None)

    def _turn(self, end: int) -> Piece:
        """One turn of the handshake, which ends there."""
        self._turns += 1
        return self._take(end, None)

    def _messages(self) -> Iterator[Piece]:
        """An empty chunk without a message before it is a sign of life."""
        while len(self._held) >= self._at + 2:
            size = int.from_bytes(self._held[self._at : self._at + 2], "big")
            if len(self._held) < self._at + 2 + size:
                return
            self._payload += self._held[self._at + 2 : self._at + 2 + size]
            self._at += 2 + size
            if size == 0:
                yield self._take(self._at, bytes(self._payload) or None)

    def _take(self, end: int, payload: bytes | None) -> Piece:
        raw = bytes(self._held[:end])
        del self._held[:end]
        self._at = 0
        self._payload.clear()
        return Piece(raw, payload)


class ClientBytes(SideBytes):
    """Magic and proposals (20 bytes), the choice from a manifest if the server sent one, then messages."""

    def pieces(self, data: bytes) -> Iterator[Piece]:
        """As promised by SideBytes."""
        self._held += data
        if self._conversation.is_bolt is None:
            begun = bytes(self._held[: len(MAGIC)])
            self._conversation.is_bolt = True if begun == MAGIC else None if MAGIC.startswith(begun) else False
        if not self._conversation.is_bolt:
            if self._conversation.is_bolt is not None:
                yield self.rest()
            return
        if self._turns == 0 and len(self._held) >= 20:
            yield self._turn(20)
        if self._turns == 1 and self._conversation.has_manifest:
            end = _past_varint(self._held, 4)
            if end is not None:
                yield self._turn(end)
        if self._turns == (2 if self._conversation.has_manifest else 1):
            yield from self._messages()


class ServerBytes(SideBytes):
    """The answer to the handshake, then messages; what comes before the client has spoken passes as it is."""

    def pieces(self, data: bytes) -> Iterator[Piece]:
        """As promised by SideBytes."""
        self._held += data
        if not self._conversation.is_bolt:
            yield self.rest()
            return
        if self._turns == 0:
            end = _past_answer(self._held)
            if end is None:
                return
            self._conversation.has_manifest = self._held.startswith(MANIFEST)
            yield self._turn(end)
        yield from self._messages()


def _past_answer(held: bytearray) -> int | None:
    """Where the server's answer to the handshake ends: a version, or a manifest of versions and capabilities."""
    if len(held) < 4:
        return None
    if not held.startswith(MANIFEST):
        return 4
    end = _past_varint(held, 4)
    if end is None:
        return None
    count = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(held[4:end]))
    return _past_varint(held, end + 4 * count)


def _past_varint(held: bytearray, at: int) -> int | None:
    """Where the number that begins at ``at`` ends: at the first byte without its highest bit; None if not there yet."""
    return next((place + 1 for place in range(at, len(held)) if held[place] < 0x80), None)
