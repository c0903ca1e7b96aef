"""One append before it is written: what is new, its place, its leaf, and the rows to insert."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import repeat
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
    """A record's SHA-256, and the key under which duplicates of it are found."""

    digest: bytes
    key: bytes


class RecordHasher:
    """Hashes records; the duplicate key is an HMAC, so that without the ledger's key nothing can be guessed from it.

    It is taken over the kind and the record's SHA-256, which stands for the bytes at a third of the cost. ``key`` has
    32 bytes. May be used from any thread.
    """

    def __init__(self, key: bytes) -> None:
        # Both halves of RFC 2104, as far as they are the same for every record.
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key.ljust(64, b"\0")))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in key.ljust(64, b"\0")))

    def hash(self, submission: Submission) -> list[Hashed]:
        """Hash each record once.

        Raises TooLargeError past the number of records that places have room for (16,777,216).
        """
        if len(submission.records) > _POSITION + 1:
            raise TooLargeError("Too many records for one entry.", hint="Send them in several requests.")
        kind = submission.kind.encode("ascii") + b"\n"
        digests = submission.digests or [sha256(record).digest() for record in submission.records]
        return [Hashed(digest, self._key(kind + digest)) for digest in digests]

    def _key(self, data: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()[:_KEY_LENGTH]


class Batch:
    """Grows by submissions; ``frontier`` grows along and ``known`` tells where a duplicate key stands already.

    ``records`` is how many there are at most, in as many submissions or fewer.
    """

    def __init__(
        self, frontier: merkle.Frontier, received: int, records: int, sender_of: Callable[[Envelope], int]
    ) -> None:
        self.frontier = merkle.Frontier(frontier.size, frontier.roots)
        self.received = received
        self._leaves: list[Row] = []
        self._nodes: list[Row] = []
        self._envelopes: list[Row] = []
        self._fresh: list[bytes] = []
        self._places: list[int] = []
        self._record_nonces: list[bytes] = []
        self._duplicates: list[Row] = []
        self._received_text = leaf.timestamp(received)
        self._nonces = _nonces(2 * records)
        self._sender_of = sender_of
        self._told: dict[Envelope, tuple[bytes, int, str | None]] = {}

    def add(self, submission: Submission, hashed: Sequence[Hashed], known: dict[bytes, int]) -> list[Receipt]:
        """Take in one submission, and into ``known`` what is new in it; give its receipts."""
        index = self.frontier.size
        receipts: list[Receipt] = []
        commitments: list[bytes] = []
        for record, (digest, key) in zip(submission.records, hashed, strict=True):
            place = known.get(key)
            duplicate = place is not None
            if place is None:
                place = known[key] = index << POSITION_BITS | len(commitments)
                self._duplicates.append((key, place))
                commitments.append(self._add_record(place, record))
            receipts.append(Receipt(place >> POSITION_BITS, place & _POSITION, "sha256:" + digest.hex(), duplicate))
        if commitments:
            self._add_leaf(index, submission, commitments)
        return receipts

    def tables(self, codec: PayloadCodec) -> Mapping[str, list[Row]]:
        """The rows to insert, by table; duplicates by key, as neighbours share pages of that index."""
        payloads = codec.compress(self._fresh)
        return {
            "leaves": self._leaves,
            "nodes": self._nodes,
            "envelopes": self._envelopes,
            "records": list(zip(self._places, self._record_nonces, repeat(codec.number), payloads)),
            "duplicates": sorted(self._duplicates, key=itemgetter(0)),
        }

    def _add_record(self, place: int, record: bytes) -> bytes:
        nonce = next(self._nonces)
        self._places.append(place)
        self._record_nonces.append(nonce)
        self._fresh.append(record)
        return leaf.record_commitment(nonce, record)

    def _add_leaf(self, index: int, submission: Submission, commitments: Sequence[bytes]) -> None:
        canonical, sender, source_offset = self._tell(submission.envelope)
        nonce = next(self._nonces)
        records = leaf.records_commitment(commitments)
        enveloped = leaf.envelope_commitment(nonce, canonical)
        kind = _KIND_NUMBERS[submission.kind]
        data = leaf.encode_parts(submission.kind, self._received_text, len(commitments), records, enveloped)
        self._leaves.append((index, self.received, kind, len(commitments), records))
        self._envelopes.append((index, nonce, sender, source_offset))
        self._nodes += completed_nodes(self.frontier.push(merkle.leaf_hash(data)), self.frontier.size)

    def _tell(self, envelope: Envelope) -> tuple[bytes, int, str | None]:
        """The canonical bytes, the sender's number, the source offset; most requests of a group share them."""
        told = self._told.get(envelope)
        if told is None:
            clean, canonical = tellable_envelope(envelope)
            told = self._told[envelope] = (canonical, self._sender_of(clean), clean.source_offset)
        return told


def _nonces(count: int) -> Iterator[bytes]:
    """So many random nonces, fetched from the system at once."""
    random = os.urandom(leaf.NONCE_LENGTH * count)
    return (random[start : start + leaf.NONCE_LENGTH] for start in range(0, len(random), leaf.NONCE_LENGTH))
