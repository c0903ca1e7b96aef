"""The check finds what differs from a projection made anew."""

from __future__ import annotations

import re

import apsw
import msgspec

from lineage.keys import Base
from lineage.ledger import KeptRoot, Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.model import Changes
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
    db = apsw.Connection(str(house.folder / "graph.sqlite"))
    db.execute("DELETE FROM edge WHERE (source, kind, target) = (SELECT source, kind, target FROM edge LIMIT 1)")
    db.close()
    report = check_projection(house.ledger, house.store, house.predictions)
    assert (report.sound, report.ledger_sound) == (False, True)
    (fault,) = report.faults
    assert re.fullmatch(r"The graph lacks: the edge [A-Z_]+ from the .+ to the .+\.", fault)
    assert "{" not in fault


def test_a_node_that_is_otherwise_is_told_by_name(house: House) -> None:
    house.append(event("a", "x" * 500))
    house.projection.catch_up()
    with house.store.reader() as reader:
        (job,) = reader.search("xxx", [Base.JOB], 9)
    house.store.apply(Changes({job.key: msgspec.structs.replace(job, description="D", tags=("T",))}), 1)
    report = check_projection(house.ledger, house.store, house.predictions)
    assert report.faults == (f"The graph has otherwise: the job {'x' * 79}… (jobs) (description, tags).",)


def test_a_graph_of_more_than_the_ledger_has_is_the_ledgers_fault(house: House) -> None:
    house.append(event("a"), event("b"))
    house.projection.catch_up()
    db = apsw.Connection(str(house.folder / "ledger.sqlite"))
    db.execute("DROP TRIGGER leaves_stay; DELETE FROM leaves WHERE idx = 1; DELETE FROM records WHERE place >> 24 = 1")
    db.close()
    ledger = SQLiteLedger(house.folder / "ledger.sqlite", read_only=True)
    report = check_projection(ledger, house.store, house.predictions)
    ledger.close()
    assert (report.ledger_sound, report.root, report.lines) == (False, None, None)
    assert report.faults[0] == "The graph reflects 2 entries; the ledger has 1."


def test_a_root_that_was_kept_is_compared(house: House) -> None:
    house.append(event("a"), event("b"))
    house.projection.catch_up()
    parts = house.ledger, house.store, house.predictions
    assert check_projection(*parts, kept=KeptRoot(house.ledger.root(1), 1)).sound
    report = check_projection(*parts, kept=KeptRoot(house.ledger.root(1), 2))
    assert (report.sound, report.ledger_sound) == (False, False)


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
    assert (report.sound, report.ledger_sound, report.root) == (False, False, None)
    assert (report.lines, report.predictions) == (None, None)
    assert [fault.partition(":")[0] for fault in report.faults] == ["Entry 0", "Entry 1"]


def test_the_check_holds_at_the_state_it_looks_at_while_more_is_written(house: House) -> None:
    house.append(event("a"))
    house.projection.catch_up()
    house.append(event("b"))
    told: list[str] = []
    report = check_projection(house.ledger, house.store, house.predictions, lambda what, done, of: told.append(what))
    assert (report.sound, report.entries, report.graph_size) == (True, 2, 1)
    assert {"ledger", "fold", "compare"} <= set(told)
