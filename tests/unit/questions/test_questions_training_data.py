"""Training data: from predictions, windows and models to what trained them, with certainty, gaps and score."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.answer import TrainingData, View
from lineage.errors import BadInputError, InvalidSubjectError, NotFoundError
from lineage.model import Binding, Evidence, Gap, Name, Role
from lineage.questions.provenance import provenance
from lineage.questions.subjects import DatasetRef, JobRef, PredictionRef, ServedWindow, VersionRef
from lineage.questions.training_data import training_data
from lineage.store import Limits

API = JobRef("jobs", "api")
CHURN = Name("db", "churn")


def of_prediction(view: View, id: str = "p", **told: Any) -> TrainingData:
    return training_data(view, PredictionRef(API, id, **told))


def rows(view: View, answer: TrainingData) -> dict[bytes, tuple[str, int]]:
    return {hit.version.key: (hit.role.value, hit.distance) for hit in answer.datasets.page(view, 0, 1_000)}


def gaps(view: View, answer: TrainingData) -> list[str]:
    return [gap.kind for gap in answer.assess(view).gaps.page(view, 0, 1_000)]


def model_keys(answer: TrainingData) -> list[bytes]:
    return [model.version.key for model in answer.models]


def second_model(pipeline: Any, written_at: int = 60, **told: Any) -> bytes:
    _, made = pipeline.world.execute("train", "t2", {pipeline.holdout1: Role.TRAIN}, pipeline.churn, written_at, **told)
    return made


def test_prediction_leads_to_all_that_trained_its_model(pipeline: Any) -> None:
    pipeline.world.predicted("p", 120)
    view = pipeline.world.view(behind=2)
    answer = of_prediction(view)
    assert (answer.certainty, answer.complete, answer.ledger_index, answer.behind) == ("EXACT", True, 6, 2)
    assert rows(view, answer) == {
        pipeline.features1: ("TRAIN", 1),
        pipeline.holdout1: ("VALIDATION", 1),
        pipeline.clean1: ("UPSTREAM", 2),
        pipeline.raw1: ("UPSTREAM", 3),
    }
    (model,) = answer.models
    assert model.version.key == pipeline.churn1
    assert [run.key for run in model.served_by] == [pipeline.rollout]
    assert model.trained_by is not None
    assert (model.trained_by.key, model.trained_by.commit) == (pipeline.train_run, "abc")
    assert answer.assess(view).score == 1.0
    assert gaps(view, answer) == []


def test_only_the_flow_that_wrote_the_model_counts(pipeline: Any) -> None:
    world = pipeline.world
    unrelated = world.dataset("unrelated")
    flow = world.flow(pipeline.train_run, "report")
    world.read(world.version(unrelated, 5), flow, Role.TRAIN)
    world.write(flow, world.version(world.dataset("report"), 41, run=pipeline.train_run))
    view = world.view()
    assert len(rows(view, training_data(view, VersionRef("db", "churn")))) == 4


def test_moment_and_window_work_without_any_record(pipeline: Any) -> None:
    newer = second_model(pipeline)
    pipeline.world.changes.nodes.pop(pipeline.rollout)
    pipeline.serve("r1", pipeline.churn1, 100, 200)
    pipeline.serve("r2", newer, 200)
    view = pipeline.world.view()
    moment = training_data(view, ServedWindow(API, 150, 150))
    assert (moment.certainty, model_keys(moment), moment.records) == ("EXACT", [pipeline.churn1], ())
    assert model_keys(training_data(view, ServedWindow(API, 200, 200))) == [newer]
    window = training_data(view, ServedWindow(API, 150, 250))
    assert (window.certainty, set(model_keys(window))) == ("CANDIDATES", {pipeline.churn1, newer})
    before = training_data(view, ServedWindow(API, 10, 20))
    assert (before.models, gaps(view, before), before.assess(view).score) == ((), ["NO_ROLLOUT"], 0.0)


def test_run_told_settles_which_rollout_it_was(pipeline: Any) -> None:
    world = pipeline.world
    shadow, _ = pipeline.serve("r2", second_model(pipeline), 100)
    world.predicted("open", 120)
    world.predicted("told", 120, run_id="r2")
    view = world.view()
    assert (of_prediction(view, "open").certainty, len(of_prediction(view, "open").models)) == ("CANDIDATES", 2)
    told = of_prediction(view, "told")
    assert told.certainty == "EXACT"
    assert [run.key for run in told.models[0].served_by] == [shadow]


def test_model_told_narrows_to_the_rollouts_that_read_it(pipeline: Any) -> None:
    world = pipeline.world
    other = world.model("other")
    pipeline.serve("r2", world.version(other, 50, declared=("7",)), 100)
    world.predicted("name", 120, model=Name("db", "other"))
    world.predicted("version", 120, model=Name("db", "other"), model_version="7")
    world.predicted("unread", 120, model=Name("db", "unread"))
    view = world.view()
    for id in ("name", "version"):
        answer = of_prediction(view, id)
        assert (answer.certainty, [model.version.name for model in answer.models]) == ("EXACT", ["other"])
    unread = of_prediction(view, "unread")
    assert (unread.certainty, unread.models, gaps(view, unread)) == ("CANDIDATES", (), ["NO_ROLLOUT"])


def test_without_a_rollout_it_goes_on_from_the_version_told(pipeline: Any) -> None:
    world = pipeline.world
    world.version(pipeline.churn, 40, declared=("3",), run=pipeline.train_run)
    world.predicted("p", 5, model=CHURN, model_version="3")
    world.predicted("q", 5)
    view = world.view()
    told = of_prediction(view, "p")
    assert (told.certainty, model_keys(told), gaps(view, told)) == ("EXACT", [pipeline.churn1], ["NO_ROLLOUT"])
    assert told.models[0].served_by == ()
    assert len(rows(view, told)) == 4
    lost = of_prediction(view, "q")
    assert (lost.certainty, lost.models, lost.datasets.total) == ("CANDIDATES", (), 0)


def test_a_run_told_and_not_known_is_not_guessed(pipeline: Any) -> None:
    pipeline.world.predicted("p", 120, run_id="unknown")
    view = pipeline.world.view()
    assert gaps(view, of_prediction(view)) == ["NO_ROLLOUT"]


def test_the_version_that_was_served_then_is_meant(pipeline: Any) -> None:
    world = pipeline.world
    newer = second_model(pipeline, commit="def")
    world.read(newer, world.flow(pipeline.rollout, "log", "later"), at=150)
    world.predicted("early", 149)
    world.predicted("late", 150)
    view = world.view()
    assert model_keys(of_prediction(view, "early")) == [pipeline.churn1]
    assert model_keys(of_prediction(view, "late")) == [newer]
    window = training_data(view, ServedWindow(API, 149, 151))
    assert (window.certainty, set(model_keys(window))) == ("CANDIDATES", {pipeline.churn1, newer})


def test_traffic_split_among_versions_leaves_candidates(pipeline: Any) -> None:
    world = pipeline.world
    newer = second_model(pipeline)
    world.read(newer, world.flow(pipeline.rollout, "log"), at=100)
    world.predicted("p", 120)
    view = world.view()
    answer = of_prediction(view)
    assert (answer.certainty, set(model_keys(answer))) == ("CANDIDATES", {pipeline.churn1, newer})


def test_conflicting_records_are_candidates_unless_settled(pipeline: Any) -> None:
    world = pipeline.world
    pipeline.serve("r2", second_model(pipeline, commit="def"), 100)
    world.predicted("p", 120, run_id="r1")
    world.predicted("p", 121, run_id="r2")
    world.predicted("same", 120, run_id="r1", output_hash="sha256:1")
    world.predicted("same", 121, run_id="r1", output_hash="sha256:2")
    view = world.view()
    answer = of_prediction(view)
    assert (answer.certainty, len(answer.records), len(answer.models)) == ("CANDIDATES", 2, 2)
    assert gaps(view, answer) == ["CONFLICTING_RECORDS"]
    settled = of_prediction(view, run_id="r2")
    assert (settled.certainty, len(settled.records), gaps(view, settled)) == ("EXACT", 1, [])
    same = of_prediction(view, "same")
    assert (same.certainty, len(same.records), gaps(view, same)) == ("EXACT", 2, [])


def test_base_model_goes_on_through_its_own_training(pipeline: Any) -> None:
    world = pipeline.world
    world.job("tune")
    tuned = world.model("tuned")
    world.execute("tune", "u1", {pipeline.churn1: None, pipeline.holdout1: Role.TEST}, tuned, 60, commit="x")
    view = world.view()
    assert rows(view, training_data(view, VersionRef("db", "tuned"))) == {
        pipeline.churn1: ("BASE_MODEL", 1),
        pipeline.holdout1: ("TEST", 1),
        pipeline.features1: ("UPSTREAM", 2),
        pipeline.clean1: ("UPSTREAM", 3),
        pipeline.raw1: ("UPSTREAM", 4),
    }


def test_a_model_asked_for_is_also_the_base_of_another(pipeline: Any) -> None:
    made = pipeline.world.execute("train", "t3", {pipeline.churn1: Role.BASE_MODEL}, pipeline.churn, 70)[1]
    view = pipeline.world.view()
    answer = training_data(view, VersionRef("db", "churn"))
    assert set(model_keys(answer)) == {pipeline.churn1, made}
    assert rows(view, answer)[pipeline.churn1] == ("BASE_MODEL", 1)


def test_binding_is_the_weakest_and_gaps_are_counted(pipeline: Any) -> None:
    world = pipeline.world
    flow = world.flow(pipeline.train_run, "churn")
    build = world.flow(pipeline.build_run, "features")
    gap = Gap("TIME_BINDING", "Bound by time.")
    world.read(pipeline.clean1, build, binding=Binding.TIME, gaps=(gap,), evidence=Evidence.INFERRED)
    world.read(pipeline.clean1, flow, Role.TRAIN, binding=Binding.DECLARED)
    world.read(pipeline.holdout1, flow, Role.VALIDATION, undivided=True)
    world.version(pipeline.raw, 10, digest=None, gaps=(Gap("NO_PRODUCER", "Unknown."),))
    world.run("train", "t1", started_at=39)
    world.dataset("clean", gaps=(Gap("ALIAS_CONFLICT", "Two."),))
    view = world.view()
    answer = training_data(view, VersionRef("db", "churn"))
    bindings = {hit.version.key: hit.binding for hit in answer.datasets.page(view, 0, 9)}
    assert bindings[pipeline.clean1] is Binding.TIME
    assert gaps(view, answer) == [
        "ALIAS_CONFLICT",
        "INFERRED",
        "NO_CODE_VERSION",
        "NO_CONTENT_HASH",
        "NO_PRODUCER",
        "TIME_BINDING",
        "UNDIVIDED",
    ]
    assert answer.assess(view).score == pytest.approx(1 - 3 / 10)


def test_a_model_that_nobody_trained_is_a_gap_and_not_an_answer(pipeline: Any) -> None:
    world = pipeline.world
    bought = world.version(world.dataset("bought", is_model=True), 5)
    view = world.view()
    asked = training_data(view, VersionRef("db", "bought"))
    traced = provenance(view, VersionRef("db", "bought"))
    for found in (asked.assess(view), traced.assess(view)):
        ((gap),) = found.gaps.page(view, 0, 9)
        assert (gap.kind, found.score) == ("NO_PRODUCER", 0.0)
        assert gap.node is not None
        assert gap.node.key == bought
        assert gap.message.startswith("No recorded run wrote bought")


def test_what_a_read_says_of_its_producer_is_not_said_twice(pipeline: Any) -> None:
    world = pipeline.world
    bought = world.version(world.dataset("bought", is_model=True), 5)
    flow = world.flow(pipeline.rollout, None)
    world.read(bought, flow, gaps=(Gap("NO_PRODUCER", "No recorded run wrote it before it was read."),))
    world.predicted("p", 120)
    view = world.view()
    assert gaps(view, of_prediction(view)).count("NO_PRODUCER") == 1


def test_links_tie_the_versions_to_the_runs_and_the_rollout(pipeline: Any) -> None:
    pipeline.world.predicted("p", 120)
    view = pipeline.world.view()
    links = of_prediction(view).links.page(view, 0, 99)
    told = {(link.kind.value, link.source.key, link.target.key) for link in links}  # type: ignore[union-attr]
    assert ("READ_BY", pipeline.churn1, pipeline.rollout) in told
    assert ("WROTE", pipeline.train_run, pipeline.churn1) in told
    assert ("READ_BY", pipeline.raw1, pipeline.clean_run) in told
    assert len(told) == 8


def test_cut_answer_keeps_the_nearest(pipeline: Any) -> None:
    view = pipeline.world.view()
    answer = training_data(view, VersionRef("db", "churn"), limits=Limits(nodes=3))
    assert answer.cut is not None
    assert answer.cut.reason == "NODES"
    assert all(distance == 1 for _, distance in rows(view, answer).values())


def test_refuses_what_can_not_have_been_served(pipeline: Any) -> None:
    view = pipeline.world.view()
    with pytest.raises(InvalidSubjectError, match="no model"):
        training_data(view, VersionRef("db", "raw"))
    with pytest.raises(BadInputError):
        training_data(view, ServedWindow(API, 2, 1))
    with pytest.raises(NotFoundError, match="recorded no prediction"):
        of_prediction(view, "never")
    with pytest.raises(NotFoundError, match=r"'train' .* is a job, and no deployment") as told:
        training_data(view, PredictionRef(JobRef("jobs", "train"), "never"))
    assert (told.value.field, "served:" in told.value.hint) == ("/prediction/deployment", False)
    with pytest.raises(NotFoundError, match="Nearest: deployment 'api'"):
        training_data(view, ServedWindow(JobRef("jobs", "apu"), 1, 1))


def test_versions_are_found_by_each_of_their_names(pipeline: Any) -> None:
    world = pipeline.world
    world.version(pipeline.churn, 40, declared=("3",), run=pipeline.train_run)
    view = world.view()
    for ref in (
        VersionRef("db", "churn", version="3"),
        VersionRef("db", "churn", run_id="t1"),
        VersionRef("db", "churn", digest="churn-40"),
    ):
        assert model_keys(training_data(view, ref)) == [pipeline.churn1], ref
    with pytest.raises(NotFoundError, match="has no version '4'"):
        training_data(view, VersionRef("db", "churn", version="4"))


def test_model_narrows_the_records_of_a_prediction(pipeline: Any) -> None:
    world = pipeline.world
    world.predicted("p", 120, model=CHURN)
    world.predicted("p", 121, model=Name("db", "gone"))
    view = world.view()
    answer = of_prediction(view, model=DatasetRef("db", "churn"))
    assert (answer.certainty, model_keys(answer)) == ("EXACT", [pipeline.churn1])
