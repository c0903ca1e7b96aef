"""Makes the ledger's zstd dictionary out of generated events only, never out of received ones.

The events have the shapes that Spark, dbt, Airflow and ML emitters send; every name in them is made up. The result is
the same on every run with the same zstd: ``python bench/ledger_dictionary.py`` writes
``lineage/ledger/dictionary/1.zdict``. A released dictionary is never changed: a better one gets the next number.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ledger_shapes
import ledger_words
import zstandard

SAMPLES = 8000
DICTIONARY_BYTES = 112 * 1024
SEED = 20260501
TARGET = Path(__file__).parents[1] / "lineage" / "ledger" / "dictionary" / "1.zdict"

Shape = Callable[[random.Random], dict[str, Any]]


def samples(seed: int, count: int) -> Iterator[bytes]:
    """Generated events as producers write them: Java compact, Python mostly sorted and with spaces as its client is."""
    draw = random.Random(seed)
    for number in range(count):
        shape = ledger_shapes.SHAPES[number % len(ledger_shapes.SHAPES)]
        by_client = shape is not ledger_shapes.spark and draw.random() < 0.75
        separators = (", ", ": ") if by_client else (",", ":")
        text = json.dumps(shape(draw), separators=separators, sort_keys=by_client)
        if draw.random() < 0.3:  # integrations of one's own name the client as producer
            text = text.replace(ledger_words.DBT, ledger_words.CLIENT).replace(
                ledger_words.AIRFLOW, ledger_words.CLIENT
            )
        yield text.encode()


def train(seed: int = SEED, count: int = SAMPLES) -> bytes:
    """The dictionary: zstd's own training, single-threaded with fixed parameters so that it is reproducible."""
    texts = list(samples(seed, count))
    return zstandard.train_dictionary(DICTIONARY_BYTES, texts, k=4096, d=8, level=5, dict_id=1).as_bytes()


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(train())
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")
