"""Provenance, path and search."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.answer import Kind, label
from lineage.errors import BadInputError, InvalidSubjectError
from lineage.keys import job_key
from lineage.model import Binding, Evidence, NameScope, Role
from lineage.questions.narrowing import Only
from lineage.questions.path import path
from lineage.questions.provenance import provenance
from lineage.questions.search import search
from lineage.questions.subjects import ColumnRef, DatasetRef, JobRef, RunRef, VersionRef
from lineage.questions.training_data import training_data
from lineage.store import EdgeFilter, Limits


def test_provenance_is_every_version_and_run_upstream(pipeline: Any) -> None:
    view = pipeline.world.view()
    answer = provenance(view, VersionRef("db", "features"))
    hits = answer.nodes.page(view, 0, 99)
    assert [(hit.distance, hit.kind.value, hit.node.key) for hit in hits] == [
        (1, "RUN", pipeline.build_run),
        (1, "VERSION", pipeline.clean1),
        (2, "RUN", pipeline.clean_run),
        (2, "VERSION", pipeline.raw1),
    ]
    assert {(link.kind.value, link.source.key, link.target.key) for link in answer.links.page(view, 0, 99)} == {
        ("READ_BY", pipeline.clean1, pipeline.build_run),
        ("READ_BY", pipeline.raw1, pipeline.clean_run),
        ("WROTE", pipeline.build_run, pipeline.features1),
        ("WROTE", pipeline.clean_run, pipeline.clean1),
    }
    assert [thing.key for thing in answer.subjects.page(view, 0, 9)] == [pipeline.features1]
    assert answer.assess(view).score == 1.0


def test_provenance_of_a_run_begins_with_its_reads(pipeline: Any) -> None:
    view = pipeline.world.view()
    hits = provenance(view, RunRef("t1")).nodes.page(view, 0, 99)
    assert [(hit.distance, hit.node.key) for hit in hits][:2] == sorted(
        [(1, pipeline.features1), (1, pipeline.holdout1)]
    )
    assert provenance(view, JobRef("jobs", "train")).nodes.total == len(hits)


def test_provenance_without_versions_is_logical(world: Any) -> None:
    source, target = world.dataset("a"), world.dataset("b")
    flow = world.flow(world.job("j"), "b")
    world.feed(source, flow)
    world.feed(flow, target)
    view = world.view()
    answer = provenance(view, DatasetRef("db", "b"))
    assert [hit.node.key for hit in answer.nodes.page(view, 0, 9)] == [source, job_key("jobs", "j")]
    assert {link.kind.value for link in answer.links.page(view, 0, 9)} == {"FEEDS"}
    assert provenance(view, JobRef("jobs", "j")).nodes.total == 1


def test_provenance_of_a_column_is_along_columns(world: Any) -> None:
    world.dataset("a")
    source, target = world.column("a", "x"), world.column("b", "y")
    world.feed(source, target, evidence=Evidence.COLUMN)
    view = world.view()
    answer = provenance(view, ColumnRef("db", "b", "y"))
    (hit,) = answer.nodes.page(view, 0, 9)
    assert (hit.node.key, hit.distance, hit.evidence) == (source, 1, Evidence.COLUMN)
    (link,) = answer.links.page(view, 0, 9)
    assert (link.source.key, link.target.key) == (source, target)  # type: ignore[union-attr]


def test_several_flows_of_a_run_make_one_link(pipeline: Any) -> None:
    world = pipeline.world
    for tag, binding, role in (("1", Binding.TIME, None), ("2", Binding.HASH, Role.TEST)):
        flow = world.flow(pipeline.train_run, "churn", tag)
        world.read(pipeline.raw1, flow, role, binding=binding, evidence=Evidence.INFERRED, certain=tag == "1")
        world.write(flow, pipeline.churn1)
    view = world.view()
    answer = provenance(view, VersionRef("db", "churn"))
    links = [link for link in answer.links.page(view, 0, 99) if link.source.key == pipeline.raw1]
    (link,) = [link for link in links if link.target.key == pipeline.train_run]  # type: ignore[union-attr]
    assert (link.binding, link.role, link.evidence, link.certain) == (
        Binding.TIME,
        Role.TEST,
        Evidence.INFERRED,
        True,
    )


def test_what_a_dataset_alone_told_is_tied_directly(world: Any) -> None:
    source, target = world.version(world.dataset("a"), 1), world.version(world.dataset("b"), 2)
    flow = world.flow(None, "b")
    world.read(source, flow, evidence=Evidence.COLUMN)
    world.write(flow, target)
    view = world.view()
    (link,) = provenance(view, VersionRef("db", "b")).links.page(view, 0, 9)
    assert (link.source.key, link.target.key, link.kind.value) == (source, target, "FEEDS")  # type: ignore[union-attr]
    assert link.evidence is Evidence.COLUMN


def test_provenance_can_be_narrowed_and_cut(pipeline: Any) -> None:
    flow = pipeline.world.flow(pipeline.build_run, "features")
    pipeline.world.read(pipeline.clean1, flow, evidence=Evidence.INFERRED)
    view = pipeline.world.view()
    narrowed = provenance(view, VersionRef("db", "features"), edges=EdgeFilter(Evidence.DECLARED))
    assert (narrowed.nodes.total, narrowed.links.total) == (1, 1)
    cut = provenance(view, VersionRef("db", "features"), limits=Limits(nodes=2))
    assert (cut.complete, cut.nodes.total) == (False, 2)


def test_path_runs_from_source_to_target_on_both_levels(pipeline: Any) -> None:
    view = pipeline.world.view()
    answer = path(view, DatasetRef("db", "raw"), DatasetRef("db", "churn"))
    assert answer.potential is not None
    assert answer.actual is not None
    assert [label(node) for node in answer.potential.nodes] == [
        "raw",
        "clean",
        "clean",
        "build",
        "features",
        "train",
        "churn",
    ]
    assert [node.key for node in answer.actual.nodes] == [  # type: ignore[union-attr]
        pipeline.raw1,
        pipeline.clean_run,
        pipeline.clean1,
        pipeline.build_run,
        pipeline.features1,
        pipeline.train_run,
        pipeline.churn1,
    ]
    assert [link.kind.value for link in answer.actual.links] == ["READ_BY", "WROTE"] * 3
    assert answer.assess(view).score == 1.0


def test_path_between_runs_and_from_a_column(pipeline: Any) -> None:
    pipeline.world.column("raw", "x")
    view = pipeline.world.view()
    between = path(view, RunRef("c1"), RunRef("b1")).actual
    assert between is not None
    assert [node.key for node in between.nodes] == [  # type: ignore[union-attr]
        pipeline.clean_run,
        pipeline.clean1,
        pipeline.build_run,
    ]
    from_column = path(view, ColumnRef("db", "raw", "x"), DatasetRef("db", "clean")).potential
    assert from_column is not None
    assert [label(node) for node in from_column.nodes] == ["raw", "clean", "clean"]


def test_no_path_leads_upstream_and_one_leads_to_itself(pipeline: Any) -> None:
    view = pipeline.world.view()
    back = path(view, DatasetRef("db", "churn"), DatasetRef("db", "raw"))
    assert (back.potential, back.actual, back.complete) == (None, None, True)
    same = path(view, DatasetRef("db", "raw"), DatasetRef("db", "raw"))
    assert same.potential is not None
    assert ([node.key for node in same.potential.nodes], same.potential.links) == ([pipeline.raw], ())  # type: ignore[union-attr]


def test_search_finds_by_name_hash_commit_and_run(pipeline: Any) -> None:
    world = pipeline.world
    world.name(NameScope.DIGEST, "raw-10", pipeline.raw1)
    view = world.view()
    keys = [thing.key for thing in search(view, "RAW").hits]  # type: ignore[union-attr]
    assert keys == [pipeline.raw]
    for text, key in (("sha256:raw-10", pipeline.raw1), ("abc", pipeline.train_run), ("r1", pipeline.rollout)):
        assert [thing.key for thing in search(view, text).hits] == [key]  # type: ignore[union-attr]


def test_search_is_narrowed_by_kind_even_where_others_come_first(world: Any) -> None:
    for number in range(30):
        world.dataset(f"x{number:02}")
    model = world.model("x-the-long-name")
    view = world.view()
    assert [thing.key for thing in search(view, "x", Only((Kind.MODEL,)), 1).hits] == [model]  # type: ignore[union-attr]
    assert search(view, "x", Only((Kind.RUN,))).hits == ()
    assert len(search(view, "x", limit=5).hits) == 5


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_search_refuses_a_limit_out_of_range(world: Any, limit: int) -> None:
    with pytest.raises(BadInputError):
        search(world.view(), "x", limit=limit)


def test_text_that_no_name_can_hold_is_refused(world: Any) -> None:
    with pytest.raises(BadInputError):
        search(world.view(), "\ud800")
    with pytest.raises(InvalidSubjectError):
        provenance(world.view(), DatasetRef("db", "\ud800"))
    with pytest.raises(InvalidSubjectError):
        training_data(world.view(), VersionRef("db", "\ud800"))
