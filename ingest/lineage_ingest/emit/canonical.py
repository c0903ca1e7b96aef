"""Canonical JSON (RFC 8785), so that what a model was asked and what it answered hash alike wherever they are hashed.

>>> hash_value({"b": 1.0, "a": "é"}) == hash_value({"a": "é", "b": 1})
True
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

_LONGEST_PLAIN_EXPONENT = 21
_SMALLEST_PLAIN_EXPONENT = -6


def canonical_json(value: object) -> bytes:
    """The RFC 8785 form of a JSON value, in UTF-8.

    Tuples count as arrays, and what has ``tolist()`` (numpy's arrays and scalars) as what that gives. An integer beyond
    ±2^53, which RFC 8785 leaves to the sender, is written in full. Raises ValueError for NaN, infinities and lone
    surrogates, TypeError for what JSON can't hold.
    """
    return "".join(_pieces(value)).encode()


def hash_value(value: object) -> str:
    """``sha256:<64 hex>`` of bytes as they are, of anything else in its canonical JSON. Raises as
    :func:`canonical_json`."""
    data = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else canonical_json(value)
    return "sha256:" + hashlib.sha256(data).hexdigest()


def plain(value: Any) -> Any:
    """A JSON value for anything: what JSON can't hold (an estimator, an infinity, a NaN) becomes its ``str``."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(value.tolist()) if hasattr(value, "tolist") else str(value)


def _pieces(value: Any) -> Iterator[str]:
    if value is None or isinstance(value, bool | int | float | str):
        yield _scalar(value)
    elif isinstance(value, Mapping):
        yield from _object(value)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield "," if position else "["
            yield from _pieces(item)
        yield "]" if value else "[]"
    elif hasattr(value, "tolist"):
        yield from _pieces(value.tolist())
    else:
        msg = f"{type(value).__qualname__} is nothing that JSON can hold."
        raise TypeError(msg)


def _object(value: Mapping[Any, Any]) -> Iterator[str]:
    if not all(isinstance(key, str) for key in value):
        msg = "The keys of a JSON object are strings."
        raise TypeError(msg)
    yield "{"
    for position, key in enumerate(sorted(value, key=lambda key: key.encode("utf-16-be"))):
        yield f"{',' if position else ''}{_scalar(key)}:"
        yield from _pieces(value[key])
    yield "}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, int):
        return str(int(value))
    return format_number(float(value))


def format_number(value: float) -> str:
    """A finite double as ECMAScript's Number.prototype.toString writes it (ECMA-262, 6.1.6.1.20). Raises ValueError."""
    if not math.isfinite(value):
        msg = f"{value} is no JSON number."
        raise ValueError(msg)
    if value == 0:
        return "0"
    text = repr(value)
    if "e" not in text:
        # Between 1e-4 and 1e16 Python writes what ECMAScript does, but for the fraction of whole numbers.
        return text.removesuffix(".0")
    sign, digits, exponent = Decimal(text).as_tuple()
    # value = 0.digits × 10^point
    point = len(digits) + int(exponent)
    return ("-" if sign else "") + _place_point("".join(map(str, digits)).rstrip("0"), point)


def _place_point(digits: str, point: int) -> str:
    if len(digits) <= point <= _LONGEST_PLAIN_EXPONENT:
        return digits.ljust(point, "0")
    if 0 < point <= _LONGEST_PLAIN_EXPONENT:
        return f"{digits[:point]}.{digits[point:]}"
    if _SMALLEST_PLAIN_EXPONENT < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"
