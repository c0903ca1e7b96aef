"""The ledger alone: CPU per record and bytes against the JSON, by producer: ``python bench/bench_ledger.py [EVENTS]``.

Groups of 32 submissions of one event each, as 32 connections make them; medians of the groups, so that what other
processes disturb counts little. Bytes are those of the whole file when it is closed: payloads, leaves, tree, nonces,
envelopes and the index of duplicates. SHA-256 of the events is told, as the intake tells it.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median

import ledger_shapes
import ledger_shapes_ml
from rich.console import Console
from rich.table import Table

from lineage.ledger import Envelope, Submission
from lineage.ledger.sqlite import SQLiteLedger

EVENTS = 3200
GROUP = 32
SEED = 977
SENT_BY = Envelope(sender="airflow", content_type="application/json")
EVENT_SHAPES = [shape for shape in ledger_shapes.SHAPES if shape is not ledger_shapes_ml.prediction]
MIXES: dict[str, Sequence[Callable[[random.Random], dict[str, object]]]] = {
    "Spark": [ledger_shapes.spark],
    "dbt": [ledger_shapes.dbt],
    "Airflow": [ledger_shapes.airflow],
    "ML": [ledger_shapes_ml.training, ledger_shapes_ml.rollout],
    "all of them": EVENT_SHAPES,
}


def generated(mix: str, count: int) -> list[bytes]:
    """Events of one mix, as their producers write them; not those that the dictionary was trained on."""
    draw = random.Random(SEED)
    events = []
    for number in range(count):
        shape = MIXES[mix][number % len(MIXES[mix])]
        separators = (",", ":") if shape is ledger_shapes.spark else (", ", ": ")
        events.append(json.dumps(shape(draw), separators=separators).encode())
    return events


def measure(events: Sequence[bytes]) -> tuple[float, int]:
    """Seconds of CPU per record, and bytes of the file."""
    submissions = [Submission("lineage", (one,), SENT_BY, (sha256(one).digest(),)) for one in events]
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as folder:
        path = Path(folder) / "ledger.sqlite"
        ledger = SQLiteLedger(path)
        spent = []
        for start in range(0, len(submissions), GROUP):
            group = submissions[start : start + GROUP]
            begun = time.process_time()
            ledger.append(group)
            spent.append((time.process_time() - begun) / len(group))
        ledger.close()
        return median(spent), path.stat().st_size


def main() -> None:
    """Measure each mix."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    table = Table(title=f"The ledger, {count:,} events each, in groups of {GROUP}")
    for heading in ("events", "JSON bytes", "µs CPU per record", "bytes / JSON (≤ 0.15)"):
        table.add_column(heading, justify="left" if heading == "events" else "right")
    for mix in MIXES:
        events = generated(mix, count)
        cpu, size = measure(events)
        total = sum(map(len, events))
        table.add_row(mix, f"{total / count:,.0f}", f"{cpu * 1e6:.0f}", f"{size / total:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
