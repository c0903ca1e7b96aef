"""What a question is about: references as the schema has them (``SubjectInput``, ``ServedInput``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from lineage.errors import InvalidSubjectError


@dataclass(frozen=True, slots=True)
class NodeRef:
    """The Relay id of any node of any answer."""

    id: str


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A dataset or model, by any of its names."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A version of a dataset or model: at most one of ``version`` (declared), ``run_id`` (of the run that wrote it) and
    ``digest`` (a content hash, in any case); with none of them, every version of the dataset."""

    namespace: str
    name: str
    version: str | None = None
    run_id: str | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        _spell_as_told(self)


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A field of a dataset; nested fields by their dotted path."""

    namespace: str
    name: str
    column: str


@dataclass(frozen=True, slots=True)
class JobRef:
    """A job or deployment."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class RunRef:
    """All runs with this runId: one runId under two jobs is two runs."""

    run_id: str


@dataclass(frozen=True, slots=True)
class PredictionRef:
    """A prediction, by deployment and id; of several records, ``run_id`` and ``model`` keep those that tell them."""

    deployment: JobRef
    id: str
    run_id: str | None = None
    model: DatasetRef | None = None


@dataclass(frozen=True, slots=True)
class CodeRef:
    """All runs and jobs of a commit (sourceCodeLocation), of one ``repository`` if told."""

    commit: str
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class ContentRef:
    """All versions with a content hash; each of ``algorithm``, ``scope`` and ``method`` narrows it. Only ``method`` is
    the producer's own word, and taken as it is written."""

    digest: str
    algorithm: str | None = None
    scope: str | None = None
    method: str | None = None

    def __post_init__(self) -> None:
        _spell_as_told(self)


@dataclass(frozen=True, slots=True)
class ServedWindow:
    """What a deployment served in ``[start, end]`` (UTC microseconds); ``start == end`` asks for a moment."""

    deployment: JobRef
    start: int
    end: int


Subject = NodeRef | DatasetRef | VersionRef | ColumnRef | JobRef | RunRef | PredictionRef | CodeRef | ContentRef
ServedSubject = PredictionRef | ServedWindow | VersionRef


def _spell_as_told(subject: VersionRef | ContentRef) -> None:
    """Write a content hash as facts do: digest and algorithm in lower case, scope in upper case."""
    for name, spell in (("digest", str.lower), ("algorithm", str.lower), ("scope", str.upper)):
        text = getattr(subject, name, None)
        if text is not None:
            object.__setattr__(subject, name, spell(text))


def check(subject: Subject | ServedSubject) -> None:
    """Raises InvalidSubjectError if ``subject`` holds a text that no name can have: one with a lone surrogate."""
    for text in _texts(subject):
        if not is_text(text):
            raise InvalidSubjectError(f"{text!a} holds a lone surrogate, as no name does.")


def is_text(text: str) -> bool:
    """Whether ``text`` can be written as UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))
