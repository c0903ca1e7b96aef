"""Why no rollout is known that served: what to say of it, as the case is."""

from __future__ import annotations

from collections.abc import Sequence

from lineage.answer import label, minute
from lineage.model import Name, NameScope, Run
from lineage.predictions import Prediction
from lineage.questions.rollouts import rollouts_of, served_in
from lineage.questions.serving import deployment_keys
from lineage.questions.spread import things
from lineage.store import GraphReader


def why_none_made(graph: GraphReader, record: Prediction) -> str:
    """Why :func:`lineage.questions.serving.servings` gives nothing for ``record``."""
    known = rollouts_of(graph, deployment_keys(graph, record))
    if record.run_id is not None:
        return _not_the_run(graph, record.run_id)
    if record.model is not None and any(served_in(run, record.time, record.time) for run in known):
        return f"No rollout that served then is known to have served {model_told(record.model, record.model_version)}."
    return why_none_served(known, record.time, record.time)


def why_none_served(known: Sequence[Run], start: int, end: int) -> str:
    """Why none of ``known``, all rollouts of a deployment, served in ``[start, end]``; times are UTC microseconds."""
    if not known:
        return "No rollout of this deployment is known."
    begun = [run for run in known if run.started_at is not None]
    if not begun:
        return "No rollout of this deployment told when it began."
    ended = max((run.ended_at for run in begun if run.ended_at is not None and run.ended_at <= start), default=None)
    began = min((run.started_at for run in begun if run.started_at is not None and run.started_at > end), default=None)
    nearest = [f"the last before ended {minute(ended)}"] if ended is not None else []
    nearest += [f"the next began {minute(began)}"] if began is not None else []
    return f"No rollout of this deployment is known to have served then: {', '.join(nearest)} (UTC)."


def model_told(model: Name, version: str | None) -> str:
    """The model that a record names, as a part of a sentence."""
    return f"the model that the record names, {model.name}" + (f" version {version}" if version is not None else "")


def _not_the_run(graph: GraphReader, run_id: str) -> str:
    runs = [node for node in things(graph, graph.lookup(NameScope.RUN_ID, run_id)).values() if isinstance(node, Run)]
    if not runs:
        return f"The record names the run {run_id}, of which no event was received."
    return f"The record names the run {run_id}, which is no rollout of this deployment but {_said(runs)}."


def _said(runs: Sequence[Run]) -> str:
    return " and ".join(f"{label(run)} ({run.type.value})" for run in sorted(runs, key=lambda run: run.key))
