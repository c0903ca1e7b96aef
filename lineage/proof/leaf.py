"""Leaf v1: what of one ledger entry is hashed into the Merkle tree (layout, vector: ``docs/adr/0001-leaf-v1.md``).

A leaf holds commitments, never data: each record and the envelope is committed to with HMAC-SHA256 under a random
nonce of its own, so that destroying nonce and bytes erases them while every proof goes on to hold.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import rfc8785

from lineage.errors import ProofError
from lineage.proof import merkle

VERSION = "lineage-leaf/1"
NONCE_LENGTH = 32

_EPOCH = datetime(1970, 1, 1)
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_INNER_REST, _OUTER_REST = b"\x36" * 32, b"\x5c" * 32
_LAYOUT = re.compile(
    rb"lineage-leaf/1\n([a-z]+)\n(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})Z\n([1-9]\d*)\n([A-Za-z0-9+/]{43}=)\n([A-Za-z0-9+/]{43}=)\n"
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says. ``received`` is UTC, microseconds since the epoch; both commitments have 32 bytes."""

    kind: str
    received: int
    records: int
    records_commitment: bytes
    envelope_commitment: bytes


def timestamp(received: int) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ`` of UTC microseconds since the epoch, in the years 1 to 9999."""
    return (_EPOCH + timedelta(microseconds=received)).isoformat(timespec="microseconds") + "Z"


def encode(leaf: Leaf) -> bytes:
    """The exact bytes of the leaf, as they are hashed."""
    return encode_parts(
        leaf.kind, timestamp(leaf.received), leaf.records, leaf.records_commitment, leaf.envelope_commitment
    )


def encode_parts(
    kind: str, received: str, records: int, records_commitment: bytes, envelope_commitment: bytes
) -> bytes:
    """As :func:`encode`, for a writer that has the received time as text already."""
    return b"lineage-leaf/1\n%b\n%b\n%d\n%b\n%b\n" % (
        kind.encode("ascii"),
        received.encode("ascii"),
        records,
        b64encode(records_commitment),
        b64encode(envelope_commitment),
    )


def decode(data: bytes) -> Leaf:
    """Read a leaf's bytes. Raises ProofError on anything that :func:`encode` would not have written."""
    match = _LAYOUT.fullmatch(data)
    if match is None:
        raise ProofError("These bytes are no leaf of version 1.")
    kind, received, records, records_commitment, envelope_commitment = match.groups()
    try:
        since = datetime.fromisoformat(received.decode("ascii")) - _EPOCH
    except ValueError as error:
        raise ProofError("The leaf's received time is no time.") from error
    leaf = Leaf(
        kind.decode("ascii"),
        since // timedelta(microseconds=1),
        int(records),
        b64decode(records_commitment),
        b64decode(envelope_commitment),
    )
    if encode(leaf) != data:
        raise ProofError("These bytes are no leaf of version 1: the base64 is not the canonical one.")
    return leaf


def record_commitment(nonce: bytes, record: bytes) -> bytes:
    """HMAC-SHA256 under the record's own nonce (32 bytes) over its exact bytes."""
    return _hmac_sha256(nonce, record)


def records_commitment(commitments: Sequence[bytes]) -> bytes:
    """The RFC 6962 root whose leaf inputs are the records' commitments, in order."""
    if len(commitments) == 1:
        return merkle.leaf_hash(commitments[0])
    return merkle.root([merkle.leaf_hash(commitment) for commitment in commitments])


def envelope_bytes(members: Mapping[str, str | None]) -> bytes:
    """The RFC 8785 bytes of an envelope; members that are None are left out."""
    return rfc8785.dumps({name: value for name, value in members.items() if value is not None})


def envelope_commitment(nonce: bytes, canonical: bytes) -> bytes:
    """HMAC-SHA256 under the envelope's own nonce (32 bytes) over its RFC 8785 bytes."""
    return _hmac_sha256(nonce, canonical)


def _hmac_sha256(key: bytes, data: bytes) -> bytes:
    """RFC 2104 written out: OpenSSL sets up a context for each HMAC, which takes longer than to hash a short text."""
    if len(key) != NONCE_LENGTH:
        return hmac.digest(key, data, "sha256")
    inner = sha256(key.translate(_INNER) + _INNER_REST + data).digest()
    return sha256(key.translate(_OUTER) + _OUTER_REST + inner).digest()


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A record or an envelope that is shown to a verifier: its nonce and its exact bytes."""

    nonce: bytes
    data: bytes


def verify_entry(data: bytes, records: Sequence[Disclosed | bytes], envelope: Disclosed | None = None) -> Leaf:
    """Check that a leaf's bytes commit to these records and, where it is shown, this envelope; give what the leaf says.

    A record that is not shown is given as its 32-byte commitment. Raises ProofError.
    """
    leaf = decode(data)
    commitments = [one if isinstance(one, bytes) else record_commitment(one.nonce, one.data) for one in records]
    if len(commitments) != leaf.records:
        raise ProofError(f"The leaf holds {leaf.records} records, {len(commitments)} were given.")
    if not hmac.compare_digest(records_commitment(commitments), leaf.records_commitment):
        raise ProofError("The records are not those that the leaf commits to.")
    if envelope is not None and not hmac.compare_digest(
        envelope_commitment(envelope.nonce, envelope.data), leaf.envelope_commitment
    ):
        raise ProofError("The envelope is not the one that the leaf commits to.")
    return leaf


def verify_included(data: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> None:
    """Check that a leaf with these bytes is number ``index`` of the tree with that root. Raises ProofError."""
    merkle.verify_inclusion(merkle.leaf_hash(data), index, size, proof, tree_root)
