"""Makes the facts' zstd dictionary out of facts of generated events only: one trained on received ones would outlive
what was erased.

``python bench/facts_dictionary.py`` writes ``lineage/fold/facts.zdict``, the same on every run with the same zstd.
Facts that were written with another dictionary are made anew from the ledger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ingest_events
import msgspec
import zstandard

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold
from lineage.fold.records import WORTH_COMPRESSING, Records
from lineage.fold.sqlite import SQLiteFacts

EVENTS = 4000
BATCH = 100
SEED = 7
DICTIONARY_BYTES = 32 * 1024
TARGET = Path(__file__).parents[1] / "lineage" / "fold" / "facts.zdict"


def samples() -> list[bytes]:
    """What the facts of generated events are made of, before it is compressed; rows are keys, and look like noise."""
    found: list[bytes] = []
    encode = msgspec.msgpack.Encoder().encode
    pack = Records.pack

    def note(self: Records, value: Any) -> bytes:
        body = encode(value)
        if not isinstance(value, dict) and len(body) > WORTH_COMPRESSING:
            found.append(body)
        return pack(self, value)

    ingest_events.SEED = SEED
    events = [parse_event(text) for text in ingest_events.stream(EVENTS)]
    fold = Fold(SQLiteFacts(None))
    Records.pack = note  # type: ignore[method-assign]
    try:
        for start in range(0, EVENTS, BATCH):
            fold.take([(start + at, 0, event) for at, event in enumerate(events[start : start + BATCH])])
            fold.commit(start + BATCH)
    finally:
        Records.pack = pack  # type: ignore[method-assign]
    return found


def train() -> bytes:
    """The dictionary: zstd's own training with fixed parameters."""
    return zstandard.train_dictionary(DICTIONARY_BYTES, samples(), k=1024, d=8, level=1, dict_id=1).as_bytes()


if __name__ == "__main__":
    TARGET.write_bytes(train())
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
