"""Small sets of events in which the last to come changes what an earlier one meant: the same graph in every order."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.memory import MemoryStore

Told = dict[str, Any]


def dataset(name: str, **facets: Told) -> Told:
    return {"namespace": "n", "name": name, "facets": facets}


def version(value: str) -> Told:
    return {"datasetVersion": value}


def content(digest: str) -> Told:
    return {"digests": [{"algorithm": "sha256", "digest": digest, "scope": "FULL", "method": "file"}]}


def columns(source: str) -> Told:
    return {"fields": {"c": {"inputFields": [{"namespace": "n", "name": source, "field": "f"}]}}}


def job_event(second: int, inputs: list[Told], outputs: list[Told], job: str = "k", kind: str = "BATCH") -> Told:
    return {
        "eventTime": f"2026-05-01T10:00:{second:02}Z",
        "producer": "urn:p",
        "schemaURL": "urn:s",
        "job": {"namespace": "n", "name": job, "facets": {"jobType": {"processingType": kind, "integration": "X"}}},
        "inputs": inputs,
        "outputs": outputs,
    }


def run_event(
    run: int, second: int, event_type: str, inputs: list[Told], outputs: list[Told], kind: str = "BATCH"
) -> Told:
    told = job_event(second, inputs, outputs, f"j{run}", kind)
    return {**told, "eventType": event_type, "run": {"runId": f"00000000-0000-4000-8000-{run:012}"}}


def dataset_event(second: int, name: str, told: str, source: str) -> Told:
    inputs = {"inputs": [{"namespace": "n", "name": source, "type": "DATASET"}]}
    return {
        "eventTime": f"2026-05-01T10:00:{second:02}Z",
        "producer": "urn:p",
        "schemaURL": "urn:s",
        "dataset": dataset(name, version=version(told), lineage=inputs),
    }


WORLDS = {
    "an earlier JobEvent's input is bound anew": [
        job_event(6, [dataset("b")], [dataset("c", version=version("A"))]),
        job_event(25, [], [dataset("c")]),
        run_event(1, 10, "COMPLETE", [], [dataset("b")]),
        run_event(2, 26, "COMPLETE", [], [dataset("c", version=version("A"))]),
        run_event(3, 20, "COMPLETE", [], [dataset("b")]),
    ],
    "an earlier DatasetEvent's source is bound anew": [
        dataset_event(6, "c", "A", "b"),
        dataset_event(25, "c", "B", "d"),
        run_event(1, 3, "COMPLETE", [], [dataset("b")]),
        run_event(2, 26, "COMPLETE", [], [dataset("c", version=version("A"))]),
        run_event(3, 5, "COMPLETE", [], [dataset("b")]),
    ],
    "what an earlier JobEvent's columns name is named later": [
        job_event(6, [], [dataset("c", version=version("A"), columnLineage=columns("q"))]),
        job_event(25, [], [dataset("c")]),
        run_event(1, 5, "COMPLETE", [], [dataset("q")]),
        run_event(2, 7, "COMPLETE", [], [dataset("c", version=version("A"))]),
    ],
    "a stream reads by hash past its own write": [
        run_event(1, 7, "COMPLETE", [], [dataset("a")]),
        run_event(2, 17, "COMPLETE", [], [dataset("a")]),
        run_event(3, 24, "START", [], [dataset("a", lineageGraph_contentHash=content("dd"))], "STREAMING"),
        run_event(3, 25, "RUNNING", [dataset("a", lineageGraph_contentHash=content("dd"))], [], "STREAMING"),
        run_event(1, 6, "RUNNING", [], [dataset("a", lineageGraph_contentHash=content("dd"))]),
    ],
    "a DROP began earlier than was known, at the time of another's write": [
        run_event(1, 1, "COMPLETE", [], [dataset("a")]),
        run_event(4, 0, "RUNNING", [], [dataset("a", lifecycleStateChange={"lifecycleStateChange": "DROP"})]),
        run_event(2, 0, "RUNNING", [], [dataset("a")]),
        {**run_event(4, 0, "RUNNING", [], []), "eventTime": "2026-05-01T09:59:59Z"},
    ],
    "a hash told late is of a version that is there because of what has the hash": [
        run_event(1, 5, "START", [], [], "STREAMING"),
        run_event(1, 13, "RUNNING", [dataset("b", lineageGraph_contentHash=content("bb"))], [], "STREAMING"),
        run_event(1, 17, "COMPLETE", [], [dataset("a")], "STREAMING"),
        run_event(2, 10, "START", [], [], "STREAMING"),
        run_event(
            2, 26, "COMPLETE", [dataset("a")], [dataset("b", lineageGraph_contentHash=content("bb"))], "STREAMING"
        ),
        run_event(3, 0, "COMPLETE", [], [dataset("b", lineageGraph_contentHash=content("bb"))]),
    ],
    "two streams write what the other reads, at the same time": [
        run_event(1, 3, "START", [], [], "STREAMING"),
        run_event(2, 10, "START", [], [], "STREAMING"),
        run_event(
            1,
            11,
            "COMPLETE",
            [dataset("a", lineageGraph_contentHash=content("aa"), datasetType={"datasetType": "MODEL"})],
            [dataset("b")],
            "STREAMING",
        ),
        run_event(2, 11, "RUNNING", [dataset("b")], [dataset("a")], "STREAMING"),
    ],
    "a version is joined to what another stream writes at the same time": [
        run_event(1, 5, "START", [], [], "STREAMING"),
        run_event(3, 7, "COMPLETE", [dataset("a", version=version("B"))], [], "STREAMING"),
        run_event(1, 13, "RUNNING", [dataset("a", version=version("B"))], [dataset("b")], "STREAMING"),
        run_event(2, 11, "START", [], [], "STREAMING"),
        run_event(2, 13, "COMPLETE", [dataset("b")], [dataset("a")], "STREAMING"),
    ],
    "a stream tells its version again when another reads it": [
        run_event(1, 8, "RUNNING", [], [], "STREAMING"),
        run_event(1, 11, "RUNNING", [dataset("a", version=version("C"))], [dataset("a")], "STREAMING"),
        run_event(2, 10, "RUNNING", [], [dataset("a", version=version("C"))], "STREAMING"),
        run_event(2, 11, "RUNNING", [dataset("a")], [dataset("a", version=version("C"))], "STREAMING"),
        run_event(2, 11, "FAIL", [], [], "STREAMING"),
        run_event(3, 3, "COMPLETE", [], [dataset("a")], "STREAMING"),
    ],
    "a stream tells a hash before its start": [
        run_event(1, 21, "COMPLETE", [], [dataset("a")]),
        run_event(2, 24, "COMPLETE", [], [dataset("a", lineageGraph_contentHash=content("cc"))]),
        run_event(3, 17, "RUNNING", [dataset("a", lineageGraph_contentHash=content("dd"))], [], "STREAMING"),
        run_event(3, 29, "START", [], [], "STREAMING"),
        run_event(1, 20, "RUNNING", [], [dataset("a", lineageGraph_contentHash=content("dd"))]),
    ],
}


def graph(batches: list[list[bytes]]) -> list[bytes]:
    fold, store, size = Fold(MemoryFacts()), MemoryStore(), 0
    for batch in batches:
        store.apply(fold.take([(size + at, 0, parse_event(text)) for at, text in enumerate(batch)]), size + len(batch))
        size += len(batch)
    with store.reader() as reader:
        return list(reader.dump())


@pytest.mark.parametrize("world", WORLDS)
def test_every_order_gives_the_same_graph(world: str) -> None:
    texts = [json.dumps(event).encode() for event in WORLDS[world]]
    expected = graph([texts])
    for order in permutations(texts):
        assert graph([[text] for text in order]) == expected
