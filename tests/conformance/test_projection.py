"""One stream of events through the projector into each store: equal graphs and answers, byte for byte, in any order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lineage.answer import View
from lineage.fold.sqlite import SQLiteFacts
from lineage.keys import Base, encode_id
from lineage.ledger import Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection, check_projection
from lineage.questions.search import search
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore
from tests.conformance.asking import response
from tests.conformance.stream import Record, entries, stream

FIRST, SECOND = 1, 2
"""Seeds of orders."""

SUBJECTS = 40

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
        self.operations = operations(self.dump)

    @cached_property
    def answers(self) -> list[str]:
        """What the reference answers to each of ``operations``, made from the other ledger."""
        store = MemoryStore()
        with opened(self.folder / "second") as (facts, predictions):
            Projection(self.ledgers[SECOND], facts, store, predictions).catch_up()
            return answers(store, predictions, self.operations)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    made = Told(tmp_path_factory.mktemp("ledgers"))
    yield made
    for ledger in made.ledgers.values():
        ledger.close()


@contextmanager
def opened(folder: Path) -> Iterator[tuple[SQLiteFacts, PredictionIndex]]:
    folder.mkdir(exist_ok=True)
    facts, predictions = SQLiteFacts(folder / "facts.sqlite"), PredictionIndex(folder / "predictions.sqlite")
    yield facts, predictions
    facts.close()
    predictions.close()


def dump(store: GraphStore) -> list[bytes]:
    with store.reader() as reader:
        return list(reader.dump())


def operations(lines: list[bytes]) -> list[tuple[str, dict[str, Any]]]:
    """Every named operation on subjects of every kind."""
    random, nodes = Random(5), [json.loads(line) for line in lines if b'"node":' in line]
    kinds = {
        kind: [node for node in nodes if node["node"] == kind] for kind in sorted({node["node"] for node in nodes})
    }
    found: list[tuple[str, dict[str, Any]]] = []

    def subject(*bases: str) -> dict[str, str]:
        node = random.choice(kinds[random.choice(bases or [kind for kind in kinds if kind != "FLOW"])])
        return {"id": encode_id(Base[node["node"]], bytes.fromhex(node["key"]))}

    for number in range(SUBJECTS):
        as_of = {"asOf": random.choice([None, None, "2026-05-01T10:00:05Z"])}
        deployment = {"namespace": f"w{number % 140}", "name": f"j{number % 3}"}
        found += [
            ("Impact", {"of": subject(), **as_of}),
            ("Impact", {"of": subject("DATASET", "VERSION", "JOB"), "since": "2026-05-01T00:00:00Z"}),
            ("Provenance", {"of": subject("VERSION", "RUN", "DATASET", "COLUMN"), **as_of}),
            ("Path", {"from": subject("DATASET", "VERSION"), "to": subject("DATASET", "VERSION", "RUN")}),
            ("Diff", {"a": subject("VERSION", "RUN"), "b": subject("VERSION", "RUN")}),
            ("Search", {"text": random.choice(nodes).get("name", "j")[:3], "first": 20}),
            ("Node", subject()),
            ("TrainingData", {"of": {"prediction": {"deployment": deployment, "id": f"p{number}"}}}),
        ]
    return found


def answers(store: GraphStore, predictions: PredictionIndex, asked: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [response(store, predictions, *each) for each in asked]


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
        for asked, expected, found in zip(
            told.operations, told.answers, answers(store, predictions, told.operations), strict=True
        ):
            assert found == expected, asked


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
