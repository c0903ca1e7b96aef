"""Connections as Relay has them; what they are made of is in :mod:`lineage_graphql.lists`."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import strawberry

from lineage_graphql.scalars import Long

T = TypeVar("T")

First = Annotated[int, strawberry.argument(description="How many at most: 0 to 10,000.")]
After = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before.")]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="One item of a list, and the cursor after it.")
class Edge(Generic[T]):
    """Relay's edge."""

    node: T
    cursor: str


@strawberry.type(description="A page of a list. `totalCount` is exact: of a cut answer, what was found.")
class Connection(Generic[T]):
    """Relay's connection, with the nodes at hand."""

    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    total_count: Long
