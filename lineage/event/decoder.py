"""JSON as RFC 8259 has it, without keys that occur twice and numbers that no double holds (I-JSON, RFC 7493).

What is accepted: one value in UTF-8, nested at most :data:`MAX_DEPTH` deep, a byte order mark before it or not
(RFC 8259, section 8.1). Integers of up to 4,300 digits are exact. Two things that not every store can hold become
U+FFFD, and are told as a warning: escapes of lone surrogates, which Java emitters produce by cutting strings, and
escapes of NUL. After that no string in a value holds either. Keys that become equal by it count as one key sent twice.
One key may occur twice, which is told too: that of an object that is the same each time, as Spark's integration sends
facets. Nobody can read that in two ways.

Three ways lead to the same values, each slower than the one before. What orjson reads and writes back to the same
bytes, white space apart, can hold nothing of the above, as each of these would be lost on the way; that settles most
JSON. The rest goes to jiter, which sees duplicate keys. What jiter refuses is repaired, or explained, or it is deep,
and then the standard library's decoder has the last word.

>>> decode(b'{"rows": 9007199254740993}')
{'rows': 9007199254740993}
>>> decode_with_warnings(rb'["cut here \\ud83d"]')
(['cut here \ufffd'], ('LONE_SURROGATE',))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from math import isinf
from typing import Any, NoReturn

import jiter
import orjson

from lineage.errors import NotJSONError

MAX_DEPTH = 500
"""Objects and arrays within each other; the deepest logical plans of real Spark jobs stay below."""

LONE_SURROGATE = "LONE_SURROGATE"
NUL_CHARACTER = "NUL_CHARACTER"
DUPLICATE_KEY = "DUPLICATE_KEY"

BOM = b"\xef\xbb\xbf"
STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
"""A JSON string with its quotes, to be compiled with DOTALL; never backtracks."""

_HINT = "Send one JSON value as RFC 8259 has it, in UTF-8."
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair of surrogates: one character
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|(u0000)|.)",
    re.DOTALL,
)
_BRACKETS = re.compile(STRING + rb"|[\[{]++|[\]}]++", re.DOTALL)
_NUMBERS = re.compile(STRING + rb"|(-?\d++[.eE][\d.eE+-]*+)", re.DOTALL)
_WHITE_SPACE = b" \t\n\r"
"""Of it only a space may stand in a string as it is (RFC 8259, section 7), and so in what orjson writes."""
_UNDECIDED = re.compile(r"^(?:recursion limit|Detected duplicate key)")
_PLACE = re.compile(r" at line (\d+) column (\d+)$")
_NOT_A_NUMBER = re.compile(rb"-?(?:NaN|Infinity|nan|inf)")

# Digits become 0, E becomes e, what may end a number becomes a comma: then one literal finds the numbers worth a look.
_SHAPE = bytes.maketrans(b"123456789E]}\t\n\r ", b"000000000e,,,,,,")
_LARGE_EXPONENT = re.compile(rb"0e000+(?:,|\Z)")
_LONG_MANTISSA = b"0" * 200


def decode(data: bytes) -> Any:
    """Decode one JSON value into plain dicts, lists, strings, ints, floats, bools and None.

    Raises NotJSONError, which says at which byte and why.
    """
    return decode_with_warnings(data)[0]


def decode_with_warnings(data: bytes) -> tuple[Any, tuple[str, ...]]:
    """Decode one JSON value as :func:`decode` does, and say what was mended: LONE_SURROGATE, NUL_CHARACTER,
    DUPLICATE_KEY.

    Time and memory are nearly linear in the size of ``data``, whatever it holds. Raises NotJSONError.
    """
    if b"\\" in data and b"\\u0000" in data:
        return _decode_repaired(data)
    try:
        return _decode_fast(data), ()
    except ValueError:
        return _decode_repaired(data)


def _decode_fast(data: bytes) -> Any:
    """Raises ValueError also for what only the careful way can take."""
    # What Python writes has spaces, and escapes letters that orjson writes as they are.
    if b"\\u" not in data or b'": ' not in data[:64]:
        try:
            value = orjson.loads(data)
            written = orjson.dumps(value)
        except (ValueError, TypeError):
            written = None
        # Where keys were lost tokens are missing, and white space taken out never makes two of them one.
        if written is not None and (
            written == data or written.translate(None, b" ") == data.translate(None, _WHITE_SPACE)
        ):
            return value
    value = jiter.from_json(data, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode="keys")
    shape = data.translate(_SHAPE, b"+")
    if _LARGE_EXPONENT.search(shape) or _LONG_MANTISSA in shape:
        _refuse_overflow(data)
    return value


def _decode_repaired(data: bytes) -> tuple[Any, tuple[str, ...]]:
    if data.startswith(BOM):
        data = b"   " + data[3:]
    _refuse_wrong_encoding(data)
    data, warnings = _repair(data)
    try:
        return _decode_fast(data), warnings
    except ValueError as error:
        # The fast decoder stops at 200 levels; the limit here is higher. And it refuses every key that occurs twice.
        if not _UNDECIDED.search(str(error)):
            raise _syntax_error(data, error) from None
    _refuse_depth(data)
    # A thread of its own, as the standard decoder counts its levels on top of the caller's stack.
    with ThreadPoolExecutor(max_workers=1) as fresh_stack:
        value, repeats = fresh_stack.submit(_decode_deep, data).result()
    return value, (*warnings, DUPLICATE_KEY) if repeats else warnings


def _refuse_wrong_encoding(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise NotJSONError(f"Not JSON at byte {error.start}: this is no UTF-8.", hint=_HINT) from None


def _repair(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Replace what no store holds, byte for byte of the same length, so that places in messages stay true."""
    if b"\\u" not in data:
        return data, ()
    found: set[str] = set()

    def replacement(escape: re.Match[bytes]) -> bytes:
        if escape.lastindex is None:
            return escape[0]
        found.add(LONE_SURROGATE if escape.lastindex == 1 else NUL_CHARACTER)
        return b"\\ufffd"

    repaired = _ESCAPE.sub(replacement, data)
    return repaired, tuple(sorted(found))


def _refuse_overflow(data: bytes) -> None:
    for token in _NUMBERS.finditer(data):
        if token[1] is not None and isinf(float(token[1])):
            raise NotJSONError(
                f"Not JSON at byte {token.start()}: a number beyond the range of a 64-bit float.",
                hint="Send it as a string, or leave it out.",
            )


def _refuse_depth(data: bytes) -> None:
    depth = 0
    for token in _BRACKETS.finditer(data):
        mark = data[token.start()]
        if mark in b"[{":
            depth += token.end() - token.start()
            if depth > MAX_DEPTH:
                place = token.end() - (depth - MAX_DEPTH)
                raise NotJSONError(
                    f"Not JSON at byte {place}: nested more than {MAX_DEPTH} levels deep.",
                    hint="Flatten the value, or send it as a string.",
                )
        elif mark in b"]}":
            depth -= token.end() - token.start()


def _decode_deep(data: bytes) -> tuple[Any, bool]:
    """The value, and whether an object in it occurred twice under one key."""
    text = data.decode()
    repeats: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            repeats.extend(_repeats(pairs))
        return result

    try:
        value = json.loads(text, object_pairs_hook=once, parse_float=_finite, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = len(text[: error.pos].encode())
        raise NotJSONError(f"Not JSON at byte {place}: {error.msg}.", hint=_HINT) from None
    except ValueError:
        raise NotJSONError("Not JSON: an integer of more than 4,300 digits.", hint="Send it as a string.") from None
    return value, bool(repeats)


def _repeats(pairs: list[tuple[str, Any]]) -> Iterator[str]:
    """Keys that occur several times, each time with the same object. Raises NotJSONError for any other key that occurs
    twice. What is compared holds no repeats itself, so each level at most halves what is left."""
    values: dict[str, list[Any]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    for key, found in values.items():
        if len(found) == 1:
            continue
        if not isinstance(found[0], dict) or len({json.dumps(value, sort_keys=True) for value in found}) > 1:
            raise NotJSONError(f"Not JSON: the key {json.dumps(key[:80])} occurs twice.", hint="Send each key once.")
        yield key


def _finite(number: str) -> float:
    value = float(number)
    if isinf(value):
        raise NotJSONError(
            "Not JSON: a number beyond the range of a 64-bit float.", hint="Send it as a string, or leave it out."
        )
    return value


def _no_constant(name: str) -> NoReturn:
    raise NotJSONError(f"Not JSON: {name}.", hint="JSON has no NaN and no Infinity: send null, or a string.")


def _syntax_error(data: bytes, error: ValueError) -> NotJSONError:
    reason = str(error)
    place = 0
    if found := _PLACE.search(reason):
        reason = reason[: found.start()]
        place = _offset(data, int(found[1]), int(found[2]))
    if not data.strip(b" \t\r\n"):
        return NotJSONError("Not JSON: there is nothing here but white space.", hint=_HINT)
    if constant := _NOT_A_NUMBER.match(data, place):
        return NotJSONError(
            f"Not JSON at byte {place}: {constant[0].decode()}.",
            hint="JSON has no NaN and no Infinity: send null, or a string.",
        )
    if len(reason) > 160:
        reason = reason[:160] + "…"
    return NotJSONError(f"Not JSON at byte {place}: {reason}.", hint=_HINT)


def _offset(data: bytes, line: int, column: int) -> int:
    """The byte at a line and column, both counted from 1."""
    start = 0
    if line > 1:
        start = next(islice(re.finditer(b"\n", data), line - 2, None)).end()
    return max(start + column - 1, 0)
