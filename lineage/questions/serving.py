"""Which rollout, and which model versions, may have made a prediction.

A record that tells its run means that rollout; else the rollouts of its deployment live at its time are meant. A model
that the record tells narrows them to those that read it, and to its version if told, whenever that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from lineage.errors import NotFoundError
from lineage.keys import dataset_key, job_key
from lineage.model import Name, NameScope, Run, Version
from lineage.predictions import Prediction, Told
from lineage.questions.resolution import versions, versions_once
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


class Meanings:
    """Which of ``versions``, all of models, a record means by what it told: all, those of a model, or those that it
    names (which are then meant whenever they were served)."""

    def __init__(self, graph: GraphReader, versions: Iterable[Version]) -> None:
        self._graph = graph
        self._versions = tuple(versions)
        self._every = frozenset(version.key for version in self._versions)
        self._of_models: dict[Name, frozenset[bytes]] = {}
        self._named: dict[tuple[Name, str], set[bytes]] = {}

    def of(self, told: Told) -> Set[bytes]:
        """The keys of the versions that ``told`` means."""
        if told.model is None:
            return self._every
        of_model = self._of_model(told.model)
        if told.version is None or not of_model:
            return of_model
        named = self._named.get((told.model, told.version))
        return named or versions_once(self._graph, VersionRef(*told.model, version=told.version), of_model)

    def _of_model(self, name: Name) -> frozenset[bytes]:
        if name not in self._of_models:
            models = set(_keys(self._graph, dataset_key(*name)))
            found = [version for version in self._versions if version.dataset in models]
            self._of_models[name] = frozenset(version.key for version in found)
            for version in found:
                for declared in version.declared:
                    self._named.setdefault((name, declared), set()).add(version.key)
        return self._of_models[name]


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
    keys = Meanings(graph, (read.version for read in reads)).of(record.told)
    meant = [read for read in reads if read.version.key in keys]
    return meant if record.told.names_version else serving(meant, run, record.time, record.time)
