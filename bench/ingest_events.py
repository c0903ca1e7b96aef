"""A stream of generated events as a platform sends them: a few hundred jobs that run again and again, in order of time.

Each run says START and COMPLETE, 32 of them at once. What a job reads and writes stays the same from run to run, as its
shape (``ledger_shapes``) has drawn it; ids of runs, times, and versions and hashes of what is written are new.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any
from uuid import UUID

import ledger_shapes
import ledger_shapes_ml
from ledger_words import run_id

JOBS = 300
AT_ONCE = 32
SEED = 20260501
START = datetime(2026, 5, 1, tzinfo=UTC)
STEP = timedelta(milliseconds=7)
SHAPES = [shape for shape in ledger_shapes.SHAPES if shape is not ledger_shapes_ml.prediction]


def stream(count: int) -> list[bytes]:
    """So many events, as their producers write them; the same each time."""
    return list(islice(_events(), count))


def _events() -> Iterator[bytes]:
    draw = random.Random(SEED)
    jobs = [(SHAPES[number % len(SHAPES)], SHAPES[number % len(SHAPES)](draw)) for number in range(JOBS)]
    now, begun = START, 0
    while True:
        running = [(jobs[number % JOBS], run_id(draw), run_id(draw)) for number in range(begun, begun + AT_ONCE)]
        begun += AT_ONCE
        for told in ("START", "COMPLETE"):
            for (shape, event), run, parent in running:
                now += STEP
                separators = (",", ":") if shape is ledger_shapes.spark else (", ", ": ")
                yield json.dumps(_told(event, told, now, run, parent), separators=separators).encode()


def _told(event: dict[str, Any], event_type: str, time: datetime, run: str, parent: str) -> dict[str, Any]:
    """The job's event as one of its runs tells it."""
    facets = dict(event["run"]["facets"])
    if "parent" in facets:
        facets["parent"] = facets["parent"] | {"run": {"runId": parent}}
    told = {"runId": run, "facets": facets}
    outputs = [dataset | {"facets": _written(dataset.get("facets", {}), run)} for dataset in event["outputs"]]
    at = time.isoformat().replace("+00:00", "Z")
    return event | {"eventType": event_type, "eventTime": at, "run": told, "outputs": outputs}


def _written(facets: dict[str, Any], run: str) -> dict[str, Any]:
    """The facets of an output with a version and a content of this run's own, where it tells them."""
    told = dict(facets)
    if "version" in told:
        told["version"] = told["version"] | {"datasetVersion": str(UUID(run).int % 10**19)}
    if "lineageGraph_contentHash" in told:
        hashes = told["lineageGraph_contentHash"]
        digests = [each | {"digest": sha256((run + each["digest"]).encode()).hexdigest()} for each in hashes["digests"]]
        told["lineageGraph_contentHash"] = hashes | {"digests": digests}
    return told
