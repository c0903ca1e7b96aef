"""The tables of "Ask the graph in Cypher" name all that the store writes."""

from __future__ import annotations

import re

import pytest

from lineage.model import (
    Binding,
    Column,
    Dataset,
    Edge,
    EdgeKind,
    Flow,
    Job,
    Name,
    Node,
    Role,
    Run,
    Transformation,
    Version,
)
from lineage.neo4j.properties import LABELS, edge_properties, node_properties
from tests.docs.cypher_page import PAGE, documented

TEXT = PAGE.read_text(encoding="utf-8")
KEY = bytes(16)
NODES: dict[str, Node] = {
    "Dataset": Dataset(KEY, "n", "d"),
    "Column": Column(KEY, "n", "d", "c"),
    "Job": Job(KEY, "n", "j"),
    "Run": Run(KEY, "r", Name("n", "j")),
    "Flow": Flow(KEY, KEY, Name("n", "d")),
    "Version": Version(KEY, KEY, "n", "d", 0),
}
EVERYWHERE = {"key", "kind", "found", "code", "body"}
SEARCHED = {"length", "folded", "foldedNamespace"}


@pytest.mark.parametrize("label", NODES)
def test_every_property_of_a_node_is_named(label: str) -> None:
    assert set(node_properties(NODES[label])) - EVERYWHERE - SEARCHED == documented(label)


def test_every_label_is_named() -> None:
    assert set(NODES) == {wide for wide, _ in LABELS.values()}
    assert {f"also `:{narrow}`" for _, narrow in LABELS.values() if narrow} == set(re.findall(r"also `:\w+`", TEXT))
    assert all(f"`{name}`" in TEXT for name in EVERYWHERE | SEARCHED)


def test_every_relationship_is_named() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", TEXT, re.MULTILINE)) == {*EdgeKind, "NAMES", "ALIAS_OF"}


def test_every_property_of_a_relationship_is_named() -> None:
    how, changed = {"binding": Binding.TIME, "role": Role.TRAIN}, (Transformation("DIRECT"),)
    weak = {"certain": False, "stale": True, "undivided": True}
    told = Edge(EdgeKind.FEEDS, KEY, KEY, **how, **weak, at=0, until=1, transformations=changed)  # type: ignore[arg-type]
    table = TEXT.partition("| Property |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]+)\|", table, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == set(edge_properties(told))
