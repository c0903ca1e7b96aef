"""Every row, edge and name of the past, each asked for alone: nothing else has had it folded before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, cast

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts, Taken
from lineage.keys import dataset_key
from lineage.ledger import Ledger
from lineage.memory import MemoryReader, MemoryStore
from lineage.model import Column, EdgeKind, Flow, NameScope, Node, Run, Version
from lineage.past.past import Past
from lineage.store import Direction, GraphReader
from tests.conformance.sides import EntryList
from tests.unit.past.sparse import sparse

_EXAMPLES = int(os.environ.get("LINEAGE_PAST_EXAMPLES", "40"))
_LOOKS = 25
Look = Callable[[GraphReader], Any]


@given(st.integers(0, 2**32))
@settings(max_examples=_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_each_row_edge_and_name_is_that_of_a_fold_of_the_first_entries(seed: int) -> None:
    random = Random(seed)
    records, entries = sparse(random), EntryList()
    for record in records:
        entries.add("lineage", [record])
    taken = [(index, 0, parse_event(record)) for index, record in enumerate(records)]
    until = random.randint(1, len(taken))
    kept, present = _folded(taken, random)
    _, then = _folded(taken[:until], random)
    looks = list(_looks(then, present, random))
    for what, look, ways in random.sample(looks, min(_LOOKS, len(looks))):
        graph = Past(cast(Ledger, entries), kept, until).graph(kept, present)
        for way in ways:
            way(graph)
        note(f"{what} at {until} of {len(taken)}")
        assert look(graph) == look(then)


def _folded(taken: list[Taken], random: Random) -> tuple[MemoryFacts, MemoryReader]:
    facts, store = MemoryFacts(), MemoryStore()
    fold, left = Fold(facts), taken
    while left:
        count = random.choice((1, 3, 50))
        store.apply(fold.take(left[:count]), left[:count][-1][0] + 1)
        left = left[count:]
    fold.commit(len(taken))
    return facts, store.live()


def _looks(then: MemoryReader, present: MemoryReader, random: Random) -> Iterator[tuple[str, Look, list[Look]]]:
    """What to look at, and what has to be looked at before, as it is how anybody comes to know of it."""
    for key in sorted({*then._graph.nodes, *present._graph.nodes}):
        (node,) = then.fetch([key])
        ways = [] if node is None or _is_known(present, key) else list(_ways(node))
        yield f"{node}", lambda graph, key=key: graph.fetch([key]), ways
        for kind in EdgeKind if node is not None else ():
            for direction in Direction:
                if then.neighbours([key], [kind], direction) or random.random() < 0.15:
                    yield f"{kind} {direction} of {node}", _neighbours(key, kind, direction), ways
    for scope, value in sorted({*then._graph.names, *present._graph.names}, key=lambda name: (name[0].value, name[1])):
        ways = []
        if scope is NameScope.KEY and not _is_known(present, bytes.fromhex(value)):
            ways = [way for node in then.fetch(then.lookup(scope, value)) if node is not None for way in _ways(node)]
        yield f"{scope} {value}", lambda graph, scope=scope, value=value: graph.lookup(scope, value), ways


def _neighbours(key: bytes, kind: EdgeKind, direction: Direction) -> Look:
    return lambda graph: graph.neighbours([key], [kind], direction)


def _is_known(present: MemoryReader, key: bytes) -> bool:
    return present.fetch([key])[0] is not None or bool(present.lookup(NameScope.KEY, key.hex()))


def _ways(node: Node) -> Iterator[Look]:
    match node:
        case Flow() if node.owner is not None:
            yield _neighbours(node.owner, EdgeKind.HAS_FLOW, Direction.DOWNSTREAM)
        case Flow():
            assert node.output is not None
            output = dataset_key(*node.output)
            yield _neighbours(output, EdgeKind.FEEDS, Direction.UPSTREAM)
            yield lambda graph: [
                graph.neighbours([edge.target], [EdgeKind.WROTE], Direction.UPSTREAM)
                for edge in graph.neighbours([output], [EdgeKind.HAS_VERSION], Direction.DOWNSTREAM)
            ]
        case Version():
            yield _neighbours(node.dataset, EdgeKind.HAS_VERSION, Direction.DOWNSTREAM)
        case Run():
            yield lambda graph: graph.lookup(NameScope.RUN_ID, node.run_id)
        case Column():
            yield lambda graph: graph.fetch([dataset_key(node.namespace, node.name)])
