"""A rollout that answers a few hundred requests, each recorded with the hashes of what was asked and answered."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from lineage_ingest.demo.csvfile import CSVFile
from lineage_ingest.demo.preparation import FEATURES, TrainingData, path_of
from lineage_ingest.demo.source import SEED
from lineage_ingest.emit import Deployment, Emitter, Model, Rollout

REQUESTS = 300
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Served:
    """What one rollout did: its run, the version it served, the id of one of its predictions, and how many there
    were."""

    run_id: str
    model: str
    version: str
    prediction_id: str
    predictions: int


@dataclass(frozen=True, slots=True)
class Service:
    """What serving needs: where to tell it, who serves, and whom the requests are about."""

    emitter: Emitter
    deployment: Deployment
    data: TrainingData
    network: httpx.BaseTransport | None = None

    def begin(self, model: Model, approved_by: str) -> Rollout:
        """Begin to serve ``model`` to all."""
        return self.deployment.rollout(
            [model],
            endpoint="/v1/progression",
            traffic=[(model, 100)],
            approved_by=approved_by,
        ).start()

    def answer(self, rollout: Rollout, model: Model) -> Served:
        """Answer ``REQUESTS`` requests with the model as it stands in its file, and record each."""
        fitted = pickle.loads(path_of(model).read_bytes())  # noqa: S301 - the file that the training wrote
        requests = self._requests(int(model.version or 0))
        ids: list[str] = []
        with self.emitter.recorder(self.deployment, run=rollout, model=model, transport=self.network) as recorder:
            for start in range(0, REQUESTS, _AT_ONCE):
                asked = requests[start : start + _AT_ONCE]
                for values, score in zip(asked, fitted.predict_proba(asked)[:, 1], strict=True):
                    request = dict(zip(FEATURES, values.tolist(), strict=True))
                    name = f"request-{model.version}-{len(ids):04d}"
                    ids.append(recorder.record(name, input=request, output={"fast_progression": float(score)}))
        sent = recorder.counts.sent
        return Served(rollout.run_id, model.name, model.version or "", ids[REQUESTS // 2], sent)

    def _requests(self, seed: int) -> Any:
        known = CSVFile.read(path_of(self.data.test)).matrix(FEATURES)
        rng = np.random.default_rng(SEED + seed)
        return known[rng.integers(len(known), size=REQUESTS)] * rng.normal(1.0, 0.02, size=(REQUESTS, len(FEATURES)))
