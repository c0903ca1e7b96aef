"""Facts on disk: equal to the facts in memory whatever is done, and all or nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import apsw
import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lineage.errors import DataFolderError, UnavailableError
from lineage.fold import sqlite as facts_module
from lineage.fold.records import DatasetRecord, Records
from lineage.fold.sqlite import SQLiteFacts
from lineage.fold.store import MemoryFacts, Table
from lineage.model import Name

RECORDS = st.sampled_from([Table.RUN, Table.ROWS])
LINKS = st.sampled_from([Table.NAMES, Table.TIMELINE])
KEYS = st.sampled_from([b"", b"a", b"b", b"\x00\xff", b"k" * 16])
VALUES = st.sampled_from([b"", b"v", b"w" * 5000])


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[SQLiteFacts]:
    made = SQLiteFacts(tmp_path / "facts.sqlite")
    yield made
    made.close()


class Machine(RuleBasedStateMachine):
    """The same done to a file and to memory; what ``rollback`` and a new opening leave is a copy made at ``commit``."""

    folder: Path
    number = 0

    @initialize(in_memory=st.booleans())
    def begin(self, in_memory: bool) -> None:
        Machine.number += 1
        self.path = None if in_memory else self.folder / f"{Machine.number}.sqlite"
        self.facts, self.model = SQLiteFacts(self.path), MemoryFacts()
        self.kept = copy.deepcopy(self.model)

    @rule(table=RECORDS, key=KEYS, value=VALUES | st.none())
    def put(self, table: Table, key: bytes, value: bytes | None) -> None:
        self.facts.put(table, key, value)
        self.model.put(table, key, value)

    @rule(table=LINKS, key=KEYS, other=KEYS, value=VALUES | st.none())
    def link(self, table: Table, key: bytes, other: bytes, value: bytes | None) -> None:
        self.facts.link(table, key, other, value)
        self.model.link(table, key, other, value)

    @rule(table=LINKS, key=KEYS, count=st.integers(30, 40))
    def link_many(self, table: Table, key: bytes, count: int) -> None:
        for number in range(count):
            self.link(table, key, bytes((number,)), b"n")

    @rule(table=RECORDS, key=KEYS)
    def get(self, table: Table, key: bytes) -> None:
        assert self.facts.get(table, key) == self.model.get(table, key)

    @rule(table=LINKS, key=KEYS, other=KEYS)
    def linked(self, table: Table, key: bytes, other: bytes) -> None:
        assert self.facts.linked(table, key, other) == self.model.linked(table, key, other)

    @rule(table=LINKS, key=KEYS)
    def links(self, table: Table, key: bytes) -> None:
        assert list(self.facts.links(table, key)) == list(self.model.links(table, key))

    @rule(watermark=st.integers(0, 2**62))
    def commit(self, watermark: int) -> None:
        self.facts.commit(watermark)
        self.model.commit(watermark)
        self.kept = copy.deepcopy(self.model)

    @rule()
    def rollback(self) -> None:
        self.facts.rollback()
        self.model = copy.deepcopy(self.kept)

    @rule()
    def reopen(self) -> None:
        if self.path is not None:
            self.facts.close()
            self.facts = SQLiteFacts(self.path)
            self.model = copy.deepcopy(self.kept)

    @rule()
    def clear(self) -> None:
        self.facts.clear()
        self.model.clear()
        self.kept = copy.deepcopy(self.model)

    @invariant()
    def same_watermark(self) -> None:
        assert self.facts.watermark() == self.model.watermark()

    def teardown(self) -> None:
        for table in Table:
            for key in (b"", b"a", b"b", b"\x00\xff", b"k" * 16):
                assert list(self.facts.links(table, key)) == list(self.model.links(table, key))
                assert self.facts.get(table, key) == self.model.get(table, key)
        self.facts.close()


def test_facts_in_a_file_equal_facts_in_memory(tmp_path: Path) -> None:
    Machine.folder = tmp_path
    run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))


@settings(max_examples=60, deadline=None)
@given(
    kept=st.sets(st.binary(min_size=1, max_size=4), max_size=90),
    added=st.sets(st.binary(min_size=1, max_size=4), max_size=10),
    removed=st.integers(0, 2**90),
    prefix=st.integers(0, 2),
)
def test_of_many_links_the_first_and_last_of_each_prefix_are_found(
    kept: set[bytes], added: set[bytes], removed: int, prefix: int
) -> None:
    facts = SQLiteFacts(None)
    for other in kept:
        facts.link(Table.REFERENCES, b"k", other, other)
    facts.commit(1)
    for other in added:
        facts.link(Table.REFERENCES, b"k", other, other)
    for number, other in enumerate(sorted(kept - added)):
        if removed >> number & 1:
            facts.link(Table.REFERENCES, b"k", other, None)
    every = list(facts.links(Table.REFERENCES, b"k"))
    told = list(facts.sparse_links(Table.REFERENCES, b"k", prefix))
    assert told == sorted(told)
    assert set(told) <= set(every)
    for shared in {other[:prefix] for other, _ in every}:
        group = [link for link in every if link[0][:prefix] == shared]
        assert {*group[:2], *group[-2:]} <= set(told)


def test_nothing_is_in_the_file_before_the_commit(facts: SQLiteFacts, tmp_path: Path) -> None:
    facts.put(Table.RUN, b"key", b"value")
    facts.link(Table.NAMES, b"key", b"other")
    before = SQLiteFacts(tmp_path / "facts.sqlite")
    assert before.get(Table.RUN, b"key") is None
    before.close()
    facts.commit(3)
    beside = SQLiteFacts(tmp_path / "facts.sqlite")
    assert (beside.get(Table.RUN, b"key"), beside.linked(Table.NAMES, b"key", b"other")) == (b"value", b"")
    assert beside.watermark() == 3
    beside.close()


def test_a_commit_that_fails_writes_nothing_and_can_be_tried_again(facts: SQLiteFacts, tmp_path: Path) -> None:
    facts.put(Table.RUN, b"key", b"value")
    other = apsw.Connection(str(tmp_path / "facts.sqlite"))
    other.execute("CREATE TRIGGER refuse BEFORE UPDATE ON state BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(UnavailableError, match=r"facts\.sqlite can't be used now"):
        facts.commit(1)
    assert other.execute("SELECT count(*) FROM records").get == 0
    assert facts.get(Table.RUN, b"key") == b"value"
    other.execute("DROP TRIGGER refuse")
    other.close()
    facts.commit(1)
    facts.rollback()
    assert (facts.get(Table.RUN, b"key"), facts.watermark()) == (b"value", 1)


def test_a_file_of_another_layout_is_emptied(facts: SQLiteFacts, tmp_path: Path) -> None:
    facts.put(Table.RUN, b"key", b"value")
    facts.commit(1)
    facts.close()
    db = apsw.Connection(str(tmp_path / "facts.sqlite"))
    db.pragma("user_version", 1)
    db.close()
    again = SQLiteFacts(tmp_path / "facts.sqlite")
    assert (again.get(Table.RUN, b"key"), again.watermark()) == (None, 0)
    again.close()


def test_another_dictionary_is_another_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = facts_module._version.__wrapped__()
    monkeypatch.setattr(facts_module, "DICTIONARY", facts_module.DICTIONARY[:-1])
    assert facts_module._version.__wrapped__() != layout


def test_the_dictionary_knows_what_facts_look_like() -> None:
    facet = {"version": {"datasetVersion": "7"}, "schema": {"fields": [{"name": "amount", "type": "double"}]}}
    record = DatasetRecord(Name("postgres://db", "public.orders"))
    record.facets.merge(facet, (1_777_629_600_000_000, b"h" * 32))
    body = msgspec.msgpack.encode(record)
    assert len(Records(MemoryFacts()).pack(record)) < len(zstandard.ZstdCompressor(level=1).compress(body)) * 0.8


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "facts.sqlite"
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(DataFolderError, match=r"facts\.sqlite is no file of ours"):
        SQLiteFacts(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "facts.sqlite"
    path.write_bytes(content)
    with pytest.raises(DataFolderError, match="damaged"):
        SQLiteFacts(path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="can't be opened"):
        SQLiteFacts(tmp_path / "none" / "facts.sqlite")


def test_what_was_removed_is_no_longer_in_the_file(facts: SQLiteFacts, tmp_path: Path) -> None:
    secret = b"secret-" * 20
    facts.put(Table.RUN, b"key", secret)
    facts.put(Table.RUN, b"stays", b"here")
    facts.link(Table.NAMES, b"key", b"other", secret)
    facts.commit(1)
    facts.put(Table.RUN, b"key", None)
    facts.link(Table.NAMES, b"key", b"other", None)
    facts.commit(2)
    facts.close()
    assert secret not in (tmp_path / "facts.sqlite").read_bytes()
