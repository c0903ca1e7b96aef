from pathlib import Path

import apsw
import pytest

from lineage.ledger import Submission
from lineage.ledger.sqlite import SQLiteLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def lineage(*records: bytes) -> Submission:
    return Submission("lineage", records)


def test_verify_tells_the_root_and_names_the_first_fault(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(600)])
    told = list(ledger.verify())
    assert [one.checked for one in told] == [256, 512, 600]
    assert (told[-1].root, told[-1].fault) == (ledger.root(), None)
    ledger.close()


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (
            "UPDATE records SET payload = (SELECT payload FROM records LIMIT 1) WHERE place >> 24 = 5",
            "duplicates",
        ),
        ("UPDATE records SET payload = x'00' WHERE place >> 24 = 5", "decompressed"),
        ("UPDATE records SET nonce = zeroblob(32) WHERE place >> 24 = 5", "commits to"),
        ("DELETE FROM records WHERE place >> 24 = 5", "record 0 is missing"),
        ("DELETE FROM duplicates WHERE place >> 24 = 5", "duplicates"),
        ("DELETE FROM envelopes WHERE idx = 5", "envelope is missing"),
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
    assert last.fault is not None
    assert last.fault.startswith("Entry 5: ")
    assert fault in last.fault
    ledger.close()


def test_verify_finds_a_changed_tree(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(40)])
    apsw.Connection(str(path)).execute("DROP TRIGGER nodes_hold; UPDATE nodes SET hash = zeroblob(32)")
    last = list(ledger.verify())[-1]
    assert (last.checked, last.root) == (31, None)
    ledger.close()
