"""Stale hits (R9): what no path of edges leads to that jobs still tell."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.answer import ImpactHit, View
from lineage.keys import job_key
from lineage.questions.impact import impact
from lineage.questions.subjects import DatasetRef, JobRef

_NAMES = ("a", "b", "c", "d", "e")


def wire(world: Any, job: str, source: str, target: str, *, stale: bool = False) -> None:
    flow = world.flow(world.job(job), target)
    world.feed(world.dataset(source), flow, stale=stale)
    world.feed(flow, world.dataset(target), stale=stale)


def hits_by_name(view: View, of: Any) -> dict[str, ImpactHit]:
    page = impact(view, of).potential.page(view, 0, 1_000)
    return {hit.node.name: hit for hit in page}  # type: ignore[union-attr]


def test_what_lies_behind_a_stale_edge_is_stale(world: Any) -> None:
    wire(world, "old", "a", "b", stale=True)
    wire(world, "new", "b", "c")
    wire(world, "newer", "c", "d")
    view = world.view()
    assert {name: hit.stale for name, hit in hits_by_name(view, DatasetRef("db", "a")).items()} == dict.fromkeys(
        ("old", "b", "new", "c", "newer", "d"), True
    )
    assert not any(hit.stale for hit in hits_by_name(view, DatasetRef("db", "b")).values())


def test_a_longer_path_without_stale_edges_keeps_it_fresh_and_the_distance_the_shortest(world: Any) -> None:
    wire(world, "short", "a", "c", stale=True)
    wire(world, "first", "a", "b")
    wire(world, "second", "b", "c")
    wire(world, "on", "c", "d")
    view = world.view()
    hits = hits_by_name(view, DatasetRef("db", "a"))
    assert {name for name, hit in hits.items() if hit.stale} == {"short"}
    assert (hits["c"].distance, hits["d"].distance) == (1, 2)
    assert hits["c"].via.key == job_key("jobs", "short")  # type: ignore[union-attr]


def test_a_job_is_fresh_if_one_of_its_flows_is(world: Any) -> None:
    flows = [world.flow(world.job("j"), target) for target in ("b", "c")]
    for flow, target, stale in zip(flows, ("b", "c"), (True, False), strict=True):
        world.feed(world.dataset("a"), flow, stale=stale)
        world.feed(flow, world.dataset(target), stale=stale)
    view = world.view()
    stale = {name: hit.stale for name, hit in hits_by_name(view, DatasetRef("db", "a")).items()}
    assert stale == {"j": False, "b": True, "c": False}


def test_what_a_job_no_longer_writes_is_stale_from_that_job_on(world: Any) -> None:
    wire(world, "old", "a", "b", stale=True)
    wire(world, "on", "b", "c")
    view = world.view()
    assert all(hit.stale for hit in hits_by_name(view, JobRef("jobs", "old")).values())


wires = st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_NAMES), st.booleans()), max_size=9, unique=True)


@settings(max_examples=60, deadline=None)
@given(told=wires)
def test_stale_is_exactly_what_is_not_reached_over_fresh_wires(worlds: Any, told: list[tuple[str, str, bool]]) -> None:
    world = worlds()
    world.dataset("a")
    for number, (source, target, stale) in enumerate(told):
        wire(world, f"j{number}", source, target, stale=stale)
    view = world.view()
    hits = hits_by_name(view, DatasetRef("db", "a"))
    everywhere, fresh = (_reached([one for one in told if of_all or not one[2]]) for of_all in (True, False))
    datasets = {name: hit.stale for name, hit in hits.items() if name in _NAMES}
    assert datasets == {name: name not in fresh for name in everywhere - {"a"}}
    jobs = {name: hit.stale for name, hit in hits.items() if name not in _NAMES}
    assert jobs == {
        f"j{number}": stale or source not in fresh
        for number, (source, _, stale) in enumerate(told)
        if source in everywhere
    }


def _reached(told: list[tuple[str, str, bool]]) -> set[str]:
    found, before = {"a"}, set[str]()
    while found != before:
        before, found = found, found | {target for source, target, _ in told if source in found}
    return found
