"""Opening a past: of which index, by which facts, for how long, and what is kept of it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from lineage.answer import View
from lineage.errors import BadInputError, IndexAheadError, QuestionTimeoutError, TooCostlyError, UnavailableError
from lineage.fold import fold as folding
from lineage.keys import Base, store_key
from lineage.memory import MemoryStore
from lineage.past import PastGraph, Pasts
from lineage.past import graph as past_graph
from lineage.past.past import Past
from lineage.questions.impact import impact
from lineage.questions.subjects import DatasetRef
from tests.conformance.sides import EntryList
from tests.unit.past.archive import Archive, archived, first
from tests.unit.past.test_past_cost import entries

SUBJECT = DatasetRef("db", "p0.t0")


def past_of(view: View) -> Past:
    assert isinstance(view.graph, PastGraph)
    assert isinstance(view.graph._folding, Past)
    return view.graph._folding


def total(view: View) -> int:
    return impact(view, SUBJECT).actual.total


def expected(told: EntryList, index: int) -> int:
    side = first(told, index + 1)
    with side.store.reader() as reader:
        return total(View(reader, side.predictions))


def test_entries_beyond_the_facts_are_folded_as_they_stand() -> None:
    told = entries(2)
    last = told.size() - 1
    with archived(told, kept=last - 5) as archive, archive.view(last) as view:
        assert total(view) == expected(told, last)


def test_without_a_file_of_facts_all_is_folded() -> None:
    told = entries(2)
    with archived(told) as archive:
        archive.pasts = Pasts(archive.ledger, None, archive.predictions)
        with archive.view(20) as view:
            assert total(view) == expected(told, 20)
            assert past_of(view).folded == 21


def test_facts_of_another_ledger_count_for_nothing() -> None:
    told, other = entries(2), entries(3)
    with archived(told) as archive, archived(other) as elsewhere:
        archive.pasts = Pasts(archive.ledger, elsewhere.folder / "facts.sqlite", archive.predictions)
        with archive.view(20) as view:
            assert total(view) == expected(told, 20)
            assert past_of(view).folded == 21


@pytest.mark.parametrize(("index", "error"), [(-1, BadInputError), (10**9, IndexAheadError), (2**62, IndexAheadError)])
def test_an_index_that_no_entry_has_is_refused(index: int, error: type[Exception]) -> None:
    with archived(entries(1)) as archive, pytest.raises(error) as refused, archive.view(index):
        pass
    assert refused.value.field == "/atIndex"  # type: ignore[attr-defined]


def test_an_index_that_the_graph_has_not_reached_has_to_wait() -> None:
    with archived(entries(1)) as archive:
        archive.store = MemoryStore()
        with pytest.raises(UnavailableError), archive.view(3):
            pass


def test_an_answer_that_runs_out_of_time_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.past.past._STEP", 3)
    told = entries(1)
    index = told.size() - 1
    with archived(told) as archive:
        folded, found = 0, None
        for _ in range(100):
            clock = iter(range(1_000))
            monkeypatch.setattr(time, "monotonic", lambda clock=clock: next(clock))
            with archive.view(index, deadline=2.0) as view:
                try:
                    found = total(view)
                    break
                except QuestionTimeoutError:
                    assert past_of(view).folded > folded
                    folded = past_of(view).folded
        assert folded > 0
        assert found == expected(told, index)


def test_a_past_is_kept_for_the_next_question_and_never_shared() -> None:
    with archived(entries(2)) as archive:
        with archive.view(20) as one, archive.view(20) as other:
            total(one)
            assert past_of(one) is not past_of(other)
            known = {past_of(one), past_of(other)}
        with archive.view(20) as again:
            assert past_of(again) in known
        with archive.view(21) as later:
            assert past_of(later) not in known


def test_more_than_may_be_kept_is_let_go() -> None:
    with archived(entries(2)) as archive:
        archive.pasts = Pasts(archive.ledger, archive.folder / "facts.sqlite", archive.predictions, most_events=2)
        with archive.view(40) as view:
            total(view)
            before = past_of(view)
            assert before.folded > 10
        with archive.view(40) as view:
            assert past_of(view) is not before


def test_an_error_that_cuts_off_a_step_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    told = entries(1)

    def fail(*_: Any) -> Any:
        raise UnavailableError("The ledger is away.")

    with archived(told) as archive:
        with archive.view(20) as view, monkeypatch.context() as patched:
            patched.setattr(EntryList, "entries", fail)
            with pytest.raises(UnavailableError):
                total(view)
        with archive.view(20) as view:
            assert total(view) == expected(told, 20)


def test_an_event_of_which_the_fold_can_make_nothing_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    told = entries(1)
    absorb = folding.Absorber.absorb

    def fail_at_one(self: Any, index: int, position: int, event: Any) -> None:
        absorb(self, index, position, event)
        if index == 4:
            raise ValueError("a rule that breaks")

    without = EntryList()
    for entry in told.entries():
        without.add("lineage", entry.records if entry.index != 4 else [_other()])
    monkeypatch.setattr(folding.Absorber, "absorb", fail_at_one)
    with archived(told) as archive, archive.view(20) as view:
        found = total(view)
        assert (4, 0) not in past_of(view)._places
    monkeypatch.undo()
    assert found == expected(without, 20)


def _other() -> bytes:
    base = {"eventTime": "2026-05-01T10:00:00Z", "producer": "urn:tests", "schemaURL": "urn:schema"}
    return json.dumps({**base, "dataset": {"namespace": "elsewhere", "name": "x"}}).encode()


def test_progress_is_told_as_events_are_folded() -> None:
    told: list[tuple[int, int]] = []
    with archived(entries(1)) as archive, archive.view(20, advance=lambda done, of: told.append((done, of))) as view:
        total(view)
        assert told[-1] == (past_of(view).folded, past_of(view).folded)
        assert [done for done, _ in told] == sorted(done for done, _ in told)


def withdrawn_version() -> tuple[EntryList, bytes]:
    """A ledger in which a batch run turns out to be a stream: what it wrote then has another key."""
    told = EntryList()
    run = "01890000-0000-7000-8000-000000000001"
    for index, kind in enumerate((None, "STREAMING")):
        facets = {"jobType": {"processingType": kind, "integration": "X"}} if kind else {}
        event = {
            "eventTime": f"2026-05-01T10:00:0{index}Z",
            "eventType": "RUNNING",
            "producer": "urn:tests",
            "schemaURL": "urn:schema",
            "run": {"runId": run},
            "job": {"namespace": "jobs", "name": "stream", "facets": facets},
            "outputs": [{"namespace": "db", "name": "log"}],
        }
        told.add("lineage", [json.dumps(event).encode()])
    return told, store_key(Base.VERSION, "db", "log", "run", run, "jobs", "stream")


def test_the_id_of_a_version_that_is_no_more_is_found_by_folding_all() -> None:
    told, key = withdrawn_version()
    with archived(told) as archive, archive.view(0) as view:
        assert isinstance(view.graph, PastGraph)
        assert archive.store.live().fetch([key]) == [None]
        view.graph.seek(Base.VERSION, key)
        (node,) = view.graph.fetch([key])
        assert node is not None


def test_where_that_is_too_much_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_graph, "MOST_REPLAYED", 0)
    told, key = withdrawn_version()
    with archived(told) as archive, archive.view(0) as view:
        assert isinstance(view.graph, PastGraph)
        with pytest.raises(TooCostlyError):
            view.graph.seek(Base.VERSION, key)


def test_the_whole_graph_of_the_past_is_dumped_and_counted() -> None:
    told = entries(1)
    side = first(told, 21)
    with archived(told) as archive, archive.view(20) as view, side.store.reader() as then:
        assert list(view.graph.dump()) == list(then.dump())
        assert view.graph.count() == then.count()


def test_the_files_are_closed_with_the_view() -> None:
    archive = Archive(entries(1))
    with archive.view(3):
        pass
    archive.remove()
    assert not archive.folder.exists()
