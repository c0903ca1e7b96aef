"""Ledger entries to what the projector works on: events for the fold, records for the prediction index."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from lineage.errors import DataFolderError
from lineage.event.model import Event
from lineage.event.parser import parse_event
from lineage.event.prediction import parse_prediction
from lineage.ledger import Entry, Ledger
from lineage.predictions import Prediction

_BATCH_RECORDS = 500
_BATCH_BYTES = 4 * 1024 * 1024

_log = logging.getLogger(__name__)

Place = tuple[int, int]
"""(ledger index, position) of a record."""


@dataclass(slots=True)
class Batch:
    """What the entries from ``start`` on, before ``end``, hold."""

    start: int
    end: int
    events: list[tuple[int, int, Event]] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)


def read_batch(ledger: Ledger, start: int, until: int, skip: Callable[[Place], None]) -> Batch:
    """The next entries from ``start`` on, before ``until``: all that wait, or as much as one batch should hold.

    A record that was erased is passed over; so is, after a line in the log and a call of ``skip``, one that can't be
    parsed (it was accepted once: by another release). Raises DataFolderError at a damaged entry; those before it come
    first.
    """
    batch = Batch(start, start)
    records = size = 0
    try:
        for entry in ledger.entries(start - 1, until - start):
            _parse(entry, batch, skip)
            batch.end = entry.index + 1
            records += len(entry.records)
            size += sum(len(record) for record in entry.records if record is not None)
            if records >= _BATCH_RECORDS or size >= _BATCH_BYTES:
                break
    except DataFolderError:
        if batch.end == start:
            raise
    return batch


def _parse(entry: Entry, batch: Batch, skip: Callable[[Place], None]) -> None:
    for position, record in enumerate(entry.records):
        if record is None:
            continue
        try:
            if entry.kind == "predictions":
                batch.predictions.append(_prediction(entry.index, position, record))
            else:
                batch.events.append((entry.index, position, parse_event(record)))
        except MemoryError:
            raise
        except Exception as error:
            _log.warning("Record %d of entry %d is passed over: %r", position, entry.index, error)
            skip((entry.index, position))


def _prediction(index: int, position: int, record: bytes) -> Prediction:
    told = parse_prediction(record)
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
