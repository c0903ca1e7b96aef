"""An answer and what it was asked: what stands behind the schema's answers, most of it made only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lineage.answer import Answer, Assessment, Pages
from lineage_graphql.context import Operation
from lineage_graphql.cursor import digest_of
from lineage_graphql.lists import Listed, Page, Source, page_of
from lineage_graphql.siblings import dress_all


@dataclass(frozen=True)
class AnswerRow:
    """``answer`` to ``question`` (eight bytes); ``moved`` if it was computed anew for a cursor of an earlier index."""

    operation: Operation
    answer: Any
    question: bytes
    moved: bool = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.answer, name)

    @property
    def behind(self) -> int:
        """How many entries the ledger had beyond this answer when the question came."""
        view = self.operation.view
        return int(view.graph.ledger_size + view.behind - self.answer.ledger_index - 1)

    @property
    def recorded_at(self) -> int | None:
        """When the last entry that it reflects was received."""
        told: Answer = self.answer
        known = told.recorded_at is not None or told.ledger_index < 0
        return told.recorded_at if known else self.operation.context.recorded_at(told.ledger_index)

    @cached_property
    def assessment(self) -> Assessment:
        """Gaps and score."""
        assessment: Assessment = self.answer.assess(self.operation.view)
        return assessment

    @property
    def score(self) -> float:
        """The share of versions and reads that carry no gap."""
        return self.assessment.score

    def page(self, name: str, pages: Pages[Any] | Sequence[Any], first: int, after: str | None) -> Page:
        """A page of one of the answer's lists, ``name`` being which."""
        listed: Pages[Any] = Listed(pages) if isinstance(pages, tuple) else pages  # type: ignore[assignment]
        operation = self.operation

        def dress(items: Sequence[Any]) -> list[Any]:
            return dress_all(operation, items)

        def keep() -> None:
            operation.keep(self.question, self.answer)

        source = Source(listed, digest_of(self.question, name), self.answer.ledger_index, dress, keep)
        return page_of(operation, source, first, after)

    def dressed(self, items: Sequence[Any]) -> list[Any]:
        """``items`` as rows, siblings of each other."""
        return dress_all(self.operation, items)
