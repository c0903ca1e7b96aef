"""Records that can't be taken cost their neighbours nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage.fold.absorb import Absorber
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import Entry, Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.projector import Projection, check_projection
from lineage.sqlite import SQLiteStore
from tests.unit.projector.house import (
    Counted,
    House,
    event,
    prediction,
)


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
        Projection(other.ledger, SQLiteFacts(None), good, Counted()).catch_up()
    with good.reader() as reader:
        assert [_placeless(line) for line in reader.dump()] == [_placeless(line) for line in house.dump()]
    assert caplog.text.count("can't be folded and is passed over") == 3
    assert check_projection(house.ledger, house.store, house.predictions).sound


def test_events_that_go_round_in_a_circle_cost_their_neighbours_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.append(event("a"))
    house.projection.catch_up()
    with monkeypatch.context() as patch:
        patch.setattr("lineage.fold.fold._MOST_ROUNDS", 0)
        house.append(event("b"))
        house.projection.catch_up()
    house.append(event("c"))
    house.projection.catch_up()
    assert house.projection.skipped == 1
    assert "depend on each other in a circle" in caplog.text
    assert {b'"name":"a"', b'"name":"c"'} <= _names(house)


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
