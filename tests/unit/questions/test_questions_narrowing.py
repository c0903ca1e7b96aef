"""Filters: what is listed and counted is narrowed, the traversal is not."""

from __future__ import annotations

import gc
import weakref
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.answer import Kind, View, label
from lineage.key_array import pack, unpack
from lineage.keys import dataset_key
from lineage.kind import KIND_CODES
from lineage.model import EdgeKind, Evidence, Owner
from lineage.questions.found import Hits
from lineage.questions.impact import impact
from lineage.questions.marks import Marks
from lineage.questions.narrowing import Only
from lineage.questions.provenance import provenance
from lineage.questions.search import search
from lineage.questions.subjects import DatasetRef
from lineage.store import Reach

RAW = DatasetRef("db", "raw")


def names(view: View, pages: Any) -> list[tuple[str, str]]:
    return [(hit.kind.value, label(hit.node).partition(" @")[0]) for hit in pages.page(view, 0, 1_000)]


def test_a_hit_behind_one_that_is_left_out_is_listed(pipeline: Any) -> None:
    view = pipeline.world.view()
    answer = impact(view, RAW, only=Only(kinds=(Kind.MODEL, Kind.DEPLOYMENT)))
    assert names(view, answer.potential) == [("MODEL", "churn"), ("DEPLOYMENT", "api")]
    assert answer.actual.total == 0
    assert answer.left_out == impact(view, RAW).potential.total - 2 + impact(view, RAW).actual.total
    assert [(row.kind, row.potential, row.actual) for row in answer.summary(view)] == [
        (Kind.MODEL, 1, 0),
        (Kind.DEPLOYMENT, 1, 0),
    ]


def test_predictions_and_gaps_are_those_of_the_whole_answer(pipeline: Any) -> None:
    view = pipeline.world.view()
    whole, one = impact(view, RAW), impact(view, RAW, only=Only(kinds=(Kind.COLUMN,)))
    assert whole.predictions(view) == one.predictions(view)
    assert whole.assess(view).score == one.assess(view).score
    assert whole.assess(view).gaps.total == one.assess(view).gaps.total


@pytest.fixture
def owned(world: Any) -> Any:
    """raw feeds three datasets: one tagged, one owned, one elsewhere."""
    raw = world.dataset("raw")
    for name, told in (
        ("tagged", {"tags": ("pii", "tier=gold")}),
        ("owned", {"owners": (Owner("team:risk"),)}),
        ("plain", {}),
    ):
        flow = world.flow(world.job(name), name)
        world.tie(EdgeKind.FEEDS, raw, flow)
        world.tie(EdgeKind.FEEDS, flow, world.dataset(name, **told))
    return world


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (Only(tags=("pii",)), ["tagged"]),
        (Only(tags=("tier",)), ["tagged"]),
        (Only(tags=("pii=true",)), ["tagged"]),
        (Only(tags=("tier=gold",)), ["tagged"]),
        (Only(tags=("tier=silver",)), []),
        (Only(owners=("team:risk",)), ["owned"]),
        (Only(owners=("team",)), []),
        (Only(tags=("pii", "other"), owners=("team:risk",)), []),
        (Only(kinds=(Kind.DATASET,), namespaces=("db",)), ["owned", "plain", "tagged"]),
        (Only(namespaces=("elsewhere",)), []),
    ],
)
def test_each_filter_must_admit_a_hit(owned: Any, only: Only, expected: list[str]) -> None:
    view = owned.view()
    assert sorted(name for _, name in names(view, impact(view, RAW, only=only).potential)) == expected


def test_provenance_and_search_are_narrowed_likewise(owned: Any) -> None:
    view = owned.view()
    upstream = provenance(view, DatasetRef("db", "tagged"), only=Only(kinds=(Kind.DATASET,)))
    assert names(view, upstream.nodes) == [("DATASET", "raw")]
    assert upstream.links.total == 2
    assert [hit.name for hit in search(view, "d", Only(tags=("pii",))).hits] == ["tagged"]  # type: ignore[union-attr]


_ROWS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.integers(0, 5),
        st.sampled_from([Kind.DATASET, Kind.RUN, Kind.JOB, Kind.VERSION, None]),
        st.integers(0, 3),
        st.sampled_from(list(Evidence)),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
    unique_by=lambda row: row[0],
)


def _reach(rows: list[Any]) -> Reach:
    """Row n: of a run or job a flow of owner n; else itself."""
    keys = [dataset_key("node", str(n)) for n, *_ in rows]
    owners = [dataset_key("owner", str(owner)) for _, owner, *_ in rows]
    flows = [kind in (Kind.RUN, Kind.JOB) for _, _, kind, *_ in rows]
    owner_kinds = [Kind.RUN if owner % 2 else Kind.JOB for _, owner, *_ in rows]
    kinds = [owner_kinds[at] if flows[at] else kind for at, (_, _, kind, *_) in enumerate(rows)]
    things = [owner if flow else key for key, owner, flow in zip(keys, owners, flows, strict=True)]
    return Reach(
        pack(keys),
        pack(things),
        np.array([KIND_CODES[kind] for kind in kinds], dtype=np.uint8),
        np.array([row[3] for row in rows], dtype=np.int32),
        np.array([list(Evidence).index(row[4]) for row in rows], dtype=np.uint8),
        np.array([row[5] for row in rows], dtype=np.bool_),
        np.array([row[6] for row in rows], dtype=np.bool_),
    )


@given(_ROWS, st.integers(0, 45), st.integers(0, 45), st.sets(st.integers(0, 30), max_size=4))
def test_hits_are_what_merging_row_by_row_gives(rows: list[Any], start: int, stop: int, without: set[int]) -> None:
    reach = _reach(rows)
    left_out = {dataset_key("node", str(n)) for n in without}
    best: dict[bytes, tuple[Any, ...]] = {}
    for at, thing in enumerate(unpack(reach.things)):
        code = int(reach.kinds[at])
        if code == KIND_CODES[None] or thing in left_out:
            continue
        told = (int(reach.distances[at]), int(reach.evidence[at]), bool(reach.certain[at]), bool(reach.stale[at]))
        known = best.get(thing, (code, *told))
        best[thing] = (
            code,
            min(known[1], told[0]),
            min(known[2], told[1]),
            known[3] or told[2],
            known[4] and told[3],
        )
    expected = sorted((row[1], row[0], key, *row[2:]) for key, row in best.items())
    hits = Hits(reach, left_out)
    found = [
        (hit.distance, KIND_CODES[hit.kind], hit.key, list(Evidence).index(hit.evidence), hit.certain, hit.stale)
        for hit in hits
    ]
    assert found == expected
    assert list(hits[start:stop]) == list(hits)[start:stop]
    for kind in (Kind.RUN, Kind.VERSION):
        assert hits.count(kind) == sum(row[1] == KIND_CODES[kind] for row in expected)
    assert hits.distances_of(best) == {key: row[1] for key, row in best.items()}


@given(_ROWS, st.sampled_from([0, 20_000]))
def test_marks_know_what_was_found_and_nothing_else(rows: list[Any], few: int) -> None:
    reach = _reach(rows)
    with patch("lineage.questions.marks._FEW", few):
        _compare_marks(Marks(reach), reach)


@pytest.mark.parametrize("few", [0, 20_000])
def test_marks_are_let_go_with_the_last_who_holds_them(few: int) -> None:
    gc.disable()
    try:
        with patch("lineage.questions.marks._FEW", few):
            marks = Marks(_reach([(0, 0, Kind.DATASET, 1, Evidence.DECLARED, True, False)]))
            assert b"?" * 16 not in marks
        held = weakref.ref(marks)
        del marks
        assert held() is None
    finally:
        gc.enable()


def _compare_marks(marks: Marks, reach: Reach) -> None:
    distances = dict(zip(unpack(reach.keys), reach.distances.tolist(), strict=True))
    assert set(marks) == distances.keys()
    assert {key: marks.distance(key) for key in marks} == distances
    assert marks.distance(bytes(16)) is None
    assert marks.is_flow(bytes(16)) is None
    flows = {key for key, thing in zip(unpack(reach.keys), unpack(reach.things), strict=True) if key != thing}
    assert {key for key in marks if marks.is_flow(key)} == {key for key in marks if marks[key].is_flow} == flows
    assert b"?" * 16 not in marks
    nearest = sorted(distances, key=lambda key: (distances[key], key))
    assert marks.nearest(7) == nearest[:7]
