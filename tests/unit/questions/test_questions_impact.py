"""Impact: both radii, consequences, standing and remediated, the summary, predictions, subjects and cuts."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.answer import Impact, ImpactHit, View, label
from lineage.errors import InvalidSubjectError, NotFoundError
from lineage.keys import Base, dataset_key, encode_id, job_key, run_key
from lineage.model import EdgeKind, Evidence, Name, NameScope, Owner, Role
from lineage.questions.impact import impact
from lineage.questions.subjects import (
    CodeRef,
    ColumnRef,
    ContentRef,
    DatasetRef,
    JobRef,
    NodeRef,
    PredictionRef,
    RunRef,
    VersionRef,
)
from lineage.store import EdgeFilter, Limits

RAW = DatasetRef("db", "raw")


def by_key(view: View, pages: Any) -> dict[bytes, ImpactHit]:
    return {hit.node.key: hit for hit in pages.page(view, 0, 10_000)}


def said(view: View, answer: Impact, radius: str = "potential") -> list[tuple[str, int, str]]:
    hits = getattr(answer, radius).page(view, 0, 10_000)
    return [(label(hit.node).partition(" @")[0], hit.distance, hit.consequence.value) for hit in hits]


def test_potential_radius_is_what_is_wired_downstream(pipeline: Any) -> None:
    view = pipeline.world.view(behind=3)
    answer = impact(view, RAW)
    assert said(view, answer) == [
        ("clean", 1, "REBUILD"),
        ("clean", 1, "NONE"),
        ("features", 2, "REBUILD"),
        ("build", 2, "NONE"),
        ("train", 3, "RETRAIN"),
        ("churn", 3, "RETRAIN"),
        ("log", 4, "REBUILD"),
        ("api", 4, "REDEPLOY"),
    ]
    assert (answer.complete, answer.ledger_index, answer.behind) == (True, 6, 3)


def test_actual_radius_is_what_runs_really_read_and_wrote(pipeline: Any) -> None:
    view = pipeline.world.view()
    assert sorted(said(view, impact(view, RAW), "actual")) == sorted(
        [
            ("clean", 1, "NONE"),
            ("clean", 1, "REBUILD"),
            ("build", 2, "NONE"),
            ("features", 2, "REBUILD"),
            ("train", 3, "RETRAIN"),
            ("churn", 3, "RETRAIN"),
            ("api", 4, "REDEPLOY"),
            ("log", 4, "REBUILD"),
        ]
    )


def test_subject_is_no_hit_even_in_a_loop(pipeline: Any) -> None:
    world = pipeline.world
    loop = world.flow(world.job("loop"), "raw")
    world.feed(pipeline.clean, loop)
    world.feed(loop, pipeline.raw)
    view = world.view()
    assert pipeline.raw not in by_key(view, impact(view, RAW).potential)


def test_validation_data_leads_to_revalidation(pipeline: Any) -> None:
    view = pipeline.world.view()
    answer = impact(view, DatasetRef("db", "holdout"))
    for radius in ("potential", "actual"):
        consequences = {name: what for name, distance, what in said(view, answer, radius) if distance == 1}
        assert consequences == {"churn": "REVALIDATE", "train": "REVALIDATE"}


@pytest.mark.parametrize("role", [Role.TEST, Role.REFERENCE])
def test_test_and_reference_data_lead_to_revalidation(world: Any, role: Role) -> None:
    data, model = world.dataset("data"), world.model("model")
    world.job("train")
    run, made = world.execute("train", "t", {world.version(data, 1): role}, model, 2)
    view = world.view()
    hits = by_key(view, impact(view, DatasetRef("db", "data")).actual)
    assert {hits[run].consequence, hits[made].consequence} == {"REVALIDATE"}


def test_of_several_roles_the_most_severe_counts(pipeline: Any) -> None:
    flow = pipeline.world.flow(pipeline.train_run, "churn")
    pipeline.world.read(pipeline.clean1, flow, Role.VALIDATION)
    view = pipeline.world.view()
    hits = by_key(view, impact(view, RAW).actual)
    assert hits[pipeline.churn1].consequence == "RETRAIN"
    assert hits[pipeline.churn1].distance == 2


def test_base_model_leads_to_retraining(pipeline: Any) -> None:
    world = pipeline.world
    world.job("tune")
    tuned = world.model("tuned")
    run, made = world.execute("tune", "u1", {pipeline.churn1: Role.BASE_MODEL}, tuned, 60)
    view = world.view()
    hits = by_key(view, impact(view, DatasetRef("db", "churn")).actual)
    assert {hits[run].consequence, hits[made].consequence} == {"RETRAIN"}


def test_a_rollout_that_reads_reference_data_only_is_revalidated(pipeline: Any) -> None:
    world = pipeline.world
    drift = world.dataset("drift")
    world.read(world.version(drift, 5), world.flow(pipeline.rollout, "log"), Role.REFERENCE)
    world.feed(drift, world.flow(pipeline.deployment, "log"), role=Role.REFERENCE)
    view = world.view()
    answer = impact(view, DatasetRef("db", "drift"))
    assert by_key(view, answer.actual)[pipeline.rollout].consequence == "REVALIDATE"
    assert by_key(view, answer.potential)[pipeline.deployment].consequence == "REVALIDATE"


def test_ended_rollout_is_rescored_only_if_it_served_predictions(pipeline: Any) -> None:
    world = pipeline.world
    idle, _ = pipeline.serve("r0", pipeline.churn1, 50, 60)
    busy, _ = pipeline.serve("r00", pipeline.churn1, 70, 90)
    world.predicted("p", 75)
    view = world.view()
    hits = by_key(view, impact(view, RAW).actual)
    assert (hits[idle].consequence, hits[busy].consequence) == ("NONE", "RESCORE")
    assert (hits[idle].standing, hits[pipeline.rollout].standing) == (False, True)


def test_versions_replaced_by_what_does_not_descend_are_remediated(pipeline: Any) -> None:
    world = pipeline.world
    fixed = world.version(pipeline.raw, 50)
    _, clean2 = world.execute("clean", "c2", {fixed: None}, pipeline.clean, 51)
    view = world.view()
    answer = impact(view, VersionRef("db", "raw", digest="raw-10"))
    hits = by_key(view, answer.actual)
    assert clean2 not in hits
    for key in (pipeline.clean1, pipeline.clean_run):
        assert (hits[key].remediated, hits[key].consequence, hits[key].standing) == (True, "NONE", False)
    assert (hits[pipeline.features1].remediated, hits[pipeline.features1].standing) == (False, True)


def test_uncertain_versions_replace_nothing(pipeline: Any) -> None:
    world = pipeline.world
    world.version(pipeline.clean, 51, certain=False)
    view = world.view()
    hit = by_key(view, impact(view, RAW).actual)[pipeline.clean1]
    assert (hit.remediated, hit.standing) == (False, True)


def test_a_model_version_that_is_served_now_stands_though_replaced(pipeline: Any) -> None:
    world = pipeline.world
    world.version(pipeline.churn, 90, declared=("9",))
    view = world.view()
    hit = by_key(view, impact(view, RAW).actual)[pipeline.churn1]
    assert (hit.standing, hit.remediated) == (True, True)


def test_a_content_that_somebody_found_later_remediates_nothing_that_a_run_wrote(pipeline: Any) -> None:
    world = pipeline.world
    world.version(pipeline.clean, 51, digest="found")
    view = world.view()
    hit = by_key(view, impact(view, RAW).actual)[pipeline.clean1]
    assert (hit.remediated, hit.consequence) == (False, "REBUILD")


def test_a_model_version_that_the_rollout_left_does_not_stand(pipeline: Any) -> None:
    world = pipeline.world
    newer = world.version(pipeline.churn, 90)
    world.read(newer, world.flow(pipeline.rollout, "log", "later"), at=150)
    view = world.view()
    assert not by_key(view, impact(view, RAW).actual)[pipeline.churn1].standing


def test_summary_counts_each_kind_without_pages(pipeline: Any) -> None:
    view = pipeline.world.view()
    rows = {row.kind.value: (row.potential, row.actual, row.standing) for row in impact(view, RAW).summary(view)}
    assert rows == {
        "DATASET": (3, 0, 0),
        "MODEL": (1, 0, 0),
        "JOB": (3, 0, 0),
        "DEPLOYMENT": (1, 0, 0),
        "RUN": (0, 3, 0),
        "ROLLOUT": (0, 1, 1),
        "VERSION": (0, 4, 4),
    }


def test_via_is_the_hit_or_subject_before_it(pipeline: Any) -> None:
    view = pipeline.world.view()
    answer = impact(view, RAW)
    actual, potential = by_key(view, answer.actual), by_key(view, answer.potential)
    assert actual[pipeline.clean_run].via.key == pipeline.raw1  # type: ignore[union-attr]
    assert actual[pipeline.clean1].via.key == pipeline.clean_run  # type: ignore[union-attr]
    assert actual[pipeline.rollout].via.key == pipeline.churn1  # type: ignore[union-attr]
    assert potential[pipeline.clean].via.key == job_key("jobs", "clean")  # type: ignore[union-attr]
    assert potential[job_key("jobs", "clean")].via.key == pipeline.raw  # type: ignore[union-attr]


def test_a_flow_of_no_job_is_passed_through_and_not_shown(world: Any) -> None:
    source, target = world.dataset("a"), world.dataset("b")
    flow = world.flow(None, "b")
    world.feed(source, flow)
    world.feed(flow, target)
    view = world.view()
    (hit,) = impact(view, DatasetRef("db", "a")).potential.page(view, 0, 10)
    assert (hit.node.key, hit.distance, hit.via.key) == (target, 1, source)  # type: ignore[union-attr]


def test_no_path_crosses_a_run_from_one_flow_to_another(world: Any) -> None:
    one, two, out_one, out_two = (world.dataset(name) for name in ("one", "two", "out1", "out2"))
    world.job("j")
    run = world.run("j", "r", started_at=5)
    for source, target in ((one, out_one), (two, out_two)):
        flow = world.flow(run, world.changes.nodes[target].name)
        world.read(world.version(source, 1), flow)
        world.write(flow, world.version(target, 6, run=run))
    view = world.view()
    names = [name for name, _, _ in said(view, impact(view, DatasetRef("db", "one")), "actual")]
    assert sorted(names) == ["j", "out1"]


def test_evidence_and_certainty_are_those_of_the_best_path(world: Any) -> None:
    source, target = world.dataset("a"), world.dataset("b")
    for tag, evidence, certain in (("1", Evidence.COLUMN, False), ("2", Evidence.INFERRED, True)):
        flow = world.flow(world.job(f"job{tag}"), "b", tag)
        world.feed(source, flow, evidence=evidence, certain=certain)
        world.feed(flow, target)
    view = world.view()
    answer = impact(view, DatasetRef("db", "a"))
    hits = by_key(view, answer.potential)
    assert (hits[target].evidence, hits[target].certain) == (Evidence.COLUMN, True)
    assert (hits[job_key("jobs", "job1")].evidence, hits[job_key("jobs", "job1")].certain) == (Evidence.COLUMN, False)
    narrowed = impact(view, DatasetRef("db", "a"), edges=EdgeFilter(Evidence.COLUMN, certain_only=True))
    assert narrowed.potential.total == 0


def test_stale_is_what_only_stale_edges_lead_to(world: Any) -> None:
    source, target, other = world.dataset("a"), world.dataset("b"), world.dataset("c")
    for name, output, stale in (("old", target, True), ("new", other, False)):
        flow = world.flow(world.job(name), name)
        world.feed(source, flow, stale=stale)
        world.feed(flow, output, stale=stale)
    view = world.view()
    hits = by_key(view, impact(view, DatasetRef("db", "a")).potential)
    assert {key: hit.stale for key, hit in hits.items()} == {
        target: True,
        job_key("jobs", "old"): True,
        other: False,
        job_key("jobs", "new"): False,
    }


def test_owners_are_those_of_the_dataset_or_job(world: Any) -> None:
    ann, bob = Owner("ann"), Owner("bob", "team")
    source, target = world.dataset("a"), world.dataset("b", owners=(ann,))
    world.job("j", owners=(bob,))
    run, made = world.execute("j", "r", {world.version(source, 1): None}, target, 2)
    view = world.view()
    answer = impact(view, DatasetRef("db", "a"))
    owners = {
        key: hit.owners for radius in (answer.potential, answer.actual) for key, hit in by_key(view, radius).items()
    }
    assert owners == {target: (ann,), made: (ann,), run: (bob,), job_key("jobs", "j"): (bob,)}


def test_since_leaves_out_older_versions_of_the_subject(pipeline: Any) -> None:
    world = pipeline.world
    later = world.version(pipeline.raw, 50)
    _, clean2 = world.execute("clean", "c2", {later: None}, pipeline.clean, 51)
    view = world.view()
    answer = impact(view, RAW, since=50)
    second_run = run_key("c2", "jobs", "clean")
    assert set(by_key(view, answer.actual)) == {clean2, second_run}
    assert answer.potential.total == 8
    assert set(by_key(view, impact(view, JobRef("jobs", "clean"), since=51).actual)) == {clean2}


def test_predictions_of_the_affected_rollouts_are_counted(pipeline: Any) -> None:
    world = pipeline.world
    for id, time in (("before", 99), ("first", 100), ("last", 180)):
        world.predicted(id, time)
    world.predicted("other", 120, model=Name("db", "other"))
    world.predicted("elsewhere", 120, deployment="shop")
    view = world.view()
    counted = impact(view, RAW).predictions(view)
    assert (counted.count, counted.first_at, counted.last_at) == (2, 100, 180)
    assert impact(view, RAW, since=10).predictions(view).count == 2
    assert impact(view, CodeRef("abc")).predictions(view).count == 2
    assert impact(view, RunRef("r1"), since=150).predictions(view).count == 0


def test_every_kind_of_subject_reaches_the_model(pipeline: Any) -> None:
    world = pipeline.world
    world.name(NameScope.COMMIT, "abc", job_key("jobs", "train"))
    view = world.view()
    for subject in (
        RAW,
        NodeRef(encode_id(Base.DATASET, pipeline.raw)),
        VersionRef("db", "raw"),
        ContentRef("raw-10", algorithm="sha256"),
        JobRef("jobs", "build"),
        RunRef("t1"),
        CodeRef("abc"),
    ):
        answer = impact(view, subject)
        assert pipeline.churn1 in by_key(view, answer.actual), subject
        assert pipeline.churn in by_key(view, answer.potential), subject


def test_code_change_of_the_training_run_leads_to_retraining(pipeline: Any) -> None:
    view = pipeline.world.view()
    hits = by_key(view, impact(view, CodeRef("abc")).actual)
    assert hits[pipeline.churn1].consequence == "RETRAIN"
    assert pipeline.train_run not in hits


def test_a_dataset_is_found_by_alias_and_by_old_key(pipeline: Any) -> None:
    world = pipeline.world
    world.name(NameScope.KEY, dataset_key("s3", "old/raw").hex(), pipeline.raw)
    view = world.view()
    assert impact(view, DatasetRef("s3", "old/raw")).potential.total == 8
    assert impact(view, NodeRef(encode_id(Base.DATASET, dataset_key("s3", "old/raw")))).potential.total == 8


def test_subject_never_seen_names_the_nearest(pipeline: Any) -> None:
    view = pipeline.world.view()
    with pytest.raises(NotFoundError, match="'features' of 'db'"):
        impact(view, DatasetRef("db", "faetures"))
    with pytest.raises(NotFoundError, match="'train' of 'jobs'"):
        impact(view, JobRef("jobs", "trian"))
    pipeline.world.dataset("/lake/flats/daily/very/long/way/to/orders.csv")
    pipeline.world.dataset("borders.csv")
    view = pipeline.world.view()
    with pytest.raises(NotFoundError, match=r"Nearest: dataset '/lake/flats/daily/very/long/way/to/orders\.csv'"):
        impact(view, DatasetRef("db", "Orders.csv"))
    for subject in (RunRef("no"), CodeRef("no"), ContentRef("no"), VersionRef("db", "raw", version="9")):
        with pytest.raises(NotFoundError):
            impact(view, subject)


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("orders.csv", "/lake/daily/orders.csv"),
        ("ORDERS.csv", "/lake/daily/orders.csv"),
        ("/orders.csv", "/lake/daily/orders.csv"),
        ("/elsewhere/lake/daily/orders.csv", "/lake/daily/orders.csv"),
        ("daily_log", "daily_logs"),
        ("order.cvs", "order.csvs"),
        ("customers", "shop.customers"),
        ("shop.public.customers", "shop.customers"),
    ],
)
def test_a_name_without_its_folder_and_a_slip_both_lead_to_the_name(world: Any, asked: str, nearest: str) -> None:
    known = ("/lake/daily/orders.csv", "order.csvs", "csv", "log", "daily_logs", "shop.customers", "all_customers")
    for name in known:
        world.dataset(name)
    with pytest.raises(NotFoundError, match=f"Nearest: dataset {nearest!r}"):
        impact(world.view(), DatasetRef("db", asked))


def test_what_can_be_no_subject_is_refused(pipeline: Any) -> None:
    pipeline.world.predicted("lost", 1)
    view = pipeline.world.view()
    flow = pipeline.world.flow(pipeline.train_run, "churn")
    for subject in (
        NodeRef("nonsense"),
        NodeRef(encode_id(Base.FLOW, flow)),
        PredictionRef(JobRef("jobs", "api"), "lost"),
        VersionRef("db", "raw", version="1", digest="x"),
    ):
        with pytest.raises(InvalidSubjectError):
            impact(view, subject)


def test_a_cut_answer_says_so_and_calls_nothing_remediated(pipeline: Any) -> None:
    pipeline.world.version(pipeline.clean, 90)
    view = pipeline.world.view()
    answer = impact(view, RAW, limits=Limits(nodes=3))
    assert answer.cut is not None
    assert (answer.complete, answer.cut.reason, answer.cut.limit, answer.cut.next) == (False, "NODES", 3, 2)
    assert not any(hit.remediated for hit in by_key(view, answer.actual).values())


def test_pages_join_to_the_whole_in_order(pipeline: Any) -> None:
    view = pipeline.world.view()
    for radius in (impact(view, RAW).potential, impact(view, RAW).actual):
        whole = radius.page(view, 0, 100)
        assert [hit for start in range(0, radius.total, 3) for hit in radius.page(view, start, start + 3)] == whole
        ranks = [(hit.distance, hit.kind.value, hit.node.key) for hit in whole]  # type: ignore[union-attr]
        assert ranks == sorted(ranks)
        assert radius.page(view, 100, 200) == []


def test_gaps_and_score_are_those_of_the_actual_radius(pipeline: Any) -> None:
    view = pipeline.world.view()
    assessed = impact(view, RAW).assess(view)
    assert [(gap.kind, gap.node.key) for gap in assessed.gaps.page(view, 0, 9)] == [  # type: ignore[union-attr]
        ("NO_CONTENT_HASH", pipeline.log1)
    ]
    assert assessed.score == pytest.approx(8 / 9)


class TestColumns:
    @pytest.fixture
    def columns(self, world: Any) -> Any:
        self.a, self.b, self.c = world.dataset("a"), world.dataset("b"), world.dataset("c")
        self.ax, self.ay, self.bx = world.column("a", "x"), world.column("a", "y"), world.column("b", "x")
        world.feed(self.ax, self.bx, evidence=Evidence.COLUMN)
        world.job("ab")
        world.job("bc")
        _, made = world.execute("ab", "1", {world.version(self.a, 1): None}, self.b, 2)
        world.execute("bc", "2", {made: None}, self.c, 3)
        return world

    def test_follows_column_lineage_and_goes_on_by_dataset_where_none_is_told(self, columns: Any) -> None:
        view = columns.view()
        hits = by_key(view, impact(view, ColumnRef("db", "a", "x")).potential)
        ab, bc = job_key("jobs", "ab"), job_key("jobs", "bc")
        assert {key: hit.distance for key, hit in hits.items()} == {ab: 1, self.bx: 1, bc: 2, self.c: 2}
        vias = {key: hit.via.key for key, hit in hits.items()}  # type: ignore[union-attr]
        assert vias == {ab: self.ax, self.bx: ab, bc: self.bx, self.c: bc}
        assert hits[self.bx].consequence == "REBUILD"
        assert hits[self.c].evidence is Evidence.COLUMN

    def test_column_that_feeds_nothing_stays_when_its_dataset_tells_column_lineage(self, columns: Any) -> None:
        columns.dataset("a", facets={"schema": {"fields": [{"name": "x"}, {"name": "y"}]}})
        view = columns.view()
        assert impact(view, ColumnRef("db", "a", "y")).potential.total == 0

    def test_column_of_a_dataset_without_column_lineage_stands_for_it(self, columns: Any) -> None:
        columns.column("b", "z")
        view = columns.view()
        del columns.changes.edges[(EdgeKind.FEEDS, self.ax, self.bx)]
        view = columns.view()
        hits = by_key(view, impact(view, ColumnRef("db", "a", "x")).potential)
        assert {key: hit.distance for key, hit in hits.items()} == {
            job_key("jobs", "ab"): 1,
            self.b: 1,
            job_key("jobs", "bc"): 2,
            self.c: 2,
        }

    def test_actual_radius_is_that_of_the_dataset_and_says_so(self, columns: Any) -> None:
        view = columns.view()
        answer = impact(view, ColumnRef("db", "a", "x"))
        assert set(by_key(view, answer.actual)) == set(by_key(view, impact(view, DatasetRef("db", "a")).actual))
        gaps = answer.assess(view).gaps.page(view, 0, 9)
        found = [(gap.kind, gap.node.key) for gap in gaps]  # type: ignore[union-attr]
        assert found == [("UNDIVIDED", self.ax), ("UNDIVIDED", job_key("jobs", "bc"))]
