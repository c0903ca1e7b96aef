# mypy: disable-error-code="untyped-decorator, no-any-return"
"""The root of the schema: the questions, and any node by its id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from lineage.answer import Answer as AnyAnswer
from lineage.errors import (
    BadInputError,
    InvalidSubjectError,
    NotFoundError,
    SnapshotGoneError,
)
from lineage.ledger.reached import check_reflected
from lineage.questions.diff import diff as ask_diff
from lineage.questions.impact import impact as ask_impact
from lineage.questions.narrowing import Only
from lineage.questions.path import path as ask_path
from lineage.questions.provenance import provenance as ask_provenance
from lineage.questions.resolution import resolve
from lineage.questions.search import search as ask_search
from lineage.questions.subjects import NodeRef
from lineage.questions.training_data import training_data as ask_training_data
from lineage.store import EdgeFilter
from lineage_graphql.answers import Impact, Path, Provenance, Search, TrainingData
from lineage_graphql.asked import AnswerRow
from lineage_graphql.context import Operation
from lineage_graphql.cursor import digest_of
from lineage_graphql.differences import Diff
from lineage_graphql.enums import Evidence, Kind
from lineage_graphql.inputs import ServedInput, SubjectInput, served_of, subject_of
from lineage_graphql.moment import as_of_moment
from lineage_graphql.nodes import Node
from lineage_graphql.past import as_of_index, seek
from lineage_graphql.pinned import pinned_index
from lineage_graphql.scalars import DateTime, Long
from lineage_graphql.siblings import dress_all

_MOST_IDS = 1_000

Of = Annotated[SubjectInput, strawberry.argument(description="What the question is about.")]
Served = Annotated[ServedInput, strawberry.argument(description="What was served.")]
AtLeast = Annotated[Evidence, strawberry.argument(description="Only edges of at least this evidence count.")]
Kinds = Annotated[list[Kind] | None, strawberry.argument(description="List only what is of these kinds.")]
Namespaces = Annotated[list[str] | None, strawberry.argument(description="List only what is in these namespaces.")]
Tags = Annotated[
    list[str] | None, strawberry.argument(description="List only what has one of these tags: `key` or `key=value`.")
]
Owners = Annotated[list[str] | None, strawberry.argument(description="List only what one of these answers for.")]
AsOf = Annotated[
    DateTime | None,
    strawberry.argument(description="What we know today about this moment: what was wired, written and served then."),
]
AtIndex = Annotated[
    Long | None,
    strawberry.argument(description="Answer as when this ledger entry was the last, whatever has been recorded since."),
]
MinIndex = Annotated[
    Long | None,
    strawberry.argument(
        description="Answer only from a state that reflects this ledger entry: wait for it, or say how far it is."
    ),
]
Strict = Annotated[
    bool, strawberry.argument(description="Refuse a cursor whose answer is no longer kept, rather than go on anew.")
]


@strawberry.type(description="Every field may fail by itself: its siblings are answered all the same.")
class Query:
    """The questions."""

    @strawberry.field(description="Which data trained what served?")
    def training_data(
        self,
        info: Info,
        of: Served,
        evidence: AtLeast = Evidence.INFERRED,
        kinds: Kinds = None,
        namespaces: Namespaces = None,
        tags: Tags = None,
        owners: Owners = None,
        as_of: AsOf = None,
        at_index: AtIndex = None,
        min_index: MinIndex = None,
        strict: Strict = False,
    ) -> TrainingData | None:
        """The first question."""
        subject, edges, only = served_of(of), EdgeFilter(evidence, as_of=as_of), _only(kinds, namespaces, tags, owners)

        def ask(operation: Operation) -> AnyAnswer:
            return ask_training_data(operation.view, subject, edges=edges, only=only, limits=operation.limits)

        return _answer(info, ("trainingData", subject, edges, only), ask, at_index, min_index, strict, as_of)

    @strawberry.field(description="What is affected by a change?")
    def impact(
        self,
        info: Info,
        of: Of,
        since: Annotated[
            DateTime | None, strawberry.argument(description="Only versions written or first seen then or later.")
        ] = None,
        evidence: AtLeast = Evidence.INFERRED,
        kinds: Kinds = None,
        namespaces: Namespaces = None,
        tags: Tags = None,
        owners: Owners = None,
        as_of: AsOf = None,
        at_index: AtIndex = None,
        min_index: MinIndex = None,
        strict: Strict = False,
    ) -> Impact | None:
        """The second question."""
        subject, edges, only = subject_of(of), EdgeFilter(evidence, as_of=as_of), _only(kinds, namespaces, tags, owners)

        def ask(operation: Operation) -> AnyAnswer:
            return ask_impact(operation.view, subject, since=since, edges=edges, only=only, limits=operation.limits)

        return _answer(info, ("impact", subject, since, edges, only), ask, at_index, min_index, strict, as_of)

    @strawberry.field(description="What did this come from?")
    def provenance(
        self,
        info: Info,
        of: Of,
        evidence: AtLeast = Evidence.INFERRED,
        kinds: Kinds = None,
        namespaces: Namespaces = None,
        tags: Tags = None,
        owners: Owners = None,
        as_of: AsOf = None,
        at_index: AtIndex = None,
        min_index: MinIndex = None,
        strict: Strict = False,
    ) -> Provenance | None:
        """All that is upstream."""
        subject, edges, only = subject_of(of), EdgeFilter(evidence, as_of=as_of), _only(kinds, namespaces, tags, owners)

        def ask(operation: Operation) -> AnyAnswer:
            return ask_provenance(operation.view, subject, edges=edges, only=only, limits=operation.limits)

        return _answer(info, ("provenance", subject, edges, only), ask, at_index, min_index, strict, as_of)

    @strawberry.field(description="How did one thing come from another?")
    def path(
        self,
        info: Info,
        source: Annotated[SubjectInput, strawberry.argument(name="from", description="What lies upstream.")],
        target: Annotated[SubjectInput, strawberry.argument(name="to", description="What came from it.")],
        evidence: AtLeast = Evidence.INFERRED,
        as_of: AsOf = None,
        at_index: AtIndex = None,
        min_index: MinIndex = None,
    ) -> Path | None:
        """A shortest path, as wired and as run."""
        ends, edges = (subject_of(source), subject_of(target)), EdgeFilter(evidence, as_of=as_of)

        def ask(operation: Operation) -> AnyAnswer:
            return ask_path(operation.view, *ends, edges=edges, limits=operation.limits)

        return _answer(info, ("path", ends, edges), ask, at_index, min_index, as_of=as_of)

    @strawberry.field(description="It worked then: what changed? Without b: a at two moments, or what stood before it.")
    def diff(
        self,
        info: Info,
        a: Annotated[SubjectInput, strawberry.argument(description="The side that worked, or both.")],
        b: Annotated[SubjectInput | None, strawberry.argument(description="The other side.")] = None,
        a_as_of: Annotated[
            DateTime | None, strawberry.argument(description="When a dataset, model, job or deployment is meant.")
        ] = None,
        b_as_of: Annotated[DateTime | None, strawberry.argument(description="Likewise of side b; else now.")] = None,
        evidence: AtLeast = Evidence.INFERRED,
        at_index: AtIndex = None,
        min_index: MinIndex = None,
        strict: Strict = False,
    ) -> Diff | None:
        """Two histories compared."""
        sides, edges = (subject_of(a), subject_of(b) if b else None), EdgeFilter(evidence)

        def ask(operation: Operation) -> AnyAnswer:
            view, limits = operation.view, operation.limits
            return ask_diff(view, *sides, a_as_of=a_as_of, b_as_of=b_as_of, edges=edges, limits=limits)

        return _answer(info, ("diff", sides, a_as_of, b_as_of, edges), ask, at_index, min_index, strict)

    @strawberry.field(description="What bears this name, or this content hash?")
    def search(
        self,
        info: Info,
        text: str,
        kinds: Kinds = None,
        namespaces: Namespaces = None,
        tags: Tags = None,
        owners: Owners = None,
        first: int = 20,
        at_index: AtIndex = None,
        min_index: MinIndex = None,
    ) -> Search | None:
        """Things by name."""
        only = _only(kinds, namespaces, tags, owners)
        operation: Operation = info.context
        if not 0 <= first <= operation.caps.first:
            raise BadInputError(f"first is {first}; it can be 0 to {operation.caps.first}.", field="/first")

        def ask(operation: Operation) -> AnyAnswer:
            return ask_search(operation.view, text, only, first)

        return _answer(info, ("search", text, only, first), ask, at_index, min_index)

    @strawberry.field(description="Any thing that an answer showed, by its id.")
    def node(self, info: Info, id: strawberry.ID) -> Node | None:
        """Relay's node."""
        operation: Operation = info.context
        things = resolve(operation.view, NodeRef(id))
        return dress_all(operation, things[:1])[0] if things else None

    @strawberry.field(description="Several at once; null where there is none.")
    def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None] | None:
        """Relay's nodes."""
        if len(ids) > _MOST_IDS:
            raise BadInputError(f"There are {len(ids)} ids; the limit is {_MOST_IDS}.", field="/ids")
        operation: Operation = info.context
        found = [_maybe_resolve(operation, id) for id in ids]
        rows = iter(dress_all(operation, [thing for thing in found if thing is not None]))
        return [None if thing is None else next(rows) for thing in found]


def _maybe_resolve(operation: Operation, id: str) -> Any:
    operation.check_time()
    try:
        return next(iter(resolve(operation.view, NodeRef(id))), None)
    except (NotFoundError, InvalidSubjectError):
        return None


def _only(
    kinds: list[Kind] | None, namespaces: list[str] | None, tags: list[str] | None, owners: list[str] | None
) -> Only:
    wanted = tuple(sorted(set(kinds or ()), key=lambda kind: kind.value))
    return Only(wanted, *(tuple(sorted(set(told or ()))) for told in (namespaces, tags, owners)))


def _answer(
    info: Info,
    parts: Sequence[object],
    ask: Callable[[Operation], AnyAnswer],
    at_index: int | None,
    min_index: int | None,
    strict: bool = False,
    as_of: int | None = None,
) -> Any:
    """The answer that the cursors of this field belong to, if it is kept; else a new one."""
    recorded = as_of_index(info.context, at_index)
    operation = as_of_moment(recorded, as_of)
    question = digest_of(*parts) if at_index is None else digest_of(*parts, at_index)
    _check_index(info.context, min_index)
    pinned = pinned_index(info, question, operation.secret)
    if pinned is not None:
        if (kept := operation.context.kept.get(question, pinned)) is not None:
            return AnswerRow(operation, kept, question)
        if strict and at_index is None and question not in operation.answers:
            raise SnapshotGoneError(
                f"The answer at ledger index {pinned} is no longer kept.",
                hint="Ask again from the first page, or without `strict`.",
                field="/after",
            )
    operation.check_time()
    if question not in operation.answers:
        seek(recorded, parts)
        operation.answers[question] = ask(operation) if at_index is None else _then(ask, operation, at_index)
    answer = operation.answers[question]
    moved = pinned is not None and pinned != answer.ledger_index
    return AnswerRow(operation, answer, question, moved)


def _then(ask: Callable[[Operation], AnyAnswer], operation: Operation, index: int) -> AnyAnswer:
    """What ``ask`` gives of the past; what was not there yet is not said to have never been seen."""
    try:
        return ask(operation)
    except NotFoundError as error:
        hint = f"{error.hint} Later entries may tell of it: ask without `atIndex`.".lstrip()
        raise NotFoundError(f"As of ledger entry {index}: {error.message}", hint=hint, field=error.field) from error


def _check_index(operation: Operation, min_index: int | None) -> None:
    if min_index is None:
        return
    operation.least = max(operation.least, min_index + 1)
    reached = operation.view.graph.ledger_size
    check_reflected(min_index, size=operation.context.head(), reached=reached, field="/minIndex")
