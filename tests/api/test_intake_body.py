"""Reading bodies: gzip, limits, memory, bodies that never come whole."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lineage.errors import QueueFullError, RefusedError, TooLargeError
from lineage_ingest.intake.body import Body, Budget, DisconnectedError, SlowBodyError, inflate

URL = "/api/v1/lineage"
GZIP = {"content-encoding": "gzip"}
Make = Callable[..., bytes]


@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=5), zeros=st.integers(0, 3))
def test_any_gzip_of_any_members_is_inflated(parts: list[bytes], zeros: int) -> None:
    data = b"".join(gzip.compress(part) for part in parts) + bytes(zeros)
    assert inflate(data, 2000) == b"".join(parts)


@given(content=st.binary(min_size=1, max_size=500), data=st.data())
def test_gzip_that_is_cut_short_is_refused(content: bytes, data: st.DataObject) -> None:
    whole = gzip.compress(content)
    with pytest.raises(RefusedError):
        inflate(whole[: data.draw(st.integers(0, len(whole) - 1))], 1000)


@given(content=st.binary(min_size=1, max_size=500), data=st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(content: bytes, data: st.DataObject) -> None:
    whole = bytearray(gzip.compress(content, mtime=0))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        inflated = inflate(bytes(whole), 10_000)
    except RefusedError:
        return
    assert inflated == content


@pytest.mark.parametrize("tail", [b"x", b"\0x", b"\x1f\x8b", b"{}"])
def test_what_follows_the_gzip_is_refused(tail: bytes) -> None:
    with pytest.raises(RefusedError):
        inflate(gzip.compress(b"{}", mtime=0) + tail, 1000)


@pytest.mark.parametrize("size", [999, 1000, 1001, 100_000])
def test_the_limit_is_exact(size: int) -> None:
    data = gzip.compress(bytes(size))
    if size <= 1000:
        assert inflate(data, 1000) == bytes(size)
    else:
        with pytest.raises(TooLargeError):
            inflate(data, 1000)


def test_a_gzip_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(bytes(100 << 20))
    assert len(bomb) < 110_000
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            inflate(bomb, 1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_bomb_of_empty_members_is_refused() -> None:
    with pytest.raises(RefusedError, match="members"):
        inflate(gzip.compress(b"") * 10_001, 1000)


@pytest.mark.parametrize("headers", [GZIP, {}, {"content-encoding": "x-gzip"}, {"content-encoding": "GZIP"}])
def test_gzip_is_taken_with_and_without_its_header(
    client: TestClient, house: Any, event: Make, headers: dict[str, str]
) -> None:
    plain = client.post(URL, content=event()).json()
    answer = client.post(URL, content=gzip.compress(event()), headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {**plain, "duplicate": True}
    assert house.stored() == [event()]


@pytest.mark.parametrize("content", [b"\x1f\x8bnonsense", gzip.compress(b"{}", mtime=0)[:-3], b"\x1f\x8b"])
@pytest.mark.parametrize("headers", [GZIP, {}])
def test_broken_gzip_is_refused_with_400(client: TestClient, content: bytes, headers: dict[str, str]) -> None:
    answer = client.post(URL, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "REFUSED")


def test_gzip_that_is_none_is_refused_with_400(client: TestClient, event: Make) -> None:
    assert client.post(URL, content=event(), headers=GZIP).status_code == 400


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "x"])
def test_another_encoding_is_refused_with_415(client: TestClient, event: Make, encoding: str) -> None:
    answer = client.post(URL, content=event(), headers={"content-encoding": encoding})
    assert answer.status_code == 415
    assert "gzip" in answer.json()["detail"]


@pytest.mark.parametrize("zipped", [False, True])
def test_a_body_past_the_limit_is_refused_with_413(client: TestClient, house: Any, zipped: bool) -> None:
    content = b'"' + b"a" * 100_000 + b'"'
    answer = client.post(URL, content=gzip.compress(content) if zipped else content)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    house.rejected.flush()
    (kept,) = house.rejected.list()
    assert kept.code == "TOO_LARGE"
    assert kept.size == (len(gzip.compress(content)) if zipped else len(content))


def test_an_event_of_almost_the_limit_is_taken(client: TestClient, event: Make) -> None:
    content = event(producer="x" * 99_000)
    assert client.post(URL, content=gzip.compress(content)).status_code == 201


def test_an_event_too_large_for_the_event_loop_is_checked_beside_it(
    make_house: Callable[..., Any], tmp_path: Any, event: Make
) -> None:
    house = make_house(tmp_path)
    house.limits = replace(house.limits, event_bytes=30 << 20)
    with TestClient(house.serve()) as client:
        assert client.post(URL, content=event(producer="x" * (23 << 20))).status_code == 201
        assert client.post(URL, content=b'{"a": ' + b"[" * (1 << 20)).status_code == 400
    house.close()


def stream(*chunks: bytes, end: bool = True) -> Callable[[], Any]:
    """An ASGI receive that gives ``chunks`` and then ends, or never does."""
    messages: Iterator[dict[str, Any]] = iter([{"type": "http.request", "body": c, "more_body": True} for c in chunks])

    async def receive() -> dict[str, Any]:
        message = next(messages, None)
        if message is None and not end:
            await asyncio.sleep(60)
        return message or {"type": "http.request", "body": b"", "more_body": False}

    return receive


def read(
    receive: Callable[[], Any], headers: list[tuple[bytes, bytes]], limit: int = 1000, budget: Budget | None = None
) -> tuple[Body, Any]:
    """Read a body outside any server; the second is its content or what was raised."""
    body = Body({"headers": headers}, budget or Budget(10_000))

    async def run() -> Any:
        with ThreadPoolExecutor(1) as threads:
            try:
                return await body.read(receive, limit, 0.05, threads)
            except (RefusedError, QueueFullError, DisconnectedError) as error:
                return error

    return body, asyncio.run(run())


def test_a_declared_length_past_the_limit_is_refused_unread() -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")

    body, error = read(never, [(b"content-length", b"104857600")])
    assert isinstance(error, TooLargeError)
    assert (body.size, body.taken, body.whole) == (104857600, 0, False)


def test_a_stream_past_the_limit_is_left_where_it_is() -> None:
    body, error = read(stream(*[bytes(100)] * 1000), [])
    assert isinstance(error, TooLargeError)
    assert len(body.wire) == 1100


def test_a_body_that_comes_in_pieces_is_whole() -> None:
    zipped = gzip.compress(b"abc" * 100)
    body, content = read(stream(*[zipped[at : at + 1] for at in range(len(zipped))]), [(b"content-encoding", b"gzip")])
    assert content == b"abc" * 100
    assert body.taken == len(zipped) + 300


def test_a_body_that_stops_coming_is_refused_with_408() -> None:
    _, error = read(stream(b"{", end=False), [])
    assert isinstance(error, SlowBodyError)
    assert error.status == 408


def test_a_client_that_goes_away_is_not_answered() -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert isinstance(read(gone, [])[1], DisconnectedError)


def test_bodies_past_the_memory_that_is_there_are_asked_to_come_again() -> None:
    budget = Budget(500)
    body, _ = read(stream(bytes(400)), [], budget=budget)
    _, error = read(stream(bytes(200)), [], budget=budget)
    assert isinstance(error, QueueFullError)
    body.release()
    assert read(stream(bytes(200)), [], budget=budget)[1] == bytes(200)


def test_what_a_body_took_is_given_back_whatever_happened(client: TestClient, house: Any, event: Make) -> None:
    inflight = house.router._intake
    for content in (event(), b"{", gzip.compress(event()), b"\x1f\x8b", bytes(200_000), zlib.compress(b"x")):
        client.post(URL, content=content)
        assert inflight.inflight_bytes == 0
