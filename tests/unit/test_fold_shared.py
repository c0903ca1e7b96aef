"""The graph is the same whether parts of events that come again are shared or each is parsed and read anew."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from lineage.event import parser
from lineage.event.blocks import Blocks
from lineage.event.model import Event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.memory import MemoryStore
from tests.reference_fold.worlds import Mix, parsed, world

MIX = Mix(version=0.3, digest=0.3, columns=0.3, model=0.2, streams=0.2, parent=0.3, failure=0.2, runs=10)


class Forgetful(Blocks):
    """Remembers nothing."""

    def find(self, key: Any) -> Any:
        return None


def dump(events: Sequence[Event], batch: int) -> list[bytes]:
    store, fold = MemoryStore(), Fold(MemoryFacts())
    for start in range(0, len(events), batch):
        part = events[start : start + batch]
        store.apply(fold.take((start + at, 0, event) for at, event in enumerate(part)), start + len(part))
    with store.reader() as reader:
        return list(reader.dump())


@pytest.mark.parametrize("seed", range(12))
def test_shared_parts_change_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = world(Random(seed), MIX)
    shared = dump(parsed(told), 3)
    monkeypatch.setattr(parser, "_BLOCKS", Forgetful())
    assert dump(parsed(told), 3) == shared
