"""The projection after a crash at any commit, after restores, and beside records that can't be taken."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import apsw
import pytest

from lineage.errors import UnavailableError
from lineage.fold.absorb import Absorber
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import Entry, Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.predictions import Prediction
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection, Projector, check_projection
from lineage.sqlite import SQLiteStore
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


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "data") as made:
        yield made


def rebuilt(ledger: SQLiteLedger) -> tuple[list[bytes], int]:
    """The graph of a ledger in one go, and the number of its prediction records."""
    store, counted = MemoryStore(), _Counted()
    Projection(ledger, SQLiteFacts(None), store, counted).catch_up()
    with store.reader() as reader:
        return list(reader.dump()), counted.total


class _Counted:
    total = 0

    def watermark(self) -> int:
        return 0

    def apply(self, records: Sequence[Prediction], watermark: int) -> None:
        self.total += len(records)

    def clear(self) -> None:
        self.total = 0


class Fuse:
    """Ends the process (:class:`Crash`) before or after the ``left``-th call that writes, whichever part it is to."""

    WRITES = frozenset({"apply", "commit", "clear"})

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

    def burning(self, call: Callable[..., None]) -> Callable[..., None]:
        def burn(*arguments: Any) -> None:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Crash
            call(*arguments)
            if self.left == 0:
                raise Crash

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


@pytest.mark.parametrize("after", [False, True])
def test_after_a_crash_at_any_commit_the_graph_is_that_of_a_rebuild(tmp_path: Path, after: bool) -> None:
    template = tmp_path / "template"
    with House(template) as house:
        house.ledger.append(mixed(1))
        expected, records = rebuilt(house.ledger)
    points = 0
    for again in crash_points(tmp_path / "data", template, after):
        again.projection.catch_up()
        assert again.dump() == expected
        report = check_projection(again.ledger, again.store, again.predictions)
        assert report.sound, report.faults
        assert (again.facts.watermark(), report.predictions) == (again.ledger.size(), records)
        points += 1
    assert points > 15


@pytest.mark.parametrize("after", [False, True])
def test_after_a_crash_at_any_commit_of_a_rebuild_too(tmp_path: Path, after: bool) -> None:
    template = tmp_path / "template"
    with House(template) as house:
        house.ledger.append(mixed(3))
        house.projection.catch_up()
        expected = house.dump()
        other = SQLiteLedger(tmp_path / "other.sqlite")
        other.append(mixed(4))
        other.close()
    shutil.copy(tmp_path / "other.sqlite", template / "ledger.sqlite")
    for again in crash_points(tmp_path / "data", template, after):
        again.projection.catch_up()
        assert again.dump() == rebuilt(again.ledger)[0] != expected
        report = check_projection(again.ledger, again.store, again.predictions)
        assert report.sound, report.faults


@pytest.mark.parametrize("part", ["store", "facts", "predictions"])
def test_an_error_at_any_write_costs_nothing_but_another_try(tmp_path: Path, part: str) -> None:
    class Failing:
        def __init__(self, real: Any) -> None:
            self.real, self.random = real, Random(1)

        def __getattr__(self, name: str) -> Any:
            return self.failing(name) if name in Fuse.WRITES else getattr(self.real, name)

        def failing(self, name: str) -> Callable[..., None]:
            def call(*arguments: Any) -> None:
                if self.random.random() < 0.4:
                    raise UnavailableError("away")
                getattr(self.real, name)(*arguments)

            return call

    failures = 0
    with House(tmp_path / "data", **{part: Failing}) as house:
        house.ledger.append(mixed(5))
        while house.projection.reached < house.ledger.size() or house.facts.watermark() < house.ledger.size():
            try:
                house.projection.step(house.projection.reached + 3)
                house.projection.keep()
            except UnavailableError:
                failures += 1
        assert failures > 0
        assert house.projection.skipped == 0
        assert check_projection(house.ledger, house.store, house.predictions).sound


@pytest.mark.parametrize("lost", ["graph.sqlite", "facts.sqlite", "predictions.sqlite"])
def test_a_file_that_was_lost_is_made_anew(tmp_path: Path, lost: str, caplog: pytest.LogCaptureFixture) -> None:
    with House(tmp_path / "data") as house:
        house.ledger.append(mixed(6))
        house.projection.catch_up()
        expected = house.dump()
    (tmp_path / "data" / lost).unlink()
    with House(tmp_path / "data") as house:
        house.projection.catch_up()
        assert house.dump() == expected
        assert check_projection(house.ledger, house.store, house.predictions).sound
    assert ("built anew" in caplog.text) == (lost != "predictions.sqlite")


def test_a_graph_restored_from_a_backup_is_built_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = tmp_path / "data"
    with House(data) as house:
        house.append(event("a"), event("b"))
        house.projection.catch_up()
    shutil.copy(data / "graph.sqlite", tmp_path / "backup")
    with House(data) as house:
        house.append(event("c"))
        house.projection.catch_up()
        expected = house.dump()
    shutil.copy(tmp_path / "backup", data / "graph.sqlite")
    with House(data) as house:
        house.projection.catch_up()
        assert house.dump() == expected
    assert "The graph is built anew from the ledger: the graph store is behind the facts." in caplog.text


@pytest.mark.parametrize("appended", [0, 1, 5])
def test_a_ledger_restored_from_a_backup_makes_all_anew(
    tmp_path: Path, appended: int, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "data"
    with House(data) as house:
        house.append(event("a"))
    shutil.copy(data / "ledger.sqlite", tmp_path / "backup")
    with House(data) as house:
        house.append(event("b"), event("c"), event("d"))
        house.ledger.append([Submission("predictions", (prediction(1),))])
        house.projection.catch_up()
    shutil.copy(tmp_path / "backup", data / "ledger.sqlite")
    with House(data) as house:
        house.append(*(event(f"new{number}") for number in range(appended)))
        house.projection.catch_up()
        assert house.dump() == rebuilt(house.ledger)[0]
        assert check_projection(house.ledger, house.store, house.predictions).sound
    assert "built anew" in caplog.text


def test_nothing_is_built_anew_without_need(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(4):
        with House(tmp_path / "data") as house:
            house.append(event(f"d{number}"))
            house.projection.catch_up()
            assert house.store.watermark() == house.facts.watermark() == number + 1
    assert "anew" not in caplog.text


def test_a_rebuild_gives_the_same_graph_and_tells_how_far_it_is(house: House) -> None:
    house.ledger.append(mixed(8))
    house.projection.catch_up()
    expected, told = house.dump(), []
    house.projection.rebuild(lambda done, of: told.append((done, of)))
    assert house.dump() == expected
    assert told[-1] == (house.ledger.size(), house.ledger.size())
    assert check_projection(house.ledger, house.store, house.predictions).sound


# -- records that can't be taken


def test_a_record_that_no_longer_parses_is_passed_over(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.ledger.append([Submission("lineage", (event("a"), b'{"no": "event"}', event("b")))])
    house.ledger.append([Submission("predictions", (b"[]", prediction(1)))])
    house.append(event("c"))
    house.projection.catch_up()
    assert house.projection.skipped == 2
    assert {b'"name":"a"', b'"name":"b"', b'"name":"c"'} <= _names(house)
    assert "Record 1 of entry 0 is passed over" in caplog.text
    report = check_projection(house.ledger, house.store, house.predictions)
    assert (report.sound, report.skipped, report.predictions) == (True, 2, 1)


def test_records_that_cant_be_folded_cost_their_neighbours_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    absorb = Absorber.absorb

    def failing(self: Absorber, index: int, position: int, told: Any) -> None:
        absorb(self, index, position, told)
        if told.job.name == "poison":
            raise RecursionError

    monkeypatch.setattr(Absorber, "absorb", failing)
    bad = [event(f"bad{number}", "poison") for number in range(3)]
    house.append(event("a"), bad[0], event("b"), bad[1], event("c"))
    house.projection.catch_up()
    house.append(event("d"), bad[2], event("e"))
    house.projection.catch_up()
    assert house.projection.skipped == 3
    assert house.store.watermark() == house.facts.watermark() == 8
    good = MemoryStore()
    with House(house.folder.with_name("good")) as other:
        other.append(*(event(name) for name in "abcde"))
        Projection(other.ledger, SQLiteFacts(None), good, _Counted()).catch_up()
    with good.reader() as reader:
        assert [_placeless(line) for line in reader.dump()] == [_placeless(line) for line in house.dump()]
    assert caplog.text.count("can't be folded and is passed over") == 3
    assert check_projection(house.ledger, house.store, house.predictions).sound


def test_changes_that_the_store_refuses_cost_their_neighbours_nothing(tmp_path: Path) -> None:
    class Picky:
        def __init__(self, real: SQLiteStore) -> None:
            self.real = real

        def apply(self, changes: Changes, watermark: int) -> None:
            if any(getattr(node, "name", "") == "bad" for node in changes.nodes.values()):
                raise OverflowError("no room for that")
            self.real.apply(changes, watermark)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    with House(tmp_path / "data", store=Picky) as house:
        house.append(event("a"), event("bad"), event("b"))
        house.projection.catch_up()
        assert house.projection.skipped == 1
        assert {b'"name":"a"', b'"name":"b"'} <= _names(house)
        assert b'"name":"bad"' not in _names(house)
        assert house.store.watermark() == house.facts.watermark() == 3


def test_a_lack_of_memory_is_no_fault_of_a_record(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: Absorber, *of: Any) -> None:
        raise MemoryError

    house.append(event("a"))
    with monkeypatch.context() as patched:
        patched.setattr(Absorber, "absorb", failing)
        with pytest.raises(MemoryError):
            house.projection.step()
    house.projection.catch_up()
    assert house.projection.skipped == 0
    assert b'"name":"a"' in _names(house)


def test_erased_records_are_passed_over_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Erased:
        def __init__(self, real: SQLiteLedger) -> None:
            self.real = real

        def entries(self, after: int = -1, limit: int | None = None) -> Iterator[Entry]:
            for entry in self.real.entries(after, limit):
                records = (None, *entry.records[1:]) if entry.index == 1 else entry.records
                yield Entry(entry.index, entry.kind, entry.received, entry.envelope, records)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    with House(tmp_path / "data", ledger=Erased) as house:
        house.append(event("a"), event("gone"), event("b"))
        house.projection.catch_up()
        assert house.projection.skipped == 0
        assert b'"name":"gone"' not in _names(house)
        assert house.store.watermark() == 3
    assert not caplog.records


def _names(house: House) -> set[bytes]:
    return {part for line in house.dump() for part in line.strip(b"{}").split(b",") if part.startswith(b'"name":')}


def _placeless(line: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(line)
    return {name: value for name, value in told.items() if "index" not in name}


# -- the thread


def test_the_thread_projects_what_it_is_woken_for_and_keeps_the_facts(house: House) -> None:
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    house.append(event("a"))
    projector.start()
    assert projector.wait_for(1, 5)
    house.append(event("b"), event("c"))
    assert (projector.behind(), projector.lag_seconds() >= 0) == (2, True)
    projector.wake(3)
    assert projector.wait_for(3, 5)
    assert (projector.behind(), projector.lag_seconds(), projector.reached) == (0, 0.0, 3)
    house.append(event("d"))
    projector.stop()
    assert house.store.watermark() == house.facts.watermark() == 4


def test_a_wait_ends_at_its_time(house: House) -> None:
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    house.append(event("a"))
    assert not projector.wait_for(1, 0.05)
    assert projector.lag_seconds() > 0.04


def test_while_the_store_is_away_the_thread_tries_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    away, tried = threading.Event(), threading.Event()

    class Moody:
        def __init__(self, real: SQLiteStore) -> None:
            self.real = real

        def apply(self, changes: Changes, watermark: int) -> None:
            if away.is_set():
                tried.set()
                raise UnavailableError("The store is away.")
            self.real.apply(changes, watermark)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    with House(tmp_path / "data", store=Moody) as house:
        projector = Projector(**house.parts)
        projector.start()
        away.set()
        house.append(event("a"))
        projector.wake(1)
        assert tried.wait(5)
        assert not projector.wait_for(1, 0.05)
        assert projector.behind() == 1
        away.clear()
        assert projector.wait_for(1, 5)
        projector.stop()
        assert check_projection(house.ledger, house.store, house.predictions).sound
    assert "The projection waits: The store is away." in caplog.text


def test_a_stop_gives_up_when_its_time_is_over(tmp_path: Path) -> None:
    class Away:
        def __init__(self, real: SQLiteStore) -> None:
            self.real = real

        def apply(self, changes: Changes, watermark: int) -> None:
            raise UnavailableError("The store is away.")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    with House(tmp_path / "data", store=Away) as house:
        projector = Projector(**house.parts)
        projector.start()
        house.append(event("a"))
        projector.wake(1)
        projector.stop(0.2)
        assert projector.behind() == 1


# -- the check


def test_the_check_names_what_differs(house: House) -> None:
    house.ledger.append(mixed(9))
    house.projection.catch_up()
    with house.store.reader() as reader:
        kept = list(reader.dump())
    db = apsw.Connection(str(house.folder / "graph.sqlite"))
    db.execute("DELETE FROM edge WHERE (source, kind, target) = (SELECT source, kind, target FROM edge LIMIT 1)")
    db.close()
    report = check_projection(house.ledger, house.store, house.predictions)
    lost = set(kept) - set(house.dump())
    assert not report.sound
    assert report.faults == tuple(f"The graph lacks: {line.decode()}" for line in lost)


def test_the_check_counts_predictions(house: House) -> None:
    house.ledger.append([Submission("predictions", (prediction(1), prediction(90), prediction(180)))])
    house.projection.catch_up()
    db = apsw.Connection(str(house.folder / "predictions.sqlite"))
    db.execute("UPDATE slot SET records = records + 5")
    db.close()
    report = check_projection(house.ledger, house.store, house.predictions)
    assert report.faults == ("The prediction index counts 8 records; the ledger has 3.",)


def test_the_check_verifies_the_ledger(house: House) -> None:
    house.append(event("a"), event("b"))
    house.projection.catch_up()
    db = apsw.Connection(str(house.folder / "ledger.sqlite"))
    db.execute("UPDATE records SET nonce = zeroblob(32)")
    db.close()
    report = check_projection(house.ledger, house.store, house.predictions)
    assert (report.sound, report.root) == (False, None)
    assert report.faults[0].startswith("Entry 0:")


def test_the_check_holds_at_the_state_it_looks_at_while_more_is_written(house: House) -> None:
    house.append(event("a"))
    house.projection.catch_up()
    house.append(event("b"))
    told: list[str] = []
    report = check_projection(house.ledger, house.store, house.predictions, lambda what, done, of: told.append(what))
    assert (report.sound, report.entries, report.graph_size) == (True, 2, 1)
    assert {"ledger", "fold", "compare"} <= set(told)
