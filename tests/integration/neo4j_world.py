"""A ledger of a few hundred events that use every rule, and what a projection into Neo4j needs, to be opened again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random

from lineage.errors import UnavailableError
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.neo4j import Address, Neo4jStore
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection
from lineage.store import GraphStore
from tests.conformance.stream import Record, entries, stream

RECORDS = 300


@cache
def records() -> list[Record]:
    """The same each time."""
    return Random(11).sample(stream(), RECORDS)


def make_ledger(folder: Path) -> SQLiteLedger:
    """Their ledger, some of them told twice."""
    ledger = SQLiteLedger(folder / "ledger.sqlite")
    ledger.append(entries(records(), 7))
    return ledger


@contextmanager
def projection(folder: Path, ledger: SQLiteLedger, uri: str) -> Iterator[Projection]:
    """A projection of ``ledger`` into the database at ``uri``, which goes on where the last in ``folder`` ended."""
    facts, predictions = SQLiteFacts(folder / "facts.sqlite"), PredictionIndex(folder / "predictions.sqlite")
    store = Neo4jStore(Address(uri), ledger=ledger.id)
    try:
        yield Projection(ledger, facts, store, predictions, batch_records=20)
    finally:
        store.close()
        predictions.close()
        facts.close()


def go_on(projecting: Projection, until: int | None = None, patience: float = 120.0) -> int:
    """Project the entries before ``until``, whatever happens on the way; how often the database was away."""
    failures, end = 0, time.monotonic() + patience
    while True:
        try:
            projecting.catch_up(until=until)
            return failures
        except UnavailableError:
            failures += 1
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def dump(store: GraphStore) -> list[bytes]:
    """The whole graph."""
    with store.reader() as reader:
        return list(reader.dump())


def dump_at(uri: str, ledger: SQLiteLedger) -> list[bytes]:
    """The whole graph in the database at ``uri``."""
    store = Neo4jStore(Address(uri), ledger=ledger.id, read_only=True)
    try:
        return dump(store)
    finally:
        store.close()


def expected(folder: Path, ledger: SQLiteLedger) -> list[bytes]:
    """The graph that a rebuild gives."""
    store = MemoryStore()
    facts, predictions = SQLiteFacts(None), PredictionIndex(folder / "expected.sqlite")
    Projection(ledger, facts, store, predictions).catch_up()
    predictions.close()
    return dump(store)
