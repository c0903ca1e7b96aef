"""A file's store and the reference, told the same and asked the same."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

from lineage.key_array import pack
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.sqlite import SQLiteStore, Thresholds
from lineage.store import GraphReader
from tests.conformance.graphs import rows
from tests.unit.topology.random_changes import KEYS, random_changes, random_question

OFTEN = Thresholds(changes=20, share=0.0)
"""A snapshot is written after every few lists, and at the end."""


class Pair:
    """A store and the reference, which are told the same."""

    def __init__(self, folder: Path, seed: int = 1, thresholds: Thresholds = OFTEN) -> None:
        self.path = folder / "graph.sqlite"
        self.random = Random(seed)
        self.thresholds = thresholds
        self.reference = MemoryStore()
        self.store = SQLiteStore(self.path, thresholds=thresholds)
        self.size = 0
        self.apply(random_changes(self.random, first=True))

    @property
    def snapshot(self) -> Path:
        return self.path.with_suffix(".topology")

    def apply(self, changes: Changes | None = None) -> None:
        changes = changes or random_changes(self.random)
        self.size += 1
        for store in (self.reference, self.store):
            store.apply(changes, self.size)

    def reopen(self, thresholds: Thresholds | None = None) -> None:
        self.store.close()
        self.store = SQLiteStore(self.path, thresholds=thresholds or self.thresholds)

    def check(self, store: SQLiteStore | None = None, *, in_memory: bool = True) -> None:
        """The store answers as the reference does: from its topology, or by walking."""
        with (store or self.store).reader() as reader, self.reference.reader() as expected:
            ask(self.random, reader, expected)
            assert (reader._state is not None) is in_memory


def ask(random: Random, reader: GraphReader, expected: GraphReader) -> None:
    for _ in range(15):
        question = random_question(random)
        assert rows(reader.reach(*question)) == rows(expected.reach(*question))
        keys, as_of = pack(KEYS), random.choice([None, 0, 2, 4])
        assert np.array_equal(reader.are_latest(keys, as_of), expected.are_latest(keys, as_of))


def damage(content: bytes, how: str) -> bytes:
    """A snapshot that something has happened to."""
    octets = bytearray(content)
    places = {"start": 3, "header": 40, "keys": content.index(KEYS[0][7::-1]) + 5}
    if how == "shortened":
        return content[:-64]
    if how == "lengthened":
        return content + bytes(64)
    if how == "empty":
        return b""
    octets[places[how]] ^= 4
    return bytes(octets)
