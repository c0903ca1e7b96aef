# mypy: disable-error-code="untyped-decorator, no-any-return"
"""Answers as the schema has them. The types only describe: what they show are rows
(:mod:`lineage_graphql.asked`)."""

from __future__ import annotations

from typing import Any

import strawberry

from lineage_graphql.asked import AnswerRow
from lineage_graphql.connections import After, Connection, First
from lineage_graphql.enums import Binding, Certainty, Consequence, EdgeKind, Evidence, Kind, Role
from lineage_graphql.nodes import Name, Owner, Prediction, Run, Thing, Version
from lineage_graphql.scalars import DateTime, Long

_PAGE = 100


@strawberry.type(description="Where an answer stops short: what was found is true, and this is what may be missing.")
class Cut:
    """Why, at how many, and from which distance on."""

    reason: str = strawberry.field(description="NODES: that many were found. TIME: no more time.")
    limit: Long | None
    next: int = strawberry.field(description="The distance from which on hits may be missing.")


@strawberry.type(description="Something that the answer can't be sure of.")
class Gap:
    """A gap code, what it means here, and what it is about."""

    kind: str = strawberry.field(description="A gap code: TIME_BINDING, NO_CONTENT_HASH and so on.")
    message: str
    node: Thing | None


@strawberry.interface(description="What every answer says of itself.")
class Answer:
    """Whether it is complete, and where in the ledger it holds."""

    complete: bool = strawberry.field(description="Whether nothing was cut.")
    cut: Cut | None
    ledger_index: Long = strawberry.field(description="The last ledger entry that it reflects; -1 of an empty ledger.")
    recorded_at: DateTime | None = strawberry.field(description="When that entry was received, if known.")
    behind: Long = strawberry.field(description="How many entries the ledger had beyond it.")
    left_out: Long = strawberry.field(description="How many hits the filters of the question keep from being listed.")
    moved: bool = strawberry.field(description="Computed anew: a cursor came from an earlier ledgerIndex, not kept.")
    score: float = strawberry.field(description="The share of its versions and reads that carry no gap.")

    @strawberry.field(description="What it can't be sure of.")
    def gaps(self: Any, first: First = _PAGE, after: After = None) -> Connection[Gap]:
        """Its gaps."""
        return self.page("gaps", self.assessment.gaps, first, after)


@strawberry.type(description="How one column goes into another, as the columnLineage facet tells it.")
class Transformation:
    """A type of transformation."""

    type: str = strawberry.field(description="DIRECT: the value. INDIRECT: only which rows there are, or their order.")
    subtype: str | None
    masking: bool | None


@strawberry.type(description="A read or a write, the way data flows.")
class Link:
    """An edge between two things."""

    source: Thing
    target: Thing
    kind: EdgeKind
    evidence: Evidence
    certain: bool
    binding: Binding | None
    role: Role | None
    transformations: list[Transformation] = strawberry.field(
        description="Between columns: how one goes into the other."
    )


@strawberry.type(description="A model version that served, the rollouts that served it, and the run that trained it.")
class ServedModel:
    """One model version."""

    version: Version
    served_by: list[Run]
    trained_by: Run | None


@strawberry.type(description="A version that a model was made from.")
class TrainingHit:
    """One dataset or model version."""

    version: Version
    role: Role
    distance: int
    binding: Binding | None
    evidence: Evidence
    certain: bool


def _is_answer(name: str) -> Any:
    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, AnswerRow) and type(value.answer).__name__ == name

    return is_type_of


@strawberry.type(description="Which data trained what served.")
class TrainingData(Answer):
    """The answer to the first question."""

    is_type_of = _is_answer("TrainingData")

    certainty: Certainty

    @strawberry.field(description="The prediction records found; none for a window or a model.")
    def records(self: Any) -> list[Prediction]:
        """The records."""
        return self.dressed(self.answer.records)

    @strawberry.field(description="The model versions that served.")
    def models(self: Any) -> list[ServedModel]:
        """What served."""
        return self.dressed(self.answer.models)

    @strawberry.field(description="What they were made from, the nearest first.")
    def datasets(self: Any, first: First = _PAGE, after: After = None) -> Connection[TrainingHit]:
        """What trained it."""
        return self.page("datasets", self.answer.datasets, first, after)

    @strawberry.field(description="The reads and writes between them.")
    def links(self: Any, first: First = _PAGE, after: After = None) -> Connection[Link]:
        """Its edges."""
        return self.page("links", self.answer.links, first, after)


@strawberry.type(description="Something that a change reaches.")
class ImpactHit:
    """One thing within a radius."""

    node: Thing
    distance: int = strawberry.field(description="Jobs (potential) or runs (actual) crossed.")
    consequence: Consequence = strawberry.field(description="What to do about it.")
    evidence: Evidence = strawberry.field(description="Of the best path, its weakest edge.")
    certain: bool = strawberry.field(description="Some path to it has only edges that runs which did not fail tell.")
    stale: bool = strawberry.field(description="Every path to it has an edge that its job no longer tells.")
    standing: bool = strawberry.field(description="The latest certain version, or served now.")
    remediated: bool = strawberry.field(description="Already replaced by one that doesn't descend from the change.")
    owners: list[Owner]
    via: Thing | None = strawberry.field(description="What is next before it on a shortest path.")
    transformation: str | None = strawberry.field(
        description="Of a column asked about columns: DIRECT if some path to it is at each step, else INDIRECT."
    )


@strawberry.type(description="How many hits of one kind there are.")
class KindSummary:
    """Counts of one kind."""

    kind: Kind
    potential: Long
    actual: Long
    standing: Long


@strawberry.type(description="Predictions that what is affected made.")
class PredictionCount:
    """A count, and the first and last time."""

    count: Long
    first_at: DateTime | None
    last_at: DateTime | None


@strawberry.type(description="What is affected by a change.")
class Impact(Answer):
    """The answer to the second question."""

    is_type_of = _is_answer("Impact")

    @strawberry.field(description="How many hits of each kind.")
    def summary(self: Any) -> list[KindSummary]:
        """Counts by kind."""
        return self.answer.summary(self.operation.view)

    @strawberry.field(description="What the reference names; these are no hits.")
    def subjects(self: Any, first: First = _PAGE, after: After = None) -> Connection[Thing]:
        """The subjects."""
        return self.page("subjects", self.answer.subjects, first, after)

    @strawberry.field(description="What is wired downstream.")
    def potential(self: Any, first: First = _PAGE, after: After = None) -> Connection[ImpactHit]:
        """The potential radius."""
        return self.page("potential", self.answer.potential, first, after)

    @strawberry.field(description="What was truly made from the changed versions.")
    def actual(self: Any, first: First = _PAGE, after: After = None) -> Connection[ImpactHit]:
        """The actual radius."""
        return self.page("actual", self.answer.actual, first, after)

    @strawberry.field(
        description="The predictions that what changed had a part in: a record that names a model version counts for "
        "that version alone, any other for what was served at its time."
    )
    def predictions(self: Any) -> PredictionCount:
        """How many."""
        return self.answer.predictions(self.operation.view)


@strawberry.type(description="Something that the subject came from.")
class ProvenanceHit:
    """One thing upstream."""

    node: Thing
    distance: int
    evidence: Evidence
    certain: bool
    transformation: str | None = strawberry.field(
        description="Of a column asked about columns: DIRECT if some path to it is at each step, else INDIRECT."
    )


@strawberry.type(description="All that the subject came from.")
class Provenance(Answer):
    """Nodes and links upstream."""

    is_type_of = _is_answer("Provenance")

    @strawberry.field(description="What the reference names; these are not among the nodes.")
    def subjects(self: Any, first: First = _PAGE, after: After = None) -> Connection[Thing]:
        """The subjects."""
        return self.page("subjects", self.answer.subjects, first, after)

    @strawberry.field(description="The nearest first.")
    def nodes(self: Any, first: First = _PAGE, after: After = None) -> Connection[ProvenanceHit]:
        """What it came from."""
        return self.page("nodes", self.answer.nodes, first, after)

    @strawberry.field(description="The reads and writes between them.")
    def links(self: Any, first: First = _PAGE, after: After = None) -> Connection[Link]:
        """Its edges."""
        return self.page("links", self.answer.links, first, after)


@strawberry.type(description="One shortest path: link i leads from node i to node i + 1.")
class Route:
    """A way from the source to the target."""

    nodes: list[Thing]
    links: list[Link]


@strawberry.type(description="How one thing came from another.")
class Path(Answer):
    """As wired, and as run; null where there is no path."""

    is_type_of = _is_answer("Path")

    @strawberry.field(description="As wired.")
    def potential(self: Any) -> Route | None:
        """The way on the logical level."""
        return _route(self, self.answer.potential)

    @strawberry.field(description="As run.")
    def actual(self: Any) -> Route | None:
        """The way among versions."""
        return _route(self, self.answer.actual)


def _route(row: AnswerRow, route: Any) -> Any:
    return None if route is None else row.dressed([route])[0]


@strawberry.type(description="What a text names.")
class Search(Answer):
    """The best first."""

    is_type_of = _is_answer("Search")

    @strawberry.field(
        description="For each hit, in order, the alias by which it was found; null where its public name, or an exact "
        "hash, commit or runId was."
    )
    def by_alias(self: Any) -> list[Name | None]:
        """Why a hit whose name does not hold the text was found."""
        return [self.answer.by_alias.get(hit.key) for hit in self.answer.hits]

    @strawberry.field(description="The best first.")
    def hits(self: Any) -> list[Thing]:
        """What was found."""
        return self.dressed(self.answer.hits)
