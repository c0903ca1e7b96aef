"""Ledger entries to what the projector works on: events for the fold, records for the prediction index."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from lineage.errors import DataFolderError
from lineage.event.model import Event, PredictionRecord
from lineage.event.parser import parse_event
from lineage.event.prediction import parse_prediction
from lineage.ledger import Entry, Ledger
from lineage.predictions import Prediction
from lineage.projector.handover import Handover

BATCH_RECORDS = 500
_BATCH_BYTES = 4 * 1024 * 1024

_log = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")

Parse = Callable[[bytes], Event | bytes]
"""What is made of an event's bytes before they are folded: nothing, where they are parsed elsewhere."""

Unfolded = tuple[int, int, Any]
"""Ledger index, position, and the event: an Event, or its bytes where they are parsed by who folds."""

Place = tuple[int, int]
"""(ledger index, position) of a record."""


class Predictions(Protocol):
    """What the projector needs of a prediction index: :class:`lineage.predictions.sqlite.PredictionIndex`."""

    def watermark(self) -> int:
        """How many ledger entries it reflects."""

    def apply(self, records: Sequence[Prediction], watermark: int) -> None:
        """Write the records, each known by its place and counted once, and the watermark."""

    def clear(self) -> None:
        """Remove everything, watermark included."""


@dataclass(slots=True)
class Batch:
    """What the entries from ``start`` on, before ``end``, hold."""

    start: int
    end: int
    events: list[Unfolded] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


def next_batch(
    ledger: Ledger,
    handover: Handover,
    start: int,
    until: int,
    skip: Callable[[Place], None],
    most: int = BATCH_RECORDS,
    parse: Parse = parse_event,
) -> Batch:
    """The next entries from ``start`` on, before ``until``: those handed over, else as :func:`read_batch` reads them up
    to the first that was. Raises as that does."""
    first = handover.first(start)
    if first != start:
        return read_batch(ledger, start, until if first is None else min(first, until), skip, most, parse)
    batch = Batch(start, start)
    records = size = 0
    while batch.end < until and records < most and size < _BATCH_BYTES:
        handed = handover.take(batch.end)
        if handed is None:
            break
        for position, record in handed.records:
            if isinstance(record, PredictionRecord):
                batch.predictions.append(_prediction(batch.end, position, record))
            else:
                batch.events.append((batch.end, position, record))
        batch.end += 1
        records += len(handed.records)
        size += handed.size
    return batch


def read_batch(
    ledger: Ledger,
    start: int,
    until: int,
    skip: Callable[[Place], None],
    most: int = BATCH_RECORDS,
    parse: Parse = parse_event,
) -> Batch:
    """The next entries from ``start`` on, before ``until``: all that wait, or as much as one batch should hold, which
    ends with the entry that has its record number ``most``.

    A record that was erased is passed over; so is, after a line in the log and a call of ``skip``, one that can't be
    parsed (it was accepted once: by another release). Raises DataFolderError at a damaged entry; those before it come
    first.
    """
    batch = Batch(start, start)
    records = size = 0
    try:
        for entry in ledger.entries(start - 1, until - start):
            _read(entry, batch, skip, parse)
            batch.end = entry.index + 1
            records += len(entry.records)
            size += sum(len(record) for record in entry.records if record is not None)
            if records >= most or size >= _BATCH_BYTES:
                break
    except DataFolderError:
        if batch.end == start:
            raise
    return batch


def _read(entry: Entry, batch: Batch, skip: Callable[[Place], None], parse: Parse) -> None:
    for position, record in enumerate(entry.records):
        if record is None:
            continue
        place = entry.index, position
        if entry.kind == "predictions":
            told = parse_or_skip(parse_prediction, record, place, skip)
            if told is not None:
                batch.predictions.append(_prediction(*place, told))
        else:
            event = parse_or_skip(parse, record, place, skip)
            if event is not None:
                batch.events.append((*place, event))


def parse_or_skip(
    parse: Callable[[bytes], Parsed],
    record: bytes,
    place: Place,
    skip: Callable[[Place], None] = lambda place: None,
) -> Parsed | None:
    """What ``parse`` makes of ``record``; None, after a line in the log and a call of ``skip``, if it can't."""
    try:
        return parse(record)
    except MemoryError:
        raise
    except Exception as error:
        _log.warning("Record %d of entry %d is passed over: %r", place[1], place[0], error)
        skip(place)
        return None


def _prediction(index: int, position: int, told: PredictionRecord) -> Prediction:
    return Prediction(
        index=index,
        position=position,
        deployment=told.deployment,
        id=told.id,
        time=told.time,
        run_id=told.run_id,
        model=told.model,
        model_version=told.model_version,
        input_hash=told.input_hash,
        output_hash=told.output_hash,
    )
