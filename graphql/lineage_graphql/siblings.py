"""Rows: things as resolvers see them, and their siblings.

Things that come up together (the items of a page, the datasets of those items) are :class:`Siblings`. What one of them
is asked for that lies elsewhere in the graph is loaded for all, with two or three calls to the store, and kept: nothing
asks the store once per row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from msgspec import Struct

from lineage.answer import (
    AnswerGap,
    ImpactHit,
    Kind,
    Link,
    ProvenanceHit,
    Route,
    ServedModel,
    Thing,
    TrainingHit,
    kind_of,
    label,
    name_of,
    namespace_of,
    thing_id,
)
from lineage.answer.difference import Hunk
from lineage.model import Owner
from lineage.predictions import Prediction
from lineage_graphql import relations
from lineage_graphql.context import Operation
from lineage_graphql.cursor import digest_of
from lineage_graphql.lists import Listed, Page, Source, page_of

Loader = Callable[[Operation, Sequence[Thing]], Mapping[bytes, Sequence[Any]]]

_HOLDS: dict[type, tuple[str, ...]] = {
    ImpactHit: ("node",),
    ProvenanceHit: ("node",),
    TrainingHit: ("version",),
    AnswerGap: ("node",),
    Link: ("source", "target"),
    Route: ("nodes", "links"),
    ServedModel: ("version", "served_by", "trained_by"),
    relations.Access: ("version",),
    Hunk: ("a", "b", "path"),
}
"""Which attributes of an answer's items hold things."""

_HOLDS_LATER: dict[type, tuple[str, ...]] = {ImpactHit: ("via",)}
"""Which hold things that are looked up when asked for: those of all items together, siblings of each other."""


class Dressed:
    """An item of an answer whose things are rows; every other attribute is the item's own. A subclass for each type of
    item reads these without a step of Python's: they are asked for once per row and field."""

    def __init__(self, item: Any, rows: Mapping[str, Any], siblings: Siblings) -> None:
        self.__dict__.update(rows)
        self._item = item
        self._siblings = siblings

    def __getattr__(self, name: str) -> Any:
        if name in _HOLDS_LATER.get(type(self._item), ()):
            return self._siblings.later(self._item, name)
        return getattr(self._item, name)


def _dressed(item: type) -> type[Dressed]:
    told = {field.name for field in fields(item)} | {
        name for name, of in vars(item).items() if isinstance(of, property)
    }
    plain = told.difference(_HOLDS[item], _HOLDS_LATER.get(item, ()))
    return type(Dressed.__name__, (Dressed,), {name: property(attrgetter(f"_item.{name}")) for name in plain})


_DRESSED = {item: _dressed(item) for item in _HOLDS}


class Siblings:
    """Rows that came up together, each thing once."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._rows: dict[object, Row] = {}
        self._found: dict[Loader, Mapping[bytes, Sequence[Any]]] = {}
        self._dressed: dict[tuple[Loader, int | None], dict[bytes, list[Any]]] = {}
        self._items: list[Any] = []
        self._later: dict[str, dict[int, Any]] = {}

    def dress(self, value: Any) -> Any:
        """A thing as its row among these; an item that holds things, or a tuple of either, likewise; else ``value``."""
        if (row_type := ROWS.get(type(value))) is not None:
            key = value if isinstance(value, Prediction) else value.key
            if key not in self._rows:
                self._rows[key] = row_type(value, self)
            return self._rows[key]
        if (names := _HOLDS.get(type(value))) is not None:
            self._items.append(value)
            return _DRESSED[type(value)](value, {name: self.dress(getattr(value, name)) for name in names}, self)
        return tuple(map(self.dress, value)) if type(value) is tuple else value

    def later(self, item: Any, name: str) -> Any:
        """What ``item``, one of those dressed here, holds as ``name``; dressed for all of them at once."""
        if name not in self._later:
            group = Siblings(self.operation)
            holding = [one for one in self._items if name in _HOLDS_LATER.get(type(one), ())]
            self._later[name] = {id(one): group.dress(getattr(one, name)) for one in holding}
        return self._later[name][id(item)]

    def find(self, loader: Loader, key: bytes) -> Sequence[Any]:
        """What ``loader`` finds for ``key``, in its order, as it finds it."""
        if loader not in self._found:
            self._found[loader] = loader(self.operation, [row.thing for row in self._rows.values()])
        return self._found[loader].get(key, ())

    def many(self, loader: Loader, key: bytes, first: int | None = None) -> list[Any]:
        """The first of what ``loader`` finds for ``key``; what is first for each of these makes one group."""
        if (loader, first) not in self._dressed:
            group = Siblings(self.operation)
            self.find(loader, key)
            self._dressed[loader, first] = {
                near: [group.dress(item) for item in items[:first]] for near, items in self._found[loader].items()
            }
        return self._dressed[loader, first].get(key, [])

    def one(self, loader: Loader, key: bytes) -> Any:
        """The first that ``loader`` finds for ``key``, or None."""
        return next(iter(self.many(loader, key)), None)


def dress_all(operation: Operation, items: Sequence[Any]) -> list[Any]:
    """``items`` as siblings."""
    group = Siblings(operation)
    return [group.dress(item) for item in items]


ROWS: dict[type, type[Row]] = {}
"""By type of thing, the rows of :mod:`lineage_graphql.rows`."""


class Row:
    """A thing and its siblings. A subclass says what type of thing it is ``of``, whose fields it has too: read by
    ``attrgetter``, without a call of a Python function."""

    __slots__ = ("siblings", "thing")

    def __init_subclass__(cls, *, of: type[Any]) -> None:
        ROWS[of] = cls
        for name in of.__struct_fields__ if issubclass(of, Struct) else [field.name for field in fields(of)]:
            if not hasattr(cls, name):
                setattr(cls, name, property(attrgetter(f"thing.{name}")))

    def __init__(self, thing: Any, siblings: Siblings) -> None:
        self.thing = thing
        self.siblings = siblings

    @property
    def id(self) -> str:
        """The Relay id."""
        return thing_id(self.thing)

    @property
    def label(self) -> str:
        """The thing as a person would say it."""
        return label(self.thing)

    @property
    def kind(self) -> Kind:
        """What it is."""
        return kind_of(self.thing)

    @property
    def namespace(self) -> str:
        """Its namespace, or that of what it belongs to."""
        return namespace_of(self.thing)

    @property
    def name(self) -> str:
        """Its name, or that of what it belongs to."""
        return name_of(self.thing)

    @property
    def owners(self) -> Sequence[Owner]:
        """Those who answer for it: of a version or a column its dataset's, of a run its job's."""
        holder = self.holder
        owners: Sequence[Owner] = self.thing.owners if holder is self else holder.owners if holder else ()
        return owners

    @property
    def holder(self) -> Any:
        """The dataset or job that a version, column, run or prediction belongs to; a dataset or job itself."""
        return self

    def connection(self, loader: Loader, first: int, after: str | None) -> Page:
        """A page of what ``loader`` finds for this thing."""
        operation, key = self.siblings.operation, self.thing.key
        found = Listed(self.siblings.find(loader, key))

        def dress(items: Sequence[Any]) -> list[Any]:
            return self.siblings.many(loader, key, first) if after is None else dress_all(operation, items)

        index = operation.view.graph.ledger_size - 1
        source = Source(found, digest_of(self.id, loader.__name__), index, dress)
        return page_of(operation, source, first, after)
