"""Invariant 2: the graph is a function of the set of events, whatever their order, repetition and batching (R0,
R18)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import cycle, repeat
from typing import Any

import networkx as nx
import pytest

from lineage.event.model import Event
from lineage.event.parser import parse_event
from lineage.fold.context import Context
from lineage.fold.fold import Fold, MemoryFacts
from lineage.fold.records import Records
from lineage.fold.sqlite import SQLiteFacts
from lineage.memory import MemoryStore
from lineage.model import EdgeKind

SPARK = "https://github.com/OpenLineage/OpenLineage/tree/1.53.0/integration/spark"
#: How often what is told, by world: versions, hashes, symlinks, lifecycle, columnLineage, the lineage facet,
#: continuous jobs.
WORLDS = [
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0),
    (0.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0),
    (0.2, 0.2, 0.0, 0.0, 0.4, 0.2, 0.0),
    (0.3, 0.2, 0.0, 0.1, 0.0, 0.0, 0.3),
    (0.1, 0.1, 0.15, 0.1, 0.1, 0.05, 0.1),
    (0.0, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0),
    (0.1, 0.1, 0.3, 0.0, 0.4, 0.2, 0.0),
    (0.1, 0.1, 0.1, 0.4, 0.3, 0.1, 0.1),
]


class World:
    """Random events about few datasets and runs, so that they get in each other's way."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.versions, self.hashes, self.links, self.states, self.columns, self.entries, self.types = WORLDS[
            seed % len(WORLDS)
        ]
        self.names = ["a", "b", "c", "d"][: self.random.choice([2, 3, 4])]
        self.spark = self.random.random() < 0.3
        if self.spark and self.random.random() < 0.5:
            self.names += ["m/metadata", "m/stages/0_X_0123456789ab/data", "m"]

    def events(self) -> list[Event]:
        count = self.random.choice([3, 6, 12, 25])
        return [parse_event(json.dumps(self.event()).encode()) for _ in range(count)]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def one(self) -> dict[str, str]:
        return {"namespace": "n", "name": self.random.choice(self.names)}

    def time(self) -> str:
        at = self.random.choice([self.random.randrange(30) * 1000, self.random.randrange(30000)])
        return f"2026-05-01T10:00:{at // 1000:02d}.{at % 1000:03d}Z"

    def run_id(self, number: int) -> str:
        return f"00000000-0000-4000-8000-{number:012d}"

    def dataset(self, *, output: bool) -> dict[str, Any]:
        pick = self.random.choice
        facets: dict[str, Any] = {}
        if self.chance(self.versions):
            facets["version"] = {"datasetVersion": pick("ABCD")}
        if self.chance(self.hashes):
            digest = {"algorithm": "sha256", "digest": pick("abc") * 4, "scope": "FULL", "method": "file"}
            facets["lineageGraph_contentHash"] = {"digests": [digest]}
        if self.chance(self.links):
            facets["symlinks"] = {"identifiers": [{**self.one(), "type": "TABLE"} for _ in range(pick([0, 1, 1, 2]))]}
        if self.chance(0.1):
            facets["datasetType"] = {"datasetType": pick(["MODEL", "TABLE"])}
        if output and self.chance(self.states):
            state = pick(["DROP", "CREATE", "OVERWRITE", "RENAME", "TRUNCATE", "ALTER"])
            facets["lifecycleStateChange"] = {"lifecycleStateChange": state, "previousIdentifier": self.one()}
        if output and self.chance(self.columns):
            names = [*self.names, "cte"]
            fields = [{"namespace": "n", "name": pick(names), "field": pick("xy")} for _ in range(pick([0, 1, 2]))]
            facets["columnLineage"] = {"fields": {pick("uv"): {"inputFields": fields}}}
        if output and self.chance(self.entries):
            inputs = [
                {**self.one(), "type": "DATASET"} if self.chance(0.7) else {"type": "JOB"}
                for _ in range(pick([0, 1, 2]))
            ]
            facets["lineage"] = {"inputs": inputs}
        if self.chance(0.2):
            facets["schema"] = {
                "fields": [{"name": name, "type": "int"} for name in "xyuv"[: self.random.randrange(4)]]
            }
        return {**self.one(), "facets": facets}

    def event(self) -> dict[str, Any]:
        pick = self.random.choice
        told: dict[str, Any] = {
            "eventTime": self.time(),
            "producer": SPARK if self.spark else "urn:producer",
            "schemaURL": "urn:schema",
        }
        kind = self.random.random()
        if kind < 0.07:
            return {**told, "dataset": self.dataset(output=True)}
        facets: dict[str, Any] = {}
        if self.spark:
            facets["jobType"] = {"processingType": "BATCH", "integration": "SPARK", "jobType": "SQL_JOB"}
        elif self.chance(self.types):
            facets["jobType"] = {"processingType": pick(["BATCH", "STREAMING", "SERVICE"]), "integration": "X"}
        told["inputs"] = [self.dataset(output=False) for _ in range(pick([0, 1, 1, 2]))]
        told["outputs"] = [self.dataset(output=True) for _ in range(pick([0, 1, 1, 2]))]
        number = self.random.randrange(8)
        told["job"] = {"namespace": "n", "name": f"j{number % 3}", "facets": facets}
        if kind < 0.14:
            return told
        run: dict[str, Any] = {}
        if self.chance(0.3):
            parent = {"namespace": "n", "name": pick(["p", "j1"])}
            run["parent"] = {"run": {"runId": self.run_id(pick([0, 1, 100, 101]))}, "job": parent}
        told["run"] = {"runId": self.run_id(number), "facets": run}
        told["eventType"] = pick(["START", "RUNNING", "COMPLETE", "COMPLETE", "FAIL", "ABORT"])
        return told


def graph_of(events: list[Event], sizes: Iterator[int]) -> MemoryStore:
    fold, store, index = Fold(MemoryFacts()), MemoryStore(), 0
    while index < len(events):
        batch = events[index : index + next(sizes)]
        store.apply(fold.take([(index + at, 0, event) for at, event in enumerate(batch)]), index + len(batch))
        fold.commit(index + len(batch))
        index += len(batch)
    return store


def graph_of_forgetful(events: list[Event], sizes: Iterator[int]) -> MemoryStore:
    """As :func:`graph_of`, by a fold that remembers nothing between batches and reads all it needs from the facts."""
    facts, store, index = SQLiteFacts(None), MemoryStore(), 0
    while index < len(events):
        batch = events[index : index + next(sizes)]
        fold = Fold(facts)
        store.apply(fold.take([(index + at, 0, event) for at, event in enumerate(batch)]), index + len(batch))
        fold.commit(index + len(batch))
        index += len(batch)
    return store


def dump(store: MemoryStore) -> bytes:
    with store.reader() as reader:
        return b"\n".join(reader.dump())


@pytest.mark.parametrize("block", range(20))
def test_order_repetition_and_batching_change_nothing_and_no_cycle_comes_of_them(block: int) -> None:
    for seed in range(block * 40, block * 40 + 40):
        world = World(seed)
        events = world.events()
        shuffled = events + world.random.sample(events, len(events) // 3)
        world.random.shuffle(shuffled)
        at_once = graph_of(events, repeat(10_000))
        assert dump(at_once) == dump(graph_of(shuffled, repeat(1))), f"seed {seed}"
        assert is_acyclic(at_once), f"seed {seed}"


@pytest.mark.parametrize("few", [2, 32])
@pytest.mark.parametrize("block", range(5))
def test_what_is_remembered_between_batches_changes_nothing(
    block: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.fold.sqlite._SHORT", few)
    for seed in range(10_000 + block * 40, 10_000 + block * 40 + 40):
        world = World(seed)
        events = world.events()
        world.random.shuffle(events)
        sizes = cycle([1, 2, 1, 4])
        assert dump(graph_of(events, repeat(10_000))) == dump(graph_of_forgetful(events, sizes)), f"seed {seed}"


def test_what_memory_has_no_room_for_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Context.__init__.__kwdefaults__, "capacity", 3)
    monkeypatch.setitem(Records.__init__.__kwdefaults__, "capacity", 1)
    for seed in range(20_000, 20_040):
        world = World(seed)
        events = world.events()
        world.random.shuffle(events)
        assert dump(graph_of(events, repeat(10_000))) == dump(graph_of(events, cycle([1, 2]))), f"seed {seed}"


def is_acyclic(store: MemoryStore) -> bool:
    with store.reader() as reader:
        lines = [json.loads(line) for line in reader.dump()]
    kinds = {EdgeKind.READ_BY.value, EdgeKind.WROTE.value}
    edges = [(line["source"], line["target"]) for line in lines if line.get("kind") in kinds and "source" in line]
    assert edges or not any("source" in line for line in lines if line.get("kind") in kinds)
    return nx.is_directed_acyclic_graph(nx.DiGraph(edges))
