"""The emitters: tell a lineage server, in OpenLineage's words, what a pipeline reads, writes, trains, serves and
predicts.

They stand on openlineage-python's client (specification 2-0-2), and need nothing of the server.

>>> from lineage_ingest.emit import Emitter, ListTransport
>>> told = ListTransport()
>>> emitter = Emitter(transport=told, namespace="ml")
>>> with emitter.run("train") as run:
...     run.parameters({"C": 0.1})
...     run.metrics({"roc_auc": 0.91}, split="TEST")
>>> [event.eventType.value for event in told.events]
['START', 'COMPLETE']
>>> emitter.close()
"""

from __future__ import annotations

from functools import cache

from lineage_ingest.emit.canonical import canonical_json, hash_value
from lineage_ingest.emit.code import CodeLocation, find_code
from lineage_ingest.emit.dataset import ColumnSource, Dataset, Feature, Model, ModelCard
from lineage_ingest.emit.delivery import DeliveryCounts, ListTransport, http_transport
from lineage_ingest.emit.deployment import Deployment, Rollout
from lineage_ingest.emit.digest import Digest, hash_file
from lineage_ingest.emit.emitter import Emitter, file_transport
from lineage_ingest.emit.errors import ContentMovingError, DeliveryError, EmitError, HashingError, RunStateError
from lineage_ingest.emit.facet import PREFIX, PRODUCER, DeliveryPipeline, Role
from lineage_ingest.emit.parent import Parent, RunReference
from lineage_ingest.emit.recorder import PredictionRecorder, RecorderCounts
from lineage_ingest.emit.run import Run
from lineage_ingest.emit.table import hash_csv, hash_table
from lineage_ingest.emit.tree import hash_path, hash_tree

__all__ = [
    "PREFIX",
    "PRODUCER",
    "CodeLocation",
    "ColumnSource",
    "ContentMovingError",
    "Dataset",
    "DeliveryCounts",
    "DeliveryError",
    "DeliveryPipeline",
    "Deployment",
    "Digest",
    "EmitError",
    "Emitter",
    "Feature",
    "HashingError",
    "ListTransport",
    "Model",
    "ModelCard",
    "Parent",
    "PredictionRecorder",
    "RecorderCounts",
    "Role",
    "Rollout",
    "Run",
    "RunReference",
    "RunStateError",
    "canonical_json",
    "default_emitter",
    "emit_dataset",
    "file_transport",
    "find_code",
    "hash_csv",
    "hash_file",
    "hash_path",
    "hash_table",
    "hash_tree",
    "hash_value",
    "http_transport",
    "run",
]


@cache
def default_emitter() -> Emitter:
    """The emitter that the environment describes (``OPENLINEAGE_URL``, …), made once."""
    return Emitter()


def run(job: str, *, namespace: str | None = None, parent: Run | Parent | None = None) -> Run:
    """A run of ``job``, by the default emitter."""
    return default_emitter().run(job, namespace=namespace, parent=parent)


def emit_dataset(dataset: Dataset, *, url: str | None = None, api_key: str | None = None) -> Dataset:
    """Tell a dataset's state now to the server at ``url``, or the one that the environment names; return it as told.

    Raises HashingError for content that can't be hashed, DeliveryError when the server can't be reached or refuses.
    """
    with Emitter(url, api_key=api_key, strict=True) as emitter:
        return emitter.emit_dataset(dataset)
