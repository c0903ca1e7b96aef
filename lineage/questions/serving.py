"""Which rollout, and which model versions, may have made a prediction.

A record that tells its run means that rollout; else the rollouts of its deployment live at its time are meant. A model
that the record tells narrows them to those that read it, and to its version if told, whenever that was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lineage.errors import NotFoundError
from lineage.keys import dataset_key, job_key
from lineage.model import NameScope, Run, Version
from lineage.predictions import Prediction
from lineage.questions.resolution import versions
from lineage.questions.rollouts import ModelRead, is_told_later, model_reads, rollouts_of, served_in, serving
from lineage.questions.spread import things
from lineage.questions.subjects import VersionRef
from lineage.store import GraphReader


@dataclass(frozen=True, slots=True)
class Serving:
    """A rollout, and those of its reads that it served from; ``is_early`` if it told them only later."""

    rollout: Run
    reads: tuple[ModelRead, ...]
    is_early: bool = False

    @property
    def is_split(self) -> bool:
        """Whether what served isn't settled: several versions of one model, traffic split among models, or nothing
        told until later."""
        versions = {read.version.key for read in self.reads}
        models = {read.version.dataset for read in self.reads}
        traffic = self.rollout.rollout.get("traffic")
        return (
            self.is_early
            or len(models) < len(versions)
            or (len(models) > 1 and isinstance(traffic, list) and len(traffic) > 1)
        )


def servings(graph: GraphReader, record: Prediction) -> list[Serving]:
    """What may have made ``record``, by (start, key of the rollout); empty if no rollout is known."""
    rollouts = _rollouts(graph, record)
    reads = model_reads(graph, [run.key for run in rollouts])
    found = [
        Serving(run, tuple(_meant(graph, reads.get(run.key, ()), run, record)), is_told_later(run, record.time))
        for run in rollouts
    ]
    if record.model is None or record.run_id is not None:
        return found
    return [each for each in found if each.reads]


def servings_in(graph: GraphReader, deployments: Sequence[bytes], start: int, end: int) -> list[Serving]:
    """Every rollout of ``deployments`` that served in ``[start, end]``, with what it served then."""
    rollouts = [run for run in rollouts_of(graph, deployments) if served_in(run, start, end)]
    reads = model_reads(graph, [run.key for run in rollouts])
    return [
        Serving(run, tuple(serving(reads.get(run.key, ()), run, start, end)), is_told_later(run, start))
        for run in rollouts
    ]


def told_versions(graph: GraphReader, record: Prediction) -> list[Version]:
    """The model versions that the record itself names."""
    if record.model is None or record.model_version is None:
        return []
    try:
        return versions(graph, VersionRef(*record.model, version=record.model_version))
    except NotFoundError:
        return []


def deployment_keys(graph: GraphReader, record: Prediction) -> list[bytes]:
    """The jobs that the record's deployment leads to."""
    return _keys(graph, job_key(*record.deployment))


def _keys(graph: GraphReader, key: bytes) -> list[bytes]:
    return [key] if graph.fetch([key])[0] is not None else graph.lookup(NameScope.KEY, key.hex())


def _rollouts(graph: GraphReader, record: Prediction) -> list[Run]:
    known = rollouts_of(graph, deployment_keys(graph, record))
    if record.run_id is None:
        return [run for run in known if served_in(run, record.time, record.time)]
    told = things(graph, graph.lookup(NameScope.RUN_ID, record.run_id))
    return [run for run in known if run.key in told]


def _meant(graph: GraphReader, reads: Sequence[ModelRead], run: Run, record: Prediction) -> list[ModelRead]:
    if record.model is None:
        return serving(reads, run, record.time, record.time)
    models = set(_keys(graph, dataset_key(*record.model)))
    of_model = [read for read in reads if read.version.dataset in models]
    if record.model_version is None:
        return serving(of_model, run, record.time, record.time)
    named = {version.key for version in told_versions(graph, record)}
    return [read for read in of_model if read.version.key in named]
