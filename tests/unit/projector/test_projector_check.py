"""The check finds what differs from a projection made anew."""

from __future__ import annotations

import apsw

from lineage.ledger import Submission
from lineage.projector import check_projection
from tests.unit.projector.house import (
    House,
    event,
    mixed,
    prediction,
)


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
