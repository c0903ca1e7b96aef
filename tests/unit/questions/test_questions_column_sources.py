"""Provenance of a column: along column lineage, then as the dataset's; DIRECT and INDIRECT told apart."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.answer import Kind, Provenance, View
from lineage.model import Evidence, Transformation
from lineage.questions.impact import impact
from lineage.questions.provenance import provenance
from lineage.questions.subjects import ColumnRef
from lineage.store import EdgeFilter, Limits
from tests.unit.questions.conftest import World

DIRECT, INDIRECT = (Transformation("DIRECT"),), (Transformation("INDIRECT", "FILTER"),)


class Joined:
    """A job joins orders and rates into sales; column lineage tells of orders only. Another made rates from feed."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.orders, self.rates, self.sales, self.feed = map(world.dataset, ("orders", "rates", "sales", "feed"))
        self.join, self.load = world.job("join"), world.job("load")
        flow, load = world.flow(self.join, "sales"), world.flow(self.load, "rates")
        for source, target in (
            (self.orders, flow),
            (self.rates, flow),
            (flow, self.sales),
            (self.feed, load),
            (load, self.rates),
        ):
            world.feed(source, target)
        self.amount, self.state = world.column("orders", "amount"), world.column("orders", "state")
        self.total = world.column("sales", "total")
        world.feed(self.amount, self.total, transformations=DIRECT, evidence=Evidence.COLUMN)
        world.feed(self.state, self.total, transformations=INDIRECT, evidence=Evidence.COLUMN)


@pytest.fixture
def joined(world: Any) -> Joined:
    return Joined(world)


TOTAL = ColumnRef("db", "sales", "total")


def nodes(view: View, answer: Provenance) -> dict[bytes, Any]:
    return {hit.node.key: hit for hit in answer.nodes.page(view, 0, 1_000)}  # type: ignore[union-attr]


def test_what_no_column_lineage_ties_is_taken_whole(joined: Joined) -> None:
    view = joined.world.view()
    answer = provenance(view, TOTAL)
    assert {key: hit.distance for key, hit in nodes(view, answer).items()} == {
        joined.amount: 1,
        joined.state: 1,
        joined.join: 1,
        joined.rates: 1,
        joined.load: 2,
        joined.feed: 2,
    }
    assert [(gap.kind, gap.node.key) for gap in answer.assess(view).gaps.page(view, 0, 9) if gap.node] == [  # type: ignore[union-attr]
        ("UNDIVIDED", joined.join)
    ]
    links = {(link.source.key, link.target.key) for link in answer.links.page(view, 0, 99)}  # type: ignore[union-attr]
    assert links == {
        (joined.amount, joined.total),
        (joined.state, joined.total),
        (joined.rates, joined.join),
        (joined.join, joined.total),
        (joined.feed, joined.load),
        (joined.load, joined.rates),
    }


def test_a_column_that_is_told_to_come_from_nothing_does(joined: Joined) -> None:
    world = joined.world
    world.feed(world.column("rates", "rate"), joined.total)
    constant = world.column("sales", "loaded_by")
    world.dataset("sales", facets={"schema": {"fields": [{"name": "total"}, {"name": "loaded_by"}]}})
    view = world.view()
    answer = provenance(view, ColumnRef("db", "sales", "loaded_by"))
    assert (constant, answer.nodes.total, answer.assess(view).gaps.total) == (constant, 0, 0)


def test_direct_and_indirect_are_told_apart(joined: Joined) -> None:
    world = joined.world
    raw = world.column("raw", "state")
    world.dataset("raw")
    world.feed(raw, joined.state, transformations=DIRECT)
    view = world.view()
    upstream = nodes(view, provenance(view, TOTAL))
    assert {key: upstream[key].transformation for key in (joined.amount, joined.state, raw, joined.rates)} == {
        joined.amount: "DIRECT",
        joined.state: "INDIRECT",
        raw: "INDIRECT",
        joined.rates: None,
    }
    downstream = {hit.node.key: hit for hit in impact(view, ColumnRef("db", "raw", "state")).potential.page(view, 0, 9)}  # type: ignore[union-attr]
    assert {key: downstream[key].transformation for key in (joined.state, joined.total)} == {
        joined.state: "DIRECT",
        joined.total: "INDIRECT",
    }
    (link,) = [
        link
        for link in provenance(view, TOTAL).links.page(view, 0, 99)
        if link.source.key == joined.state  # type: ignore[union-attr]
    ]
    assert link.transformations == INDIRECT


def test_a_filter_that_refuses_the_wire_refuses_what_it_took(joined: Joined) -> None:
    joined.world.feed(joined.rates, joined.world.flow(joined.join, "sales"), evidence=Evidence.INFERRED)
    view = joined.world.view()
    whole = nodes(view, provenance(view, TOTAL))
    assert whole[joined.rates].evidence is Evidence.INFERRED
    narrow = nodes(view, provenance(view, TOTAL, edges=EdgeFilter(Evidence.COLUMN)))
    assert narrow.keys() == {joined.amount, joined.state}


def test_a_cut_answer_says_so(joined: Joined) -> None:
    view = joined.world.view()
    answer = provenance(view, TOTAL, limits=Limits(nodes=3))
    assert answer.cut is not None
    assert set(nodes(view, answer)) <= set(nodes(view, provenance(view, TOTAL)))


_EDGES = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 5), st.integers(0, 1)), max_size=14)


@given(_EDGES, st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_where_columns_are_told_provenance_mirrors_impact(
    edges: set[tuple[int, int, int, int]], wires: set[tuple[int, int]]
) -> None:
    with ExitStack() as stack:
        world = World(stack)
        columns = {(d, c): world.column(f"d{d}", f"c{c}") for d in range(6) for c in range(2)}
        for d in range(6):
            world.dataset(f"d{d}")
        for source, one, target, other in edges:
            if source < target:
                world.feed(columns[source, one], columns[target, other])
        for source, target in wires:
            if source < target:
                flow = world.flow(world.job(f"j{source}{target}"), f"d{target}")
                world.feed(world.dataset(f"d{source}"), flow)
                world.feed(flow, world.dataset(f"d{target}"))
        view = world.view()
        came: dict[bytes, dict[bytes, int]] = {}
        for (d, c), key in columns.items():
            found = nodes(view, provenance(view, ColumnRef("db", f"d{d}", f"c{c}")))
            came[key] = {other: hit.distance for other, hit in found.items() if hit.kind is Kind.COLUMN}
        for (d, c), key in columns.items():
            hits = impact(view, ColumnRef("db", f"d{d}", f"c{c}")).potential.page(view, 0, 1_000)
            led = {hit.node.key: hit.distance for hit in hits if hit.kind is Kind.COLUMN}  # type: ignore[union-attr]
            assert led == {other: sources[key] for other, sources in came.items() if key in sources}


@pytest.mark.parametrize("nodes", [1, 2, 3])
def test_a_cut_answer_takes_no_dataset_that_the_whole_one_does_not(world: Any, nodes: int) -> None:
    """x.a goes into z, comes back into x, and from there into y: what ties x to y is only seen past the cut."""
    x, y = world.dataset("x"), world.dataset("y")
    world.dataset("z")
    flow = world.flow(world.job("j"), "y")
    world.feed(x, flow)
    world.feed(flow, y)
    columns = [world.column(name, column) for name, column in (("x", "a"), ("z", "c"), ("x", "b"), ("y", "b"))]
    for source, target in pairwise(columns):
        world.feed(source, target)
    view = world.view()
    for ask, name in ((impact, ("x", "a")), (provenance, ("y", "b"))):
        pages = [
            getattr(ask(view, ColumnRef("db", *name), limits=limits), "potential" if ask is impact else "nodes")
            for limits in (Limits(), Limits(nodes=nodes))
        ]
        whole, cut = ({hit.node.key: hit.distance for hit in page.page(view, 0, 99)} for page in pages)
        assert cut.items() <= whole.items()
