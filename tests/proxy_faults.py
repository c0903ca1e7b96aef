"""What a proxy does to a connection when a certain message passes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum

from tests.bolt_messages import Kind, Piece

Match = Kind | bytes | Callable[[Piece], bool]
"""Which messages of the client are meant: those of a kind, that contain these bytes, or of which it is true."""


class Phase(Enum):
    """When a connection is harmed, and what is known then of the message."""

    BEFORE = "reset before the server has seen the message"
    SENT = "reset as soon as the message has been sent on: the server may do it or not"
    ANSWERED = "reset when the server has answered: it has done it, and the client doesn't know"
    SILENCE = "when the server has answered, nothing more reaches the client, on a connection that stays open"


class Fault:
    """Harm to come: ``happened`` counts how often it came. Made by a TcpProxy."""

    def __init__(self, match: Match, phase: Phase, nth: int, times: int) -> None:
        self.phase = phase
        self.happened = 0
        self._match = match
        self._from, self._below = nth, nth + times
        self._seen = 0
        self._event = threading.Event()

    def wait(self, patience: float = 30) -> None:
        """Return once it has happened; AssertionError if it has not after ``patience`` seconds."""
        if not self._event.wait(patience):
            raise AssertionError(f"No fault happened in {patience} s: {self.phase.value}.")

    def strikes(self, message: Piece) -> bool:
        """Whether it is this message's turn; to be asked once for each message."""
        if not _matches(self._match, message):
            return False
        self._seen += 1
        return self._from <= self._seen < self._below

    def happen(self) -> None:
        """It has come."""
        self.happened += 1
        self._event.set()


def _matches(match: Match, message: Piece) -> bool:
    if isinstance(match, Kind):
        return message.signature == match
    if isinstance(match, bytes):
        return match in (message.payload or b"")
    return match(message)
