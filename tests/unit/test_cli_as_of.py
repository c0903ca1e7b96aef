"""``--as-of``: what the commands ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lineage.cli import asking
from lineage.cli.program import run

MOMENT = "2026-05-01T10:00:00Z"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The operations that are asked for, with their variables; each gets an answer without anything in it."""
    told: list[tuple[str, dict[str, Any]]] = []

    @contextmanager
    def listening(_place: object) -> Iterator[Any]:
        def ask(name: str, variables: dict[str, Any]) -> dict[str, Any]:
            told.append((name, variables))
            hit = {"id": variables.get("text", "x"), "label": variables.get("text"), "name": variables.get("text")}
            found = {"node": None, "search": {"hits": [hit]}}
            return found | {name[0].lower() + name[1:]: {"complete": True}} if name not in ("Node", "Search") else found

        yield ask

    monkeypatch.setattr(asking, "asking", listening)
    return told


@pytest.mark.parametrize(
    ("words", "operation"),
    [
        (["impact", "dataset", "db", "a"], "Impact"),
        (["provenance", "dataset", "db", "a"], "Provenance"),
        (["training-data", "--model", "db", "m"], "TrainingData"),
        (["path", "a", "b"], "Path"),
    ],
)
def test_a_question_is_asked_as_of_the_moment_that_is_given(
    asked: list[tuple[str, dict[str, Any]]], words: list[str], operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--json", "--as-of", MOMENT]) == 0
    assert run([*words, "--json"]) == 0
    assert [variables.get("asOf") for name, variables in asked if name == operation] == [MOMENT, None]
