"""One stream of events through the projector into each store: equal graphs, byte for byte, in any order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from lineage.answer import View
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection, check_projection
from lineage.questions.search import search
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore
from tests.conformance.stream import Record, entries, stream

FIRST, SECOND = 1, 2
"""Seeds of orders."""

SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent"


class Told:
    """The records, a ledger of them in each of two orders, and the graph that both must have."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[Record] = stream()
        self.ledgers = {seed: SQLiteLedger(folder / f"{seed}.sqlite") for seed in (FIRST, SECOND)}
        for seed, ledger in self.ledgers.items():
            ledger.append(entries(self.records, seed))
        store = MemoryStore()
        with opened(folder) as (facts, predictions):
            Projection(self.ledgers[FIRST], facts, store, predictions).catch_up()
        self.dump = dump(store)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    made = Told(tmp_path_factory.mktemp("ledgers"))
    yield made
    for ledger in made.ledgers.values():
        ledger.close()


@contextmanager
def opened(folder: Path) -> Iterator[tuple[SQLiteFacts, PredictionIndex]]:
    facts, predictions = SQLiteFacts(folder / "facts.sqlite"), PredictionIndex(folder / "predictions.sqlite")
    yield facts, predictions
    facts.close()
    predictions.close()


def dump(store: GraphStore) -> list[bytes]:
    with store.reader() as reader:
        return list(reader.dump())


def test_the_stream_is_large_and_its_graph_has_everything(told: Told) -> None:
    assert len(told.records) >= 5_000
    assert len(told.dump) > 10_000
    for what in (b'"edge":"READ_BY"', b'"edge":"PARENT_OF"', b'"node":"COLUMN"', b'"name":"DIGEST"', b'"gaps"'):
        assert any(what in line for line in told.dump), what


def test_another_order_and_grouping_gives_the_same_graph(told: Told, store: GraphStore, tmp_path: Path) -> None:
    random = Random(3)
    with opened(tmp_path) as (facts, predictions):
        projection = Projection(told.ledgers[SECOND], facts, store, predictions)
        while projection.step(projection.reached + random.choice([1, 7, 100, 1_000])):
            pass
        projection.keep()
    assert projection.skipped == 0
    assert dump(store) == told.dump


def test_a_rebuild_gives_the_same_graph_and_the_check_finds_nothing(told: Told, tmp_path: Path) -> None:
    ledger, store = told.ledgers[SECOND], SQLiteStore(tmp_path / "graph.sqlite")
    with opened(tmp_path) as (facts, predictions):
        projection = Projection(ledger, facts, store, predictions)
        projection.catch_up(until=200)
        projection.rebuild()
        assert dump(store) == told.dump
        report = check_projection(ledger, store, predictions)
    assert report.sound, report.faults
    assert report.predictions == sum(kind == "predictions" for kind, _ in told.records)
    store.close()


def test_a_symlink_is_found_by_search_until_it_is_withdrawn(store: GraphStore, tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "ledger.sqlite")
    with opened(tmp_path) as (facts, predictions):
        projection = Projection(ledger, facts, store, predictions)
        for day, links, expected in (
            (1, [], []),
            (2, ["Sales.Orders", "sales.orders_all"], [("lake/o", ("hive", "Sales.Orders"))]),
            (3, ["sales.else"], []),
        ):
            ledger.append([Submission("lineage", (_told_of_links(day, links),))])
            projection.catch_up()
            with store.reader() as reader:
                answer = search(View(reader, predictions), "sales.orders")
            assert [(hit.name, answer.by_alias.get(hit.key)) for hit in answer.hits] == expected  # type: ignore[union-attr]
    ledger.close()


def _told_of_links(day: int, links: list[str]) -> bytes:
    identifiers = [{"namespace": "hive", "name": link, "type": "TABLE"} for link in links]
    dataset = {"namespace": "s3", "name": "lake/o", "facets": {"symlinks": {"identifiers": identifiers}}}
    event = {"eventTime": f"2026-05-0{day}T10:00:00Z", "producer": "urn:t", "schemaURL": SCHEMA, "dataset": dataset}
    return json.dumps(event).encode()
