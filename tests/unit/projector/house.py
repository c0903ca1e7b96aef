"""A ledger and all that is projected from it in one folder, streams for it, and crashes at any of its commits."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, cast
from zlib import crc32

from lineage.fold.sqlite import SQLiteFacts
from lineage.fold.store import FactStore
from lineage.ledger import Ledger, Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.predictions import Prediction
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection
from lineage.sqlite import SQLiteStore
from lineage.store import GraphReader
from tests.conformance.sides import EntryList
from tests.reference_fold.worlds import Mix, world

MIX = Mix(version=0.3, digest=0.3, columns=0.2, model=0.2, streams=0.2, parent=0.3, failure=0.2, runs=8)


class Crash(BaseException):
    """The end of the process, as far as it can be had within one."""


def event(name: str, job: str = "job") -> bytes:
    """A run of ``job`` that writes the dataset ``name``."""
    told = {
        "eventTime": "2026-05-01T10:00:00Z",
        "eventType": "COMPLETE",
        "producer": "urn:tests",
        "schemaURL": "urn:schema",
        "run": {"runId": f"01890000-0000-7000-8000-{crc32(name.encode()):012d}"},
        "job": {"namespace": "jobs", "name": job},
        "outputs": [{"namespace": "db", "name": name}],
    }
    return json.dumps(told).encode()


def prediction(number: int) -> bytes:
    deployment = {"namespace": "jobs", "name": "scorer"}
    time = f"2026-05-01T{10 + number // 60}:{number % 60:02d}:00Z"
    told = {"id": f"p{number}", "time": time, "deployment": deployment}
    return json.dumps(told).encode()


def mixed(seed: int) -> list[Submission]:
    """A small world's events, shuffled, some twice, some together in an entry, with predictions between."""
    random = Random(seed)
    events = [json.dumps(each).encode() for _ in range(2) for each in world(random, MIX)]
    events += random.choices(events, k=3)
    random.shuffle(events)
    submissions = []
    while events:
        count = random.choice([1, 1, 1, 4])
        submissions.append(Submission("lineage", tuple(events[:count])))
        events = events[count:]
        if random.random() < 0.2:
            submissions.append(Submission("predictions", tuple(map(prediction, random.sample(range(60), 2)))))
    return submissions


class House:
    """Ledger, facts, graph and predictions in one folder, and a projection of them."""

    def __init__(self, folder: Path, **wrapped: Callable[[Any], Any]) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.ledger = SQLiteLedger(folder / "ledger.sqlite")
        self.facts = SQLiteFacts(folder / "facts.sqlite")
        self.store = SQLiteStore(folder / "graph.sqlite")
        self.predictions = PredictionIndex(folder / "predictions.sqlite")
        parts = {name: getattr(self, name) for name in ("ledger", "facts", "store", "predictions")}
        self.parts = {name: wrapped.get(name, lambda part: part)(part) for name, part in parts.items()}
        self.projection = Projection(**self.parts)

    def append(self, *records: bytes) -> None:
        self.ledger.append([Submission("lineage", (record,)) for record in records])

    def dump(self) -> list[bytes]:
        with self.store.reader() as reader:
            return list(reader.dump())

    def close(self) -> None:
        for part in (self.facts, self.store, self.predictions, self.ledger):
            part.close()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def rebuilt(ledger: SQLiteLedger) -> tuple[list[bytes], int]:
    """The graph of a ledger in one go, and the number of its prediction records."""
    store, counted = MemoryStore(), Counted()
    Projection(ledger, SQLiteFacts(None), store, counted).catch_up()
    with store.reader() as reader:
        return list(reader.dump()), counted.total


class Counted:
    total = 0

    def watermark(self) -> int:
        return 0

    def apply(self, records: Sequence[Prediction], watermark: int) -> None:
        self.total += len(records)

    def clear(self) -> None:
        self.total = 0


class StoreAround:
    """A graph store that does as ``real`` does, save for what a subclass has otherwise."""

    def __init__(self, real: SQLiteStore) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Keeping(StoreAround):
    """A store whose graph stays when it is outdated, and whose commits would wait for open views. It notes how many
    nodes, edges and names it was given each time, and the watermark."""

    def __init__(self, real: SQLiteStore) -> None:
        super().__init__(real)
        self.applied: list[tuple[int, int]] = []
        self.views = 0

    def outdate(self) -> bool:
        self.real.apply(Changes(), 0)
        return True

    def clear(self) -> None:
        raise AssertionError("Nobody asks for that, unless it can't be read.")

    def apply(self, changes: Changes, watermark: int) -> None:
        assert not self.views, "The commit waits for ever."
        self.real.apply(changes, watermark)
        self.applied.append((len(changes.nodes) + len(changes.edges) + len(changes.names), watermark))

    @contextmanager
    def reader(self) -> Iterator[GraphReader]:
        with self.real.reader() as reader:
            self.views += 1
            try:
                yield reader
            finally:
                self.views -= 1


def stale(house: House, facts: FactStore | None = None) -> None:
    """Leave a graph of other entries, and ``facts`` of them if given."""
    other = EntryList()
    for submission in mixed(21):
        other.add(submission.kind, submission.records)
    Projection(cast(Ledger, other), facts or SQLiteFacts(None), house.store, Counted()).catch_up()


class Fuse:
    """Ends the process (:class:`Crash`) before or after the ``left``-th call that writes, whichever part it is to."""

    WRITES = frozenset({"apply", "commit", "clear", "outdate"})

    def __init__(self, left: int, *, after: bool) -> None:
        self.left = left
        self.after = after

    def around(self, part: Any) -> Any:
        fuse = self

        class Wrapped:
            def __getattr__(self, name: str) -> Any:
                found = getattr(part, name)
                return fuse.burning(found) if name in fuse.WRITES else found

        return Wrapped()

    def burning(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def burn(*arguments: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Crash
            answer = call(*arguments)
            if self.left == 0:
                raise Crash
            return answer

        return burn


def drive(house: House, random: Random) -> None:
    """Project some entries, then some more, now and then keeping the facts."""
    size = house.ledger.size()
    while house.projection.step(min(size, house.projection.reached + random.choice([1, 2, 5]))):
        if random.random() < 0.5:
            house.projection.keep()
    house.projection.keep()


def crash_points(folder: Path, template: Path, after: bool) -> Iterator[House]:
    """A house for each crash point of one way through the ledger of ``template``, opened again after the crash."""
    for point in itertools.count(1):
        shutil.copytree(template, folder)
        fuse = Fuse(point, after=after)
        house = House(folder, facts=fuse.around, store=fuse.around, predictions=fuse.around)
        try:
            with house:
                drive(house, Random(7))
        except Crash:
            with House(folder) as again:
                yield again
        else:
            return
        finally:
            shutil.rmtree(folder)
