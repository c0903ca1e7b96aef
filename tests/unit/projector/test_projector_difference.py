"""Differences of two graphs are told by kind and name."""

from __future__ import annotations

import msgspec

from lineage.event.model import Name
from lineage.memory import edge_line, name_line, node_line
from lineage.model import Dataset, Edge, EdgeKind, Flow, Job, NameScope, Node, Run
from lineage.projector.difference import told_differences

ORDERS = Dataset(b"d" * 16, "db", "orders")
STEP = Job(b"j" * 16, "jobs", "step")
FLOW = Flow(b"f" * 16, STEP.key, Name("db", "orders"))
RUN = Run(b"r" * 16, "0190", Name("jobs", "step"))
FEEDS = Edge(EdgeKind.FEEDS, FLOW.key, ORDERS.key)


def find(key: bytes) -> Node | None:
    return next((node for node in (ORDERS, STEP, FLOW, RUN) if node.key == key), None)


def test_what_one_graph_lacks_is_told_by_kind_and_name() -> None:
    lost = Edge(EdgeKind.HAS_RUN, STEP.key, b"\xab" * 16)
    told = told_differences(
        [edge_line(FEEDS), node_line(RUN)],
        [edge_line(lost), node_line(ORDERS), name_line((NameScope.RUN_ID, "0190", RUN.key))],
        find,
    )
    assert told == [
        "The graph has, and should not have: the edge FEEDS from the flow of the job step (jobs) into orders (db) "
        "to the dataset orders (db).",
        "The graph has, and should not have: the run 0190 of step (jobs).",
        "The graph lacks: the edge HAS_RUN from the job step (jobs) to what has the key abababab….",
        "The graph lacks: the dataset orders (db).",
        "The graph lacks: the name 0190 (RUN_ID) of the run 0190 of step (jobs).",
    ]


def test_what_both_have_otherwise_is_told_once_with_what_differs() -> None:
    other = node_line(msgspec.structs.replace(ORDERS, is_model=True, description="o"))
    stale = edge_line(msgspec.structs.replace(FEEDS, stale=True))
    told = told_differences([other, stale], [node_line(ORDERS), edge_line(FEEDS)], find)
    assert [one.partition(":")[0] for one in told] == ["The graph has otherwise"] * 2
    assert told[0].endswith("the dataset orders (db) (description, is_model).")
    assert told[1].endswith("(stale).")


def test_no_more_than_twenty_of_each_kind_are_told() -> None:
    lines = [node_line(Dataset(bytes([n]) * 16, "db", f"d{n}")) for n in range(25)]
    told = told_differences([], lines, find)
    assert len(told) == 21
    assert told[-1] == "The graph lacks 5 things more."
