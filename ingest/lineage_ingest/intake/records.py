"""From a body to records that are checked: one, or a batch in which a bad element costs its neighbours nothing.

A batch is a JSON array or NDJSON: as its content type says, and where that says neither, as it looks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from lineage.errors import InvalidEventError, NotJSONError, RefusedError, TooLargeError
from lineage.event.batch import split_array, split_lines
from lineage.event.decoder import STRING
from lineage.event.model import Event, PredictionRecord
from lineage.event.parser import parse_event
from lineage.event.prediction import parse_prediction
from lineage.ledger import EntryKind

_LINE_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_MANY_COMMAS = 1_000_000
"""Were each of so many commas an element, splitting would take 150 MB; from there on elements are counted first."""

Record = Event | PredictionRecord
"""What a record says."""

_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_TOKEN = re.compile(STRING + rb"|[\[{]|[\]}]|,", re.DOTALL)
_LINE = re.compile(rb"[^ \t\r\n]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An element of a batch that is not taken: its place, its bytes, why."""

    element: int
    record: bytes
    error: RefusedError


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, checked: ``records`` are the good ones, ``elements`` their places, ``parsed`` what they say."""

    received: int
    elements: tuple[int, ...]
    records: tuple[bytes, ...]
    parsed: tuple[Record, ...]
    refusals: tuple[Refusal, ...]


def check_event(data: bytes) -> tuple[str, ...]:
    """The warnings about one OpenLineage event. Raises NotJSONError, InvalidEventError."""
    return _read("lineage", data).warnings


def check_prediction(data: bytes) -> tuple[str, ...]:
    """The warnings about one prediction record. Raises NotJSONError, InvalidEventError."""
    return _read("predictions", data).warnings


_PARSERS: dict[EntryKind, Callable[..., Record]] = {
    "lineage": parse_event,
    "predictions": parse_prediction,
}
CHECKS: dict[EntryKind, Callable[[bytes], tuple[str, ...]]] = {
    "lineage": check_event,
    "predictions": check_prediction,
}


def _read(kind: EntryKind, data: bytes) -> Record:
    return _PARSERS[kind](data, now=time.time_ns() // 1000)


def check_single(kind: EntryKind, data: bytes, content_type: str | None) -> Record:
    """What a body that should be one record says.

    Raises NotJSONError, InvalidEventError; where the body is several records, the refusal says where they go.
    """
    try:
        return _read(kind, data)
    except RefusedError as error:
        if is_array(data) and isinstance(error, InvalidEventError):
            raise InvalidEventError(
                "The body is an array, and this address takes one record.",
                hint="Send arrays to /api/v1/lineage/batch.",
                field="",
            ) from error
        if is_lines(content_type):
            raise NotJSONError(error.message, hint="Send NDJSON to /api/v1/lineage/batch.") from error
        raise


def check_batch(kind: EntryKind, data: bytes, content_type: str | None, max_records: int, max_bytes: int) -> Batch:
    """Split a batch and check each element; ``max_bytes`` is for one.

    Raises NotJSONError when elements can't be told apart, InvalidEventError for one JSON object that is no batch,
    TooLargeError when there are more than ``max_records``.
    """
    split = _split(data, content_type, max_records)
    elements: list[int] = []
    parsed: list[Record] = []
    refusals: list[Refusal] = []
    for place, record in enumerate(split):
        try:
            if len(record) > max_bytes:
                raise TooLargeError(f"The record has {len(record)} bytes; {max_bytes} are taken.")
            parsed.append(_read(kind, record))
            elements.append(place)
        except RefusedError as error:
            refusals.append(Refusal(place, record, error))
    records = tuple(split[place] for place in elements)
    return Batch(len(split), tuple(elements), records, tuple(parsed), tuple(refusals))


def is_batch(data: bytes, content_type: str | None) -> bool:
    """Whether a body that may be one record or several is several."""
    if is_lines(content_type) or is_array(data):
        return True
    if _media_type(content_type).endswith("json"):
        return False
    first, _, rest = data.lstrip(_SPACE).partition(b"\n")
    return first.rstrip(_SPACE).endswith(b"}") and bool(rest.strip(_SPACE))


def is_array(data: bytes) -> bool:
    """Whether a body begins as a JSON array does."""
    return data[:1] == b"[" or data.removeprefix(_BOM).lstrip(_SPACE)[:1] == b"["


def is_lines(content_type: str | None) -> bool:
    """Whether a content type says NDJSON, by any of its names."""
    return _media_type(content_type) in _LINE_TYPES


def _media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _split(data: bytes, content_type: str | None, max_records: int) -> list[bytes]:
    if is_lines(content_type):
        return _split_lines(data, max_records)
    if is_array(data):
        _refuse_long_array(data, max_records)
        split = split_array(data)
        if len(split) > max_records:
            raise _too_many(max_records)
        return split
    if not data.strip(_SPACE):
        raise NotJSONError("The body is empty.", hint="Send a JSON array, or NDJSON as application/x-ndjson.")
    if _media_type(content_type).endswith("json"):
        raise InvalidEventError(
            "The body is no array, and this address takes batches.",
            hint="Send one event to /api/v1/lineage, and NDJSON as application/x-ndjson.",
            field="",
        )
    return _split_lines(data, max_records)


def _split_lines(data: bytes, max_records: int) -> list[bytes]:
    # Counted before it is split: a line of one byte costs fifty as an object.
    if data.count(b"\n") >= max_records and _lines(data, max_records) > max_records:
        raise _too_many(max_records)
    return split_lines(data)


def _lines(data: bytes, max_records: int) -> int:
    """Lines that are not blank, counted to one past the limit."""
    counted, at = 0, 0
    while counted <= max_records and (found := _LINE.search(data, at)):
        counted += 1
        end = data.find(b"\n", found.start())
        if end < 0:
            break
        at = end + 1
    return counted


class _Element:
    """What an element is decoded to while elements are only counted."""


def _refuse_long_array(data: bytes, max_records: int) -> None:
    """Count before splitting, and no further than the limit: 64 MB of commas would be gigabytes as objects."""
    if data.count(b",") < max(max_records, _MANY_COMMAS):
        return
    counted = 0
    anything = _Element()

    def count(_type: type, _element: Any) -> _Element:
        nonlocal counted
        counted += 1
        if counted > max_records:
            raise _too_many(max_records)
        return anything

    try:
        msgspec.json.decode(data, type=list[_Element], dec_hook=count)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        _refuse_long_broken_array(data, max_records)


def _refuse_long_broken_array(data: bytes, max_records: int) -> None:
    depth, commas = 0, 0
    for token in _TOKEN.finditer(data):
        mark = data[token.start()]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
            if depth == 0:
                return
        elif mark in b"," and depth == 1:
            commas += 1
            if commas >= max_records:
                raise _too_many(max_records)


def _too_many(max_records: int) -> TooLargeError:
    return TooLargeError(f"The batch has more than {max_records} records.", hint="Send smaller batches.")
