"""Which records a window of the prediction index covers, as plainly as it can be said."""

from __future__ import annotations

from lineage.predictions import Prediction, Served


def covers(served: Served, record: Prediction) -> bool:
    """The definition in ``Served``."""
    told = record.deployment, record.run_id, record.model, record.model_version
    asked = served.deployment, served.run_id, served.told.model, served.told.version
    return told == asked and served.start <= record.time < served.end
