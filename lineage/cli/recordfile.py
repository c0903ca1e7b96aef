"""Files of records: NDJSON, one JSON value, several after each other, or a JSON array; plain or gzip.

Records keep their exact bytes, as these are what the ledger commits to. The first line tells which it is: NDJSON, if it
is a JSON value by itself, is read as it goes; anything else is read whole. What is no JSON is handed on as it stands:
the server or the ledger says what is wrong with it.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lineage.errors import BadInputError

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_PEEK = 1 << 16
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Record:
    """One record: ``place`` is its line in NDJSON, counted from 1, or else its number."""

    place: int
    data: bytes


def read_records(path: Path, advance: Callable[[int], None]) -> Iterator[Record]:
    """The records in the file at ``path`` (``-`` is standard input), in order; ``advance`` is told the bytes read of
    the file. Raises BadInputError for a broken gzip, OSError."""
    with _opened(path) as raw:
        counting = _Counting(raw, advance)
        buffered = io.BufferedReader(counting, _PEEK)
        stream: BinaryIO = buffered
        try:
            if buffered.peek(2)[:2] == _GZIP:
                stream = io.BufferedReader(gzip.GzipFile(fileobj=buffered), _PEEK)
            yield from _read(stream)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise BadInputError(f"{path} is no whole gzip file: {error}.") from error


def _opened(path: Path) -> BinaryIO:
    return sys.stdin.buffer if str(path) == "-" else path.open("rb", buffering=0)


class _Counting(io.RawIOBase):
    def __init__(self, stream: BinaryIO, advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._advance(len(data))
        return len(data)


def _read(stream: BinaryIO) -> Iterator[Record]:
    number, first = 0, b""
    while not first.strip():
        number, first = number + 1, stream.readline()
        if not first:
            return
    first = first.removeprefix(_BOM)
    if first.lstrip()[:1] != b"[" and _is_json(first):
        yield Record(number, first.strip())
        yield from _lines(stream, number)
        return
    rest = stream.read()
    values = _values(first + rest)
    if values is None:
        yield Record(number, first.strip())
        yield from _lines(io.BytesIO(rest), number)
        return
    for place, data in enumerate(values, start=1):
        yield Record(place, data)


def _lines(stream: BinaryIO, number: int) -> Iterator[Record]:
    for place, line in enumerate(stream, start=number + 1):
        data = line.strip()
        if data:
            yield Record(place, data)


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _values(data: bytes) -> list[bytes] | None:
    """The elements of a JSON array, or JSON values after each other; None for what is neither."""
    try:
        text = data.decode()
        start = _skip(text, 0)
        return _elements(text, start + 1) if text[start] == "[" else _sequence(text, start)
    except (ValueError, RecursionError, IndexError):
        return None


def _elements(text: str, at: int) -> list[bytes]:
    found: list[bytes] = []
    at = _skip(text, at)
    if text[at] == "]":
        return found
    while True:
        end = _end_of_value(text, at)
        found.append(text[at:end].encode())
        at = _skip(text, end)
        if text[at] == "]":
            _refuse_rest(text, at + 1)
            return found
        if text[at] != ",":
            raise ValueError(at)
        at = _skip(text, at + 1)


def _refuse_rest(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise ValueError(at)


def _sequence(text: str, at: int) -> list[bytes]:
    found: list[bytes] = []
    while at < len(text):
        end = _end_of_value(text, at)
        found.append(text[at:end].encode())
        at = _skip(text, end)
    return found


_DECODER = json.JSONDecoder()


def _end_of_value(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
