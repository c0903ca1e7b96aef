"""Bolt messages are found in the bytes of a connection, however these are cut into segments."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tests.bolt_messages import MAGIC, MANIFEST, Conversation, Kind, Piece, SideBytes

PROPOSALS = MAGIC + MANIFEST + bytes(12)
CHOICE = bytes([0, 0, 8, 5]) + b"\x80\x01"
OFFERS = MANIFEST + b"\x02" + bytes([0, 8, 8, 5, 0, 0, 0, 6]) + b"\x81\x82\x03"
SIGN_OF_LIFE = b"\0\0"

payloads = st.binary(min_size=2, max_size=40)
segments = st.lists(st.integers(1, 30), max_size=200)


def chunked(payload: bytes, size: int) -> bytes:
    """The message with ``payload`` in chunks of ``size`` bytes."""
    chunks = [payload[at : at + size] for at in range(0, len(payload), size)]
    return b"".join(len(chunk).to_bytes(2, "big") + chunk for chunk in chunks) + b"\0\0"


def fed(side: SideBytes, data: bytes, sizes: Iterable[int]) -> list[Piece]:
    """The pieces when ``data`` comes in segments of these sizes, and the rest at once."""
    found: list[Piece] = []
    for size in sizes:
        found += side.pieces(data[:size]) if data else []
        data = data[size:]
    return found + (list(side.pieces(data)) if data else [])


def told(pieces: list[Piece]) -> list[bytes]:
    return [piece.payload for piece in pieces if piece.payload is not None]


@given(st.lists(payloads), st.integers(1, 50), segments, st.booleans())
def test_a_client_s_messages_are_found_in_any_segments(
    sent: list[bytes], size: int, cuts: list[int], manifest: bool
) -> None:
    conversation = Conversation()
    greeted = fed(conversation.client, PROPOSALS, cuts)
    answered = fed(conversation.server, OFFERS if manifest else bytes([0, 0, 4, 5]), cuts)
    assert b"".join(piece.raw for piece in greeted) == PROPOSALS
    assert told(greeted) == told(answered) == []
    stream = (CHOICE if manifest else b"") + SIGN_OF_LIFE.join(chunked(payload, size) for payload in sent)
    pieces = fed(conversation.client, stream, cuts)
    assert told(pieces) == sent
    assert b"".join(piece.raw for piece in pieces) == stream


@given(st.lists(payloads), st.integers(1, 50), segments, st.booleans())
def test_a_server_s_messages_are_found_in_any_segments(
    sent: list[bytes], size: int, cuts: list[int], manifest: bool
) -> None:
    conversation = Conversation()
    fed(conversation.client, PROPOSALS, [])
    stream = (OFFERS if manifest else bytes([0, 0, 4, 5])) + b"".join(chunked(payload, size) for payload in sent)
    pieces = fed(conversation.server, stream, cuts)
    assert told(pieces) == sent
    assert b"".join(piece.raw for piece in pieces) == stream


def test_what_is_not_whole_is_held_back_and_can_be_had() -> None:
    conversation = Conversation()
    fed(conversation.client, PROPOSALS, [])
    fed(conversation.server, bytes([0, 0, 4, 5]), [])
    message = chunked(bytes([0xB0, Kind.COMMIT]), 2)
    assert list(conversation.client.pieces(message[:-1])) == []
    assert conversation.client.rest().raw == message[:-1]


@given(st.binary(min_size=4, max_size=200).filter(lambda data: not data.startswith(MAGIC)), segments)
def test_what_is_no_bolt_passes_as_it_comes(data: bytes, cuts: list[int]) -> None:
    conversation = Conversation()
    pieces = fed(conversation.client, data, cuts)
    assert b"".join(piece.raw for piece in pieces) == data
    assert told(pieces) == []
    assert [piece.raw for piece in conversation.server.pieces(data)] == [data]


def test_a_message_tells_its_kind() -> None:
    assert Piece(b"", bytes([0xB1, 0x10])).signature == Kind.RUN
    assert Piece(b"60").signature is None
