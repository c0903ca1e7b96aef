"""Files that were lost, replaced or restored are noticed, and what can't be trusted is made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lineage.errors import UnavailableError
from lineage.ledger import Submission
from lineage.projector import check_projection
from tests.unit.projector.house import (
    House,
    StoreAround,
    event,
    mixed,
    prediction,
    rebuilt,
)


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


def test_predictions_lost_beside_facts_restored_from_a_backup_are_indexed_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with House(data) as house:
        house.append(event("a"))
        house.projection.catch_up()
    shutil.copy(data / "facts.sqlite", tmp_path / "backup")
    with House(data) as house:
        house.append(event("b"))
        house.ledger.append([Submission("predictions", (prediction(1),))])
        house.projection.catch_up()
    shutil.copy(tmp_path / "backup", data / "facts.sqlite")
    (data / "predictions.sqlite").unlink()
    with House(data) as house:
        house.projection.catch_up()
        assert check_projection(house.ledger, house.store, house.predictions).sound


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


def test_a_restored_ledger_that_grew_while_the_store_was_away_makes_all_anew(tmp_path: Path) -> None:
    """Ledger and facts are those of a backup, the graph is not; it is away until the ledger has more entries again."""

    class Away(StoreAround):
        def watermark(self) -> int:
            raise UnavailableError("The store is away.")

    data = tmp_path / "data"
    with House(data) as house:
        house.append(event("a"), event("b"))
        house.projection.catch_up()
    for name in ("ledger", "facts"):
        shutil.copy(data / f"{name}.sqlite", tmp_path / name)
    with House(data) as house:
        house.append(event("c"), event("d"))
        house.projection.catch_up()
    for name in ("ledger", "facts"):
        shutil.copy(tmp_path / name, data / f"{name}.sqlite")
    for number in range(2):
        with House(data, store=Away) as house:
            house.append(*(event(f"new{number}{each}") for each in range(3)))
            with pytest.raises(UnavailableError):
                house.projection.step()
    with House(data) as house:
        house.projection.catch_up()
        assert house.dump() == rebuilt(house.ledger)[0]
    with House(data) as house:
        assert house.projection._known == house.ledger.size()


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
