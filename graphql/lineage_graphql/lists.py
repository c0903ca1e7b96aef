"""Pages of lists, as Relay connections have them, and the cursors between them.

A cursor at the ledger index of the list that it is used on goes on after as many items as were passed. At another index
the list was computed anew: then it goes on after the place of the last item, which lists of hits and links are ordered
by, and which elsewhere is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from lineage.answer import (
    AnswerGap,
    ImpactHit,
    Kind,
    Link,
    Pages,
    ProvenanceHit,
    TrainingHit,
    View,
    thing_id,
)
from lineage.answer.difference import Hunk
from lineage.errors import BadCursorError, BadInputError
from lineage.model import EdgeKind
from lineage.predictions import Prediction
from lineage_graphql.context import Operation
from lineage_graphql.cursor import Cursor, decode_cursor, digest_of, encode_cursor

_KINDS = {kind: bytes([rank]) for rank, kind in enumerate(sorted(Kind, key=lambda kind: kind.value))}
_EDGES = {kind: bytes([rank]) for rank, kind in enumerate(sorted(EdgeKind, key=lambda kind: kind.value))}
_SCAN = 1_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that is all there."""

    items: Sequence[Any]

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.items)

    def page(self, _view: View, start: int, stop: int) -> Sequence[Any]:
        """Those from ``start`` up to but without ``stop``."""
        return self.items[start:stop]


@dataclass(frozen=True, slots=True)
class Source:
    """A list to page through: ``question`` (eight bytes) and ``index`` tell what its cursors are good for, ``dress``
    makes rows of a page's items, ``hand_out`` is told when a cursor is given away."""

    pages: Pages[Any]
    question: bytes
    index: int
    dress: Callable[[Sequence[Any]], list[Any]]
    hand_out: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Edge:
    """One item and the cursor after it."""

    node: Any
    cursor: str


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


class Page:
    """A connection: what is asked of it is made when it is asked."""

    def __init__(self, operation: Operation, source: Source, start: int, stop: int) -> None:
        self._operation = operation
        self._source = source
        self._start = start
        self._stop = stop
        self._handed_out = False

    @property
    def total_count(self) -> int:
        """How many items the whole list has."""
        return self._source.pages.total

    @cached_property
    def _items(self) -> Sequence[Any]:
        self._operation.check_time()
        return self._source.pages.page(self._operation.view, self._start, self._stop)

    @cached_property
    def nodes(self) -> list[Any]:
        """The items of this page."""
        return self._source.dress(self._items)

    @property
    def edges(self) -> list[Edge]:
        """The items of this page, each with its cursor."""
        passed = range(self._start + 1, self._stop + 1)
        ends = [*passed[: len(self._items) - 1], self._stop] if self._items else []
        pairs = zip(self.nodes, self._items, ends, strict=True)
        return [Edge(node, self._cursor(end, place_of(item))) for node, item, end in pairs]

    @property
    def page_info(self) -> PageInfo:
        """Where this page stands."""
        empty = self._start >= self._stop
        places = [place_of(item) for item in (*self._items[:1], *self._items[-1:])] or [b"", b""]
        return PageInfo(
            has_next_page=self._stop < self.total_count,
            has_previous_page=self._start > 0,
            start_cursor=None if empty else self._cursor(self._start + 1, places[0]),
            end_cursor=None if empty else self._cursor(self._stop, places[-1]),
        )

    def _cursor(self, passed: int, place: bytes) -> str:
        if not self._handed_out:
            self._handed_out = True
            self._source.hand_out()
        cursor = Cursor(self._source.question, self._source.index, passed, place)
        return encode_cursor(cursor, self._operation.secret)


def page_of(operation: Operation, source: Source, first: int, after: str | None) -> Page:
    """The page of at most ``first`` items after the cursor ``after``.

    Raises BadInputError for a ``first`` that is negative or above the cap, BadCursorError for a cursor of another list.
    """
    if not 0 <= first <= operation.caps.first:
        raise BadInputError(
            f"first is {first}; it can be 0 to {operation.caps.first}.", hint="Page with `after`.", field="/first"
        )
    start = 0 if after is None else _start(operation, source, decode_cursor(after, operation.secret))
    start = min(start, source.pages.total)
    return Page(operation, source, start, min(start + first, source.pages.total))


def _start(operation: Operation, source: Source, cursor: Cursor) -> int:
    if cursor.question != source.question:
        raise BadCursorError(
            "This cursor belongs to another question, or to another list of this one.",
            hint="Ask exactly what the page before was asked for; only `first` may differ.",
            field="/after",
        )
    if cursor.index == source.index or not cursor.place:
        return cursor.passed
    probe = source.pages.page(operation.view, 0, 1)
    if probe and _is_ordered(probe[0]):
        return _bisect(operation, source.pages, cursor.place)
    return _find(operation, source.pages, cursor)


def _bisect(operation: Operation, pages: Pages[Any], place: bytes) -> int:
    low, high = 0, pages.total
    while low < high:
        operation.check_time()
        middle = (low + high) // 2
        found = pages.page(operation.view, middle, middle + 1)
        if found and place_of(found[0]) <= place:
            low = middle + 1
        else:
            high = middle
    return low


def _find(operation: Operation, pages: Pages[Any], cursor: Cursor) -> int:
    for start in range(0, pages.total, _SCAN):
        operation.check_time()
        for offset, item in enumerate(pages.page(operation.view, start, start + _SCAN)):
            if place_of(item) == cursor.place:
                return start + offset + 1
    return cursor.passed


def _is_ordered(item: object) -> bool:
    return isinstance(item, ImpactHit | ProvenanceHit | TrainingHit | Link)


def place_of(item: Any) -> bytes:
    """What tells ``item`` in its list; of hits and links, so that bytes sort as the list does."""
    match item:
        case ImpactHit() | ProvenanceHit():
            return item.distance.to_bytes(4) + _KINDS[item.kind] + _key(item.node)
        case TrainingHit():
            return item.distance.to_bytes(4) + item.version.key
        case Link():
            return _EDGES[item.kind] + _key(item.source) + _key(item.target)
    return sha256(_identity(item).encode("utf-8", "surrogatepass")).digest()[:16]


def _key(thing: Any) -> bytes:
    key: bytes = digest_of(thing) * 2 if isinstance(thing, Prediction) else thing.key
    return key


def _identity(item: Any) -> str:
    if isinstance(item, AnswerGap):
        return repr((item.kind, item.message, item.node and thing_id(item.node)))
    if isinstance(item, Hunk):
        return repr([thing and thing_id(thing) for thing in (item.a, item.b)])
    return thing_id(getattr(item, "version", item))
