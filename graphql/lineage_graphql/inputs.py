"""What a question is about, as the schema takes it, and as :mod:`lineage.questions` takes it."""

from __future__ import annotations

import strawberry

from lineage.errors import BadInputError, InvalidSubjectError
from lineage.questions import subjects
from lineage_graphql.scalars import DateTime

_LONGEST = 65_536


@strawberry.input(description="A dataset, by any of its names; a model is a dataset.")
class DatasetRef:
    """(namespace, name)."""

    namespace: str
    name: str


@strawberry.input(description="Versions of a dataset: by one of version, runId and digest, or all.")
class VersionRef:
    """A dataset and at most one name of a version."""

    namespace: str
    name: str
    version: str | None = strawberry.field(default=None, description="The version as its producer declared it.")
    run_id: str | None = strawberry.field(default=None, description="The run that wrote it.")
    digest: str | None = strawberry.field(default=None, description="A content hash of it.")


@strawberry.input(description="A field of a dataset; nested ones by their dotted path.")
class ColumnRef:
    """(namespace, name, column)."""

    namespace: str
    name: str
    column: str


@strawberry.input(description="A job; a deployment is a job.")
class JobRef:
    """(namespace, name)."""

    namespace: str
    name: str


@strawberry.input(description="All runs with this runId.")
class RunRef:
    """A runId."""

    run_id: str


@strawberry.input(description="A prediction; where several records bear its id, runId and model choose among them.")
class PredictionRef:
    """(deployment, id)."""

    deployment: JobRef
    id: strawberry.ID
    run_id: str | None = None
    model: DatasetRef | None = None


@strawberry.input(description="All runs and jobs of a commit, as sourceCodeLocation tells it.")
class CodeRef:
    """A commit, of one repository if told."""

    commit: str
    repository: str | None = None


@strawberry.input(description="All versions with this content hash.")
class ContentRef:
    """A digest; each of the others narrows it."""

    digest: str
    algorithm: str | None = None
    scope: str | None = None
    method: str | None = None


@strawberry.input(
    name="ServedWindow", description="What a deployment served from a time to another; the same twice is a moment."
)
class ServedWindow:
    """(deployment, from, to)."""

    deployment: JobRef
    start: DateTime = strawberry.field(name="from")
    end: DateTime = strawberry.field(name="to")


@strawberry.input(one_of=True, description="What a question is about.")
class SubjectInput:
    """Exactly one of these."""

    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Of any node of any answer.")
    dataset: DatasetRef | None = strawberry.UNSET
    version: VersionRef | None = strawberry.UNSET
    column: ColumnRef | None = strawberry.UNSET
    job: JobRef | None = strawberry.UNSET
    run: RunRef | None = strawberry.UNSET
    prediction: PredictionRef | None = strawberry.UNSET
    code: CodeRef | None = strawberry.UNSET
    content: ContentRef | None = strawberry.UNSET


@strawberry.input(one_of=True, description="What was served: by a prediction, in a window, or a model's versions.")
class ServedInput:
    """Exactly one of these."""

    prediction: PredictionRef | None = strawberry.UNSET
    served: ServedWindow | None = strawberry.UNSET
    model: VersionRef | None = strawberry.UNSET


def subject_of(told: SubjectInput) -> subjects.Subject:
    """The subject that ``told`` names. Raises InvalidSubjectError, BadInputError for a name that is too long."""
    if told.id:
        return subjects.NodeRef(_text(told.id, "/of/id"))
    if told.dataset:
        return _dataset(told.dataset)
    if told.version:
        return _version(told.version)
    if told.column:
        return subjects.ColumnRef(_text(told.column.namespace), _text(told.column.name), _text(told.column.column))
    if told.job:
        return _job(told.job)
    if told.run:
        return subjects.RunRef(_text(told.run.run_id))
    if told.prediction:
        return _prediction(told.prediction)
    if told.code:
        return subjects.CodeRef(_text(told.code.commit), _maybe(told.code.repository))
    if told.content:
        content = told.content
        narrow = (_maybe(content.algorithm), _maybe(content.scope), _maybe(content.method))
        return subjects.ContentRef(_text(content.digest), *narrow)
    raise InvalidSubjectError("The subject names nothing.", hint="Set exactly one of its fields.", field="/of")


def served_of(told: ServedInput) -> subjects.ServedSubject:
    """What ``told`` names as served. Raises InvalidSubjectError, BadInputError."""
    if told.prediction:
        return _prediction(told.prediction)
    if told.served:
        window = told.served
        return subjects.ServedWindow(_job(window.deployment), int(window.start), int(window.end))
    if told.model:
        return _version(told.model)
    raise InvalidSubjectError("This names nothing that was served.", hint="Set exactly one of its fields.", field="/of")


def _dataset(told: DatasetRef) -> subjects.DatasetRef:
    return subjects.DatasetRef(_text(told.namespace), _text(told.name))


def _version(told: VersionRef) -> subjects.VersionRef:
    names = (_maybe(told.version), _maybe(told.run_id), _maybe(told.digest))
    return subjects.VersionRef(_text(told.namespace), _text(told.name), *names)


def _job(told: JobRef) -> subjects.JobRef:
    return subjects.JobRef(_text(told.namespace), _text(told.name))


def _prediction(told: PredictionRef) -> subjects.PredictionRef:
    model = _dataset(told.model) if told.model else None
    return subjects.PredictionRef(_job(told.deployment), _text(told.id), _maybe(told.run_id), model)


def _maybe(text: str | None) -> str | None:
    return None if text is None else _text(text)


def _text(text: str, field: str = "/of") -> str:
    if len(text) > _LONGEST:
        raise BadInputError(f"A name of {len(text)} characters; the limit is {_LONGEST}.", field=field)
    return text
