"""Fields of a decoded JSON object, taken by name and type, or refused: where (RFC 6901), what came, what was due."""

from __future__ import annotations

import json
import re
from typing import Any

from lineage.errors import BadInputError, InvalidEventError
from lineage.event.model import Facets, Name
from lineage.event.timestamp import EXPECTED_TIME, parse_time

FUTURE_LIMIT = 24 * 3600 * 1_000_000
"""Microseconds that an event may be ahead of the receiver's clock before it is warned of."""

NO_ZONE = "NO_ZONE"
FUTURE_EVENT_TIME = "FUTURE_EVENT_TIME"

_TYPES = {
    dict: "an object",
    list: "an array",
    bool: "a boolean",
    type(None): "null",
    int: "a number",
    float: "a number",
}
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OTHER_UUID = re.compile(
    r"(?:urn:uuid:)?(\{)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})(?(1)\})",
    re.IGNORECASE,
)


def canonical_run_id(text: str) -> str | None:
    """Write a UUID in canonical form, 8-4-4-4-12 lower-case hexadecimal digits (RFC 9562, section 4), or None.

    Read are also upper case, and what Python's own ``uuid.UUID`` takes, with which OpenLineage's Python client checks a
    runId before it sends it verbatim: no dashes, braces, ``urn:uuid:``.
    """
    if _UUID.fullmatch(text):
        return text.lower()
    other = _OTHER_UUID.fullmatch(text)
    return "-".join(other.groups()[1:]).lower() if other else None


def refusal(owner: dict[str, Any], key: str, at: str, expected: str) -> InvalidEventError:
    """Say that ``owner[key]`` is missing, or what it is instead of ``expected``; ``at`` is the pointer of ``owner``."""
    field = pointer(at, key)
    came = shown(owner[key]) if key in owner else "missing"
    return InvalidEventError(f"{field} must be {expected}, but is {came}.", field=field)


def pointer(at: str, key: str) -> str:
    """Extend a JSON Pointer by a key; a key of more than 200 characters is cut."""
    if len(key) > 200:
        key = key[:200] + "…"
    return f"{at}/{key.replace('~', '~0').replace('/', '~1')}"


def shown(value: Any) -> str:
    """Say in words what a JSON value is; strings are quoted and cut."""
    if isinstance(value, str):
        return f"the string {json.dumps(value[:80], ensure_ascii=False)}{'…' if len(value) > 80 else ''}"
    return _TYPES[type(value)]


def object_of(owner: dict[str, Any], key: str, at: str) -> dict[str, Any]:
    """Take a required object. Raises InvalidEventError."""
    value = owner.get(key)
    if type(value) is not dict:
        raise refusal(owner, key, at, "an object")
    return value


def string_of(owner: dict[str, Any], key: str, at: str) -> str:
    """Take a required string, which may be empty. Raises InvalidEventError."""
    value = owner.get(key)
    if type(value) is not str:
        raise refusal(owner, key, at, "a string")
    return value


def name_of(owner: dict[str, Any], at: str) -> Name:
    """Take the required strings ``namespace`` and ``name`` of a job or a dataset. Raises InvalidEventError."""
    return Name(string_of(owner, "namespace", at), string_of(owner, "name", at))


def facets_of(owner: dict[str, Any], key: str, at: str) -> Facets:
    """Take an optional object of facets; each facet must be an object. Raises InvalidEventError."""
    if key not in owner:
        return {}
    facets = object_of(owner, key, at)
    for name, facet in facets.items():
        if type(facet) is not dict:
            raise refusal(facets, name, pointer(at, key), "a facet, which is an object")
    return facets


def run_id_of(owner: dict[str, Any], key: str, at: str) -> str:
    """Take a required UUID, in canonical form. Raises InvalidEventError."""
    run_id = canonical_run_id(string_of(owner, key, at))
    if run_id is None:
        raise refusal(owner, key, at, "a UUID such as 0196f3a1-7c1e-7b6a-9d5e-0a1b2c3d4e5f")
    return run_id


def time_of(owner: dict[str, Any], key: str, now: int | None) -> tuple[int, tuple[str, ...]]:
    """Take a required time of the outermost object, as UTC microseconds since the epoch, with its warnings.

    NO_ZONE: UTC was assumed. FUTURE_EVENT_TIME: more than :data:`FUTURE_LIMIT` ahead of ``now`` (UTC microseconds;
    None: not checked). Raises InvalidEventError.
    """
    try:
        time, has_zone = parse_time(string_of(owner, key, ""))
    except BadInputError:
        raise refusal(owner, key, "", EXPECTED_TIME) from None
    is_future = now is not None and time > now + FUTURE_LIMIT
    if has_zone and not is_future:
        return time, ()
    return time, (() if has_zone else (NO_ZONE,)) + ((FUTURE_EVENT_TIME,) if is_future else ())
