# mypy: disable-error-code="untyped-decorator, no-any-return"
"""The things of the graph as the schema has them. The types only describe: what they show are rows
(:mod:`lineage_graphql.rows`), read attribute by attribute."""

from __future__ import annotations

from typing import Any

import strawberry

from lineage_graphql import relations, rows
from lineage_graphql.connections import After, Connection, First
from lineage_graphql.enums import Binding, Evidence, Kind, Role, RunState, RunType
from lineage_graphql.scalars import JSON, DateTime, Long

_PAGE = 100


@strawberry.type(description="Who answers for a thing.")
class Owner:
    """An owner as the ownership facet tells it."""

    name: str
    type: str | None


@strawberry.type(description="A name in the way of OpenLineage: two parts, never joined.")
class Name:
    """(namespace, name)."""

    namespace: str
    name: str


@strawberry.type(description="A content hash. Digests compare only within one (algorithm, scope, method).")
class ContentHash:
    """A digest and what it is of."""

    algorithm: str
    digest: str
    scope: str
    method: str
    bytes: Long | None
    rows: Long | None


@strawberry.type(description="Something that is not known of one thing.")
class NodeGap:
    """A gap code and what it means here."""

    @strawberry.field(description="A gap code.")
    def kind(self: Any) -> str:
        """The model calls it code."""
        return str(getattr(self.code, "value", self.code))

    message: str


@strawberry.type(description="A tag as the tags facet tells it.")
class Tag:
    """A key and, of some tags, a value."""

    key: str
    value: str | None


def _type_name(value: Any, *_: Any) -> str:
    return _TYPES[type(value)]


@strawberry.interface(description="Anything that has an id.")
class Node:
    """Relay's Node."""

    resolve_type = staticmethod(_type_name)

    id: strawberry.ID


@strawberry.interface(description="Whatever an answer may show.")
class Thing(Node):
    """What all kinds have in common."""

    resolve_type = staticmethod(_type_name)

    label: str = strawberry.field(description="As a person would say it: `sales.orders @ 2026-05-01 10:00`.")
    kind: Kind
    namespace: str | None
    name: str | None
    owners: list[Owner] = strawberry.field(description="Of a version or column its dataset's, of a run its job's.")
    updated_at: DateTime | None = strawberry.field(
        description="When it was last spoken of; of datasets and jobs, the minute."
    )

    @strawberry.field(description="Of a version its dataset's.")
    def tags(self: Any) -> list[Tag]:
        """Tags as key and value."""
        return [_tag(text) for text in self.tags]


def _tag(text: str) -> Tag:
    key, separator, value = text.partition("=")
    return Tag(key=key, value=value if separator else None)


def _row_type(row: type[object]) -> Any:
    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, row)

    return is_type_of


@strawberry.type(description="A dataset or a model: `kind` tells which.")
class Dataset(Thing):
    """(namespace, name)."""

    is_type_of = _row_type(rows.DatasetRow)

    aliases: list[Name] = strawberry.field(description="Other names that lead here.")
    description: str | None
    dropped_at: DateTime | None
    facets: JSON
    gaps: list[NodeGap]

    @strawberry.field(description="The newest first.")
    def versions(self: Any, first: First = _PAGE, after: After = None) -> Connection[Version]:
        """Its versions."""
        return self.connection(relations.versions, first, after)

    @strawberry.field(description="As its schema lists them.")
    def columns(self: Any, first: First = _PAGE, after: After = None) -> Connection[Column]:
        """Its fields."""
        return self.connection(relations.columns, first, after)

    @strawberry.field(description="The jobs wired to write it.")
    def producers(self: Any, first: First = _PAGE, after: After = None) -> Connection[Job]:
        """Jobs upstream."""
        return self.connection(relations.producers, first, after)

    @strawberry.field(description="The jobs wired to read it.")
    def consumers(self: Any, first: First = _PAGE, after: After = None) -> Connection[Job]:
        """Jobs downstream."""
        return self.connection(relations.consumers, first, after)


@strawberry.type(description="One state of a dataset or model.")
class Version(Thing):
    """Keyed by the run that wrote it."""

    is_type_of = _row_type(rows.VersionRow)

    written_at: DateTime
    certain: bool = strawberry.field(description="False if only a failed run tells it.")
    gaps: list[NodeGap]
    version: str | None = strawberry.field(description="As its producer declared it; the last of `declaredVersions`.")
    declared_versions: list[str] = strawberry.field(description="Every version that was declared for it.")
    content_hashes: list[ContentHash]
    written_by: Run | None = strawberry.field(description="The run that wrote it; null if none was recorded.")
    model_card: JSON | None = strawberry.field(description="Of a model: framework, estimator, features and so on.")
    dataset: Dataset | None = strawberry.field(description="The dataset or model that this is a state of.")

    @strawberry.field(description="The runs that read it, the newest first.")
    def read_by(self: Any, first: First = _PAGE, after: After = None) -> Connection[Run]:
        """Its readers."""
        return self.connection(relations.readers, first, after)


@strawberry.type(description="A field of a dataset.")
class Column(Thing):
    """(namespace, name, column)."""

    is_type_of = _row_type(rows.ColumnRow)

    column: str = strawberry.field(description="Nested ones by their dotted path.")
    type: str | None
    description: str | None
    dataset: Dataset | None


@strawberry.type(description="A transform or a deployment: `kind` tells which.")
class Job(Thing):
    """(namespace, name)."""

    is_type_of = _row_type(rows.JobRow)

    description: str | None
    repository: str | None
    code_version: str | None = strawberry.field(description="The commit, as sourceCodeLocation tells it.")
    facets: JSON

    @strawberry.field(description="The newest first.")
    def runs(self: Any, first: First = _PAGE, after: After = None) -> Connection[Run]:
        """Its runs."""
        return self.connection(relations.runs, first, after)

    @strawberry.field(description="The datasets wired into it.")
    def inputs(self: Any, first: First = _PAGE, after: After = None) -> Connection[Dataset]:
        """What it takes."""
        return self.connection(relations.inputs, first, after)

    @strawberry.field(description="The datasets wired out of it.")
    def outputs(self: Any, first: First = _PAGE, after: After = None) -> Connection[Dataset]:
        """What it gives."""
        return self.connection(relations.outputs, first, after)


@strawberry.type(description="A version that a run read or wrote.")
class Access:
    """A read or a write."""

    version: Version
    evidence: Evidence
    certain: bool
    binding: Binding | None = strawberry.field(description="Of a read: how it found its version.")
    role: Role | None
    at: DateTime | None


@strawberry.type(description="One execution of a job; of a deployment, a rollout.")
class Run(Thing):
    """(runId, job)."""

    is_type_of = _row_type(rows.RunRow)

    run_id: str
    run_type: RunType
    state: RunState
    started_at: DateTime | None
    ended_at: DateTime | None
    code_version: str | None = strawberry.field(description="The commit, as this run's own events told it.")
    repository: str | None
    parameters: JSON
    metrics: JSON
    environment: JSON
    rollout: JSON | None = strawberry.field(description="Of a rollout: environment, endpoint, traffic and so on.")
    error: str | None
    facets: JSON
    gaps: list[NodeGap]
    job: Job | None
    parent: Run | None

    @strawberry.field(description="The runs that it started, the newest first.")
    def children(self: Any, first: First = _PAGE, after: After = None) -> Connection[Run]:
        """Runs that name it as their parent."""
        return self.connection(relations.children, first, after)

    @strawberry.field(description="The versions that it read.")
    def reads(self: Any, first: First = _PAGE, after: After = None) -> Connection[Access]:
        """What it took."""
        return self.connection(relations.reads, first, after)

    @strawberry.field(description="The versions that it wrote.")
    def writes(self: Any, first: First = _PAGE, after: After = None) -> Connection[Access]:
        """What it gave."""
        return self.connection(relations.writes, first, after)


@strawberry.type(description="A prediction, as it was recorded.")
class Prediction(Thing):
    """(deployment, id), and where in the ledger."""

    is_type_of = _row_type(rows.PredictionRow)

    prediction_id: str
    time: DateTime
    deployment: Job | None
    rollout_run_id: str | None = strawberry.field(description="The rollout, as the record tells it.")
    model: Name | None
    model_version: str | None
    input_hash: str | None
    output_hash: str | None
    ledger_index: Long = strawberry.field(description="The entry that holds the record.")
    position: int = strawberry.field(description="The record's place within the entry.")


_TYPES: dict[type, str] = {
    rows.DatasetRow: "Dataset",
    rows.VersionRow: "Version",
    rows.ColumnRow: "Column",
    rows.JobRow: "Job",
    rows.RunRow: "Run",
    rows.PredictionRow: "Prediction",
}
