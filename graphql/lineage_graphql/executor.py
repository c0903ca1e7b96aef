"""Execution within the operation's time, and the fast way through lists.

graphql-core resolves a list item by item and field by field, with an info object and a path for each: about 2.5 µs a
field. Where a selection asks only for attributes (no arguments, no resolvers), all items are completed by one function
that is put together once per operation. Wherever anything is out of the ordinary (a null where none may be, a value
that can't be serialised), the list is done again in the ordinary way, which makes the right errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_abstract_type,
    is_leaf_type,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

from lineage_graphql.context import OutOfTime

_Complete = Callable[[Any], Any]
_Part = tuple[Callable[[Any], Any], type | None, _Complete]
"""Of a field: what reads it, the type of what is written as it is, and what completes all else."""

_CHECK_EVERY = 200
_SAME = {"String": str, "ID": str, "Boolean": bool}
"""Values of these types are written as they are."""


class _OrdinaryWayError(Exception):
    """This value needs graphql-core."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Ends with OutOfTime once the deadline of the Operation that is its context value has passed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ways: dict[tuple[str, int], _Complete | None] = {}

    def execute_fields(self, parent_type: Any, source_value: Any, path: Any, fields: Any, context: Any) -> Any:
        """As graphql-core does, if there is time left."""
        if time.monotonic() > self.context_value.deadline:
            raise OutOfTime
        return super().execute_fields(parent_type, source_value, path, fields, context)

    def complete_iterable_value(
        self, item_type: Any, details: Any, info: Any, path: Any, items: Any, context: Any
    ) -> Any:
        """The fast way where there is one, else as graphql-core does."""
        complete = self._completer(item_type, details) if isinstance(items, list | tuple) else None
        if complete is not None:
            try:
                return self._complete_all(complete, items)
            except Exception:  # noqa: S110
                pass
        return super().complete_iterable_value(item_type, details, info, path, items, context)

    def _complete_all(self, complete: _Complete, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        completed: list[Any] = []
        for start in range(0, len(items), _CHECK_EVERY):
            if time.monotonic() > self.context_value.deadline:
                raise OutOfTime
            completed += map(complete, items[start : start + _CHECK_EVERY])
        return completed

    def _completer(self, kind: Any, details: Any) -> _Complete | None:
        """What completes a value of type ``kind`` with the selection of ``details``; None if there is no fast way."""
        if isinstance(kind, GraphQLNonNull):
            inner = self._completer(kind.of_type, details)
            return inner and _refusing_none(inner)
        if isinstance(kind, GraphQLList):
            inner = self._completer(kind.of_type, details)
            return inner and (lambda value: None if value is None else [inner(item) for item in value])
        if is_leaf_type(kind):
            return _leaf(kind)
        return self._abstract(kind, details) if is_abstract_type(kind) else self._object(kind, details)

    def _object(self, kind: GraphQLObjectType, details: Any) -> _Complete | None:
        key = (kind.name, id(details))
        if key not in self._ways:
            self._ways[key] = self._new_object(kind, details)
        return self._ways[key]

    def _new_object(self, kind: GraphQLObjectType, details: Any) -> _Complete | None:
        parts: list[tuple[str, _Part]] = []
        for name, below in self.collect_subfields(kind, details)[0].items():
            part = self._part(kind, below)
            if part is None:
                return None
            parts.append((name, part))

        def complete(value: Any) -> Any:
            if value is None:
                return None
            completed = {}
            for name, (read, same, done) in parts:
                part = read(value)
                completed[name] = part if type(part) is same else done(part)
            return completed

        return complete

    def _part(self, kind: GraphQLObjectType, details: Any) -> _Part | None:
        name = details[0].node.name.value
        if name == "__typename":
            return (lambda _value: kind.name), str, (lambda told: told)
        told = self.schema.get_field(kind, name)
        if told is None or told.args or not getattr(told.resolve, "_is_default", False):
            return None
        complete = self._completer(told.type, details)
        definition: Any = told.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        return complete and (attrgetter(definition.python_name), _same(told.type), complete)

    def _abstract(self, kind: GraphQLAbstractType, details: Any) -> _Complete | None:
        ways: dict[type, _Complete | None] = {}

        def complete(value: Any) -> Any:
            if value is None:
                return None
            row = type(value)
            if row not in ways:
                name_of: Any = kind.resolve_type
                named: Any = self.schema.type_map[name_of(value, None, kind)]
                ways[row] = self._object(named, details)
            way = ways[row]
            if way is None:
                raise _OrdinaryWayError
            return way(value)

        return complete


def _same(kind: Any) -> type | None:
    """The type of those values of ``kind`` that are written as they are."""
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return _SAME.get(inner.name) if is_leaf_type(inner) else None


def _refusing_none(inner: _Complete) -> _Complete:
    def complete(value: Any) -> Any:
        if value is None:
            raise _OrdinaryWayError
        return inner(value)

    return complete


def _leaf(kind: GraphQLLeafType) -> _Complete:
    serialize = kind.coerce_output_value
    if isinstance(kind, GraphQLEnumType):
        names: dict[Any, Any] = {None: None}

        def name(value: Any) -> Any:
            if value not in names:
                names[value] = serialize(value)
            return names[value]

        return name
    same = _SAME.get(kind.name)

    def complete(value: Any) -> Any:
        return value if value is None or type(value) is same else serialize(value)

    return complete
