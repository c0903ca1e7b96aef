"""A topology in step with change lists gives what the plain walk gives, whatever was done to it."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.key_array import pack
from lineage.memory import MemoryReader, MemoryStore
from lineage.store import Limits, Reach
from lineage.topology import base, key_index, nodes, order, sweep
from lineage.topology.base import consolidated, empty_base
from lineage.topology.live import Topology
from lineage.topology.state import State
from tests.conformance.graphs import distances, rows
from tests.unit.topology.random_changes import KEYS, random_changes, random_question

actions = st.sampled_from(["apply", "apply", "apply", "roll back", "consolidate", "hold"])

TIGHT = [(sweep, "_FEW", 1), (sweep, "_CHUNK", 2), (base, "_SPARE", 1), (nodes, "_SPARE", 1)]
TIGHT += [(key_index, "_LEAST_SLOTS", 2), (order, "_DEEPEST", 3), (order, "_MANY", 2)]
"""What makes a small graph go the ways of a large one."""


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.lists(actions, min_size=3, max_size=12), st.booleans())
def test_topology_gives_what_the_walk_gives(seed: int, actions: list[str], tight: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in TIGHT if tight else ():
            patch.setattr(module, name, value)
        _follow(Random(seed), actions)


def _follow(random: Random, actions: list[str]) -> None:
    reference, topology = MemoryStore(), Topology(empty_base())
    held: list[tuple[MemoryReader, State]] = []
    for number, action in enumerate(["hold", "first", *actions]):
        if action in {"apply", "first"}:
            changes = random_changes(random, first=action == "first")
            reference.apply(changes, number)
            state = topology.prepare(changes)
            topology.commit()
            assert topology.state is state
        elif action == "roll back":
            topology.prepare(random_changes(random))
            topology.rollback()
        elif action == "consolidate":
            topology = Topology(consolidated(topology.state))
        else:
            with reference.reader() as reader:
                held.append((reader, topology.state))
        if action == "first" or random.random() < 0.3:
            with reference.reader() as reader:
                _ask(random, reader, topology.state, 8)
    with reference.reader() as reader:
        _ask(random, reader, topology.state, 30)
    for before, state in held:
        _ask(random, before, state, 8)


def _ask(random: Random, reader: MemoryReader, state: State, questions: int) -> None:
    for _ in range(questions):
        question = random_question(random)
        expected, whole = reader.reach(*question), state.reach(*question, Limits())
        assert (rows(whole), whole.cut) == (rows(expected), None)
        limit = random.randrange(len(expected) + 2)
        _is_nearest_part(state.reach(*question, Limits(nodes=limit)), expected, limit)
        keys, as_of = pack(random.sample(KEYS, 8)), random.choice([None, *range(-1, 5)])
        assert np.array_equal(state.are_latest(keys, as_of), reader.are_latest(keys, as_of))


def _is_nearest_part(cut: Reach, whole: Reach, limit: int) -> None:
    found, expected = distances(cut), distances(whole)
    assert (cut.cut, len(found)) == ("NODES" if limit < len(expected) else None, min(limit, len(expected)))
    assert found.items() <= expected.items()
    farthest = max(found.values(), default=0)
    assert {key for key, distance in expected.items() if distance < farthest} <= set(found)
    told = {row[0]: row for row in rows(whole)}
    for key, thing, kind, _, evidence, certain, stale in rows(cut):
        _, same_thing, same_kind, _, strongest, may_be_certain, must_be_stale = told[key]
        assert (thing, kind) == (same_thing, same_kind)
        assert evidence >= strongest
        assert certain <= may_be_certain
        assert stale >= must_be_stale
