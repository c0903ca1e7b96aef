"""One append before it is written: what is new, its place, its leaf, and the rows to insert."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from operator import itemgetter
from typing import NamedTuple

from lineage.errors import TooLargeError
from lineage.ledger import Envelope, Receipt, Submission
from lineage.ledger.database import KINDS, POSITION_BITS, Row
from lineage.ledger.envelope import tellable_envelope
from lineage.ledger.payload import PayloadCodec
from lineage.ledger.tree import completed_nodes
from lineage.proof import leaf, merkle

_KEY_LENGTH = 16
_POSITION = (1 << POSITION_BITS) - 1
_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


class Hashed(NamedTuple):
    """A record's SHA-256 in hexadecimal, and the key under which duplicates of it are found."""

    hexadecimal: str
    key: bytes


def hash_records(submission: Submission, ledger_key: bytes) -> list[Hashed]:
    """Hash each record once; the key is an HMAC, so that without the ledger's key nothing can be guessed from it.

    It is taken over the kind and the record's SHA-256, which stands for the bytes at a third of the cost. Raises
    TooLargeError past the number of records that places have room for (16,777,216).
    """
    if len(submission.records) > _POSITION + 1:
        raise TooLargeError("Too many records for one entry.", hint="Send them in several requests.")
    kind = submission.kind.encode("ascii") + b"\n"
    hashed = []
    for record in submission.records:
        digest = sha256(record)
        key = hmac.digest(ledger_key, kind + digest.digest(), "sha256")[:_KEY_LENGTH]
        hashed.append(Hashed(digest.hexdigest(), key))
    return hashed


class Batch:
    """Grows by submissions; ``frontier`` grows along and ``known`` tells where a duplicate key stands already."""

    def __init__(
        self, frontier: merkle.Frontier, received: int, codec: PayloadCodec, sender_of: Callable[[Envelope], int]
    ) -> None:
        self.frontier = merkle.Frontier(frontier.size, frontier.roots)
        self.received = received
        self.leaves: list[Row] = []
        self.nodes: list[Row] = []
        self.envelopes: list[Row] = []
        self.records: list[Row] = []
        self.duplicates: list[Row] = []
        self._received_text = leaf.timestamp(received)
        self._codec = codec
        self._sender_of = sender_of
        self._told: dict[Envelope, tuple[bytes, int, str | None]] = {}

    def add(self, submission: Submission, hashed: Sequence[Hashed], known: dict[bytes, int]) -> list[Receipt]:
        """Take in one submission, and into ``known`` what is new in it; give its receipts."""
        index = self.frontier.size
        receipts: list[Receipt] = []
        commitments: list[bytes] = []
        for record, one in zip(submission.records, hashed, strict=True):
            place = known.get(one.key)
            duplicate = place is not None
            if place is None:
                place = known[one.key] = index << POSITION_BITS | len(commitments)
                self.duplicates.append((one.key, place))
                commitments.append(self._add_record(place, record))
            receipts.append(Receipt(place >> POSITION_BITS, place & _POSITION, "sha256:" + one.hexadecimal, duplicate))
        if commitments:
            self._add_leaf(index, submission, commitments)
        return receipts

    def _add_record(self, place: int, record: bytes) -> bytes:
        nonce = os.urandom(leaf.NONCE_LENGTH)
        self.records.append((place, nonce, self._codec.number, self._codec.compress(record)))
        return leaf.record_commitment(nonce, record)

    def _add_leaf(self, index: int, submission: Submission, commitments: Sequence[bytes]) -> None:
        canonical, sender, source_offset = self._tell(submission.envelope)
        nonce = os.urandom(leaf.NONCE_LENGTH)
        records = leaf.records_commitment(commitments)
        enveloped = leaf.envelope_commitment(nonce, canonical)
        kind = _KIND_NUMBERS[submission.kind]
        data = leaf.encode_parts(submission.kind, self._received_text, len(commitments), records, enveloped)
        self.leaves.append((index, self.received, kind, len(commitments), records))
        self.envelopes.append((index, nonce, sender, source_offset))
        self.nodes += completed_nodes(self.frontier.push(merkle.leaf_hash(data)), self.frontier.size)

    def _tell(self, envelope: Envelope) -> tuple[bytes, int, str | None]:
        """The canonical bytes, the sender's number, the source offset; most requests of a group share them."""
        told = self._told.get(envelope)
        if told is None:
            clean, canonical = tellable_envelope(envelope)
            told = self._told[envelope] = (canonical, self._sender_of(clean), clean.source_offset)
        return told


def tables(batch: Batch) -> Mapping[str, list[Row]]:
    """The rows to insert, by table; duplicates by key, as neighbours share pages of that index."""
    return {
        "leaves": batch.leaves,
        "nodes": batch.nodes,
        "envelopes": batch.envelopes,
        "records": batch.records,
        "duplicates": sorted(batch.duplicates, key=itemgetter(0)),
    }
