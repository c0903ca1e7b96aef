"""A deterministic stream of many events: hundreds of small worlds that use every rule, and what real producers send."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from lineage.ledger import EntryKind, Submission
from tests.reference_fold.worlds import Mix, world

MIX = Mix(
    version=0.3, digest=0.2, symlink=0.05, lifecycle=0.15, columns=0.1, facet=0.05, model=0.1, streams=0.25,
    rollout=0.1, parent=0.3, failure=0.2, declaration=0.2, dataset=0.2,
)  # fmt: skip
WORLDS = 280
PAIRS = 1_200
SHAPED = 200
PREDICTIONS = 300
Record = tuple[EntryKind, bytes]


def stream() -> list[Record]:
    """At least 5,000 different records, among them worlds of which two share their datasets each."""
    records: list[Record] = []
    for number in range(WORLDS):
        random = Random(number)
        records += [("lineage", _moved(json.dumps(event), number)) for event in world(random, MIX)]
    records += [("lineage", event) for number in range(PAIRS) for event in _pair(number)]
    records += [("lineage", event) for event in _shaped(SHAPED)]
    records += [("predictions", _prediction(number)) for number in range(PREDICTIONS)]
    return list(dict.fromkeys(records))


def entries(records: Sequence[Record], seed: int) -> list[Submission]:
    """The records in another order and grouping, a tenth of them twice."""
    random = Random(seed)
    told = [*records, *random.sample(records, len(records) // 10)]
    random.shuffle(told)
    submissions = []
    while told:
        kind, count = told[0][0], random.choice([1, 1, 1, 3, 40])
        submissions.append(Submission(kind, tuple(record for each, record in told[:count] if each == kind)))
        told = [each for each in told[:count] if each[0] != kind] + told[count:]
    return submissions


def _moved(event: str, number: int) -> bytes:
    """An event of a small world in a namespace and with runs of its own."""
    event = event.replace('"namespace": "n"', f'"namespace": "w{number // 2}"')
    return event.replace("00000000-0000-4000", f"{number:08d}-0000-4000").encode()


def _pair(number: int) -> list[bytes]:
    """START and COMPLETE of a run in a wide and shallow pipeline; each day's run writes the same datasets again."""
    random = Random(number)
    job, day = number % 100, number // 100 + 1
    sources = [{"namespace": "lake", "name": f"t{random.randrange(job + 1)}"} for _ in range(random.choice([1, 2, 3]))]
    events = []
    for event_type, minute in (("START", random.randrange(30)), ("COMPLETE", random.randrange(30, 60))):
        told = {
            "eventTime": f"2026-05-{day:02d}T10:{minute:02d}:00Z",
            "eventType": event_type,
            "producer": "urn:x",
            "schemaURL": "urn:y",
            "run": {"runId": f"ffffffff-0000-4000-8000-{number:012d}"},
            "job": {"namespace": "jobs", "name": f"fill-t{job + 1}"},
            "inputs": sources,
            "outputs": [{"namespace": "lake", "name": f"t{job + 1}"}],
        }
        events.append(json.dumps(told).encode())
    return events


def _shaped(count: int) -> list[bytes]:
    sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
    try:
        from ledger_shapes import SHAPES, prediction
    finally:
        sys.path.pop(0)
    random = Random(0)
    shapes = [shape for shape in SHAPES if shape is not prediction]
    return [json.dumps(random.choice(shapes)(random)).encode() for _ in range(count)]


def _prediction(number: int) -> bytes:
    random = Random(number)
    deployment = {"namespace": f"w{random.randrange(WORLDS // 2)}", "name": f"j{random.randrange(3)}"}
    time = f"2026-05-01T{10 + number % 3}:00:{number % 60:02d}Z"
    return json.dumps({"id": f"p{number // 2}", "time": time, "deployment": deployment}).encode()
