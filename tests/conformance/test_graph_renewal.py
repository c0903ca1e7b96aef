"""What a rebuild asks of every store: an outdated graph is at 0, whole or gone, and ends as that of a rebuild."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import cast

import pytest

from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import Ledger
from lineage.memory import MemoryStore
from lineage.model import EdgeKind, NameScope
from lineage.projector import Projection
from lineage.projector.dumps import EDGE, NODE, place_of
from lineage.store import Direction, GraphStore
from tests.conformance.graphs import changes, dataset, flow, read_by, version
from tests.conformance.sides import EntryList, PredictionList
from tests.conformance.tellings import FEATURES, Teller


def dump(store: GraphStore) -> list[bytes]:
    with store.reader() as reader:
        return list(reader.dump())


def projection(ledger: EntryList, store: GraphStore, folder: Path | None = None) -> Projection:
    return Projection(cast(Ledger, ledger), SQLiteFacts(None), store, PredictionList(), scratch=folder)


@pytest.fixture(scope="module")
def ledger() -> EntryList:
    random, teller, entries = Random(5), Teller(frozenset(FEATURES)), EntryList()
    for _ in range(60):
        entries.add("lineage", [teller.event(random.randbytes(64))])
    return entries


def test_an_outdated_graph_is_at_zero_and_whole_or_gone(store: GraphStore) -> None:
    v, f = version("v"), flow("f")
    store.apply(changes([v, f], [read_by(v, f)], [(NameScope.COMMIT, "c", v.key)]), 7)
    whole = dump(store)
    stays = store.outdate()
    assert store.watermark() == 0
    assert dump(store) == (whole if stays else [])
    assert store.outdate() is stays
    store.apply(changes([dataset("d")]), 3)
    assert store.watermark() == 3
    with store.reader() as reader:
        assert reader.ledger_size == 3
        assert len(reader.neighbours([v.key], [EdgeKind.READ_BY], Direction.DOWNSTREAM)) == stays


def test_a_rebuild_mends_what_differs(store: GraphStore, ledger: EntryList, tmp_path: Path) -> None:
    ours = projection(ledger, store, tmp_path)
    ours.catch_up()
    expected = dump(store)
    random = Random(6)
    with store.reader() as reader:
        lines = [line for line in reader.dump() if random.random() < 0.2]
    assert len(lines) > 20
    _spoil(store, lines, ledger.size())
    assert dump(store) != expected
    ours.rebuild()
    assert dump(store) == expected
    assert store.watermark() == ours.reached == ledger.size()


def test_a_graph_of_other_events_becomes_that_of_the_ledger(
    store: GraphStore, ledger: EntryList, tmp_path: Path
) -> None:
    random, teller, other = Random(7), Teller(frozenset(FEATURES)), EntryList()
    for _ in range(60):
        other.add("lineage", [teller.event(random.randbytes(64))])
    projection(other, store).catch_up()
    projection(ledger, store, tmp_path).catch_up()
    fresh = MemoryStore()
    projection(ledger, fresh).catch_up()
    assert dump(store) == dump(fresh)
    assert not (tmp_path / "renewal").exists()


def _spoil(store: GraphStore, lines: list[bytes], watermark: int) -> None:
    """Remove what ``lines`` tell, and add something else."""
    spoilt = changes(
        [dataset("d"), flow("f")], [read_by(version("v"), flow("f"))], [(NameScope.RUN_ID, "?", b"k" * 16)]
    )
    for what, kind, one, other in map(place_of, map(json.loads, lines)):
        if what == NODE:
            spoilt.nodes[bytes.fromhex(one)] = None
        elif what == EDGE:
            spoilt.edges[EdgeKind(kind), bytes.fromhex(one), bytes.fromhex(other)] = None
        else:
            spoilt.names[NameScope(kind), one, bytes.fromhex(other)] = False
    store.apply(spoilt, watermark)
