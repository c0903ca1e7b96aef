"""From words to what a question is about."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from lineage.cli.questions import Words, served_input
from lineage.cli.subject import SubjectKind, subject_input, usage
from lineage.errors import BadInputError
from lineage_graphql.schema import build_schema

NAMED = {"namespace": "db", "name": "orders"}


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("dataset", ["db", "orders"], {"dataset": NAMED}),
        ("version", ["db", "orders"], {"version": NAMED}),
        ("version", ["db", "orders", "7"], {"version": NAMED | {"version": "7"}}),
        ("version", ["db", "orders", "run:"], {"version": NAMED | {"version": "run:"}}),
        ("version", ["db", "orders", "run:0190-a"], {"version": NAMED | {"runId": "0190-a"}}),
        ("version", ["db", "orders", "sha256:ab"], {"version": NAMED | {"digest": "ab"}}),
        ("version", ["db", "orders", "SHA256:AB"], {"version": NAMED | {"digest": "AB"}}),
        ("column", ["db", "orders", "a.b"], {"column": NAMED | {"column": "a.b"}}),
        ("job", ["db", "orders"], {"job": NAMED}),
        ("run", ["0190-a"], {"run": {"runId": "0190-a"}}),
        ("model", ["db", "orders"], {"dataset": NAMED}),
        ("deployment", ["db", "orders"], {"job": NAMED}),
        ("rollout", ["0190-a"], {"run": {"runId": "0190-a"}}),
        ("commit", ["c0ffee"], {"code": {"commit": "c0ffee"}}),
        ("commit", ["c0ffee", "git@x:y"], {"code": {"commit": "c0ffee", "repository": "git@x:y"}}),
        ("hash", ["abc"], {"content": {"digest": "abc"}}),
        ("hash", ["SHA256:abc"], {"content": {"digest": "abc", "algorithm": "sha256"}}),
        ("prediction", ["db", "orders", "p1"], {"prediction": {"deployment": NAMED, "id": "p1"}}),
        ("id", ["QUJD"], {"id": "QUJD"}),
    ],
)
def test_words_become_a_subject(kind: str, words: list[str], expected: dict[str, Any]) -> None:
    assert subject_input(SubjectKind(kind), words) == expected


def test_the_help_says_what_each_kind_takes() -> None:
    told = get_args(Words)[1].help
    for kind in SubjectKind:
        assert re.search(rf"\b{kind.value}(?:, \w+)*: (?:the )?{re.escape(usage(kind))}", told), kind


@pytest.mark.parametrize("kind", SubjectKind)
def test_too_few_or_too_many_words_are_wrong_usage_that_says_what_is_taken(kind: SubjectKind) -> None:
    for words in ([], ["x"] * 5):
        with pytest.raises(BadInputError, match=kind.value) as caught:
            subject_input(kind, words)
        assert usage(kind) in caught.value.message


def test_every_subject_is_one_that_the_schema_takes() -> None:
    fields = build_schema().get_type_by_name("SubjectInput").fields  # type: ignore[union-attr]
    known = {field.graphql_name or field.python_name for field in fields}
    least = {kind: usage(kind).split(" [")[0].count(" ") + 1 for kind in SubjectKind}
    assert {next(iter(subject_input(kind, ["x"] * least[kind]))) for kind in SubjectKind} == known


def test_what_was_served_is_a_prediction_a_moment_or_a_model() -> None:
    deployment = ("db", "orders")
    assert served_input(deployment, "p", None, None, None) == {"prediction": {"deployment": NAMED, "id": "p"}}
    moment = {"deployment": NAMED, "from": "2026-05-01T10:00:00Z", "to": "2026-05-01T10:00:00Z"}
    assert served_input(deployment, None, "2026-05-01T10:00:00Z", None, None) == {"served": moment}
    assert served_input(None, None, None, deployment, "2") == {"model": NAMED | {"version": "2"}}


@pytest.mark.parametrize(
    "given",
    [
        (None, None, None, None, None),
        (("d", "d"), None, None, None, None),
        (("d", "d"), "p", "2026-05-01", None, None),
        (("d", "d"), "p", None, ("m", "m"), None),
        (None, "p", None, None, None),
        (None, None, None, None, "2"),
        (("d", "d"), "p", None, None, "2"),
    ],
)
def test_nothing_or_two_things_at_once_are_wrong_usage(given: tuple[Any, ...]) -> None:
    with pytest.raises(BadInputError, match="either"):
        served_input(*given)
