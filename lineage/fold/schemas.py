"""The schemas that were told of a dataset, by what versions name them with."""

from __future__ import annotations

from lineage.event.model import EventDataset
from lineage.facts.extract import schema_of
from lineage.fold.records import DatasetRecord

MOST = 64
"""Different schemas that are kept of one name of a dataset: those that were told last."""


def tell_schema(record: DatasetRecord, dataset: EventDataset, time: int) -> bool:
    """Keep the schema of ``dataset``, told at ``time``, while it is one of the last; whether others are kept now. In
    which order they are told changes nothing."""
    fields, digest = schema_of(dataset)
    if digest is None:
        return False
    schemas = record.schemas
    known = schemas.get(digest)
    schemas[digest] = (max(time, known[0] if known else time), fields)
    if len(schemas) > MOST:
        del schemas[min(schemas, key=lambda each: (schemas[each][0], each))]
    return known is None
