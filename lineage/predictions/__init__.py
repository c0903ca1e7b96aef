"""Predictions: records in the ledger, found by (deployment, id) and by time, and counted by the hour.

There are billions of them, so they are no nodes of the graph: this is a look-up beside it, made from the same ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lineage.event.model import Name


@dataclass(frozen=True, slots=True)
class Prediction:
    """One record: where it stands in the ledger and what it told. ``time`` is UTC microseconds since the epoch."""

    index: int
    position: int
    deployment: Name
    id: str
    time: int
    run_id: str | None = None
    model: Name | None = None
    model_version: str | None = None
    input_hash: str | None = None
    output_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """What one rollout served, for counting: every record of ``deployment`` that told ``run_id`` or no run, told no
    model or one of ``models``, and has a time in ``[start, end)`` (``end`` None: still serving); if this is the
    ``whole`` of what it served, those that told ``run_id`` have any time."""

    deployment: Name
    run_id: str
    start: int
    end: int | None
    models: frozenset[Name]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Count:
    """How many records, and the times of the first and the last (None if there is none)."""

    count: int
    first_at: int | None
    last_at: int | None


class PredictionReader(Protocol):
    """Look-ups; each in bounded time, whatever the number of records."""

    def find(self, deployment: Name, id: str) -> list[Prediction]:
        """All records under (deployment, id), by (time, index, position)."""

    def count(self, served: Sequence[Served], *, since: int | None = None) -> Count:
        """The records that any of ``served`` covers, each once, from ``since`` on. Counts by the hour are kept, so that
        only the records in a window's two edge hours are read."""

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        """Records of ``deployment`` with a time in ``[start, end)``, by (time, index, position), at most ``limit``."""
