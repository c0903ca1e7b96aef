import os
from pathlib import Path

import apsw
import pytest

from lineage.ledger import KeptRoot, Submission
from lineage.ledger.sqlite import SQLiteLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def lineage(*records: bytes) -> Submission:
    return Submission("lineage", records)


def test_verify_tells_the_root(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(600)])
    told = list(ledger.verify())
    assert [one.checked for one in told] == [256, 512, 600]
    assert (told[-1].root, told[-1].faults) == (ledger.root(), ())
    ledger.close()


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (
            "UPDATE records SET payload = (SELECT payload FROM records LIMIT 1) WHERE place >> 24 = 5",
            "record 0 or the leaf is damaged",
        ),
        ("UPDATE records SET payload = x'00' WHERE place >> 24 = 5", "decompressed"),
        ("UPDATE records SET nonce = zeroblob(32) WHERE place >> 24 = 5", "commits to"),
        ("DELETE FROM records WHERE place >> 24 = 5", "record 0 is missing"),
        ("DELETE FROM duplicates WHERE place >> 24 = 5", "duplicates"),
        ("DELETE FROM envelopes WHERE idx = 5", "envelope is missing"),
        (
            "INSERT INTO senders VALUES (9, '['); UPDATE envelopes SET sender = 9 WHERE idx = 5",
            "The envelope of an entry in ledger.sqlite is damaged",
        ),
        ("DROP TRIGGER leaves_hold; UPDATE leaves SET kind = 9 WHERE idx = 5", "kind"),
        ("DROP TRIGGER leaves_hold; UPDATE leaves SET records = 1 << 40 WHERE idx = 5", "record 1 is missing"),
        ("DROP TRIGGER leaves_hold; UPDATE leaves SET received = 1 << 62 WHERE idx = 5", "time"),
        ("DROP TRIGGER leaves_hold; UPDATE leaves SET received = 1 WHERE idx = 5", "before the entry before"),
        ("DROP TRIGGER leaves_hold; UPDATE leaves SET records = 2 WHERE idx = 5", "record 1 is missing"),
        ("DROP TRIGGER leaves_stay; DELETE FROM leaves WHERE idx = 5", "leaf is missing"),
    ],
)
def test_verify_finds_what_was_changed(path: Path, damage: str, fault: str) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(40)])
    apsw.Connection(str(path)).execute(damage)
    last = list(ledger.verify())[-1]
    assert last.root is None
    assert last.faults[0].startswith("Entry 5: ")
    assert fault in last.faults[0]
    assert last.checked == 40
    ledger.close()


def test_verify_finds_a_changed_tree(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(40)])
    apsw.Connection(str(path)).execute("DROP TRIGGER nodes_hold; UPDATE nodes SET hash = zeroblob(32)")
    last = list(ledger.verify())[-1]
    assert (last.checked, last.root) == (40, None)
    assert last.faults == ("Entry 31: the Merkle tree above it does not follow from the leaves.",)
    ledger.close()


def damage(path: Path, statements: str) -> None:
    db = apsw.Connection(str(path))
    db.execute(statements)
    db.close()


def test_verify_goes_on_after_a_fault_and_counts_them(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(300)])
    damage(path, "UPDATE records SET payload = x'00' WHERE place >> 24 IN (5, 290)")
    last = list(ledger.verify())[-1]
    assert last.checked == 300
    damaged = "record 0 is damaged: it can't be decompressed."
    assert last.faults == (f"Entry 5: {damaged}", f"Entry 290: {damaged}")
    damage(path, "UPDATE records SET payload = x'00'")
    assert list(ledger.verify())[-1].faults[19:] == (f"Entry 19: {damaged}", "The ledger has 280 faults more.")
    ledger.close()


def test_verify_tells_what_sqlite_can_not_read_any_further(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(os.urandom(2000)) for _ in range(200)])
    ledger.close()
    with path.open("r+b") as file:
        file.seek(30 * 8192)
        file.write(b"\xff" * 8192 * 10)
    ledger = SQLiteLedger(path, read_only=True)
    last = list(ledger.verify())[-1]
    assert last.root is None
    assert any("can't be checked" in fault and "damaged" in fault for fault in last.faults)
    ledger.close()


def test_a_kept_root_shows_what_nothing_stored_depends_on(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(9)])
    kept, all_of_it = KeptRoot(ledger.root(7), 7), KeptRoot(ledger.root())
    assert [list(ledger.verify(one))[-1].faults for one in (kept, all_of_it)] == [(), ()]
    damage(path, "UPDATE envelopes SET nonce = zeroblob(32) WHERE idx = 7")
    assert list(ledger.verify())[-1].faults == ()
    assert list(ledger.verify(kept))[-1].faults == ()
    (fault,) = list(ledger.verify(all_of_it))[-1].faults
    assert "not the one that was kept" in fault
    damage(path, "UPDATE envelopes SET nonce = zeroblob(32) WHERE idx = 6")
    assert len(list(ledger.verify(kept))[-1].faults) == 1
    ledger.close()


def test_a_root_over_more_than_there_is_is_a_fault(path: Path) -> None:
    ledger = SQLiteLedger(path)
    assert list(ledger.verify(KeptRoot(ledger.root(), 0)))[-1].faults == ()
    assert list(ledger.verify(KeptRoot(bytes(32), 0)))[-1].faults != ()
    ledger.append([lineage(b"a")])
    told = list(ledger.verify(KeptRoot(ledger.root(), 2)))[-1].faults
    assert told == ("The root that was kept is over 2 entries; the ledger has 1.",)
    ledger.close()


def test_a_root_that_can_not_be_recomputed_is_told(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(9)])
    kept = KeptRoot(ledger.root(7), 7)
    damage(path, "DROP TRIGGER leaves_stay; DELETE FROM leaves WHERE idx = 5")
    told = list(ledger.verify(kept))[-1].faults
    assert told == (
        "Entry 5: its leaf is missing.",
        "The Merkle root over the first 7 entries can't be recomputed from the leaves.",
    )
    ledger.close()
