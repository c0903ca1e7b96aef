"""Prediction records as they go over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from lineage_ingest.emit.clock import format_time
from lineage_ingest.emit.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction. ``deployment`` is (namespace, name), ``run`` the runId of the rollout; hashes are ``sha256:<64
    hex>``."""

    id: str
    time: datetime
    deployment: tuple[str, str]
    run: str | None = None
    model: Dataset | None = None
    input_hash: str | None = None
    output_hash: str | None = None


def encode_prediction(prediction: Prediction) -> bytes:
    """The record's JSON bytes, the same for the same prediction, so that one sent twice is known as a duplicate."""
    namespace, name = prediction.deployment
    record: dict[str, object] = {
        "id": prediction.id,
        "time": format_time(prediction.time),
        "deployment": {"namespace": namespace, "name": name},
    }
    if prediction.run is not None:
        record["run"] = prediction.run
    if prediction.model is not None:
        record["model"] = _model(prediction.model)
    if prediction.input_hash is not None:
        record["inputHash"] = prediction.input_hash
    if prediction.output_hash is not None:
        record["outputHash"] = prediction.output_hash
    return json.dumps(record, separators=(",", ":")).encode()


def _model(model: Dataset) -> dict[str, str]:
    told = {"namespace": model.namespace, "name": model.name}
    return told if model.version is None else told | {"version": model.version}
