"""What an answer of the past costs: the events of what it touches, whatever else the ledger holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lineage.answer import View
from lineage.errors import NotFoundError
from lineage.past.graph import PastGraph
from lineage.past.past import Past
from lineage.questions.impact import impact
from lineage.questions.provenance import provenance
from lineage.questions.subjects import DatasetRef, VersionRef
from tests.conformance.sides import EntryList
from tests.unit.past.archive import archived

DAYS = 4
STEPS = 3


def entries(pipelines: int, readers: int = 0) -> EntryList:
    """Pipelines of STEPS jobs that run each day, and read a table of all; ``readers`` other jobs read that too."""
    told = EntryList()
    for day in range(DAYS):
        _run(told, "calendar", day, [], "calendar")
        for number in range(pipelines):
            for step in range(STEPS):
                reads = [f"p{number}.t{step}", "calendar"]
                _run(told, f"p{number}.fill{step}", day, reads, f"p{number}.t{step + 1}")
        for number in range(readers):
            _run(told, f"reader{number}", day, ["calendar"], f"report{number}")
    return told


def _run(told: EntryList, job: str, day: int, reads: list[str], writes: str) -> None:
    number = told.size()
    for event_type, minute in (("START", 0), ("COMPLETE", 30)):
        event: dict[str, Any] = {
            "eventTime": f"2026-05-{day + 1:02d}T{10 + number % 10}:{minute:02d}:00Z",
            "eventType": event_type,
            "producer": "urn:tests",
            "schemaURL": "urn:schema",
            "run": {"runId": f"01890000-0000-7000-8000-{number:012d}"},
            "job": {"namespace": "jobs", "name": job},
            "inputs": [{"namespace": "db", "name": name} for name in reads],
            "outputs": [{"namespace": "db", "name": writes}],
        }
        told.add("lineage", [json.dumps(event).encode()])


def folded(told: EntryList, ask: Any) -> int:
    """How many events were folded for an answer in the middle of the last day."""
    with archived(told) as archive, archive.view(told.size() - 2) as view:
        assert isinstance(view.graph, PastGraph)
        past = view.graph._folding
        assert isinstance(past, Past)
        ask(view)
        return past.folded


def whole_impact(view: View) -> None:
    answer = impact(view, DatasetRef("db", "p0.t0"))
    assert answer.potential.total
    answer.potential.page(view, 0, 100)
    answer.actual.page(view, 0, 100)
    answer.assess(view)


def whole_provenance(view: View) -> None:
    answer = provenance(view, VersionRef("db", f"p0.t{STEPS}"))
    assert answer.nodes.total
    answer.nodes.page(view, 0, 100)
    answer.links.page(view, 0, 100)


@pytest.mark.parametrize("ask", [whole_impact, whole_provenance])
def test_an_answer_folds_as_many_events_in_a_ledger_of_four_times_the_size(ask: Any) -> None:
    small, large = folded(entries(5), ask), folded(entries(20), ask)
    # Its own pipeline's runs and those that write what it reads, with two events each.
    assert small == large == 2 * DAYS * (STEPS + 1)


def test_who_only_reads_the_same_is_not_folded() -> None:
    assert folded(entries(2, readers=10), whole_impact) == folded(entries(2), whole_impact)


def test_a_hub_costs_its_readers_when_it_is_the_subject() -> None:
    def ask(view: View) -> None:
        impact(view, DatasetRef("db", "calendar")).actual.page(view, 0, 100)

    assert folded(entries(2, readers=3), ask) == entries(2, readers=3).size() - 1


def test_what_was_not_there_yet_costs_little() -> None:
    def ask(view: View) -> None:
        with pytest.raises(NotFoundError, match=r"p0\.t1"):
            impact(view, DatasetRef("db", "p0.t99"))

    told = entries(5)
    assert folded(told, ask) < told.size() / 5
