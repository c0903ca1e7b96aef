"""Predictions: records in the ledger, found by (deployment, id) and by time, and counted by the hour.

There are billions of them, so they are no nodes of the graph: this is a look-up beside it, made from the same ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lineage.event.model import Name

FOREVER = 3_600_000_000 << 30
"""Later than any time (microseconds, whole hours), and earlier if negated."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a record told of its model: None where it told nothing."""

    model: Name | None = None
    version: str | None = None

    @property
    def names_version(self) -> bool:
        """Whether it names a version, which takes a model."""
        return self.model is not None and self.version is not None


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

    @property
    def told(self) -> Told:
        """What it told of its model."""
        return Told(self.model, self.model_version)


@dataclass(frozen=True, slots=True)
class Served:
    """Records to be counted: those of ``deployment`` that told just ``run_id`` (None: no run) and ``told``, with a time
    in ``[start, end)``."""

    deployment: Name
    run_id: str | None
    told: Told
    start: int = -FOREVER
    end: int = FOREVER


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

    def told(self, deployment: Name, run_id: str | None, start: int = -FOREVER, end: int = FOREVER) -> frozenset[Told]:
        """What the records of ``deployment`` that told just ``run_id`` (None: no run) told of their models, without
        what was told only before ``start`` or only from ``end`` on. One row is read for each different telling."""

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        """Records of ``deployment`` with a time in ``[start, end)``, by (time, index, position), at most ``limit``."""
