"""What an answer may show: kinds, labels, ids and names, for every kind once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from lineage.keys import encode_id
from lineage.kind import Kind, kind_of_node
from lineage.model import Column, Dataset, Job, Run, Version, base_of
from lineage.predictions import Prediction

GraphThing = Dataset | Column | Job | Run | Version
"""Every node but a flow."""

Thing = GraphThing | Prediction
"""What an answer may show: every node but a flow, and prediction records."""


_MINUTE = 60_000_000


def kind_of(thing: Thing) -> Kind:
    """The kind of ``thing``: a model is a MODEL, a deployment a DEPLOYMENT, a SERVICE run a ROLLOUT."""
    kind = Kind.PREDICTION if isinstance(thing, Prediction) else kind_of_node(thing)
    assert kind is not None
    return kind


def label(thing: Thing) -> str:
    """``thing`` as a person would say it.

    Dataset, model, job, deployment: the name (``sales.orders``). Column: ``sales.orders.amount``. Version and run: the
    name of its dataset or job and the minute (UTC) of its writing or start, ``sales.orders @ 2026-05-01 10:00``; a run
    that has no start: the first part of its runId, ``load_orders @ 0192f3a1``. Prediction: ``fraud-api # 4711``.
    """
    return _LABEL_OF[type(thing)](thing)


_LABEL_OF: dict[type, Callable[[Any], str]] = {
    Dataset: attrgetter("name"),
    Job: attrgetter("name"),
    Column: lambda thing: f"{thing.name}.{thing.column}",
    Run: lambda thing: f"{thing.job.name} @ {minute(thing.started_at) or thing.run_id.partition('-')[0]}",
    Version: lambda thing: f"{thing.name} @ {minute(thing.written_at)}",
    Prediction: lambda thing: f"{thing.deployment.name} # {thing.id}",
}


def minute(time: int | None) -> str:
    """``time`` (UTC microseconds) as ``2026-05-01 10:00``, empty for None; a time past the calendar as the plain
    number."""
    return "" if time is None else _minute(time // _MINUTE) or str(time)


@lru_cache(maxsize=4096)
def _minute(number: int) -> str:
    """The minute of that number since the epoch; empty past the calendar."""
    try:
        return datetime.fromtimestamp(number * 60, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return ""


def thing_id(thing: Thing) -> str:
    """The Relay id of ``thing``; of a prediction, base64url of ``PREDICTION:`` and the JSON array
    [deployment namespace, deployment name, id, ledger index, position]. Subject ``NodeRef`` takes each back."""
    if isinstance(thing, Prediction):
        place = [*thing.deployment, thing.id, thing.index, thing.position]
        return base64.urlsafe_b64encode(b"PREDICTION:" + json.dumps(place).encode()).rstrip(b"=").decode()
    return encode_id(base_of(thing), thing.key)


def namespace_of(thing: Thing) -> str:
    """The namespace of ``thing``: a run's is its job's, a prediction's its deployment's."""
    return _NAMESPACE_OF[type(thing)](thing)


def name_of(thing: Thing) -> str:
    """The name of ``thing`` without its namespace: a column's is ``dataset.column``, a run's its job's."""
    return _NAME_OF[type(thing)](thing)


_NAMED_BY = {Dataset: "", Column: "", Version: "", Job: "", Run: "job.", Prediction: "deployment."}
_NAMESPACE_OF: dict[type, Callable[[Any], str]] = {
    kind: attrgetter(f"{path}namespace") for kind, path in _NAMED_BY.items()
}
_NAME_OF: dict[type, Callable[[Any], str]] = {
    **{kind: attrgetter(f"{path}name") for kind, path in _NAMED_BY.items()},
    Column: _LABEL_OF[Column],
}
