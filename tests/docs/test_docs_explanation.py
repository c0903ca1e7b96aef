"""Explanations and reference name everything that the code has, and nothing that it has not."""

from __future__ import annotations

import re
from pathlib import Path

from lineage.answer import Consequence
from lineage.errors import LineageError, QuestionError, RefusedError
from lineage.model import Binding, EdgeKind, GapCode
from lineage.questions.impact import _ASSESSED
from lineage_graphql import Caps
from lineage_graphql.problems import INTERNAL

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OPERATIONS = ROOT / "graphql" / "operations"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """The part of a page below one heading."""
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The first cells of a page's tables, without their heads."""
    rows = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    heads = re.findall(r"^\| (.+?) \|.*\n\|-", text, re.MULTILINE)
    return [row for row in rows if row not in heads]


def test_every_rule_of_the_fold_is_explained_in_order() -> None:
    assert re.findall(r"^\*\*R(\d+)", read("explanation/fold.md"), re.MULTILINE) == [str(n) for n in range(19)]


def test_every_gap_is_explained_once() -> None:
    assert first_cells(section(read("explanation/answers.md"), "Gaps")) == [code.value for code in GapCode]


def test_gaps_that_the_fold_names_are_gaps() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", read("explanation/fold.md")))
    assert named <= {code.value for code in GapCode}


def test_every_binding_is_explained_the_strongest_first() -> None:
    cells = first_cells(section(read("explanation/answers.md"), "Of each hit"))
    assert cells == [binding.value for binding in Binding]


def test_every_edge_of_the_model_is_explained() -> None:
    cells = first_cells(section(read("explanation/model.md"), "Edges"))
    assert sorted(cells) == sorted(kind.value for kind in EdgeKind)


def test_every_consequence_is_explained_where_it_matters() -> None:
    cells = first_cells(section(read("how-to/incident.md"), "2. What is affected?"))
    assert {each for each in cells if each.isupper()} == {each.value for each in Consequence}


def test_every_error_that_graphql_can_tell_is_explained_and_no_other() -> None:
    def below(kind: type[LineageError]) -> set[str]:
        return {kind.code}.union(*(below(each) for each in kind.__subclasses__()))

    told = first_cells(section(read("reference/graphql.md"), "Errors"))
    assert below(QuestionError) - {QuestionError.code} <= set(told)
    assert set(told) <= below(LineageError) - below(RefusedError) | {INTERNAL}


def test_every_named_operation_is_listed() -> None:
    listed = re.findall(r"operations/(\w+)\.graphql", read("reference/graphql.md"))
    assert sorted(listed) == sorted(file.stem for file in OPERATIONS.glob("*.graphql"))


def test_the_limits_are_those_of_a_server() -> None:
    caps, text = Caps(), section(read("reference/graphql.md"), "Limits")
    assert f"| {caps.characters:,} and {caps.tokens:,} |" in text
    assert f"| {caps.depth}, {caps.aliases}, {caps.fragments} |" in text
    assert f"| {caps.cost:,} |" in text
    assert f"| {caps.first:,} |" in text
    assert f"| {caps.timeout:g} s; a traversal stops after {caps.timeout * caps.question_share:g} s" in text
    assert f"| {caps.kept_seconds:g} s |" in text


def test_figures_in_explanations_are_those_of_the_code() -> None:
    answers = read("explanation/answers.md")
    assert f"waits up to {Caps().read_wait:g} s" in answers
    assert f"the nearest {_ASSESSED:,} nodes" in answers
