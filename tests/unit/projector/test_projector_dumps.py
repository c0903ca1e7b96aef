"""Two dumps side by side, and the changes that make the one graph the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.keys import Base
from lineage.memory import MemoryStore, edge_line, name_line, node_line
from lineage.model import Changes, Edge, NameScope
from lineage.projector.dumps import edge_of, place_of, side_by_side
from lineage.projector.spool import Spool, halves_of, size_of
from tests.conformance.graphs import EDGE_KEYS, NODES, change_lists, column, dataset, edges, job


def dumped(store: MemoryStore) -> list[bytes]:
    with store.reader() as reader:
        return list(reader.dump())


def stored(changes: Changes) -> MemoryStore:
    store = MemoryStore()
    store.apply(changes, 1)
    return store


@given(st.sampled_from(EDGE_KEYS).flatmap(edges))
def test_an_edge_is_read_from_its_line(edge: Edge) -> None:
    thing = json.loads(edge_line(edge))
    assert edge_of(thing) == edge
    assert place_of(thing) == (1, edge.kind, edge.source.hex(), edge.target.hex())


def test_things_are_ordered_as_in_a_dump() -> None:
    node, name = dataset("a"), (NameScope.COMMIT, "c0ffee", job("j").key)
    lines = [node_line(column("z")), node_line(node), edge_line(Edge(*EDGE_KEYS[0])), name_line(name)]
    places = [place_of(json.loads(line)) for line in lines]
    assert places == sorted(places)
    assert [place[0] for place in places] == [0, 0, 1, 2]
    assert places[1] == (0, Base.DATASET, node.key.hex(), "")
    assert sorted(lines) != lines, "the text of a line orders otherwise"


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=change_lists(), other=change_lists())
def test_lines_of_one_place_come_together_and_all_in_order(one: Changes, other: Changes) -> None:
    kept, anew = dumped(stored(one)), dumped(stored(other))
    pairs = list(side_by_side(iter(kept), iter(anew)))
    assert [line for line, _ in pairs if line is not None] == kept
    assert [line for _, line in pairs if line is not None] == anew
    places = [{place_of(json.loads(line)) for line in pair if line is not None} for pair in pairs]
    assert all(len(place) == 1 for place in places)
    assert [min(place) for place in places] == sorted({min(place) for place in places})


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(one=change_lists(), other=change_lists(), rows=st.integers(1, 5))
def test_what_differs_makes_the_one_graph_the_other(
    tmp_path_factory: pytest.TempPathFactory, one: Changes, other: Changes, rows: int
) -> None:
    kept, anew = stored(one), stored(other)
    spool = Spool(tmp_path_factory.mktemp("spool"))
    unlike = [pair for pair in side_by_side(iter(dumped(kept)), iter(dumped(anew))) if pair[0] != pair[1]]
    for pair in unlike:
        spool.add(*pair)
    with pytest.MonkeyPatch.context() as patched, anew.reader() as reader:
        patched.setattr("lineage.projector.spool._ROWS", rows)
        lists = list(spool.changes(reader.fetch))
    spool.close()
    sizes = [len(changes.nodes) + len(changes.edges) + len(changes.names) for changes in lists]
    assert all(0 < size <= rows for size in sizes)
    assert sum(sizes) == len(spool) == len(unlike)
    for changes in lists:
        kept.apply(changes, 0)
    assert dumped(kept) == dumped(anew)


def test_what_is_gone_comes_first_and_edges_before_their_nodes(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    here, there = (Changes({NODES[at].key: NODES[at]}, {EDGE_KEYS[at]: Edge(*EDGE_KEYS[at])}) for at in range(2))
    for pair in side_by_side(iter(dumped(stored(here))), iter(dumped(stored(there)))):
        spool.add(*pair)
    with stored(there).reader() as reader:
        lists = list(spool.changes(reader.fetch))
    spool.close()
    assert lists == [
        Changes(edges=dict.fromkeys(here.edges)),
        Changes(nodes=dict.fromkeys(here.nodes)),
        Changes(nodes=there.nodes),
        Changes(edges=there.edges),
    ]


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=change_lists())
def test_halves_are_halves_and_all(changes: Changes) -> None:
    one, other = halves_of(changes)
    assert size_of(one) == size_of(changes) // 2
    assert size_of(one) + size_of(other) == size_of(changes)
    assert changes == Changes({**one.nodes, **other.nodes}, {**one.edges, **other.edges}, {**one.names, **other.names})


def test_a_list_of_large_things_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.spool._BYTES", 10_000)
    nodes = [dataset(f"{number}" + "x" * 3_000) for number in range(12)]
    store = stored(Changes({node.key: node for node in nodes}))
    spool = Spool(tmp_path)
    for line in dumped(store):
        spool.add(None, line)
    with store.reader() as reader:
        assert [len(changes.nodes) for changes in spool.changes(reader.fetch)] == [4, 4, 4]
    spool.close()
