"""The ledger: the append-only, durable, sequenced record of all that was received.

An *entry* is one request's records; a *leaf* is what of it is hashed into the Merkle tree (``docs/adr``); a *receipt*
is what the sender gets back for one record. Backends implement :class:`Ledger`; the first is
:mod:`lineage.ledger.sqlite`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lineage.event.model import Event, PredictionRecord

EntryKind = Literal["lineage", "predictions"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a request besides its records.

    ``sender`` is the API key's name, ``transport`` the way in (``http``, ``file``, ``kafka``), ``content_type`` as
    sent, ``source_offset`` the place in the source that lets a consumer resume (None for HTTP).
    """

    sender: str | None = None
    transport: str = "http"
    content_type: str | None = None
    source_offset: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One request's records, checked, each with the exact bytes received (after decompression), at least one.

    ``digests`` are the records' SHA-256, and ``parsed`` what the records say, where the caller has them already; the
    ledger does not look at the latter.
    """

    kind: EntryKind
    records: tuple[bytes, ...]
    envelope: Envelope = Envelope()
    digests: tuple[bytes, ...] | None = None
    parsed: tuple[Event | PredictionRecord, ...] | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where one record stands: entry ``index`` and ``position`` within it, and ``event_hash`` (``sha256:<64 hex>``).

    ``duplicate`` says that the same bytes were acknowledged before; the place is then that of the first.
    """

    index: int
    position: int
    event_hash: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the feed gives it. ``received`` is UTC, microseconds since the epoch.

    ``records`` holds None where the payload was erased.
    """

    index: int
    kind: EntryKind
    received: int
    envelope: Envelope
    records: tuple[bytes | None, ...]


class Ledger(Protocol):
    """Append, read, prove.

    The ledger guarantees: when ``append`` returns, all of it is durable; indexes are dense from 0 and never reused; an
    entry once given is given byte for byte the same ever after, save what was erased.
    """

    @property
    def id(self) -> str:
        """The random id that the ledger got when it was created; the origin of its checkpoints."""

    def append(self, submissions: Sequence[Submission]) -> list[list[Receipt]]:
        """Write all submissions in one durable transaction; receipts in the order of submissions and their records.

        A record whose bytes were acknowledged before (in an earlier entry, in this call, or earlier in its own
        submission) of the same kind is not stored again. A submission of nothing but duplicates makes no entry.
        Raises LedgerUnavailableError when the disk is full, read-only or failing; nothing is then written.
        """

    def size(self) -> int:
        """The number of entries."""

    def entries(self, after: int = -1, limit: int | None = None) -> Iterator[Entry]:
        """Entries with an index larger than ``after``, in order, as they stood when the call began; at most ``limit``.

        May be called from any thread, also while an append runs.
        """

    def root(self, size: int | None = None) -> bytes:
        """The RFC 6962 root over the first ``size`` leaves (all by default). Raises IndexAheadError past the end."""

    def leaf(self, index: int) -> bytes:
        """The exact bytes of leaf ``index`` (leaf v1), from which anyone can recompute its hash."""

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """RFC 6962 section 2.1.1 audit path of leaf ``index`` in the tree of ``size``. Raises IndexAheadError."""

    def consistency_proof(self, first: int, second: int | None = None) -> list[bytes]:
        """RFC 6962 section 2.1.2 proof between two sizes, ``1 <= first <= second``.

        Raises IndexAheadError, BadInputError.
        """

    def close(self) -> None:
        """Release the files. What was acknowledged stays."""


@dataclass(frozen=True, slots=True)
class KeptRoot:
    """The Merkle ``root`` over the first ``size`` entries (None: all), as somebody kept it elsewhere."""

    root: bytes
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check of the ledger is: ``checked`` of ``size`` entries were looked at.

    The last one has either ``root``, recomputed over all of them, or ``faults``, as sentences.
    """

    checked: int
    size: int
    root: bytes | None = None
    faults: tuple[str, ...] = ()
