"""What one event costs does not grow with how many like it came before: counted in calls, which no machine slows."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold
from lineage.fold.sqlite import SQLiteFacts
from lineage.fold.store import Table

FEW, MANY, COUNTED = 60, 460, 12
MOST = 1.35
CEILING = 3_000
"""Calls for START and COMPLETE of one ordinary run of a job that has run before, each a batch of its own."""

Told = dict[str, Any]


def dataset(name: str, **facets: Told) -> Told:
    return {"namespace": "db", "name": name, "facets": facets}


def version(value: object) -> Told:
    return {"datasetVersion": str(value)}


def content(value: int) -> Told:
    return {"digests": [{"algorithm": "sha256", "digest": f"{value:064x}", "scope": "FULL", "method": "file"}]}


def run(number: int, *, job: str, at: int | None = None, kind: str = "BATCH", **told: Any) -> list[Told]:
    """START and COMPLETE of one run, four seconds apart."""
    seconds = 10 * (number if at is None else at)
    facets = told.pop("run_facets", {})
    types = told.pop("types", ("START", "COMPLETE"))
    return [
        {
            "eventType": event_type,
            "eventTime": f"2026-05-{1 + (seconds + late) // 86_400:02}T{(seconds + late) // 3600 % 24:02}:"
            f"{(seconds + late) // 60 % 60:02}:{(seconds + late) % 60:02}Z",
            "producer": "urn:p",
            "schemaURL": "urn:s",
            "run": {"runId": str(UUID(int=number)), "facets": facets},
            "job": {"namespace": "n", "name": job, "facets": {"jobType": {"processingType": kind, "integration": "X"}}},
            "inputs": told.get("inputs", []),
            "outputs": told.get("outputs", []),
        }
        for event_type, late in zip(types, (0, 4), strict=False)
    ]


def reader_of_a_declared_version(number: int) -> list[Told]:
    source = dataset("static", version=version(1), lineageGraph_contentHash=content(1))
    return run(number, job=f"j{number % 7}", inputs=[source], outputs=[dataset(f"o{number % 7}")])


def reader_of_a_written_version(number: int) -> list[Told]:
    first = run(0, job="w", outputs=[dataset("static", version=version(1))]) if number == 1 else []
    return first + reader_of_a_declared_version(number)


def reader_of_a_content(number: int) -> list[Told]:
    source = dataset("static", lineageGraph_contentHash=content(1))
    return run(number, job="j", inputs=[source], outputs=[dataset("o")])


def reader_by_time(number: int) -> list[Told]:
    first = run(0, job="w", outputs=[dataset("static")]) if number == 1 else []
    return first + run(number, job="j", inputs=[dataset("static")], outputs=[dataset("o", version=version(number))])


def writer(number: int) -> list[Told]:
    return run(number, job="j", inputs=[dataset("i")], outputs=[dataset("o")])


def writer_of_versions(number: int) -> list[Told]:
    target = dataset("o", version=version(number), lineageGraph_contentHash=content(number))
    return run(number, job="j", inputs=[dataset("i")], outputs=[target])


def writer_and_reader(number: int) -> list[Told]:
    reading = run(10_000 + number, job="r", at=number, inputs=[dataset("o")], outputs=[dataset("p")])
    return writer(number) + reading


def appender(number: int) -> list[Told]:
    target = dataset("o", lifecycleStateChange={"lifecycleStateChange": "ALTER"})
    return run(number, job="j", outputs=[target])


def failing_run(number: int) -> list[Told]:
    return run(number, job="j", types=("START", "FAIL"), inputs=[dataset("i")], outputs=[dataset("o")])


def run_that_never_ends(number: int) -> list[Told]:
    return run(number, job="j", types=("START",), inputs=[dataset("i")], outputs=[dataset("o")])


def column_lineage(number: int) -> list[Told]:
    fields = {"c": {"inputFields": [{"namespace": "db", "name": "i", "field": "f"}]}}
    target = dataset("o", columnLineage={"fields": fields}, schema={"fields": [{"name": "c", "type": "int"}]})
    return run(number, job="j", inputs=[dataset("i")], outputs=[target])


def child_of_a_silent_run(number: int) -> list[Told]:
    parent = {"parent": {"run": {"runId": str(UUID(int=10_000 + number))}, "job": {"namespace": "n", "name": "p"}}}
    return run(number, job="j", inputs=[dataset("i")], outputs=[dataset("o")], run_facets=parent)


def child(number: int) -> list[Told]:
    parent = {"parent": {"run": {"runId": str(UUID(int=99_999))}, "job": {"namespace": "n", "name": "dag"}}}
    return run(number, job="j", run_facets=parent, inputs=[dataset("i")], outputs=[dataset("o")])


def rollout(number: int) -> list[Told]:
    first = run(0, job="t", outputs=[dataset("m", version=version(1), datasetType={"datasetType": "MODEL"})])
    served = dataset("m", version=version(1))
    told = run(number, job="d", kind="SERVICE", types=("START",), inputs=[served], outputs=[dataset("log")])
    return (first if number == 1 else []) + told


def declared_again(number: int) -> list[Told]:
    """A JobEvent and a DatasetEvent that say what the last one said."""
    head = {key: value for key, value in run(number, job="j")[0].items() if key not in ("run", "eventType")}
    (of_job,) = [{**head, "inputs": [dataset("i")], "outputs": [dataset("o")]}]
    made = dataset("o", lineage={"inputs": [{"type": "DATASET", "namespace": "db", "name": "i"}]})
    return [of_job, {key: head[key] for key in ("eventTime", "producer", "schemaURL")} | {"dataset": made}]


def overlapping_runs(number: int) -> list[Told]:
    """Four at a time, and only at their end they tell what they write and how: what running ones tell is withdrawn."""

    def told(field: str) -> Told:
        fields = {"c": {"inputFields": [{"namespace": "db", "name": "i", "field": field}]}}
        return dataset("o", columnLineage={"fields": fields})

    begun = run(number, job="j", types=("START",), inputs=[dataset("i"), dataset("k")], outputs=[told("early")])
    ended = run(max(number - 3, 1), job="j", at=number, inputs=[dataset("i")], outputs=[dataset("p"), told("late")])
    return [*begun, *ended[1:]]


def calls(fold: Fold, facts: SQLiteFacts, told: list[Told], index: int) -> int:
    """How many functions are called to take the events, each as a batch of its own."""
    count = 0

    def note(_frame: object, what: str, _arg: object) -> None:
        nonlocal count
        count += what in ("call", "c_call")

    for event in told:
        parsed = parse_event(json.dumps(event).encode())
        sys.setprofile(note)
        fold.take([(index, 0, parsed)])
        sys.setprofile(None)
        fold.commit(index + 1)
    return count


class CountingFacts(SQLiteFacts):
    """Counts the bytes of the records that are put."""

    put_bytes = 0

    def put(self, table: Table, key: bytes, value: bytes | None) -> None:
        self.put_bytes += len(value or b"")
        super().put(table, key, value)


@pytest.mark.parametrize(
    "events",
    [
        reader_of_a_declared_version, reader_of_a_written_version, reader_of_a_content, reader_by_time, writer,
        writer_of_versions, writer_and_reader, appender, failing_run, run_that_never_ends, column_lineage, child,
        child_of_a_silent_run, rollout, declared_again, overlapping_runs,
    ],
)  # fmt: skip
def test_the_cost_of_an_event_does_not_grow(events: Callable[[int], list[Told]]) -> None:
    facts = SQLiteFacts(None)
    fold = Fold(facts)
    costs = [calls(fold, facts, events(number), number) for number in range(1, MANY + COUNTED)]
    few, many = sum(costs[FEW : FEW + COUNTED]), sum(costs[MANY - 1 : MANY - 1 + COUNTED])
    assert many <= MOST * few, f"{few / COUNTED:.0f} calls, then {many / COUNTED:.0f}"


@pytest.mark.parametrize("events", [writer_and_reader, column_lineage, child, child_of_a_silent_run, declared_again])
def test_what_is_written_anew_for_an_event_does_not_grow(events: Callable[[int], list[Told]]) -> None:
    facts = CountingFacts(None)
    fold = Fold(facts)
    written = []
    for number in range(1, MANY + COUNTED):
        before = facts.put_bytes
        for event in events(number):
            fold.take([(number, 0, parse_event(json.dumps(event).encode()))])
            fold.commit(number + 1)
        written.append(facts.put_bytes - before)
    few, many = sum(written[FEW : FEW + COUNTED]), sum(written[MANY - 1 : MANY - 1 + COUNTED])
    assert many <= MOST * few, f"{few / COUNTED:.0f} bytes of records, then {many / COUNTED:.0f}"


@pytest.mark.parametrize("events", [reader_by_time, writer, writer_of_versions, column_lineage, child])
def test_a_run_that_is_like_the_one_before_costs_little(events: Callable[[int], list[Told]]) -> None:
    facts = SQLiteFacts(None)
    fold = Fold(facts)
    costs = [calls(fold, facts, events(number), number) for number in range(1, FEW + COUNTED)]
    assert sum(costs[-COUNTED:]) <= CEILING * COUNTED, f"{sum(costs[-COUNTED:]) / COUNTED:.0f} calls a run"
