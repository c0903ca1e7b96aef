"""Impact of a column: the jobs that it goes through, what to do about them, and what is taken for its dataset."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.answer import Impact, ImpactHit, View
from lineage.model import EdgeKind, Evidence, Role
from lineage.questions.impact import impact
from lineage.questions.subjects import ColumnRef, DatasetRef
from lineage.store import EdgeFilter, Limits

RAW_X = ColumnRef("db", "raw", "x")


class Chain:
    """raw.x → clean.x → features.x; train reads features and makes a model, api serves it, check tests on features."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.raw, self.clean, self.features = (world.dataset(name) for name in ("raw", "clean", "features"))
        self.model, self.report = world.model("churn"), world.model("report")
        self.load, self.build = self.wire("load", self.raw, self.clean), self.wire("build", self.clean, self.features)
        self.train = self.wire("train", self.features, self.model, role=Role.TRAIN)
        self.check = self.wire("check", self.features, self.report, role=Role.TEST)
        self.api = world.job("api", is_deployment=True)
        world.feed(self.model, world.flow(self.api))
        self.raw_x, self.clean_x, self.features_x = (world.column(name, "x") for name in ("raw", "clean", "features"))
        world.feed(self.raw_x, self.clean_x)
        world.feed(self.clean_x, self.features_x)

    def wire(self, job: str, source: bytes, target: bytes, **told: Any) -> bytes:
        key: bytes = self.world.job(job)
        flow = self.world.flow(key, self.world.changes.nodes[target].name)
        self.world.feed(source, flow, **told)
        self.world.feed(flow, target)
        return key

    def wired(self, job: bytes, target: bytes) -> bytes:
        flow: bytes = self.world.flow(job, self.world.changes.nodes[target].name)
        return flow


@pytest.fixture
def chain(world: Any) -> Chain:
    return Chain(world)


def potential(view: View, answer: Impact) -> dict[bytes, ImpactHit]:
    return {hit.node.key: hit for hit in answer.potential.page(view, 0, 1_000)}  # type: ignore[union-attr]


def test_every_job_that_a_column_goes_through_is_a_hit(chain: Chain) -> None:
    view = chain.world.view()
    hits = potential(view, impact(view, RAW_X))
    assert {key: hit.distance for key, hit in hits.items()} == {
        chain.load: 1,
        chain.clean_x: 1,
        chain.build: 2,
        chain.features_x: 2,
        chain.train: 3,
        chain.check: 3,
        chain.model: 3,
        chain.report: 3,
        chain.api: 4,
    }
    assert {hit.via.key for hit in hits.values()} >= {chain.raw_x, chain.load, chain.clean_x, chain.build}  # type: ignore[union-attr]
    assert hits[chain.features_x].via.key == chain.build  # type: ignore[union-attr]
    assert hits[chain.build].via.key == chain.clean_x  # type: ignore[union-attr]


def test_jobs_and_models_have_the_consequence_that_they_have_for_the_dataset(chain: Chain) -> None:
    view = chain.world.view()
    of_column = potential(view, impact(view, RAW_X))
    of_dataset = potential(view, impact(view, DatasetRef("db", "raw")))
    jobs = (chain.load, chain.build, chain.train, chain.check, chain.model, chain.report, chain.api)
    for key in jobs:
        assert of_column[key].consequence == of_dataset[key].consequence
        assert of_column[key].distance == of_dataset[key].distance
    assert [of_column[key].consequence for key in (chain.train, chain.check, chain.report)] == [
        "RETRAIN",
        "REVALIDATE",
        "REVALIDATE",
    ]


def test_a_training_job_that_tells_column_lineage_is_retrained_too(chain: Chain) -> None:
    world = chain.world
    weight, quality = world.column("churn", "weight"), world.column("report", "quality")
    world.feed(chain.features_x, weight)
    world.feed(chain.features_x, quality)
    view = world.view()
    hits = potential(view, impact(view, RAW_X))
    assert (hits[chain.train].consequence, hits[weight].consequence) == ("RETRAIN", "RETRAIN")
    assert (hits[chain.check].consequence, hits[quality].consequence) == ("REVALIDATE", "REVALIDATE")
    assert hits[weight].via.key == chain.train  # type: ignore[union-attr]
    assert chain.model not in hits


def test_a_deployment_that_column_lineage_goes_through_is_redeployed(chain: Chain) -> None:
    world = chain.world
    scores = world.dataset("scores")
    score, wired = world.column("scores", "score"), world.flow(chain.api, "scores")
    world.feed(chain.features, wired)
    world.feed(wired, scores)
    world.feed(chain.features_x, score)
    view = world.view()
    hits = potential(view, impact(view, RAW_X))
    assert (hits[chain.api].consequence, hits[chain.api].distance, hits[score].distance) == ("REDEPLOY", 3, 3)


def test_a_job_that_takes_other_columns_only_is_no_hit(chain: Chain) -> None:
    world = chain.world
    other = chain.wire("other", chain.raw, world.dataset("other"))
    world.feed(world.column("raw", "y"), world.column("other", "y"))
    world.dataset("raw", facets={"schema": {"fields": [{"name": "x"}, {"name": "y"}]}})
    view = world.view()
    assert other not in potential(view, impact(view, RAW_X))
    assert other in potential(view, impact(view, ColumnRef("db", "raw", "y")))


def test_a_job_that_is_crossed_and_later_taken_up_stands_where_it_is_nearest(chain: Chain) -> None:
    world = chain.world
    late = world.dataset("late")
    flow = world.flow(chain.load, "late")
    world.feed(chain.features, flow, role=Role.TRAIN)
    world.feed(flow, late)
    view = world.view()
    hits = potential(view, impact(view, RAW_X))
    assert (hits[chain.load].distance, hits[chain.load].via.key) == (1, chain.raw_x)  # type: ignore[union-attr]
    assert hits[chain.load].consequence == "RETRAIN"
    assert (hits[late].distance, hits[late].via.key) == (3, chain.load)  # type: ignore[union-attr]


def test_what_no_job_is_known_to_take_comes_from_the_column_itself(world: Any) -> None:
    source, target = world.dataset("raw"), world.dataset("view")
    flow = world.flow(None, "view")
    world.feed(source, flow)
    world.feed(flow, target)
    x, y = world.column("raw", "x"), world.column("view", "y")
    world.feed(x, y)
    view = world.view()
    (hit,) = potential(view, impact(view, RAW_X)).values()
    assert (hit.node.key, hit.distance, hit.via.key) == (y, 1, x)  # type: ignore[union-attr]


def test_where_no_column_lineage_is_told_the_answer_says_whose_dataset_is_taken(chain: Chain) -> None:
    view = chain.world.view()
    gaps = impact(view, RAW_X).assess(view).gaps.page(view, 0, 100)
    told = {(gap.kind, gap.node.key): gap.message for gap in gaps}  # type: ignore[union-attr]
    assert set(told) == {("UNDIVIDED", key) for key in (chain.raw_x, chain.train, chain.check)}
    assert told["UNDIVIDED", chain.train] == (
        "No column lineage is told by train from features: any column of it may count."
    )


def test_a_wire_that_does_not_count_takes_no_column_on(chain: Chain) -> None:
    chain.world.feed(chain.clean, chain.wired(chain.build, chain.features), evidence=Evidence.INFERRED, certain=False)
    view = chain.world.view()
    hits = potential(view, impact(view, RAW_X))
    for key in (chain.build, chain.features_x, chain.train, chain.model):
        assert (hits[key].evidence, hits[key].certain) == (Evidence.INFERRED, False)
    assert (hits[chain.clean_x].evidence, hits[chain.clean_x].certain) == (Evidence.DECLARED, True)
    for narrow in (EdgeFilter(Evidence.DECLARED), EdgeFilter(certain_only=True)):
        assert set(potential(view, impact(view, RAW_X, edges=narrow))) == {chain.load, chain.clean_x}


def test_a_column_that_a_job_no_longer_takes_is_stale_and_all_that_follows(chain: Chain) -> None:
    chain.world.feed(chain.clean, chain.wired(chain.build, chain.features), stale=True)
    view = chain.world.view()
    hits = potential(view, impact(view, RAW_X))
    fresh = {key for key, hit in hits.items() if not hit.stale}
    assert fresh == {chain.load, chain.clean_x}


def test_a_longer_way_that_counts_is_found_where_the_shortest_does_not(chain: Chain) -> None:
    world = chain.world
    direct = chain.wire("direct", chain.raw, chain.features, certain=False)
    world.feed(chain.raw_x, chain.features_x)
    view = world.view()
    hits = potential(view, impact(view, RAW_X))
    assert (hits[chain.features_x].distance, hits[chain.features_x].certain) == (1, True)
    assert (hits[direct].distance, hits[direct].certain) == (1, False)
    certain = potential(view, impact(view, RAW_X, edges=EdgeFilter(certain_only=True)))
    assert (certain[chain.features_x].distance, certain[chain.train].distance) == (2, 3)


def test_a_cut_answer_keeps_true_hits_at_their_distances(chain: Chain) -> None:
    view = chain.world.view()
    whole = {key: hit.distance for key, hit in potential(view, impact(view, RAW_X)).items()}
    complete = []
    for nodes in range(20):
        answer = impact(view, RAW_X, limits=Limits(nodes=nodes))
        found = {key: hit.distance for key, hit in potential(view, answer).items()}
        complete.append(answer.complete)
        assert found.items() <= whole.items()
        assert not answer.complete or found == whole
        farthest = max(found.values(), default=0)
        assert {key for key, distance in whole.items() if distance < farthest} <= set(found)
    assert complete == sorted(complete)
    assert set(complete) == {False, True}


def test_without_column_lineage_the_column_stands_for_its_dataset(chain: Chain) -> None:
    for source, target in ((chain.raw_x, chain.clean_x), (chain.clean_x, chain.features_x)):
        del chain.world.changes.edges[(EdgeKind.FEEDS, source, target)]
    view = chain.world.view()
    of_column, of_dataset = (potential(view, impact(view, of)) for of in (RAW_X, DatasetRef("db", "raw")))
    assert {key: (hit.distance, hit.consequence) for key, hit in of_column.items()} == {
        key: (hit.distance, hit.consequence) for key, hit in of_dataset.items()
    }
    assert of_column[chain.load].via.key == chain.raw_x  # type: ignore[union-attr]
