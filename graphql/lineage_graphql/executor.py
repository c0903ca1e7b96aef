"""Execution within the operation's time, and the fast way through lists.

graphql-core resolves a list item by item and field by field, with an info object and a path for each: about 2.5 µs a
field. Where a selection asks only for attributes (no arguments, no resolvers), items are completed by columns instead:
a field is read and completed for all of them before the next is. How that is done is put together once per operation.
Wherever anything is out of the ordinary (a null where none may be, a value that can't be serialised), the list is done
again in the ordinary way, which makes the right errors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import chain, islice
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

_Column = Sequence[Any]
_Complete = Callable[[_Column], _Column]
"""Completes the values of one field, nulls among them, of many items."""

_AT_ONCE = 1_000
"""Items of the outermost list between two looks at the clock."""
_SAME: dict[str, set[type]] = {"String": {str, type(None)}, "ID": {str, type(None)}, "Boolean": {bool, type(None)}}
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
        for start in range(0, len(items), _AT_ONCE):
            if time.monotonic() > self.context_value.deadline:
                raise OutOfTime
            completed += complete(items[start : start + _AT_ONCE])
        return completed

    def _completer(self, kind: Any, details: Any) -> _Complete | None:
        """What completes values of type ``kind`` with the selection of ``details``; None if there is no fast way."""
        if isinstance(kind, GraphQLNonNull):
            inner = self._completer(kind.of_type, details)
            return inner and _refusing_none(inner)
        if isinstance(kind, GraphQLList):
            inner = self._completer(kind.of_type, details)
            return inner and _list(inner)
        if is_leaf_type(kind):
            return _leaf(kind)
        return self._abstract(kind, details) if is_abstract_type(kind) else self._object(kind, details)

    def _object(self, kind: GraphQLObjectType, details: Any) -> _Complete | None:
        key = (kind.name, id(details))
        if key not in self._ways:
            self._ways[key] = self._new_object(kind, details)
        return self._ways[key]

    def _new_object(self, kind: GraphQLObjectType, details: Any) -> _Complete | None:
        names: list[str] = []
        parts: list[_Complete] = []
        for name, below in self.collect_subfields(kind, details)[0].items():
            part = self._part(kind, below)
            if part is None:
                return None
            names.append(name)
            parts.append(part)

        def complete(values: _Column) -> _Column:
            columns = [part(values) for part in parts]
            return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

        return _each_once(complete)

    def _part(self, kind: GraphQLObjectType, details: Any) -> _Complete | None:
        name = details[0].node.name.value
        if name == "__typename":
            return lambda values: [kind.name] * len(values)
        told = self.schema.get_field(kind, name)
        if told is None or told.args or not getattr(told.resolve, "_is_default", False):
            return None
        complete = self._completer(told.type, details)
        definition: Any = told.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        read = attrgetter(definition.python_name)
        return complete and (lambda values: complete(list(map(read, values))))

    def _abstract(self, kind: GraphQLAbstractType, details: Any) -> _Complete | None:
        ways: dict[type, _Complete | None] = {}

        def way_of(value: Any) -> _Complete:
            row = type(value)
            if row not in ways:
                name_of: Any = kind.resolve_type
                named: Any = self.schema.type_map[name_of(value, None, kind)]
                ways[row] = self._object(named, details)
            way = ways[row]
            if way is None:
                raise _OrdinaryWayError
            return way

        def complete(values: _Column) -> _Column:
            completed: list[Any] = [None] * len(values)
            for row in set(map(type, values)) - {type(None)}:
                places = [place for place, value in enumerate(values) if type(value) is row]
                way = way_of(values[places[0]])
                for place, value in zip(places, way([values[place] for place in places]), strict=True):
                    completed[place] = value
            return completed

        return complete


def _each_once(inner: _Complete) -> _Complete:
    """``inner`` for each object of a column once, however often it stands there; and never for nulls."""

    def complete(values: _Column) -> _Column:
        distinct = {id(value): value for value in values if value is not None}
        if len(distinct) == len(values):
            return inner(values)
        completed: dict[int, Any] = dict(zip(distinct, inner(list(distinct.values())), strict=True))
        return [completed.get(id(value)) for value in values]

    return complete


def _refusing_none(inner: _Complete) -> _Complete:
    def complete(values: _Column) -> _Column:
        if None in values:
            raise _OrdinaryWayError
        return inner(values)

    return complete


def _list(inner: _Complete) -> _Complete:
    def complete(values: _Column) -> _Column:
        lists = [None if value is None else list(value) for value in values]
        items = iter(inner(list(chain.from_iterable(value for value in lists if value))))
        return [value and list(islice(items, len(value))) for value in lists]

    return complete


def _leaf(kind: GraphQLLeafType) -> _Complete:
    serialize = kind.coerce_output_value
    if isinstance(kind, GraphQLEnumType):
        names = _Names(serialize)
        return lambda values: list(map(names.__getitem__, values))
    same = _SAME.get(kind.name, set())

    def complete(values: _Column) -> _Column:
        if set(map(type, values)) <= same:
            return values
        return [None if value is None else serialize(value) for value in values]

    return complete


class _Names(dict[Any, Any]):
    """Of the values of an enumeration those that came up, as they are written."""

    def __init__(self, serialize: Callable[[Any], Any]) -> None:
        super().__init__({None: None})
        self._serialize = serialize

    def __missing__(self, value: Any) -> Any:
        self[value] = self._serialize(value)
        return self[value]
