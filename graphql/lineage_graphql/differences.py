# mypy: disable-error-code="untyped-decorator, no-any-return"
"""The answer to "what changed?" as the schema has it; its nouns are those of :mod:`lineage.answer.difference`."""

from __future__ import annotations

from typing import Any

import strawberry

from lineage.answer import difference
from lineage_graphql.answers import Answer
from lineage_graphql.asked import AnswerRow
from lineage_graphql.connections import After, Connection, First
from lineage_graphql.enums import Aspect, Change, Content, Kind
from lineage_graphql.nodes import Thing
from lineage_graphql.scalars import JSON, DateTime, Long

_PAGE = 100


@strawberry.type(description="One difference of two things.")
class Difference:
    """What differs, and both values."""

    aspect: Aspect
    change: Change
    name: str = strawberry.field(
        description="Of what: a parameter, a package, a column, a metric, the dataset that is read, the job that wrote."
    )
    a: JSON | None = strawberry.field(description="The value on side a; of DATA the digest that was compared.")
    b: JSON | None
    content: Content | None = strawberry.field(description="Of DATA: what the content hashes say.")
    derived: bool = strawberry.field(description="Something upstream differs that explains it.")


@strawberry.type(description="Two versions or two runs that are each other's counterpart, and what differs.")
class Hunk:
    """Counterparts."""

    a: Thing | None = strawberry.field(description="Null where only b has it.")
    b: Thing | None = strawberry.field(description="Null where only a has it.")
    kind: Kind
    distance: int = strawberry.field(description="Runs crossed from the subject, a run itself counted.")
    at: DateTime | None = strawberry.field(description="When the later of the two was written or started.")
    path: list[Thing] = strawberry.field(description="A shortest way there: the subject first, itself left out.")
    differences: list[Difference]
    origin: bool = strawberry.field(description="Here the histories part: nothing upstream of it differs.")
    sure: bool = strawberry.field(description="More differs than content that is unknown.")
    absorbed: bool = strawberry.field(
        description="On every way from here to the subject stands a version of the same content."
    )


@strawberry.type(description="How many versions or runs were compared.")
class Compared:
    """Counts of one kind."""

    kind: Kind
    same: Long = strawberry.field(description="The very same in both histories.")
    alike: Long = strawberry.field(description="Another, of which nothing told differs.")
    changed: Long
    unknown: Long = strawberry.field(description="Other versions, of which no content hashes compare.")
    added: Long
    removed: Long


@strawberry.type(description="How many differences of one aspect there are.")
class AspectCount:
    """A count, and how many of it follow from what differs upstream."""

    aspect: Aspect
    count: Long
    derived: Long


def _is_diff(value: Any, _info: Any) -> bool:
    return isinstance(value, AnswerRow) and isinstance(value.answer, difference.Diff)


@strawberry.type(description="What differs between two histories.")
class Diff(Answer):
    """The answer to "it worked on Tuesday; what changed?"."""

    is_type_of = _is_diff

    compared: list[Compared]
    summary: list[AspectCount]

    @strawberry.field(description="What side a is.")
    def a(self: Any, first: First = _PAGE, after: After = None) -> Connection[Thing]:
        """Its subjects."""
        return self.page("a", self.answer.a, first, after)

    @strawberry.field(description="What side b is.")
    def b(self: Any, first: First = _PAGE, after: After = None) -> Connection[Thing]:
        """Its subjects."""
        return self.page("b", self.answer.b, first, after)

    @strawberry.field(description="Where the histories part: the sure first, the absorbed last, the earliest first.")
    def origins(self: Any, first: First = _PAGE, after: After = None) -> Connection[Hunk]:
        """Root causes."""
        return self.page("origins", self.answer.origins, first, after)

    @strawberry.field(description="All that differs, the nearest first.")
    def hunks(self: Any, first: First = _PAGE, after: After = None) -> Connection[Hunk]:
        """What differs."""
        return self.page("hunks", self.answer.hunks, first, after)
