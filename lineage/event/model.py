"""An OpenLineage event as received, and a prediction record: what parsing makes of bytes (OpenLineage 2-0-2).

Facets stay plain JSON values, unknown ones too; what they claim is for the dialects and the fold to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

Facets = Mapping[str, Any]


class Name(NamedTuple):
    """The natural key of a dataset or a job: the pair, never a joined string."""

    namespace: str
    name: str


class EventKind(Enum):
    """By structure, not by ``schemaURL``: run and job, a job alone, or a dataset alone."""

    RUN = "RUN"
    JOB = "JOB"
    DATASET = "DATASET"


@dataclass(frozen=True, slots=True)
class EventDataset:
    """A dataset as one event names it: ``facets`` about the dataset, ``io_facets`` about this read or this write.

    Events that name it alike share one object; ``derived`` is what was concluded from it, by the function that did
    (:func:`lineage.event.blocks.derived`).
    """

    name: Name
    facets: Facets
    io_facets: Facets
    derived: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``time`` is ``eventTime`` in UTC microseconds since the epoch, ``hash`` the SHA-256 of the bytes.

    ``type`` is ``eventType`` in upper case, or None. ``run_id`` is a lower-case canonical UUID. Of a JobEvent it is
    None; of a DatasetEvent ``job`` too, and ``dataset`` is set. ``warnings`` are the codes that receipts show.
    """

    kind: EventKind
    hash: bytes
    time: int
    producer: str
    type: str | None = None
    run_id: str | None = None
    run_facets: Facets = field(default_factory=dict)
    job: Name | None = None
    job_facets: Facets = field(default_factory=dict)
    inputs: tuple[EventDataset, ...] = ()
    outputs: tuple[EventDataset, ...] = ()
    dataset: EventDataset | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One prediction as it was told. ``time`` is UTC microseconds since the epoch."""

    hash: bytes
    id: str
    time: int
    deployment: Name
    run_id: str | None = None
    model: Name | None = None
    model_version: str | None = None
    input_hash: str | None = None
    output_hash: str | None = None
    warnings: tuple[str, ...] = ()
