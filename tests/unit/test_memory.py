"""The canonical dump, and that a reader of the in-memory store costs nothing until the next write."""

from __future__ import annotations

import json
import random

from lineage.keys import dataset_key, job_key
from lineage.memory import MemoryStore, canonical_lines
from lineage.model import Changes, Dataset, Edge, EdgeKind, Job, NameKey, NameScope, Node, Run, RunType

NODES: list[Node] = [Dataset(dataset_key("db", name), "db", name) for name in "abc"]
EDGES = [Edge(EdgeKind.FEEDS, source.key, target.key, at=5) for source in NODES for target in NODES]
NAMES: list[NameKey] = [(scope, value, node.key) for scope in NameScope for value in ("1", "é") for node in NODES]


def test_lines_are_the_same_in_any_order() -> None:
    expected = list(canonical_lines(NODES, EDGES, NAMES))
    shuffled = [random.Random(3).sample(things, len(things)) for things in (NODES, EDGES, NAMES)]
    assert list(canonical_lines(*shuffled)) == expected  # type: ignore[arg-type]
    assert len(expected) == len(NODES) + len(EDGES) + len(NAMES)


def test_lines_come_by_kind_then_key() -> None:
    job = Job(job_key("airflow", "etl"), "airflow", "etl")
    lines = [json.loads(line) for line in canonical_lines([job, *NODES], EDGES, NAMES)]
    kinds = [
        next(kind for kind in ("node", "edge") if kind in line) if "value" not in line else "name" for line in lines
    ]
    assert kinds == ["node"] * 4 + ["edge"] * 9 + ["name"] * len(NAMES)
    order = [(line["node"], line["key"]) for line in lines[:4]]
    assert order == sorted(order)


def test_line_leaves_out_what_is_default_and_tells_the_rest() -> None:
    (line,) = canonical_lines([NODES[0]], [], [])
    assert json.loads(line) == {"node": "DATASET", "key": NODES[0].key.hex(), "namespace": "db", "name": "a"}
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")).encode()


def test_fields_named_like_the_kind_stay_apart() -> None:
    rollout = Run(b"k" * 16, "r", ("n", "m"), type=RunType.SERVICE)  # type: ignore[arg-type]
    told = json.loads(next(canonical_lines([rollout], [], [])))
    assert (told["node"], told["type"]) == ("RUN", "SERVICE")
    edge = json.loads(next(canonical_lines([], EDGES[:1], [])))
    assert (edge["edge"], edge["kind"]) == ("FEEDS", "FEEDS")


def test_values_equal_in_python_but_not_in_json_differ_in_the_dump() -> None:
    lines = {
        next(canonical_lines([Dataset(b"k" * 16, "n", "m", facets={"x": value})], [], []))
        for value in (1, 1.0, True, 2**64, float(2**64))
    }
    assert len(lines) == 5


def test_writes_after_a_reader_do_not_reach_it() -> None:
    store = MemoryStore()
    store.apply(Changes(nodes={node.key: node for node in NODES}, edges={edge.key: edge for edge in EDGES}), 1)
    with store.reader() as first, store.reader() as second:
        store.apply(Changes(edges={edge.key: None for edge in EDGES}), 2)
        store.clear()
        assert list(first.dump()) == list(second.dump()) == list(canonical_lines(NODES, EDGES, []))
    assert store.watermark() == 0
