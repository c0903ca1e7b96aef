import hmac
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.ledger import Submission
from lineage.ledger.batch import RecordHasher
from lineage.ledger.payload import NEWEST_DICTIONARY, PayloadCodec, shipped_dictionary
from lineage.ledger.sqlite import SQLiteLedger
from lineage.proof import leaf

CODEC = PayloadCodec({NEWEST_DICTIONARY: shipped_dictionary()})
EVENT = b'{"eventType": "START", "run": {"runId": "0196f3a1-7c1e-7b6a-9d5e-%012d"}, "inputs": []}'


@pytest.mark.parametrize(
    "records",
    [
        [],
        [b""] * 9,
        [b"", b"{}", *(EVENT % number for number in range(40))],
        [EVENT % number for number in range(3)],
        [EVENT % 1 * 170, EVENT % 2 * 200, EVENT % 3, b"x" * 16_384, b"x" * 16_385, os.urandom(20_000)] * 2,
    ],
    ids=["none", "empty", "group", "few", "large"],
)
def test_each_record_comes_back_from_a_frame_of_its_own(records: list[bytes]) -> None:
    frames = CODEC.compress(records)
    assert [CODEC.decompress(CODEC.number, frame) for frame in frames] == records


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_frame_does_not_depend_on_its_neighbours(records: list[bytes]) -> None:
    assert CODEC.compress(records) == [CODEC.compress([record])[0] for record in records]


@given(st.binary(min_size=leaf.NONCE_LENGTH, max_size=leaf.NONCE_LENGTH), st.binary(max_size=5000))
def test_commitments_are_hmac_sha256(nonce: bytes, data: bytes) -> None:
    expected = hmac.digest(nonce, data, "sha256")
    assert leaf.record_commitment(nonce, data) == leaf.envelope_commitment(nonce, data) == expected


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=5000))
def test_duplicate_key_is_the_start_of_an_hmac_over_kind_and_hash(key: bytes, record: bytes) -> None:
    (hashed,) = RecordHasher(key).hash(Submission("predictions", (record,)))
    told = b"predictions\n" + sha256(record).digest()
    assert hashed == (sha256(record).digest(), hmac.digest(key, told, "sha256")[:16])


def test_hashes_told_and_hashes_taken_name_the_same_record(tmp_path: Path) -> None:
    ledger = SQLiteLedger(tmp_path / "ledger.sqlite")
    ledger.append([Submission("lineage", (b"a", b"b"), digests=(sha256(b"a").digest(), sha256(b"b").digest()))])
    ((again,),) = ledger.append([Submission("lineage", (b"b",))])
    assert (again.index, again.position, again.duplicate) == (0, 1, True)
    assert again.event_hash == "sha256:" + sha256(b"b").hexdigest()
    assert list(ledger.verify())[-1].faults == ()
    ledger.close()
