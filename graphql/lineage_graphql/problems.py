"""Errors as a client sees them: a message, and ``extensions`` with code, hint and field.

What Lineage raises on purpose speaks for itself; what GraphQL finds wrong with a query is BAD_INPUT; anything else is
INTERNAL: logged here, and masked there.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from graphql import GraphQLError

from lineage.errors import BadInputError, LineageError

INTERNAL = "INTERNAL"
_MASKED = "Something went wrong inside; the server's log says what."
_LOG = logging.getLogger("lineage.graphql")
_LONGEST = 1_000
_AT_FAULT = re.compile(r"Variable '\$(\w+)' has invalid value(?: at ((?:\.\w+|\[\d+\])+))?: ")
_PARTS = re.compile(r"\w+")


def cause_of(error: GraphQLError) -> BaseException | None:
    """The exception that ``error`` was made from, through any number of wrappings; None if GraphQL itself found it."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def log_unexpected(errors: list[GraphQLError]) -> None:
    """Log those of ``errors`` that nobody raised on purpose, with their traceback."""
    for error in errors:
        cause = cause_of(error)
        if cause is not None and not isinstance(cause, LineageError):
            _LOG.error("A resolver failed at %s", error.path, exc_info=cause)


def show_error(error: GraphQLError) -> dict[str, Any]:
    """``error`` as the response holds it."""
    cause = cause_of(error)
    if isinstance(cause, LineageError):
        told = show_cause(cause)
        if cause.field is None and (field := _field_of(error)) is not None:
            told["extensions"]["field"] = field
    elif cause is None:
        told = {"message": error.message[:_LONGEST], "extensions": {"code": BadInputError.code}}
    else:
        told = {"message": _MASKED, "extensions": {"code": INTERNAL}}
    if error.locations:
        told["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        told["path"] = error.path
    return told


def show_cause(cause: LineageError) -> dict[str, Any]:
    """An error that no field is at fault for."""
    extensions = {"code": cause.code}
    if cause.hint:
        extensions["hint"] = cause.hint
    if cause.field:
        extensions["field"] = cause.field
    return {"message": cause.message[:_LONGEST], "extensions": extensions}


def _field_of(error: GraphQLError) -> str | None:
    """The variable, or the part of one, that ``error`` says is at fault, as a JSON Pointer."""
    at_fault = _AT_FAULT.match(error.message)
    if at_fault is None:
        return None
    variable, parts = at_fault.groups(default="")
    return "/" + "/".join([variable, *_PARTS.findall(parts)])


def refusal(cause: LineageError) -> dict[str, Any]:
    """A whole response that says only ``cause``."""
    return {"data": None, "errors": [show_cause(cause)]}
