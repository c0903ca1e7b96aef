"""A batch apart: the exact bytes of each record of a JSON array or of NDJSON, so that each is judged on its own.

Only the structure that tells one element from the next is looked at: strings and brackets. What an element holds (NaN,
duplicate keys, wrong types, any depth) is judged when it is decoded, and costs its neighbours nothing.

>>> split_array(b'[{"a": 1}, {"a": NaN}, {"a": [2, 3]}]')
[b'{"a": 1}', b'{"a": NaN}', b'{"a": [2, 3]}']
>>> split_lines(b'{"a": 1}\\r\\n\\n{"a": 2}')
[b'{"a": 1}', b'{"a": 2}']
"""

from __future__ import annotations

import re

import msgspec

from lineage.errors import NotJSONError
from lineage.event.decoder import BOM, STRING

_SPACE = b" \t\r\n"
_OPENING = frozenset({b"[", b"{"})
_CLOSING = frozenset({b"]", b"}"})
_LINE = re.compile(rb"[^ \t\r\n][^\n]*+")
# What tells elements apart: brackets, and outside of elements commas, with all before them passed over. A quote that is
# left over opens a string that never ends.
_OUTSIDE = re.compile(rb'(?:[^"\[\]{},]++|' + STRING + rb')*+([\[{]++|[\]}]++|,++|"|\Z)', re.DOTALL)
_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|' + STRING + rb')*+([\[{]++|[\]}]++|"|\Z)', re.DOTALL)
_HINT = "Send a JSON array of records, or one record a line as application/x-ndjson."
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])


def split_array(data: bytes) -> list[bytes]:
    """Split the body of a JSON array into the bytes of its elements, without the white space around them.

    An empty place between two commas, or after the last, is an element of no bytes; decoding refuses it at its index.
    A closing bracket counts for either kind of opening one: an element that mixes them is refused alone.
    Time is linear in the size of ``data`` and nothing recurses, however deep it is nested.
    Raises NotJSONError when ``data`` is no array, or when strings or brackets do not close, so that elements can't be
    told apart.
    """
    try:
        return [bytes(element) for element in _ELEMENTS.decode(data)]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _split_by_brackets(data)


def split_lines(data: bytes) -> list[bytes]:
    """Split NDJSON into the bytes of its lines, without the white space around them; blank lines are left out.

    Lines end with LF or CRLF. Never raises: what a line holds is judged when it is decoded.
    """
    start = len(BOM) if data.startswith(BOM) else 0
    return [line[0].rstrip(_SPACE) for line in _LINE.finditer(data, start)]


def _split_by_brackets(data: bytes) -> list[bytes]:
    begin = at = _opening(data) + 1
    elements: list[bytes] = []
    depth = 1
    while depth:
        found = (_OUTSIDE if depth == 1 else _INSIDE).match(data, at)
        start, at = found.span(1) if found else (len(data), len(data))
        mark = data[start : start + 1]
        if mark in _OPENING:
            depth += at - start
        elif mark in _CLOSING:
            at = min(at, start + depth)
            depth -= at - start
        elif mark == b",":
            elements.append(data[begin:start].strip(_SPACE))
            elements.extend([b""] * (at - start - 1))
            begin = at
        else:
            raise _unbalanced(data, start)
    _check_end(data, at - 1)
    last = data[begin : at - 1].strip(_SPACE)
    return [*elements, last] if last or elements else []


def _unbalanced(data: bytes, at: int) -> NotJSONError:
    what = "the array is not closed" if at == len(data) else "a string begins here and never ends"
    return NotJSONError(f"Not JSON at byte {at}: {what}.", hint=_HINT)


def _opening(data: bytes) -> int:
    start = len(BOM) if data.startswith(BOM) else 0
    first = _LINE.search(data, start)
    if first is None:
        raise NotJSONError("Not JSON: there is nothing here but white space.", hint=_HINT)
    if data[first.start()] not in b"[":
        raise NotJSONError(f"Not a JSON array at byte {first.start()}: it must begin with [.", hint=_HINT)
    return first.start()


def _check_end(data: bytes, closing: int) -> None:
    if data[closing] not in b"]":
        raise NotJSONError(f"Not JSON at byte {closing}: a }} where the array's ] was due.", hint=_HINT)
    if trailing := _LINE.search(data, closing + 1):
        raise NotJSONError(f"Not JSON at byte {trailing.start()}: something follows the array.", hint=_HINT)
