"""Records in batches, to a server or into a data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from lineage.cli.options import RecordKind
from lineage.cli.recordfile import Record
from lineage.cli.remote import Server

BATCH_RECORDS = 500
BATCH_BYTES = 4 << 20
"""A batch is sent when it has so many records or bytes; one record may be larger by itself."""

_PATHS = {"lineage": "/api/v1/lineage/batch", "predictions": "/api/v1/predictions"}


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that was not taken: its place in its file, and why."""

    place: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of records: how many are new in the ledger, were there already, came with warnings."""

    kept: int = 0
    duplicates: int = 0
    warned: int = 0
    refused: tuple[Refused, ...] = ()

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.kept + other.kept,
            self.duplicates + other.duplicates,
            self.warned + other.warned,
            self.refused + other.refused,
        )


class Sink(Protocol):
    """Takes a batch; when ``take`` returns, what was kept is durable."""

    def take(self, kind: RecordKind, records: list[Record]) -> Sent:
        """What became of ``records``."""


def batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    """``records`` in lists of up to BATCH_RECORDS and BATCH_BYTES."""
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and (len(batch) == BATCH_RECORDS or size + len(record.data) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.data)
    if batch:
        yield batch


class ServerSink:
    """Sends to a server over HTTP."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def take(self, kind: RecordKind, records: list[Record]) -> Sent:
        """Send one batch. Raises UnavailableError, and what the server refuses a whole batch with."""
        parts = _lines(records)
        if parts is None:
            body, content_type = b"[" + b",".join(record.data for record in records) + b"]", "application/json"
        else:
            body, content_type = parts, "application/x-ndjson"
        return sent_of(self._server.send(_PATHS[kind.value], body, content_type), records)


def sent_of(told: dict[str, Any], records: list[Record]) -> Sent:
    """What the server's answer to a batch says."""
    receipts = [receipt for receipt in told.get("receipts", ()) if receipt]
    duplicates = sum(bool(receipt.get("duplicate")) for receipt in receipts)
    refused = [
        Refused(records[failed["index"]].place, str(failed["reason"])) for failed in told.get("failed_events", ())
    ]
    warned = sum(bool(receipt.get("warnings")) for receipt in receipts)
    return Sent(len(receipts) - duplicates, duplicates, warned, tuple(refused))


def send_all(sink: Sink, kind: RecordKind, records: Iterable[Record], told: Callable[[Sent], None]) -> Sent:
    """Send all ``records``; ``told`` hears what became of each batch."""
    whole = Sent()
    for batch in batches(records):
        sent = sink.take(kind, batch)
        told(sent)
        whole += sent
    return whole


def _lines(records: list[Record]) -> bytes | None:
    """NDJSON, in which a bad record costs its neighbours nothing; None if a record has line breaks of its own."""
    if any(b"\n" in record.data for record in records):
        return None
    return b"\n".join(record.data for record in records) + b"\n"
