"""The scalars of the schema: Long, DateTime and JSON."""

from __future__ import annotations

from typing import Any, NewType

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode

from lineage.errors import BadInputError
from lineage.event.timestamp import EXPECTED_TIME, format_time, parse_time

Long = NewType("Long", int)
"""An integer of 64 bits: ledger indexes, counts, bytes."""

DateTime = NewType("DateTime", int)
"""A moment: RFC 3339 on the wire, UTC microseconds since the epoch inside."""

JSON = NewType("JSON", object)
"""Any JSON value, as the producer sent it."""

_LONG = 1 << 63


def _parse_long(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -_LONG <= value < _LONG:
        raise GraphQLError("A Long is an integer of 64 bits.")
    return value


def _parse_long_literal(node: ValueNode, _variables: Any = None) -> int:
    if not isinstance(node, IntValueNode) or len(node.value) > 20:
        raise GraphQLError("A Long is an integer of 64 bits.")
    return _parse_long(int(node.value))


def _write_time(value: int) -> str:
    try:
        return format_time(value)
    except BadInputError:
        return str(value)


def _parse_time(value: object) -> int:
    try:
        return _read_time(value)
    except BadInputError as error:
        raise GraphQLError(error.message, original_error=error) from error


def _parse_time_literal(node: ValueNode, _variables: Any = None) -> int:
    # Raised as it is: graphql-core then says where it stands.
    return _read_time(node.value if isinstance(node, StringValueNode) else None)


def _read_time(value: object) -> int:
    if not isinstance(value, str):
        raise BadInputError("A DateTime is a string such as 2026-05-01T10:00:00Z.")
    moment, has_zone = parse_time(value)
    if not has_zone:
        raise BadInputError(f'"{value}" has no zone.', hint=f"Expected {EXPECTED_TIME}.")
    return moment


def _as_is(value: object) -> object:
    return value


def _write_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


SCALARS: dict[object, Any] = {
    Long: strawberry.scalar(
        name="Long",
        description="An integer of 64 bits: ledger indexes, counts, bytes (GraphQL's Int has 32).",
        serialize=_as_is,
        parse_value=_parse_long,
        parse_literal=_parse_long_literal,
    ),
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A moment as RFC 3339 has it, with its zone; told in UTC with six digits: "
        "2026-05-01T10:00:00.000000Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_write_time,
        parse_value=_parse_time,
        parse_literal=_parse_time_literal,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value, as the producer sent it.",
        serialize=_write_json,
        parse_value=_as_is,
    ),
}
"""What Strawberry's ``scalar_map`` takes."""
