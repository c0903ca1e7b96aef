"""Apache Iceberg tables in Spark's events (openlineage-spark 1.53.0, Iceberg 1.10.1).

``version`` is the table's state when the event was built, not what was read or written: a COMPLETE of
``INSERT INTO t SELECT … FROM t`` shows t's new snapshot as input and as output, a START shows an output's old one.
What was truly read stands in ``icebergScanReport`` (inputFacets), what was written in ``icebergCommitReport``
(outputFacets). Their ``snapshotId`` is a 64-bit number sent as a double, so it can refute a version, never give one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lineage.dialects.shapes import told
from lineage.event.blocks import derived
from lineage.event.model import Event, EventDataset

_VERSION = "version"


def without_stale_versions(event: Event) -> Event:
    """``event`` without versions that were neither read nor written; the same object if it has none."""
    inputs = tuple([_unversioned(dataset) if _read_another(dataset) else dataset for dataset in event.inputs])
    outputs = tuple([_unversioned(dataset) if _uncommitted(dataset) else dataset for dataset in event.outputs])
    return (
        event if inputs == event.inputs and outputs == event.outputs else replace(event, inputs=inputs, outputs=outputs)
    )


def is_iceberg(dataset: EventDataset) -> bool:
    """Whether the dataset is an Iceberg table, by its storage or its catalog facet."""
    facets = dataset.facets
    return (
        told(facets, "storage").get("storageLayer") == "iceberg"
        or told(facets, "catalog").get("framework") == "iceberg"
    )


@derived
def _read_another(dataset: EventDataset) -> bool:
    if _VERSION not in dataset.facets:
        return False
    snapshot = _double(told(dataset.io_facets, "icebergScanReport").get("snapshotId"))
    return snapshot is not None and _double(told(dataset.facets, _VERSION).get("datasetVersion")) != snapshot


@derived
def _uncommitted(dataset: EventDataset) -> bool:
    return _VERSION in dataset.facets and is_iceberg(dataset) and not told(dataset.io_facets, "icebergCommitReport")


@derived
def _unversioned(dataset: EventDataset) -> EventDataset:
    return replace(dataset, facets={name: value for name, value in dataset.facets.items() if name != _VERSION})


def _double(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
