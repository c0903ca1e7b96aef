"""A ledger that does not hold any more what was written says so, and never gives something else."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from lineage.errors import DataFolderError
from lineage.ledger import Entry, Submission
from lineage.ledger.payload import NEWEST_DICTIONARY, PayloadCodec, shipped_dictionary
from lineage.ledger.sqlite import SQLiteLedger
from lineage.proof import leaf

CODEC = PayloadCodec({NEWEST_DICTIONARY: shipped_dictionary()})
EVENT = b'{"eventType": "START", "run": {"runId": "0196f3a1-7c1e-7b6a-9d5e-%012d"}, "inputs": []}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    ledger = SQLiteLedger(path)
    ledger.append([Submission("lineage", (EVENT % (2 * n), EVENT % (2 * n + 1))) for n in range(8)])
    ledger.close()
    return path


def damage(path: Path, statement: str, *values: bytes) -> None:
    db = apsw.Connection(str(path))
    db.execute("DROP TRIGGER IF EXISTS leaves_stay; DROP TRIGGER IF EXISTS leaves_hold")
    db.execute(statement, values)
    db.close()


def flipped(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def read(path: Path) -> tuple[list[int], DataFolderError]:
    """The entries that are given, each as it was written, and the error after them."""
    ledger = SQLiteLedger(path, read_only=True)
    given: list[Entry] = []
    with pytest.raises(DataFolderError) as caught:
        given.extend(ledger.entries())
    ledger.close()
    assert all(one.records == (EVENT % (2 * one.index), EVENT % (2 * one.index + 1)) for one in given)
    return [one.index for one in given], caught.value


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_of_a_payload_is_told_after_the_entries_before_it(path: Path, seed: int) -> None:
    db = apsw.Connection(str(path))
    payload = bytes(db.execute("SELECT payload FROM records WHERE place = 5 << 24 | 1").get)
    db.close()
    changed = flipped(payload, Random(seed))
    if is_the_same(changed, EVENT % 11):
        return
    damage(path, "UPDATE records SET payload = ? WHERE place = 5 << 24 | 1", changed)
    given, error = read(path)
    assert given == [0, 1, 2, 3, 4]
    assert error.message in {
        "Record 1 of entry 5 in ledger.sqlite is damaged.",
        "A record of entry 5 in ledger.sqlite is damaged.",
    }
    assert "backup" in error.hint
    assert "lineage fsck" in error.hint


def is_the_same(payload: bytes, record: bytes) -> bool:
    """Whether a payload was changed in a bit that nothing depends on."""
    try:
        return CODEC.decompress(CODEC.number, payload) == record
    except DataFolderError:
        return False


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE records SET nonce = zeroblob(32) WHERE place = 3 << 24", "A record of entry 3"),
        ("UPDATE records SET dictionary = 7 WHERE place = 3 << 24", "Record 0 of entry 3"),
        ("DELETE FROM records WHERE place = 3 << 24", "Record 0 of entry 3 in ledger.sqlite is missing"),
        ("UPDATE leaves SET records = 1 << 40 WHERE idx = 3", "Record 2 of entry 3 in ledger.sqlite is missing"),
        ("UPDATE leaves SET kind = -1 WHERE idx = 3", "The kind or the envelope of entry 3"),
        ("UPDATE envelopes SET sender = 2 WHERE idx = 3", "The kind or the envelope of entry 3"),
        ("DELETE FROM leaves WHERE idx = 3", "Entry 3 in ledger.sqlite is missing"),
    ],
)
def test_what_is_not_as_its_leaf_says_is_never_given(path: Path, statement: str, says: str) -> None:
    damage(path, "INSERT INTO senders VALUES (2, '[]')")
    damage(path, statement)
    given, error = read(path)
    assert given == [0, 1, 2]
    assert says in error.message
    assert "backup" in error.hint


def test_an_envelope_that_sqlite_can_not_decode_is_damage(path: Path) -> None:
    damage(path, "UPDATE senders SET members = CAST(x'5b22ff' AS TEXT)")
    assert read(path)[0] == []


def test_an_erased_record_is_no_damage(path: Path) -> None:
    db = apsw.Connection(str(path))
    nonce = bytes(db.execute("SELECT nonce FROM records WHERE place = 3 << 24").get)
    commitment = leaf.record_commitment(nonce, EVENT % 6)
    db.execute("INSERT INTO erased_records VALUES (3 << 24, ?)", (commitment,))
    db.execute("DELETE FROM records WHERE place = 3 << 24")
    db.close()
    ledger = SQLiteLedger(path, read_only=True)
    assert [entry.records for entry in ledger.entries(2, 1)] == [(None, EVENT % 7)]
    ledger.close()


def test_a_frame_that_claims_to_be_huge_takes_no_memory() -> None:
    (frame,) = CODEC.compress([b"x" * 60_000])
    magic_and_size_of_8_bytes = frame[:4] + bytes([frame[4] | 0xE0]) + (1 << 44).to_bytes(8, "little")
    with pytest.raises(DataFolderError, match="damaged"):
        CODEC.decompress(CODEC.number, magic_and_size_of_8_bytes + frame[7:])


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_dictionary_is_told_when_the_ledger_is_opened(path: Path, seed: int) -> None:
    db = apsw.Connection(str(path))
    zipped = bytes(db.execute("SELECT zipped FROM dictionaries").get)
    db.close()
    damage(path, "UPDATE dictionaries SET zipped = ?", flipped(zipped, Random(seed)))
    for read_only in (False, True):
        with pytest.raises(DataFolderError, match=r"Dictionary 1.* in ledger\.sqlite is damaged"):
            SQLiteLedger(path, read_only=read_only)
    ledger = SQLiteLedger(path, read_only=True, even_damaged=True)
    last = list(ledger.verify())[-1]
    ledger.close()
    assert last.checked == 8
    assert last.faults[0].startswith("Dictionary 1 is damaged")
    assert last.faults[1].startswith("Entry 0: record 0 is damaged")
    assert len(last.faults) > 16


def test_a_ledger_without_its_key_is_damaged(path: Path) -> None:
    damage(path, "DELETE FROM meta WHERE name = 'key'")
    with pytest.raises(DataFolderError, match="damaged"):
        SQLiteLedger(path)
