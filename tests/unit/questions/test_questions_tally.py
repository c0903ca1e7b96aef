"""The predictions that impact counts are those that training data leads to what changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.answer import View
from lineage.keys import Base, dataset_key, encode_id, store_key
from lineage.model import Name, NameScope
from lineage.questions.impact import impact
from lineage.questions.served import served
from lineage.questions.subjects import DatasetRef, JobRef, NodeRef, PredictionRef

API = JobRef("jobs", "api")
M, N, ONCE_M, ALIAS_M = Name("db", "m"), Name("db", "n"), Name("s3", "once/m"), Name("db", "alias")
DECLARED = {M: (("1", "champion"), ("2",), ("2", "3"), ()), N: (("1",),)}
RUNS = ("r0", "r1", "r2")


class Rollout(NamedTuple):
    """``told``: (moment, which versions of M), ``says`` so itself, or only its reads do."""

    start: int | None
    end: int | None
    told: list[tuple[int, frozenset[int]]]
    says: bool
    reads_n: bool
    reads_table_at: int | None


times = st.integers(0, 12)
rollouts = st.builds(
    Rollout,
    st.none() | times,
    st.none() | times,
    st.lists(
        st.tuples(times, st.frozensets(st.integers(0, 3), min_size=1, max_size=2)),
        max_size=3,
        unique_by=lambda telling: telling[0],
    ),
    st.booleans(),
    st.booleans(),
    st.none() | times,
)
tellings = st.fixed_dictionaries(
    {"time": times},
    optional={
        "run_id": st.sampled_from([*RUNS, "gone"]),
        "model": st.sampled_from([M, M, M, N, ONCE_M, ALIAS_M, Name("db", "table"), Name("db", "unknown")]),
        "model_version": st.sampled_from(["1", "champion", "2", "3", "once", "9"]),
    },
)


class Shop:
    """Models M (also named otherwise) and N, a table, and rollouts of one deployment that read them."""

    def __init__(self, world: Any, of: list[Rollout], told: list[dict[str, Any]]) -> None:
        self.world = world
        world.job("api", is_deployment=True)
        self.m, self.n, self.table = world.model("m", aliases=(ALIAS_M,)), world.model("n"), world.dataset("table")
        for name in (ONCE_M, ALIAS_M):
            world.name(NameScope.KEY, dataset_key(*name).hex(), self.m)
        self.versions = [world.version(self.m, 1 + i, declared=names) for i, names in enumerate(DECLARED[M])]
        self.of_n = world.version(self.n, 8, declared=DECLARED[N][0])
        self.of_table = world.version(self.table, 9)
        for once, version in (("once", self.versions[3]), ("1", self.versions[3])):
            world.name(NameScope.KEY, store_key(Base.VERSION, *M, "version", once).hex(), version)
        self.rollouts = [self._roll_out(run_id, each) for run_id, each in zip(RUNS, of, strict=False)]
        for number, telling in enumerate(told):
            world.predicted(f"p{number}", **telling)
        self.view: View = world.view()

    def _roll_out(self, run_id: str, of: Rollout) -> bytes:
        serves = tuple((at, self.m, tuple(self.versions[i] for i in which)) for at, which in sorted(of.told))
        rollout: bytes = self.world.rollout("api", run_id, of.start, of.end, serves=serves if of.says else ())
        flow = self.world.flow(rollout)
        for at, which in reversed(of.told):
            for i in which:
                self.world.read(self.versions[i], flow, at=at)
        if of.reads_n:
            self.world.read(self.of_n, flow, at=of.start)
        if of.reads_table_at is not None:
            self.world.read(self.of_table, flow, at=of.reads_table_at)
        return rollout

    def counted(self, base: Base, key: bytes) -> int:
        return impact(self.view, NodeRef(encode_id(base, key))).predictions(self.view).count

    def led(self) -> list[tuple[set[bytes], set[bytes]]]:
        """Of each prediction: the rollouts that it leads to, and the model versions that these served it from."""
        parts = [served(self.view, PredictionRef(API, record.id)) for record in self.world.records]
        return [
            (
                {each.rollout.key for each in part.servings},
                {read.version.key for each in part.servings for read in each.reads},
            )
            for part in parts
        ]


@settings(max_examples=300, deadline=None)
@given(of=st.lists(rollouts, max_size=3), told=st.lists(tellings, min_size=1, max_size=6))
def test_impact_counts_what_training_data_leads_back(
    worlds: Callable[[], Any], of: list[Rollout], told: list[dict[str, Any]]
) -> None:
    shop = Shop(worlds(), of, told)
    led = shop.led()
    for version in (*shop.versions, shop.of_n):
        assert shop.counted(Base.VERSION, version) == sum(version in versions for _, versions in led)
    assert shop.counted(Base.DATASET, shop.m) == sum(bool({*shop.versions} & versions) for _, versions in led)
    for rollout in shop.rollouts:
        assert shop.counted(Base.RUN, rollout) == sum(rollout in found for found, _ in led)


SPLIT = Rollout(2, 10, [(2, frozenset({0, 1}))], True, False, None)
RENAMED = Rollout(2, 10, [(5, frozenset({3}))], False, False, None)
SHIFTED = Rollout(2, 10, [(2, frozenset({0})), (6, frozenset({1}))], True, False, None)


@pytest.mark.parametrize(
    ("of", "told", "expected"),
    [
        (SPLIT, {}, [1, 1, 0, 0]),
        (SPLIT, {"model": M}, [1, 1, 0, 0]),
        (SPLIT, {"model": M, "model_version": "1"}, [1, 0, 0, 0]),
        (SPLIT, {"model": M, "model_version": "champion"}, [1, 0, 0, 0]),
        (SPLIT, {"model": ALIAS_M, "model_version": "2"}, [0, 1, 0, 0]),
        (SPLIT, {"model": ONCE_M, "model_version": "2", "run_id": "r0"}, [0, 1, 0, 0]),
        (SPLIT, {"model": M, "model_version": "9"}, [0, 0, 0, 0]),
        (SPLIT, {"model": M, "model_version": "9", "run_id": "r0"}, [0, 0, 0, 0]),
        (SPLIT, {"model": N, "model_version": "1"}, [0, 0, 0, 0]),
        (SPLIT, {"model_version": "1"}, [1, 1, 0, 0]),
        (SHIFTED, {}, [0, 1, 0, 0]),
        (SHIFTED, {"model": M, "model_version": "1"}, [1, 0, 0, 0]),
        (SHIFTED, {"model": M, "model_version": "1", "time": 11}, [0, 0, 0, 0]),
        (SHIFTED, {"model": M, "model_version": "1", "time": 11, "run_id": "r0"}, [1, 0, 0, 0]),
        (SHIFTED, {"time": 11, "run_id": "r0"}, [0, 1, 0, 0]),
        (RENAMED, {"model": M, "model_version": "once"}, [0, 0, 0, 1]),
        (RENAMED, {"model": M, "model_version": "1"}, [0, 0, 0, 0]),
        (RENAMED, {"time": 3}, [0, 0, 0, 1]),
    ],
)
def test_a_prediction_counts_for_the_version_that_it_tells(
    worlds: Callable[[], Any], of: Rollout, told: dict[str, Any], expected: list[int]
) -> None:
    shop = Shop(worlds(), [of], [{"time": 7} | told])
    assert [shop.counted(Base.VERSION, version) for version in shop.versions] == expected
    ((_, versions),) = shop.led()
    assert [int(version in versions) for version in shop.versions] == expected


def test_what_a_rollout_looks_up_counts_from_when_it_did(worlds: Callable[[], Any]) -> None:
    told: list[dict[str, Any]] = [{"time": time} | run for time in (3, 5, 9, 11) for run in ({}, {"run_id": "r0"})]
    late = Shop(worlds(), [SPLIT._replace(reads_table_at=5)], told)
    assert late.counted(Base.DATASET, late.table) == 5
    whole = Shop(worlds(), [SPLIT._replace(reads_table_at=2)], [*told, {"time": 1, "run_id": "r0"}])
    assert whole.counted(Base.DATASET, whole.table) == 8


def test_what_two_rollouts_may_have_made_counts_once(worlds: Callable[[], Any]) -> None:
    shop = Shop(worlds(), [SPLIT, SHIFTED], [{"time": 7}, {"time": 7, "model": M, "model_version": "1"}])
    answer = impact(shop.view, DatasetRef(*M)).predictions(shop.view)
    assert (answer.count, answer.first_at, answer.last_at) == (2, 7, 7)


def test_a_deployment_made_all_predictions_of_its_rollouts_also_where_one_learnt_from_another(
    worlds: Callable[[], Any],
) -> None:
    world = worlds()
    world.job("api", is_deployment=True)
    model, log = world.model("m"), world.dataset("log")
    world.job("train")
    first = world.version(model, 10, declared=("1",))
    one = world.rollout("api", "r1", 100, 200)
    flow = world.flow(one, "log")
    world.read(first, flow, at=100)
    logged = world.version(log, 100, run=one)
    world.write(flow, logged)
    _, second = world.execute("train", "t2", {logged: None}, model, 150)
    other = world.rollout("api", "r2", 200, serves=((200, model, (first, second)),))
    flow = world.flow(other)
    for version in (first, second):
        world.read(version, flow, at=200)
    world.predicted("a", 120)
    world.predicted("b", 250, run_id="r2", model=Name("db", "m"), model_version="1")
    view = world.view()
    assert impact(view, API).predictions(view).count == 2
