"""What comes in: the HTTP intake of the server, and the emitters that a pipeline uses.

The names of :mod:`lineage_ingest.emit` can be had from here, as in ``from lineage_ingest import Emitter``; they are
loaded when asked for, and the server's parts never are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage_ingest.emit import Dataset as Dataset
    from lineage_ingest.emit import Deployment as Deployment
    from lineage_ingest.emit import Emitter as Emitter
    from lineage_ingest.emit import Model as Model
    from lineage_ingest.emit import ModelCard as ModelCard
    from lineage_ingest.emit import PredictionRecorder as PredictionRecorder
    from lineage_ingest.emit import Rollout as Rollout
    from lineage_ingest.emit import Run as Run
    from lineage_ingest.emit import emit_dataset as emit_dataset
    from lineage_ingest.emit import hash_file as hash_file
    from lineage_ingest.emit import hash_tree as hash_tree
    from lineage_ingest.emit import run as run

_EMITTERS = frozenset(
    {
        "Dataset",
        "Deployment",
        "Emitter",
        "Model",
        "ModelCard",
        "PredictionRecorder",
        "Rollout",
        "Run",
        "emit_dataset",
        "hash_file",
        "hash_tree",
        "run",
    }
)


def __getattr__(name: str) -> Any:
    if name not in _EMITTERS:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from lineage_ingest import emit

    return getattr(emit, name)
