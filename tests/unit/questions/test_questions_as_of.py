"""asOf: what we know today about a moment. Each thing as it stood then, by what runs told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from lineage.answer import Impact, View, label
from lineage.errors import BadInputError, NotFoundError
from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.keys import dataset_key, job_key, run_key
from lineage.memory import MemoryStore
from lineage.model import EdgeKind, Name, Run, RunState
from lineage.predictions import Prediction
from lineage.questions.impact import impact
from lineage.questions.moment import at_moment
from lineage.questions.path import path
from lineage.questions.provenance import provenance
from lineage.questions.resolution import resolve
from lineage.questions.subjects import (
    ColumnRef,
    DatasetRef,
    JobRef,
    PredictionRef,
    RunRef,
    ServedWindow,
    Subject,
    VersionRef,
)
from lineage.questions.training_data import training_data
from lineage.store import Direction, EdgeFilter
from tests.unit.fold_rules.story import Run as Story
from tests.unit.fold_rules.story import Told, copied, dataset, encoded, job_event, made, moment, run, run_id
from tests.unit.questions.conftest import Records

Views = Callable[..., Callable[[float | None], View]]
A = DatasetRef("db", "a")
API = JobRef("jobs", "api")


def predicted(id: str, at: float, deployment: str = "api") -> Prediction:
    return Prediction(int(at), 0, Name("jobs", deployment), id, moment(at))


@pytest.fixture
def views() -> Iterator[Views]:
    """Gives, of a story and predictions, the view at a second."""
    with ExitStack() as stack:

        def fold(*parts: Story | Told, records: list[Prediction] | None = None) -> Callable[[float | None], View]:
            events = [(at, 0, parse_event(event)) for at, event in enumerate(encoded(parts))]
            store = MemoryStore()
            store.apply(Fold(MemoryFacts()).take(events), len(events))
            view = View(stack.enter_context(store.reader()), Records(records or []))
            return lambda at: at_moment(view, None if at is None else moment(at))

        yield fold


def hits(view: View, answer: Impact, radius: str = "actual") -> dict[str, str]:
    """What a radius holds, each with its consequence."""
    found = getattr(answer, radius).page(view, 0, 1_000)
    assert len(found) == getattr(answer, radius).total
    return {called(hit.node): hit.consequence.value for hit in found}


def called(node: Any) -> str:
    return f"run {node.job.name}" if isinstance(node, Run) else label(node).partition(" @")[0]


def standing(view: View, of: Subject) -> set[str]:
    found = impact(view, of).actual.page(view, 0, 1_000)
    return {called(hit.node) for hit in found if hit.standing}


def trained() -> Story:
    return run("t1", job="train").reads("a").writes("m", model=True, version="1").start(10).complete(15)


def rollout(short: str, start: float, version: str = "1") -> Story:
    return run(short, job="api", kind="SERVICE").reads("m", model=True, version=version).writes("log").start(start)


# -- versions, runs, wires


def test_only_what_was_written_by_then_was_affected(views: Views) -> None:
    at = views(
        made("r1", "a", 0, 5), copied("r2", "a", "b", 10, 15), made("r3", "a", 20, 25), copied("r4", "a", "c", 30, 35)
    )
    assert hits(at(14), impact(at(14), A)) == {"run job-r2": "NONE"}
    assert set(hits(at(15), impact(at(15), A))) == {"run job-r2", "b"}
    assert set(hits(at(None), impact(at(None), A))) == {"run job-r2", "run job-r4", "b", "c"}


def test_a_dataset_came_from_what_its_versions_of_then_came_from(views: Views) -> None:
    at = views(
        made("r1", "a", 0, 5), copied("r2", "a", "b", 10, 15), made("r3", "c", 20, 25), copied("r4", "c", "b", 30, 35)
    )
    then = provenance(at(20), DatasetRef("db", "b"))
    assert {called(hit.node) for hit in then.nodes.page(at(20), 0, 9)} == {"run job-r2", "a", "run job-r1"}


def test_replaced_wiring_is_seen_until_it_was_replaced(views: Views) -> None:
    at = views(
        job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]),
        job_event("j", 9, inputs=[dataset("c")], outputs=[dataset("b")]),
    )
    assert set(hits(at(5), impact(at(5), A), "potential")) == {"j", "b"}
    assert hits(at(9), impact(at(9), A), "potential") == {}
    assert path(at(5), A, DatasetRef("db", "b")).potential is not None
    assert path(at(9), A, DatasetRef("db", "b")).potential is None


def test_a_run_that_ended_later_was_running(views: Views) -> None:
    at = views(run("r1", job="j").start(10).writes("b").fail(20))
    for when, state, ended in ((15, RunState.RUNNING, None), (20, RunState.FAIL, moment(20))):
        (found,) = resolve(at(when), RunRef(run_id("r1")))
        assert isinstance(found, Run)
        assert (found.state, found.ended_at, found.started_at) == (state, ended, moment(10))


def test_what_stood_then_has_been_replaced_since(views: Views) -> None:
    at = views(made("r1", "a", 0, 5), copied("r2", "a", "b", 10, 15), made("r3", "b", 20, 25))
    first = VersionRef("db", "a", run_id=run_id("r1"))
    assert standing(at(20), first) == {"b"}
    assert standing(at(25), first) == standing(at(None), first) == set()
    (summary,) = [each for each in impact(at(20), first).summary(at(20)) if each.kind.value == "VERSION"]
    assert summary.standing == 1


def test_what_was_not_yet_replaced_was_not_remediated(views: Views) -> None:
    at = views(made("r1", "a", 0, 5), copied("r2", "a", "b", 10, 15, job="j"), made("r3", "b", 20, 25))
    first = VersionRef("db", "a", run_id=run_id("r1"))
    assert hits(at(24), impact(at(24), first))["b"] == "REBUILD"
    assert hits(at(25), impact(at(25), first))["b"] == "NONE"


# -- rollouts and predictions


def test_a_rollout_that_ended_later_was_live(views: Views) -> None:
    at = views(made("r1", "a", 0, 5), trained(), rollout("s1", 20).complete(60), records=[predicted("p", 30)])
    assert hits(at(50), impact(at(50), A))["run api"] == "REDEPLOY"
    assert hits(at(60), impact(at(60), A))["run api"] == "RESCORE"
    assert "run api" not in hits(at(19), impact(at(19), A))


def test_a_rollout_that_the_next_one_ended_was_live_until_then(views: Views) -> None:
    """R17: and that no event ended it was no gap then."""
    at = views(made("r1", "a", 0, 5), trained(), rollout("s1", 20), rollout("s2", 60))
    (live,) = resolve(at(50), RunRef(run_id("s1")))
    (ended,) = resolve(at(60), RunRef(run_id("s1")))
    assert isinstance(live, Run)
    assert isinstance(ended, Run)
    assert (live.ended_at, live.gaps) == (None, ())
    assert (ended.ended_at, [gap.code for gap in ended.gaps]) == (moment(60), ["ROLLOUT_NOT_ENDED"])


def test_what_a_rollout_served_then_is_what_it_had_told_by_then(views: Views) -> None:
    second = run("t2", job="train").reads("a").writes("m", model=True, version="2").start(30).complete(35)
    served = run("s1", job="api", kind="SERVICE").start(20).traffic(("m", "1", 100))
    served = served.running(40).traffic(("m", "2", 100))
    at = views(made("r1", "a", 0, 5), trained(), second, served)
    for when, version in ((30, "1"), (50, "2")):
        answer = training_data(at(when), ServedWindow(API, moment(when), moment(when)))
        assert [model.version.declared for model in answer.models] == [(version,)]
    first = VersionRef("db", "a", run_id=run_id("r1"))
    assert standing(at(30), first) == {"m", "run api"}


def test_predictions_are_counted_until_then(views: Views) -> None:
    records = [predicted("p1", 30), predicted("p2", 40)]
    at = views(made("r1", "a", 0, 5), trained(), rollout("s1", 20), records=records)
    counts = [impact(at(when), A).predictions(at(when)).count for when in (29, 30, 39, None)]
    assert counts == [0, 1, 1, 2]


# -- what was not there


def test_what_was_not_there_yet_says_since_when_it_is_known(views: Views) -> None:
    at = views(made("r1", "a", 0, 5), trained(), rollout("s1", 20), records=[predicted("p1", 90)])
    late: list[tuple[Subject, float]] = [
        (A, -1),
        (VersionRef("db", "a", run_id=run_id("r1")), 4),
        (JobRef("jobs", "train"), 9),
        (RunRef(run_id("t1")), 9),
        (DatasetRef("db", "log"), 19),
        (PredictionRef(API, "p1"), 89),
    ]
    for of, when in late:
        with pytest.raises(NotFoundError, match=r"is known since 2026-05-01 10:0\d \(UTC\)") as raised:
            resolve(at(when), of)
        assert raised.value.field == "/asOf"
        assert resolve(at(when + 1), of)


def test_training_data_of_what_was_not_there_yet_is_not_found(views: Views) -> None:
    at = views(made("r1", "a", 0, 5), trained(), rollout("s1", 20), records=[predicted("p1", 90)])
    for of, when in ((PredictionRef(API, "p1"), 89), (VersionRef("db", "m", "1"), 14), (ServedWindow(API, 0, 0), 9)):
        with pytest.raises(NotFoundError, match="is known since"):
            training_data(at(when), of)


def test_a_column_is_known_as_long_as_its_dataset(views: Views) -> None:
    told = {"schema": {"fields": [{"name": "x"}]}}
    at = views(made("r1", "a", 10, 15, facets=told))
    with pytest.raises(NotFoundError):
        impact(at(9), ColumnRef("db", "a", "x"))
    assert impact(at(15), ColumnRef("db", "a", "x")).complete


def test_what_no_version_run_or_wire_dates_was_always_there(views: Views) -> None:
    at = views(made("r1", "b", 0, 5), Told({**job_event("j", 50).events[0]}))
    assert resolve(at(0), JobRef("jobs", "j"))


def test_of_several_things_those_are_meant_that_were_there(views: Views) -> None:
    told = [run("r1", job="j").start(0).complete(5), run("r1", job="k").start(10).complete(15)]
    at = views(*told)
    assert [thing.job.name for thing in resolve(at(5), RunRef(run_id("r1"))) if isinstance(thing, Run)] == ["j"]
    assert len(resolve(at(10), RunRef(run_id("r1")))) == 2


def test_changes_since_a_later_time_are_refused(views: Views) -> None:
    at = views(made("r1", "a", 0, 5))
    assert impact(at(5), A, since=moment(5)).complete
    with pytest.raises(BadInputError) as raised:
        impact(at(5), A, since=moment(6))
    assert raised.value.field == "/since"


def test_a_window_that_begins_later_is_refused(views: Views) -> None:
    at = views(made("r1", "a", 0, 5), trained(), rollout("s1", 20))
    with pytest.raises(BadInputError) as raised:
        training_data(at(30), ServedWindow(API, moment(31), moment(40)))
    assert raised.value.field == "/served/from"


def test_the_moment_is_that_of_the_view_alone(views: Views) -> None:
    at = views(
        job_event("j", 0, inputs=[dataset("a")], outputs=[dataset("b")]),
        job_event("j", 9, inputs=[dataset("c")], outputs=[dataset("b")]),
    )
    for edges in (EdgeFilter(), EdgeFilter(as_of=moment(99))):
        assert set(hits(at(5), impact(at(5), A, edges=edges), "potential")) == {"j", "b"}
    assert hits(at(None), impact(at(None), A, edges=EdgeFilter(as_of=moment(5))), "potential") == {}


def test_a_moment_of_a_moment_is_the_later_said(views: Views) -> None:
    at = views(made("r1", "a", 0, 5), made("r2", "a", 10, 15))
    again = at_moment(at(5), moment(15))
    assert len(resolve(again, VersionRef("db", "a"))) == 2
    assert at_moment(again, None) is again


def test_no_edge_leads_to_what_was_not_there_yet(views: Views) -> None:
    at = views(run("p", job="dag").start(0).complete(50), run("r1", parent="p").writes("a").start(10).complete(15))
    ends = {}
    for when in (9, 10, 15):
        graph = at(when).graph
        keys = [dataset_key("db", "a"), job_key("jobs", "job-r1"), run_key(run_id("p"), "jobs", "dag")]
        kinds = [EdgeKind.HAS_VERSION, EdgeKind.HAS_RUN, EdgeKind.PARENT_OF]
        edges = graph.neighbours(keys, kinds, Direction.DOWNSTREAM)
        assert all(graph.fetch([edge.source, edge.target]).count(None) == 0 for edge in edges)
        ends[when] = {edge.kind for edge in edges}
    assert ends == {9: set(), 10: {EdgeKind.HAS_RUN, EdgeKind.PARENT_OF}, 15: set(kinds)}
