"""What a question is about, from words to GraphQL's ``SubjectInput``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lineage.errors import BadInputError

Input = dict[str, Any]


class SubjectKind(StrEnum):
    """What the words after it name. A model is a dataset, a deployment a job, a rollout a run."""

    DATASET = "dataset"
    MODEL = "model"
    VERSION = "version"
    JOB = "job"
    DEPLOYMENT = "deployment"
    RUN = "run"
    ROLLOUT = "rollout"
    COLUMN = "column"
    COMMIT = "commit"
    HASH = "hash"
    PREDICTION = "prediction"
    ID = "id"


@dataclass(frozen=True, slots=True)
class _Form:
    words: tuple[str, ...]
    optional: int
    make: Callable[..., Input]


def subject_input(kind: SubjectKind, words: Sequence[str]) -> Input:
    """The subject that ``words`` name. Raises BadInputError when there are too few or too many of them."""
    form = _FORMS[kind]
    least = len(form.words) - form.optional
    if not least <= len(words) <= len(form.words):
        raise BadInputError(
            f"`{kind.value}` takes {usage(kind)}; {len(words)} words are given.",
            hint="Put a name that holds spaces in quotes.",
        )
    return form.make(*words)


def usage(kind: SubjectKind) -> str:
    """The words that ``kind`` takes, as a manual writes them."""
    form = _FORMS[kind]
    least = len(form.words) - form.optional
    return " ".join(word if place < least else f"[{word}]" for place, word in enumerate(form.words))


def version_input(namespace: str, name: str, which: str | None = None) -> Input:
    """A ``VersionRef``: by declared version, ``run:<runId>`` or ``sha256:<digest>``; without ``which`` all of them.

    A digest may be in any case, and ``sha256`` too, as for :class:`lineage.questions.subjects.VersionRef`.
    """
    reference: Input = {"namespace": namespace, "name": name}
    if which is None:
        return reference
    mark, _, rest = which.partition(":")
    if mark == "run" and rest:
        return reference | {"runId": rest}
    if mark.lower() == "sha256" and rest:
        return reference | {"digest": rest}
    return reference | {"version": which}


def _content(digest: str) -> Input:
    algorithm, _, rest = digest.partition(":")
    told: Input = {"digest": rest, "algorithm": algorithm.lower()} if rest else {"digest": digest}
    return {"content": told}


def _commit(commit: str, repository: str | None = None) -> Input:
    return {"code": {"commit": commit} | ({"repository": repository} if repository else {})}


_NAME = ("NAMESPACE", "NAME")
_DATASET = _Form(_NAME, 0, lambda space, name: {"dataset": {"namespace": space, "name": name}})
_JOB = _Form(_NAME, 0, lambda space, name: {"job": {"namespace": space, "name": name}})
_RUN = _Form(("RUNID",), 0, lambda run: {"run": {"runId": run}})
_FORMS = {
    SubjectKind.DATASET: _DATASET,
    SubjectKind.MODEL: _DATASET,
    SubjectKind.VERSION: _Form(
        (*_NAME, "VERSION|run:RUNID|sha256:HEX"), 1, lambda *words: {"version": version_input(*words)}
    ),
    SubjectKind.JOB: _JOB,
    SubjectKind.DEPLOYMENT: _JOB,
    SubjectKind.RUN: _RUN,
    SubjectKind.ROLLOUT: _RUN,
    SubjectKind.COLUMN: _Form(
        (*_NAME, "COLUMN"),
        0,
        lambda space, name, column: {"column": {"namespace": space, "name": name, "column": column}},
    ),
    SubjectKind.COMMIT: _Form(("COMMIT", "REPOSITORY"), 1, _commit),
    SubjectKind.HASH: _Form(("DIGEST",), 0, _content),
    SubjectKind.PREDICTION: _Form(
        (*_NAME, "ID"),
        0,
        lambda space, name, id: {"prediction": {"deployment": {"namespace": space, "name": name}, "id": id}},
    ),
    SubjectKind.ID: _Form(("ID",), 0, lambda id: {"id": id}),
}
