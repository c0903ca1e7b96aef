"""The parts of a topology, also at sizes that small graphs don't reach."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.key_array import pack, unpack
from lineage.kind import KIND_CODES, Kind
from lineage.memory import MemoryStore
from lineage.store import Direction, EdgeFilter, Level, Limits
from lineage.topology import key_index, sweep
from lineage.topology.base import build_base, empty_base, first_state
from lineage.topology.key_index import KeyIndex
from lineage.topology.live import Topology
from lineage.topology.marks import ALWAYS, COLUMN, FOREVER, INFERRED, STALE, UNCERTAIN
from lineage.topology.nodes import FLOW, NOBODY, NodeRows
from lineage.topology.order import flow_order
from lineage.topology.run import EdgeColumns, stable_order
from lineage.topology.state import State
from lineage.topology.sweep import Sweep
from tests.conformance.graphs import distances, rows
from tests.unit.topology.random_changes import random_changes, random_question

EMPTY = EdgeColumns(*(np.zeros(0, kind) for kind in (np.intp, np.intp, np.uint8, np.int64, np.int64)))


def columns(sources: np.ndarray, targets: np.ndarray, marks: np.ndarray) -> EdgeColumns:
    size = len(sources)
    return EdgeColumns(sources, targets, marks, np.full(size, ALWAYS), np.full(size, FOREVER))


# -- numbers of keys


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(1, 300), max_size=40), max_size=8), st.booleans())
def test_keys_are_found_by_all_who_know_them_and_by_no_others(batches: list[list[int]], crowded: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_index, "_LEAST_SLOTS", 2)
        if crowded:
            patch.setattr(key_index, "_GOLDEN", np.uint64(1))
        everyone = pack([number.to_bytes(16, "big") for number in range(301)])
        keys, index = everyone[:1].copy(), KeyIndex.of(everyone[:1])
        known = []
        for batch in batches:
            new = [number for number in dict.fromkeys(batch) if not index.find(everyone[[number]], keys)[0]]
            keys = np.concatenate([keys, everyone[new]])
            index = index.with_added(np.arange(len(keys) - len(new), len(keys)), keys) if new else index
            known.append((index, keys))
        for index, keys in known:
            place = {key: number for number, key in enumerate(unpack(keys))}
            expected = [place.get(key, 0) for key in unpack(everyone)]
            assert index.find(everyone, keys).tolist() == expected


def test_a_number_that_was_rolled_back_is_nobodys() -> None:
    keys = pack([bytes([number]) * 16 for number in range(4)])
    index = KeyIndex.of(keys[:1]).with_added(np.array([1, 2]), keys)
    others = keys[[0, 3, 1]]
    index = index.with_added(np.array([1, 2]), others)
    assert index.find(keys, others[:1]).tolist() == [0, 0, 0, 0]
    assert index.find(keys, others).tolist() == [0, 2, 0, 1]


# -- order


@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 5), max_size=50))
def test_order_is_stable(numbers: list[int]) -> None:
    assert stable_order(np.array(numbers, np.intp)).tolist() == sorted(range(len(numbers)), key=numbers.__getitem__)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 60), st.floats(0, 3))
def test_nodes_stand_as_data_flows_and_owners_as_their_flows(seed: int, nodes: int, density: float) -> None:
    random = np.random.default_rng(seed)
    tied = random.permutation(np.arange(1, nodes + 1))
    ends = np.sort(random.integers(0, nodes, (int(nodes * density), 2)), axis=1)
    ends = ends[ends[:, 0] < ends[:, 1]]
    owners = np.zeros(nodes + 11, np.int32)
    owners[1 : nodes + 1] = random.integers(0, nodes + 11, nodes)
    edges = columns(tied[ends[:, 0]], tied[ends[:, 1]], np.zeros(len(ends), np.uint8))
    order = flow_order(owners, [edges, EMPTY])
    assert order[0] == 0
    assert sorted(order.tolist()) == list(range(nodes + 11))
    place = np.argsort(order)
    assert (place[edges.sources] < place[edges.targets]).all()
    in_edges = set(edges.sources.tolist()) | set(edges.targets.tolist())
    loose = [number for number in order.tolist() if number and number not in in_edges]
    owned = [owners[number] for number in order.tolist() if number in in_edges]
    wanted = [owner for owner in dict.fromkeys(owned) if owner in loose]
    assert loose[: len(wanted)] == wanted


# -- large levels


def layered(
    width: int, layers: int, seed: int, bytes_: tuple[int, ...] = (0, 0, 0, 0, INFERRED, UNCERTAIN)
) -> tuple[State, list[tuple[int, int, int]], list[bytes]]:
    """Datasets and flows in turn; the state, its edges (source, target, byte) by place, and the keys by place."""
    random = np.random.default_rng(seed)
    nodes = width * layers
    near = np.repeat(np.arange(nodes - width), 2)
    far = (near // width + 1) * width + random.integers(0, width, len(near))
    pairs = np.unique(np.stack([near, far], axis=1), axis=0)
    byte = random.choice(np.array(bytes_, np.uint8), len(pairs))
    number = random.permutation(nodes) + 1
    keys = random.integers(1, 2**63, (nodes + 1, 2), dtype=np.uint64)
    keys[0] = 0
    traits = np.full(nodes + 1, NOBODY, np.uint8)
    traits[number] = np.where(np.arange(nodes) // width % 2, FLOW, KIND_CODES[Kind.DATASET])
    told = NodeRows(np.arange(nodes + 1), traits, np.zeros(nodes + 1, np.int32), np.zeros(nodes + 1, np.int64))
    edges = columns(number[pairs[:, 0]], number[pairs[:, 1]], byte)
    state = first_state(build_base(keys, told, [edges, EMPTY, EMPTY]))
    triples = [*zip(pairs[:, 0].tolist(), pairs[:, 1].tolist(), byte.tolist(), strict=True)]
    return state, triples, unpack(keys[number])


def plainly(edges: list[tuple[int, int, int]], seeds: list[int], refused: int) -> set[int]:
    after: dict[int, list[int]] = {}
    for source, target, byte in edges:
        if not byte & refused:
            after.setdefault(source, []).append(target)
    found, waiting = set(seeds), list(seeds)
    while waiting:
        new = set(after.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found - set(seeds)


@pytest.mark.parametrize("direction", Direction)
def test_levels_wider_than_a_chunk_are_found_whole(direction: Direction) -> None:
    width, layers = 40_000, 5
    state, edges, keys = layered(width, layers, 1)
    if direction is Direction.UPSTREAM:
        edges = [(target, source, byte) for source, target, byte in edges]
    first = 0 if direction is Direction.DOWNSTREAM else (layers - 1) * width
    seeds = list(range(first, first + width))
    reach = state.reach(Level.LOGICAL, [keys[seed] for seed in seeds], direction, EdgeFilter(), Limits())
    whole = {keys[place]: place for place in plainly(edges, seeds, 0)}
    declared = {keys[place] for place in plainly(edges, seeds, INFERRED)}
    certain = {keys[place] for place in plainly(edges, seeds, UNCERTAIN)}
    found = rows(reach)
    assert {row[0] for row in found} == whole.keys()
    assert {row[0] for row in found if row[4] == 0} == declared
    assert {row[0] for row in found if row[5]} == certain
    for key, distance in distances(reach).items():
        assert distance == (abs(whole[key] // width - first // width) + 1) // 2


@pytest.mark.parametrize("looks", range(0, 60, 3))
def test_a_search_that_is_late_tells_what_is_true(monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    monkeypatch.setattr(sweep, "_FEW", 2)
    monkeypatch.setattr(sweep, "_CHUNK", 2)
    random = Random(looks)
    reference, topology = MemoryStore(), Topology(empty_base())
    for store in (reference.apply, lambda list_, _: topology.prepare(list_)):
        store(random_changes(Random(4), first=True), 1)
    topology.commit()
    for _ in range(20):
        question = random_question(random)
        clock = iter([0.0] * looks)
        monkeypatch.setattr(sweep.time, "monotonic", lambda clock=clock: next(clock, 2.0))
        cut = topology.state.reach(*question, Limits(deadline=1.0))
        monkeypatch.undo()
        with reference.reader() as reader:
            whole = {row[0]: row for row in rows(reader.reach(*question))}
        told = rows(cut)
        assert cut.cut == "TIME" or (cut.cut is None and sorted(whole.values()) == told)
        farthest = max((row[3] for row in told), default=0)
        assert {key for key, row in whole.items() if row[3] < farthest} <= {row[0] for row in told}
        for row in told:
            assert row[:4] == whole[row[0]][:4]
            assert row[4] >= whole[row[0]][4]
            assert row[5] <= whole[row[0]][5]
            assert row[6] >= whole[row[0]][6]


@pytest.mark.parametrize(
    ("bytes_", "searches"),
    [((0,), 0), ((0, INFERRED), 1), ((0, COLUMN), 1), ((COLUMN, INFERRED), 2), ((0, UNCERTAIN), 1), ((0, STALE), 1)],
)
def test_strength_costs_a_search_only_for_what_was_met(
    monkeypatch: pytest.MonkeyPatch, bytes_: tuple[int, ...], searches: int
) -> None:
    state, _, keys = layered(50, 6, 2, bytes_)
    made, search = [], Sweep.led_to

    def counted(self: Sweep, *told: Any) -> Any:
        made.append(told)
        return search(self, *told)

    monkeypatch.setattr(Sweep, "led_to", counted)
    state.reach(Level.LOGICAL, keys[:20], Direction.DOWNSTREAM, EdgeFilter(), Limits())
    assert len(made) == searches
