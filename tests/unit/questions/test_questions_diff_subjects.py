"""What the sides of a diff mean: moments, what stood before, and what can't be compared."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from lineage.answer.difference import Diff
from lineage.errors import BadInputError, InvalidSubjectError, NotFoundError
from lineage.model import EdgeKind, Flow, Name, RunState, RunType
from lineage.questions.diff import diff
from lineage.questions.subjects import CodeRef, ColumnRef, DatasetRef, JobRef, PredictionRef, RunRef, VersionRef
from tests.unit.questions.days import Days, hunks, name, origins, told

CHURN, TRAIN, API = DatasetRef("db", "churn"), JobRef("jobs", "train"), JobRef("jobs", "api")


@pytest.fixture
def days(world: Any) -> Days:
    made = Days(world)
    sources = {"raw": made.source("raw", 1, "r"), "labels": made.source("labels", 2, "l")}
    for at, depth in ((100, 1), (200, 2), (300, 3)):
        made.day(at, sources, train={"parameters": {"depth": depth}})
    return made


def depths(view: Any, answer: Diff) -> list[tuple[object, object]]:
    return [(d.a, d.b) for hunk in hunks(view, answer).values() for d in hunk.differences if d.name == "depth"]


def test_a_dataset_alone_is_compared_with_its_version_before(days: Days) -> None:
    view = days.world.view()
    assert depths(view, diff(view, CHURN)) == [(2, 3)]


def test_moments_choose_the_versions_that_stood_then(days: Days) -> None:
    view = days.world.view()
    assert depths(view, diff(view, CHURN, a_as_of=150)) == [(1, 3)]
    assert depths(view, diff(view, CHURN, a_as_of=150, b_as_of=221)) == [(1, 2)]
    assert depths(view, diff(view, CHURN, b_as_of=299)) == [(1, 2)]
    assert diff(view, CHURN, a_as_of=221, b_as_of=299).hunks.total == 0


def test_an_uncertain_version_is_none_that_stood(days: Days) -> None:
    failed = days.world.version(days.world.dataset("churn"), 400, certain=False)
    view = days.world.view()
    assert depths(view, diff(view, CHURN)) == [(2, 3)]
    assert failed not in [getattr(thing, "key", None) for thing in diff(view, CHURN).b.page(view, 0, 9)]


def test_a_job_is_its_last_run_and_before_it_stands_the_last_that_completed(days: Days) -> None:
    view = days.world.view()
    assert depths(view, diff(view, TRAIN)) == [(2, 3)]
    assert depths(view, diff(view, TRAIN, a_as_of=130)) == [(1, 3)]
    reads = [key for key, node in days.world.changes.nodes.items() if getattr(node, "name", "") == "features"][1:]
    for at in (400, 500):
        days.run("train", at, reads[-1:], "churn", state=RunState.FAIL, parameters={"depth": at})
    view = days.world.view()
    assert depths(view, diff(view, TRAIN)) == [(3, 500)]


def test_a_run_that_told_of_no_data_is_compared_by_what_it_told(world: Any) -> None:
    world.job("bare")
    for at in (1, 2):
        world.run("bare", f"bare-{at}", started_at=at, state=RunState.COMPLETE, commit=f"c{at}")
    view = world.view()
    answer = diff(view, RunRef("bare-1"), RunRef("bare-2"))
    assert told(hunks(view, answer)["bare"]) == [("CODE", "CHANGED", "commit", "c1", "c2")]
    assert origins(view, answer) == ["bare"]


def test_two_runs_of_different_jobs_are_each_others_counterpart(days: Days) -> None:
    reads = [key for key, node in days.world.changes.nodes.items() if getattr(node, "name", "") == "features"][1:]
    days.run("retrain", 400, reads[-1:], "churn", parameters={"depth": 4})
    view = days.world.view()
    found = hunks(view, diff(view, RunRef("train-320"), RunRef("retrain-400")))
    assert [entry[:3] for entry in told(found["retrain"])] == [
        ("PARAMETER", "CHANGED", "depth"),
        ("INPUT", "REMOVED", "labels"),
    ]


def test_a_deployment_at_two_moments_is_what_it_served_then(days: Days) -> None:
    models = [node for node in days.world.changes.nodes.values() if getattr(node, "name", "") == "churn"][1:]
    days.world.job("api", is_deployment=True)
    for at, model, end in ((1000, models[0], 2000), (2000, models[2], None)):
        rollout = days.world.rollout("api", f"r{at}", at, end, rollout={"endpoint": f"e{at}"})
        flow = days.world.flow(rollout, "log")
        days.world.put(replace(model, is_model=True))
        days.world.read(model.key, flow, at=at)
    for id, time in (("p1", 1500), ("p2", 2500)):
        days.world.predicted(id, time)
    view = days.world.view()
    for answer in (
        diff(view, API),
        diff(view, API, a_as_of=1500, b_as_of=2500),
        diff(view, RunRef("r1000"), RunRef("r2000")),
        diff(view, PredictionRef(API, "p1"), PredictionRef(API, "p2")),
    ):
        found = hunks(view, answer)
        assert set(found) == {"api", "train", "churn"}
        assert told(found["api"]) == [("ENVIRONMENT", "CHANGED", "rollout.endpoint", "e1000", "e2000")]
        assert depths(view, answer) == [(1, 3)]
        assert origins(view, answer) == ["train"]
    with pytest.raises(NotFoundError, match="No rollout of this deployment"):
        diff(view, API, a_as_of=10)


def test_a_streaming_run_at_two_moments_is_what_it_had_written_by_then(world: Any) -> None:
    days = Days(world)
    world.job("stream")
    run = world.run("stream", "s", started_at=1, type=RunType.STREAMING)
    events = [days.source("events", at, f"e{at}") for at in (1, 2)]
    for at, event in enumerate(events, start=1):
        flow = world.flow(run, "sink", tag=str(at))
        node = world.changes.nodes[flow]
        world.put(Flow(node.key, run, Name("db", "sink"), moment=at * 100))
        world.read(event, flow)
        version = world.version(world.dataset("sink"), at * 100, run=run)
        world.write(flow, version)
    assert any(kind is EdgeKind.HAS_FLOW for kind, *_ in world.changes.edges)
    view = world.view()
    answer = diff(view, JobRef("jobs", "stream"), a_as_of=150, b_as_of=250)
    assert origins(view, answer) == ["events"]
    assert told(hunks(view, answer)["events"]) == [("DATA", "CHANGED", "events", "sha256:e1", "sha256:e2")]


def test_of_the_runs_of_a_commit_the_last_of_each_job_is_meant(world: Any) -> None:
    days = Days(world)
    raw = days.source("raw", 1, "r")
    for at, commit, depth in ((10, "a", 1), (20, "a", 2), (30, "b", 3)):
        days.run("j", at, [raw], "d", commit=commit, parameters={"depth": depth})
    view = world.view()
    assert depths(view, diff(view, CodeRef("a"), CodeRef("b"))) == [(2, 3)]


@pytest.mark.parametrize(
    ("subjects", "moments", "error", "says"),
    [
        ((VersionRef("db", "churn", run_id="train-120"),), {}, NotFoundError, "it is the first"),
        ((RunRef("train-120"),), {}, NotFoundError, "it is the first"),
        ((CHURN,), {"a_as_of": 5}, NotFoundError, "churn of namespace 'db' had no version by 1970-01-01 00:00"),
        ((TRAIN,), {"b_as_of": 5}, NotFoundError, "had no run by"),
        ((RunRef("train-120"),), {"b_as_of": 5}, BadInputError, "no moment can be given"),
        ((ColumnRef("db", "raw", "c"),), {}, InvalidSubjectError, "column has no history"),
        ((CHURN, TRAIN), {}, InvalidSubjectError, "A version and a run"),
    ],
)
def test_what_can_not_be_compared_is_refused_with_its_reason(
    days: Days, subjects: Any, moments: Any, error: type[Exception], says: str
) -> None:
    days.world.column("raw", "c")
    with pytest.raises(error, match=says):
        diff(days.world.view(), *subjects, **moments)


def test_a_version_without_a_name_means_its_dataset(days: Days) -> None:
    view = days.world.view()
    answer = diff(view, VersionRef("db", "churn"))
    assert depths(view, answer) == [(2, 3)]
    assert [name(thing) for thing in answer.a.page(view, 0, 9)] == ["churn"]
