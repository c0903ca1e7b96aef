"""What can't be asked, or has no rollout to answer with: the sentence that says what is the case, and what to ask."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.answer import View, thing_id
from lineage.errors import InvalidSubjectError, NotFoundError
from lineage.keys import job_key
from lineage.model import Name
from lineage.questions.impact import impact
from lineage.questions.provenance import provenance
from lineage.questions.subjects import JobRef, NodeRef, PredictionRef, RunRef, ServedSubject, ServedWindow, VersionRef
from lineage.questions.training_data import training_data

API = JobRef("jobs", "api")
MINUTE = 60_000_000


def gap_of(view: View, of: ServedSubject) -> tuple[str, str, bytes | None]:
    (gap,) = training_data(view, of).assess(view).gaps.page(view, 0, 10)
    return gap.kind, gap.message, gap.node.key if gap.node is not None else None  # type: ignore[union-attr]


def no_rollout(view: View, of: ServedSubject) -> str:
    kind, message, node = gap_of(view, of)
    assert (kind, node) == ("NO_ROLLOUT", job_key("jobs", "api"))
    return message


def test_the_versions_that_there_are_are_listed_as_they_can_be_asked_for(world: Any) -> None:
    raw = world.dataset("raw")
    world.version(raw, 1 * MINUTE)
    world.version(raw, 2 * MINUTE, declared=("7",))
    view = world.view()
    with pytest.raises(NotFoundError) as refusal:
        impact(view, VersionRef("db", "raw", version="8"))
    assert refusal.value.hint.startswith("It has 7 (raw @ 1970-01-01 00:02); sha256:raw-60000000 (raw @ ")
    assert impact(view, VersionRef("db", "raw", digest="sha256:raw-60000000")).complete


class TestImpactOfAPrediction:
    def test_is_refused_and_names_the_rollout_that_made_it(self, pipeline: Any) -> None:
        record = pipeline.world.predicted("p", 120)
        view = pipeline.world.view()
        for of in (PredictionRef(API, "p"), NodeRef(thing_id(record))):
            with pytest.raises(InvalidSubjectError, match="affects nothing") as refusal:
                impact(view, of)
            assert "the rollout that made it (run r1)" in refusal.value.hint
        assert impact(view, RunRef("r1")).predictions(view).count == 1

    def test_names_all_that_may_have_made_it(self, pipeline: Any) -> None:
        for number in range(2, 6):
            pipeline.serve(f"r{number}", pipeline.churn1, 100)
        pipeline.world.predicted("p", 120)
        with pytest.raises(InvalidSubjectError) as refusal:
            impact(pipeline.world.view(), PredictionRef(API, "p"))
        assert "a rollout that may have made it (run r1, r2, r3, …)" in refusal.value.hint

    def test_without_a_rollout_names_the_model_or_the_deployment(self, pipeline: Any) -> None:
        pipeline.world.predicted("lost", 1)
        with pytest.raises(InvalidSubjectError) as refusal:
            impact(pipeline.world.view(), PredictionRef(API, "lost"))
        assert "the impact of its model or deployment" in refusal.value.hint

    def test_of_one_never_recorded_is_not_found(self, pipeline: Any) -> None:
        with pytest.raises(NotFoundError):
            impact(pipeline.world.view(), PredictionRef(API, "never"))

    def test_its_provenance_is_answered(self, pipeline: Any) -> None:
        pipeline.world.predicted("p", 120)
        assert provenance(pipeline.world.view(), PredictionRef(API, "p")).nodes.total > 0


class TestServedOfAJob:
    def test_that_is_no_deployment_is_refused(self, pipeline: Any) -> None:
        with pytest.raises(InvalidSubjectError, match="'train' of namespace 'jobs' is a job, and no deployment") as no:
            training_data(pipeline.world.view(), ServedWindow(JobRef("jobs", "train"), 10, 10))
        assert "impact or provenance" in no.value.hint
        assert no.value.field == "/served/deployment"

    def test_that_is_a_deployment_without_rollouts_is_a_gap(self, world: Any) -> None:
        world.job("api", is_deployment=True)
        assert no_rollout(world.view(), ServedWindow(API, 1, 2)) == "No rollout of this deployment is known."

    def test_whose_rollouts_tell_it_though_the_job_does_not_is_answered(self, pipeline: Any) -> None:
        pipeline.world.job("api")
        view = pipeline.world.view()
        assert len(training_data(view, ServedWindow(API, 150, 150)).models) == 1
        assert "the next began" in no_rollout(view, ServedWindow(API, 1, 2))


class TestNoRollout:
    def test_between_two_says_when_each_was(self, pipeline: Any) -> None:
        pipeline.serve("r1", pipeline.churn1, 10 * MINUTE, 20 * MINUTE)
        pipeline.serve("r2", pipeline.churn1, 40 * MINUTE, 50 * MINUTE)
        pipeline.serve("r3", pipeline.churn1, 60 * MINUTE)
        pipeline.world.predicted("between", 30 * MINUTE)
        pipeline.world.predicted("before", MINUTE)
        view = pipeline.world.view()
        between = (
            "No rollout of this deployment is known to have served then: the last before ended 1970-01-01 00:20, the "
            "next began 1970-01-01 00:40 (UTC)."
        )
        assert no_rollout(view, PredictionRef(API, "between")) == between
        assert no_rollout(view, ServedWindow(API, 25 * MINUTE, 30 * MINUTE)) == between
        assert no_rollout(view, PredictionRef(API, "before")).endswith("then: the next began 1970-01-01 00:10 (UTC).")

    def test_of_a_deployment_that_never_had_one_says_so(self, world: Any) -> None:
        world.job("api", is_deployment=True)
        world.predicted("p", 5)
        assert no_rollout(world.view(), PredictionRef(API, "p")) == "No rollout of this deployment is known."

    def test_of_rollouts_that_told_no_start_says_so(self, world: Any) -> None:
        world.job("api", is_deployment=True)
        world.rollout("api", "r", None)
        told = no_rollout(world.view(), ServedWindow(API, 1, 2))
        assert told == "No rollout of this deployment told when it began."

    def test_of_a_run_never_heard_of_names_it(self, pipeline: Any) -> None:
        pipeline.world.predicted("p", 120, run_id="unknown")
        told = no_rollout(pipeline.world.view(), PredictionRef(API, "p"))
        assert told == "The record names the run unknown, of which no event was received."

    def test_of_a_run_that_is_none_of_its_rollouts_says_what_it_is(self, pipeline: Any) -> None:
        pipeline.world.predicted("p", 120, run_id="t1")
        told = no_rollout(pipeline.world.view(), PredictionRef(API, "p"))
        assert told.startswith("The record names the run t1, which is no rollout of this deployment but train @ ")
        assert told.endswith("(BATCH).")

    def test_where_those_that_served_had_another_model_says_which_is_meant(self, pipeline: Any) -> None:
        pipeline.world.predicted("p", 120, model=Name("db", "other"), model_version="7")
        told = no_rollout(pipeline.world.view(), PredictionRef(API, "p"))
        assert told == (
            "No rollout that served then is known to have served the model that the record names, other version 7."
        )

    def test_a_rollout_named_that_had_another_model_is_told_apart_from_one_with_none(self, pipeline: Any) -> None:
        idle = pipeline.world.rollout("api", "idle", 100)
        pipeline.world.predicted("other", 120, run_id="r1", model=Name("db", "other"))
        pipeline.world.predicted("none", 120, run_id="idle")
        view = pipeline.world.view()
        assert gap_of(view, PredictionRef(API, "other")) == (
            "NO_PRODUCER",
            "This rollout is not known to have served the model that the record names, other.",
            pipeline.rollout,
        )
        assert gap_of(view, PredictionRef(API, "none")) == (
            "NO_PRODUCER",
            "No model version is known that this rollout served.",
            idle,
        )
