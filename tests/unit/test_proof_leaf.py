import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import ProofError
from lineage.proof import leaf, merkle

VECTORS = json.loads((Path(__file__).parent / "data" / "leaf_v1_vectors.json").read_text())

hashes = st.binary(min_size=32, max_size=32)
leaves = st.builds(
    leaf.Leaf,
    kind=st.sampled_from(["lineage", "predictions"]),
    received=st.integers(0, 253_402_300_799_999_999),
    records=st.integers(1, 10**9),
    records_commitment=hashes,
    envelope_commitment=hashes,
)


@pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])
def test_published_vectors_hold(vector: dict) -> None:
    nonces = [bytes.fromhex(one["nonce"]) for one in vector["records"]]
    records = [one["record"].encode() for one in vector["records"]]
    commitments = [leaf.record_commitment(*one) for one in zip(nonces, records, strict=True)]
    canonical = leaf.envelope_bytes(vector["envelope"])
    enveloped = leaf.envelope_commitment(bytes.fromhex(vector["envelopeNonce"]), canonical)
    told = leaf.Leaf(vector["kind"], vector["received"], len(records), leaf.records_commitment(commitments), enveloped)
    assert [one.hex() for one in commitments] == [one["commitment"] for one in vector["records"]]
    assert canonical.decode() == vector["envelopeBytes"]
    assert leaf.encode(told).decode() == vector["leaf"]
    assert merkle.leaf_hash(leaf.encode(told)).hex() == vector["leafHash"]


@given(leaves)
def test_leaf_reads_back_as_written(told: leaf.Leaf) -> None:
    assert leaf.decode(leaf.encode(told)) == told


@given(leaves, st.data())
def test_changed_leaf_is_refused_or_says_something_else(told: leaf.Leaf, data: st.DataObject) -> None:
    encoded = bytearray(leaf.encode(told))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ProofError):
        assert leaf.decode(bytes(encoded)) != told


LEAF = leaf.encode(leaf.Leaf("lineage", 0, 1, bytes(32), bytes(32)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        LEAF[:-1],
        LEAF + b"\n",
        LEAF.replace(b"leaf/1", b"leaf/2"),
        LEAF.replace(b"\n1\n", b"\n01\n"),
        LEAF.replace(b"\n1\n", b"\n0\n"),
        LEAF.replace(b"1970-01-01", b"1970-02-30"),
        LEAF.replace(b"\n", b"\r\n"),
        LEAF.replace(b"AAA=", b"AAB="),
    ],
)
def test_what_is_no_leaf_is_refused(data: bytes) -> None:
    with pytest.raises(ProofError):
        leaf.decode(data)


@given(st.lists(hashes, min_size=1, max_size=9))
def test_records_commitment_is_the_root_over_commitments(commitments: list[bytes]) -> None:
    assert leaf.records_commitment(commitments) == merkle.root([merkle.leaf_hash(one) for one in commitments])


def test_wrong_number_of_records_or_another_envelope_is_refused() -> None:
    nonce = bytes(32)
    record, envelope = leaf.Disclosed(nonce, b"{}"), leaf.Disclosed(nonce, b'{"transport":"http"}')
    commitment = leaf.records_commitment([leaf.record_commitment(nonce, b"{}")])
    enveloped = leaf.envelope_commitment(nonce, envelope.data)
    data = leaf.encode(leaf.Leaf("lineage", 0, 1, commitment, enveloped))
    assert leaf.verify_entry(data, [record], envelope).kind == "lineage"
    for records, shown in (([record, record], envelope), ([], None), ([record], leaf.Disclosed(nonce, b"{}"))):
        with pytest.raises(ProofError):
            leaf.verify_entry(data, records, shown)


def test_standard_base64_of_a_leaf_has_its_padding() -> None:
    assert LEAF.split(b"\n")[4] == base64.b64encode(bytes(32))
