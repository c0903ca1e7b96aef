"""Decisions are numbered, short, and say why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DECISIONS = sorted((Path(__file__).parents[2] / "docs" / "adr").glob("*.md"))


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_context_decision_and_consequences_in_this_order(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    places = [text.find(f"**{part}.**") for part in ("Context", "Decision", "Consequences")]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_bears_the_number_of_its_file(decision: Path) -> None:
    title = decision.read_text(encoding="utf-8").splitlines()[0]
    found = re.match(r"# 0*(\d+)[.:] \S", title)
    assert found is not None
    assert int(found.group(1)) == int(decision.stem[:4])


def test_no_two_decisions_have_one_number() -> None:
    numbers = [decision.stem[:4] for decision in DECISIONS]
    assert len(numbers) == len(set(numbers)) > 0
