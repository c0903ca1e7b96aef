"""A damaged ledger stops the projector at the damage: it says so, keeps what it has, and ends when it is told to."""

from __future__ import annotations

import logging
import time

import apsw
import pytest

from lineage.errors import DataFolderError
from lineage.projector import Projector
from tests.unit.projector.house import House, event


def damaged(house: House, index: int) -> None:
    db = apsw.Connection(str(house.folder / "ledger.sqlite"))
    db.execute("UPDATE records SET payload = x'00' WHERE place >> 24 = ?", (index,))
    db.close()


def test_the_projector_stands_at_a_damaged_entry_and_names_it(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.append(event("a"), event("b"))
    house.projection.catch_up()
    shown = house.dump()
    house.append(event("c"), event("d"))
    damaged(house, 2)
    projector = Projector(house.ledger, house.facts, house.store, house.predictions)
    with caplog.at_level(logging.WARNING):
        projector.start()
        assert not projector.wait_for(3, 0.5)
        begun = time.monotonic()
        projector.stop()
    assert time.monotonic() - begun < 5
    assert (projector.reached, projector.behind(), projector.skipped) == (2, 2, 0)
    assert house.dump() == shown
    assert "Record 0 of entry 2 in ledger.sqlite is damaged." in caplog.text
    assert 1 <= len(caplog.records) <= 6, "it waits longer before each try"


def test_no_damaged_record_is_passed_over(house: House) -> None:
    house.append(event("a"), event("b"))
    db = apsw.Connection(str(house.folder / "ledger.sqlite"))
    db.execute("UPDATE records SET nonce = zeroblob(32) WHERE place >> 24 = 1")
    db.close()
    with pytest.raises(DataFolderError, match="Record 0 of entry 1"):
        house.projection.catch_up()
    assert house.projection.skipped == 0


def test_what_stands_before_a_damaged_entry_is_projected(house: House) -> None:
    house.append(event("a"), event("b"), event("c"))
    damaged(house, 2)
    with pytest.raises(DataFolderError, match="Record 0 of entry 2"):
        house.projection.catch_up()
    assert house.projection.reached == 2
