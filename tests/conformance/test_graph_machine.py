"""Random change lists into a store and the in-memory reference: all answers stay equal, and reach equals the slow
definition."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lineage.key_array import pack
from lineage.keys import Base
from lineage.memory import MemoryStore
from lineage.model import Changes, EdgeKind, Evidence, NameScope
from lineage.neo4j import Address
from lineage.sqlite import SQLiteStore, Thresholds
from lineage.store import Direction, EdgeFilter, GraphReader, GraphStore, Level, Limits, Reach
from tests.conformance.graphs import (
    EDGE_KEYS,
    HOSTILE,
    NODES,
    change_lists,
    distances,
    moments,
    rows,
    slow_reach,
    texts,
)
from tests.conformance.settled import SettledNeo4jStore

_EXAMPLES = int(os.environ.get("LINEAGE_STORE_EXAMPLES", "60"))

_THRESHOLDS = [
    Thresholds(),
    Thresholds(changes=4, share=0.0),
    Thresholds(at_once=0, changes=4, share=0.0),
    Thresholds(at_once=0),
]

_keys = st.lists(st.sampled_from([node.key for node in NODES] + [b"?" * 16]), max_size=4)


class Stores(RuleBasedStateMachine):
    """One in-memory reference and one other store, reopened at will."""

    other: GraphStore

    @initialize()
    def make(self) -> None:
        self.reference = MemoryStore()
        self.last: Changes | None = None
        self.size = 0
        self.open()

    def open(self) -> None:
        """Open the other store: empty at first, else as it was left."""
        raise NotImplementedError

    def teardown(self) -> None:
        self.other.close()

    @rule(changes=change_lists())
    def apply(self, changes: Changes) -> None:
        self.size += 1
        self.last = changes
        for store in (self.reference, self.other):
            store.apply(changes, self.size)

    @precondition(lambda self: self.last is not None)
    @rule()
    def apply_again(self) -> None:
        assert self.last is not None
        with self.other.reader() as reader:
            before = list(reader.dump())
        self.other.apply(self.last, self.size)
        with self.other.reader() as reader:
            assert list(reader.dump()) == before

    @rule()
    def reopen(self) -> None:
        self.other.close()
        self.open()

    @rule()
    def clear(self) -> None:
        self.size = 0
        self.last = None
        for store in (self.reference, self.other):
            store.clear()

    @rule(keys=_keys, kinds=st.lists(st.sampled_from(EdgeKind), max_size=3), direction=st.sampled_from(Direction))
    def neighbours(self, keys: list[bytes], kinds: list[EdgeKind], direction: Direction) -> None:
        self._equal(lambda reader: (reader.fetch(keys), reader.neighbours(keys, kinds, direction)))

    @rule(scope=st.sampled_from(NameScope), value=st.sampled_from(HOSTILE))
    def lookup(self, scope: NameScope, value: str) -> None:
        self._equal(lambda reader: reader.lookup(scope, value))

    @rule(text=texts, bases=st.lists(st.sampled_from(Base), max_size=6), limit=st.integers(0, 5))
    def search(self, text: str, bases: list[Base], limit: int) -> None:
        self._equal(lambda reader: reader.search(text, bases, limit))

    @rule(
        level=st.sampled_from(Level),
        seeds=_keys,
        direction=st.sampled_from(Direction),
        edges=st.builds(EdgeFilter, st.sampled_from(Evidence), st.booleans(), st.booleans(), st.none() | moments),
        limit=st.integers(0, 6),
    )
    def reach(self, level: Level, seeds: list[bytes], direction: Direction, edges: EdgeFilter, limit: int) -> None:
        with self.reference.reader() as reader:
            nodes = {node.key: node for node in reader.fetch([node.key for node in NODES]) if node is not None}
            known = reader.neighbours([source for _, source, _ in EDGE_KEYS], list(EdgeKind), Direction.DOWNSTREAM)
        expected = slow_reach(nodes, known, level, seeds, direction, edges)
        whole = self._equal(lambda reader: rows(reader.reach(level, seeds, direction, edges)))
        assert {row[0]: row[3] for row in whole} == expected
        for store in (self.reference, self.other):
            with store.reader() as reader:
                cut: Reach = reader.reach(level, seeds, direction, edges, Limits(nodes=limit))
            assert (cut.cut, len(cut)) == ("NODES" if limit < len(expected) else None, min(limit, len(expected)))
            found = distances(cut)
            assert found.items() <= expected.items()
            farthest = max(found.values(), default=0)
            assert {key for key, distance in expected.items() if distance < farthest} <= set(found)

    @rule(versions=_keys, as_of=st.none() | moments)
    def are_latest(self, versions: list[bytes], as_of: int | None) -> None:
        self._equal(lambda reader: reader.are_latest(pack(versions), as_of).tolist())

    @invariant()
    def answers_equal(self) -> None:
        if self.size:
            self._equal(lambda reader: (reader.ledger_size, reader.count(), list(reader.dump())))

    def _equal(self, ask: Any) -> Any:
        reader: GraphReader
        with self.reference.reader() as reader:
            expected = ask(reader)
        with self.other.reader() as reader:
            assert ask(reader) == expected
        return expected


class SQLiteStores(Stores):
    """With a file, whose topology is consolidated now and then."""

    other: SQLiteStore

    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lineage-stores-"))
        super().make()

    def open(self) -> None:
        self.other = SQLiteStore(self.folder / "graph.sqlite")

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)

    @rule(thresholds=st.sampled_from(_THRESHOLDS))
    def reopen_with(self, thresholds: Thresholds) -> None:
        self.other.close()
        self.other = SQLiteStore(self.folder / "graph.sqlite", thresholds=thresholds)

    @rule()
    def settle(self) -> None:
        self.other.topology.settle()


_SETTINGS = settings(
    max_examples=_EXAMPLES, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
SQLiteStores.TestCase.settings = _SETTINGS
TestSQLiteStores = SQLiteStores.TestCase


@pytest.mark.timeout(1_800)
def test_neo4j_stays_equal(neo4j_uri: str) -> None:
    class Neo4jStores(Stores):
        @initialize()
        def make(self) -> None:
            super().make()
            self.other.clear()

        def open(self) -> None:
            self.other = SettledNeo4jStore(Address(neo4j_uri), ledger="tests")

    run_state_machine_as_test(
        Neo4jStores, settings=settings(_SETTINGS, max_examples=max(1, _EXAMPLES // 3), stateful_step_count=15)
    )
