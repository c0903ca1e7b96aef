import hashlib
import os
import threading
from pathlib import Path

import apsw
import pytest

from lineage.errors import (
    BadInputError,
    DataFolderError,
    IndexAheadError,
    LedgerUnavailableError,
    ProofError,
    TooLargeError,
)
from lineage.ledger import Envelope, Submission
from lineage.ledger.database import POSITION_BITS
from lineage.ledger.envelope import canonical_envelope
from lineage.ledger.sqlite import SQLiteLedger
from lineage.ledger.tree import completed_nodes
from lineage.proof import leaf, merkle

NOON = 1_790_000_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path):
    ledger = SQLiteLedger(path)
    yield ledger
    ledger.close()


def lineage(*records: bytes, **envelope: str) -> Submission:
    return Submission("lineage", records, Envelope(**envelope))


def test_receipt_names_place_and_hash(ledger: SQLiteLedger) -> None:
    first, second = ledger.append([lineage(b"a"), lineage(b"b", b"c")])
    assert [(one.index, one.position, one.duplicate) for one in first + second] == [
        (0, 0, False),
        (1, 0, False),
        (1, 1, False),
    ]
    assert second[1].event_hash == "sha256:" + hashlib.sha256(b"c").hexdigest()


def test_entry_comes_back_byte_for_byte(ledger: SQLiteLedger) -> None:
    records = (b'{"a": 1}', b"", "\u00e9\U0001f600".encode(), os.urandom(5000))
    ledger.append([Submission("predictions", records, Envelope("me", "kafka", "text/x", "topic/0/17"))])
    (entry,) = ledger.entries()
    assert entry.records == records
    assert (entry.kind, entry.envelope) == ("predictions", Envelope("me", "kafka", "text/x", "topic/0/17"))


def test_same_bytes_again_get_the_first_place_wherever_they_repeat(ledger: SQLiteLedger) -> None:
    ledger.append([lineage(b"a", b"b")])
    again, mixed = ledger.append([lineage(b"b"), lineage(b"c", b"a", b"c", b"d")])
    assert [(one.index, one.position, one.duplicate) for one in again] == [(0, 1, True)]
    assert [(one.index, one.position, one.duplicate) for one in mixed] == [
        (1, 0, False),
        (0, 0, True),
        (1, 0, True),
        (1, 1, False),
    ]
    assert [entry.records for entry in ledger.entries()] == [(b"a", b"b"), (b"c", b"d")]


def test_submission_of_duplicates_makes_no_entry(ledger: SQLiteLedger) -> None:
    ledger.append([lineage(b"a")])
    root = ledger.root()
    ledger.append([lineage(b"a"), lineage()])
    assert (ledger.size(), ledger.root()) == (1, root)


def test_same_bytes_of_another_kind_are_no_duplicate(ledger: SQLiteLedger) -> None:
    ledger.append([lineage(b"a")])
    ((receipt,),) = ledger.append([Submission("predictions", (b"a",))])
    assert (receipt.index, receipt.duplicate) == (1, False)


def test_received_time_never_goes_back(path: Path) -> None:
    times = iter([NOON, NOON - 5_000_000, NOON + 1])
    ledger = SQLiteLedger(path, clock=lambda: next(times))
    for record in (b"a", b"b"):
        ledger.append([lineage(record)])
    ledger.close()
    ledger = SQLiteLedger(path, clock=lambda: next(times))
    ledger.append([lineage(b"c")])
    assert [entry.received for entry in ledger.entries()] == [NOON, NOON, NOON + 1]
    ledger.close()


def test_entries_page_by_index_as_they_stood_at_the_call(ledger: SQLiteLedger) -> None:
    ledger.append([lineage(b"%d" % n) for n in range(200)])
    feed = ledger.entries(after=9)
    ledger.append([lineage(b"late")])
    assert [entry.index for entry in feed] == list(range(10, 200))
    assert [entry.index for entry in ledger.entries(after=198, limit=5)] == [199, 200]
    assert list(ledger.entries(after=200)) == list(ledger.entries(after=10**6)) == list(ledger.entries(limit=0)) == []


def test_entries_of_many_records_are_paged_too(ledger: SQLiteLedger) -> None:
    sent = [lineage(*(b"%d/%d" % (n, m) for m in range(700))) for n in range(4)]
    ledger.append(sent)
    assert [entry.records for entry in ledger.entries()] == [one.records for one in sent]


def test_reopened_ledger_goes_on(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"%d" % n) for n in range(77)])
    before = ledger.id, ledger.root()
    ledger.close()
    ledger = SQLiteLedger(path, create=False)
    assert (ledger.id, ledger.root()) == before
    ledger.append([lineage(b"new")])
    proof = ledger.consistency_proof(77)
    merkle.verify_consistency(77, 78, proof, before[1], ledger.root())
    ledger.close()


def test_ids_and_roots_of_two_ledgers_of_the_same_events_differ(tmp_path: Path) -> None:
    ledgers = [SQLiteLedger(tmp_path / name) for name in "ab"]
    for one in ledgers:
        one.append([lineage(b"a")])
    assert ledgers[0].id != ledgers[1].id
    assert ledgers[0].root() != ledgers[1].root()
    for one in ledgers:
        one.close()


def test_disclosed_entry_proves_itself_against_the_root(ledger: SQLiteLedger, path: Path) -> None:
    ledger.append([lineage(b"%d" % n) for n in range(40)])
    ledger.append([lineage(b"shown", b"hidden", sender="dbt")])
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    nonces = [row[0] for row in db.execute("SELECT nonce FROM records WHERE place >> ? = 40", (POSITION_BITS,))]
    envelope_nonce = db.execute("SELECT nonce FROM envelopes WHERE idx = 40").get
    db.close()
    data = ledger.leaf(40)
    records = [leaf.Disclosed(nonces[0], b"shown"), leaf.record_commitment(nonces[1], b"hidden")]
    envelope = leaf.Disclosed(envelope_nonce, canonical_envelope(Envelope(sender="dbt")))
    assert leaf.verify_entry(data, records, envelope).records == 2
    leaf.verify_included(data, 40, 41, ledger.inclusion_proof(40), ledger.root())
    with pytest.raises(ProofError):
        leaf.verify_entry(data, [leaf.Disclosed(nonces[0], b"forged"), records[1]], envelope)


def test_erased_entry_stays_provable_and_shows_as_none(ledger: SQLiteLedger, path: Path) -> None:
    ledger.append([lineage(b"a", b"b", sender="dbt"), lineage(b"c")])
    leaves, root = [ledger.leaf(0), ledger.leaf(1)], ledger.root()
    db = apsw.Connection(str(path))
    nonce = db.execute("SELECT nonce FROM records WHERE place = 1").get
    db.execute("INSERT INTO erased_records VALUES (1, ?)", (leaf.record_commitment(nonce, b"b"),))
    db.execute("DELETE FROM records WHERE place = 1")
    nonce = db.execute("SELECT nonce FROM envelopes WHERE idx = 0").get
    commitment = leaf.envelope_commitment(nonce, canonical_envelope(Envelope(sender="dbt")))
    db.execute("INSERT INTO erased_envelopes VALUES (0, ?)", (commitment,))
    db.execute("DELETE FROM envelopes WHERE idx = 0")
    db.close()
    assert ([ledger.leaf(0), ledger.leaf(1)], ledger.root()) == (leaves, root)
    entry = next(ledger.entries())
    assert (entry.records, entry.envelope) == ((b"a", None), Envelope(transport=""))
    assert list(ledger.verify())[-1].root == root


@pytest.mark.parametrize("offset", ["a\udcff", "\ud800\udc00", "\udc00"])
def test_envelope_that_json_cannot_tell_is_told_with_replacements(ledger: SQLiteLedger, offset: str) -> None:
    ledger.append([lineage(b"a", source_offset=offset)])
    (entry,) = ledger.entries()
    assert entry.envelope.source_offset == offset.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert list(ledger.verify())[-1].faults == ()


def test_questions_past_the_end_are_refused(ledger: SQLiteLedger) -> None:
    ledger.append([lineage(b"a")])
    for ask in (
        lambda: ledger.root(2),
        lambda: ledger.leaf(1),
        lambda: ledger.inclusion_proof(1),
        lambda: ledger.inclusion_proof(0, 2),
        lambda: ledger.consistency_proof(1, 2),
    ):
        with pytest.raises(IndexAheadError):
            ask()
    for ask in (
        lambda: ledger.root(-1),
        lambda: ledger.leaf(-1),
        lambda: ledger.inclusion_proof(-1),
        lambda: ledger.consistency_proof(0),
        lambda: ledger.consistency_proof(2),
    ):
        with pytest.raises(BadInputError):
            ask()
    assert ledger.root(0) == merkle.EMPTY_ROOT


def test_reading_goes_on_while_another_thread_appends(ledger: SQLiteLedger) -> None:
    faults: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                size = ledger.size()
                indexes = [entry.index for entry in ledger.entries()]
                assert indexes == list(range(len(indexes)))
                assert len(indexes) >= size
                if size:
                    merkle.verify_inclusion(
                        merkle.leaf_hash(ledger.leaf(size - 1)),
                        size - 1,
                        size,
                        ledger.inclusion_proof(size - 1, size),
                        ledger.root(size),
                    )
        except BaseException as fault:
            faults.append(fault)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(60):
        ledger.append([lineage(b"%d-%d" % (n, m)) for m in range(5)])
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert [entry.records for entry in ledger.entries()] == [(b"%d-%d" % (n, m),) for n in range(60) for m in range(5)]


def test_large_tree_answers_from_stored_nodes(path: Path) -> None:
    size = 100_003
    ledger = SQLiteLedger(path)
    db = apsw.Connection(str(path))
    db.pragma("synchronous", "off")
    frontier, leaves, nodes, hashes = merkle.Frontier(), [], [], []
    nonce, commitment = bytes(32), leaf.envelope_commitment(bytes(32), canonical_envelope(Envelope()))
    for index in range(size):
        records = index.to_bytes(32, "big")
        leaves.append((index, NOON, 0, 1, records))
        hashes.append(merkle.leaf_hash(leaf.encode(leaf.Leaf("lineage", NOON, 1, records, commitment))))
        nodes += completed_nodes(frontier.push(hashes[-1]), index + 1)
    with db:
        db.execute("""INSERT INTO senders VALUES (1, '[null, "http", null]')""")
        db.executemany("INSERT INTO leaves VALUES (?,?,?,?,?)", leaves)
        db.executemany("INSERT INTO envelopes VALUES (?,?,1,NULL)", ((index, nonce) for index in range(size)))
        db.executemany("INSERT INTO nodes VALUES (?,?)", nodes)
    db.close()
    root = frontier.root()
    assert ledger.root() == root
    for of in (1, 31, 32, 33, 65_536, 99_999):
        merkle.verify_consistency(of, size, ledger.consistency_proof(of), ledger.root(of), root)
        assert ledger.root(of) == merkle.root(hashes[:of])
        merkle.verify_inclusion(hashes[of], of, size, ledger.inclusion_proof(of), root)
    ledger.append([lineage(b"goes on")])
    merkle.verify_consistency(size, size + 1, ledger.consistency_proof(size), root, ledger.root())
    ledger.close()


@pytest.mark.parametrize("statement", ["DELETE FROM leaves", "UPDATE leaves SET received = 0", "DELETE FROM nodes"])
def test_leaves_and_nodes_cannot_be_changed_by_accident(ledger: SQLiteLedger, path: Path, statement: str) -> None:
    ledger.append([lineage(b"%d" % n) for n in range(40)])
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        apsw.Connection(str(path)).execute(statement)


def test_missing_ledger_is_not_made_unasked(path: Path) -> None:
    for options in ({"create": False}, {"read_only": True}):
        with pytest.raises(DataFolderError, match="no ledger at"):
            SQLiteLedger(path, **options)
    assert not path.exists()


def test_foreign_file_is_refused_and_left_as_it_was(path: Path) -> None:
    path.write_bytes(b"no database at all, but longer than a header of SQLite's: " * 50)
    before = path.read_bytes()
    with pytest.raises(DataFolderError, match="damaged or no ledger"):
        SQLiteLedger(path)
    assert path.read_bytes() == before


def test_other_database_is_refused_and_left_as_it_was(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE mine (a)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(DataFolderError, match="no ledger of Lineage"):
        SQLiteLedger(path)
    assert path.read_bytes() == before


def test_ledger_of_a_later_format_is_refused(path: Path) -> None:
    SQLiteLedger(path).close()
    apsw.Connection(str(path)).pragma("user_version", 2)
    with pytest.raises(DataFolderError, match="another version"):
        SQLiteLedger(path)


def test_read_only_ledger_sees_new_entries_and_appends_nothing(ledger: SQLiteLedger, path: Path) -> None:
    reader = SQLiteLedger(path, read_only=True)
    ledger.append([lineage(b"a")])
    assert (reader.size(), reader.root(), reader.id) == (1, ledger.root(), ledger.id)
    with pytest.raises(LedgerUnavailableError, match="read only"):
        reader.append([lineage(b"b")])
    reader.close()


def test_closed_ledger_refuses(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.close()
    for ask in (ledger.root, ledger.size, lambda: ledger.append([lineage(b"a")])):
        with pytest.raises(LedgerUnavailableError, match="closed"):
            ask()


def test_second_writer_of_the_file_is_noticed(ledger: SQLiteLedger, path: Path) -> None:
    other = SQLiteLedger(path)
    other.append([lineage(b"a")])
    ((receipt,),) = ledger.append([lineage(b"b")])
    assert (receipt.index, ledger.size()) == (1, 2)
    assert list(ledger.verify())[-1].root == ledger.root() == other.root()
    other.close()


def test_no_plain_hash_of_a_record_is_kept(path: Path) -> None:
    ledger = SQLiteLedger(path)
    ledger.append([lineage(b"guess me")])
    ledger.close()
    stored = path.read_bytes()
    digest = hashlib.sha256(b"guess me").digest()
    assert digest[:8] not in stored
    assert digest.hex().encode()[:16] not in stored


def test_submission_past_the_room_of_places_is_refused(ledger: SQLiteLedger) -> None:
    with pytest.raises(TooLargeError):
        ledger.append([Submission("lineage", (b"",) * (2**POSITION_BITS + 1))])
