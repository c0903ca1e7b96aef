"""The page "Ask the graph in Cypher": its queries, and the shop that they are asked of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neo4j

from lineage.answer import ImpactHit, View
from lineage.questions.impact import impact
from lineage.questions.subjects import Subject
from lineage.store import EVERYTHING, EdgeFilter

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "ask-in-cypher.md"
ALL = 1_000


@dataclass(frozen=True, slots=True)
class Query:
    """A query of the page, its parameters as Cypher writes them, and the answer that the page shows."""

    title: str
    text: str
    parameters: dict[str, str]
    answer: str


def _queries() -> Iterator[Query]:
    for section in PAGE.read_text(encoding="utf-8").split("\n## "):
        for text, answer in re.findall(r"^```cypher\n(.*?)^```\n\n```text\n(.*?)^```", section, re.M | re.S):
            parameters = dict(re.findall(r"^:param (\w+) => (.+)$", text, re.M))
            yield Query(section.split("\n")[0], re.sub(r"^:param .+\n", "", text, flags=re.M), parameters, answer)


def documented(label: str) -> set[str]:
    """The properties that the page's tables name for nodes with a label, in their last column."""
    (row,) = re.findall(rf"^\| `:{label}`[^\n]*\|([^|]*)\|$", PAGE.read_text(encoding="utf-8"), re.M)
    return set(re.findall(r"`(\w+)`", row))


QUERIES = {query.title: query for query in _queries()}


@dataclass(slots=True)
class Shop:
    """The shop in Neo4j, to be asked in Cypher, and in the reference store, to be asked the project's questions."""

    session: neo4j.Session
    view: View

    def ask(self, title: str, **others: Any) -> list[dict[str, Any]]:
        """What the query under ``title`` answers to the page's parameters, or to ``others`` in their place."""
        query = QUERIES[title]
        return self.session.run(query.text, {**self.parameters(query), **others}).data()

    def parameters(self, query: Query) -> dict[str, Any]:
        """The parameters of the page as values."""
        return {
            name: self.session.run(f"RETURN {text} AS value").single(strict=True)["value"]
            for name, text in query.parameters.items()
        }

    def plan(self, text: str, **parameters: Any) -> list[str]:
        """The operators of the plan."""
        plan = self.session.run(f"EXPLAIN {text}", parameters).consume().plan
        assert plan is not None
        return list(_operators(plan))

    def hits(self, of: Subject, edges: EdgeFilter = EVERYTHING) -> tuple[list[ImpactHit], list[ImpactHit]]:
        """Both radii of the impact of ``of``."""
        answer = impact(self.view, of, edges=edges)
        potential, actual = (radius.page(self.view, 0, ALL) for radius in (answer.potential, answer.actual))
        return list(potential), list(actual)


def _operators(plan: Any) -> Iterator[str]:
    yield plan["operatorType"].partition("@")[0]
    for child in plan.get("children", ()):
        yield from _operators(child)
