"""A store that goes on writing when ``apply`` has returned, and says with the next list that the last one failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lineage.errors import LineageError, UnavailableError
from lineage.model import Changes
from lineage.projector import Projection
from tests.unit.projector.house import House, Keeping, event, mixed, rebuilt, stale

Refuses = Callable[[Changes, int], Exception | None]


class Behind(Keeping):
    """Writes a list when it is given the next one, or asked to settle; after a failure at once, for one list.
    ``refuses`` says what goes wrong with a list. A list that it refused for good it names when it writes at once."""

    def __init__(self, real: Any, refuses: Refuses) -> None:
        super().__init__(real)
        self.refuses = refuses
        self.waiting: tuple[Changes, int] | None = None
        self.careful = True
        self.failures = 0

    def apply(self, changes: Changes, watermark: int) -> None:
        self.settle()
        self.waiting = changes, watermark
        if self.careful:
            self._write()
            self.careful = False

    def settle(self) -> None:
        try:
            self._write()
        except UnavailableError:
            raise
        except LineageError as error:
            raise UnavailableError(f"The last changes could not be written: {error}") from error

    def watermark(self) -> int:
        return self.real.watermark()

    def outdate(self) -> bool:
        self.settle()
        return super().outdate()

    def _write(self) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is None:
            return
        if (error := self.refuses(*waiting)) is not None:
            self.careful = True
            self.failures += 1
            raise error
        super().apply(*waiting)


def house_of(folder: Path, refuses: Refuses) -> House:
    return House(folder, store=lambda real: Behind(real, refuses))


def projection(house: House, **told: Any) -> Projection:
    return Projection(**house.parts, scratch=house.folder, **told)


def bring_about(ours: Projection, house: House) -> None:
    for _ in range(1_000):
        try:
            ours.step()
            if ours.reached == house.ledger.size():
                ours.keep()
                if ours.reached == house.store.watermark() == house.facts.watermark():
                    return
        except UnavailableError:
            continue
    raise AssertionError("It does not come to an end.")


def test_no_difference_is_lost_with_a_list_that_failed_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.spool._ROWS", 20)
    random = Random(1)

    def refuses(changes: Changes, watermark: int) -> Exception | None:
        return UnavailableError("The store is away.") if random.random() < 0.5 else None

    with house_of(tmp_path / "data", refuses) as house:
        house.ledger.append(mixed(3))
        stale(house)
        bring_about(projection(house), house)
        assert house.dump() == rebuilt(house.ledger)[0]
        assert house.parts["store"].failures > 10


def test_the_ledger_is_folded_once_though_the_last_word_of_a_renewal_fails(tmp_path: Path) -> None:
    failed: list[int] = []

    def refuses(changes: Changes, watermark: int) -> Exception | None:
        if watermark and len(failed) < 2:
            failed.append(watermark)
            return UnavailableError("The store is away.")
        return None

    with house_of(tmp_path / "data", refuses) as house:
        house.ledger.append(mixed(3))
        stale(house)
        ours = projection(house)
        begun = []
        beside = ours._beside
        ours._beside = lambda scratch: begun.append(scratch) or beside(scratch)  # type: ignore[func-returns-value,method-assign]
        bring_about(ours, house)
        assert (len(failed), len(begun)) == (2, 1)
        assert house.dump() == rebuilt(house.ledger)[0]


def test_a_difference_that_the_store_refuses_for_good_is_left_out_of_a_renewal(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(changes: Changes, watermark: int) -> Exception | None:
        bad = any(getattr(node, "name", "") == "bad" for node in changes.nodes.values())
        return LineageError("The store refuses that.") if bad else None

    with house_of(tmp_path / "data", refuses) as house:
        house.append(event("a"), event("bad"), event("b"))
        stale(house)
        bring_about(projection(house), house)
        expected = rebuilt(house.ledger)[0]
        assert [line for line in expected if line not in house.dump()] == [
            line for line in expected if b'"name":"bad"' in line and b'"node":"DATASET"' in line
        ] + [line for line in expected if b'"name":"bad"' in line and b'"node":"VERSION"' in line]
        assert set(house.dump()) < set(expected)
    assert caplog.text.count("which is left out") == 2


def test_what_the_store_refuses_for_good_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    def refuses(changes: Changes, watermark: int) -> Exception | None:
        bad = any(getattr(node, "name", "").startswith("bad") for node in changes.nodes.values())
        return LineageError("The store refuses that.") if bad else None

    names = ["a", "bad1", "b", "c", "bad2", "d", "e"]
    with house_of(tmp_path / "data", refuses) as house:
        house.append(*(event(name) for name in names))
        ours = projection(house, batch_records=3)
        bring_about(ours, house)
        house.append(event("bad3"), event("f"))
        bring_about(ours, house)
        assert ours.skipped == 3
        with house.store.reader() as reader:
            told = b"".join(reader.dump())
        for name in "abcdef":
            assert b'"name":"%s"' % name.encode() in told
        assert b'"name":"bad' not in told
