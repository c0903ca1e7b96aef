"""Which rollouts served when, and what each of them served: model versions, and predictions to be counted.

A rollout meets an undeclared model at its START only, but later tellings (``traffic[].version``) change what it serves
(R12 b, R13): what it serves at a time is, per model, all that it told last until then (several: a split of traffic).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from lineage.answer import GraphThing
from lineage.model import Dataset, Edge, EdgeKind, Name, Run, RunType, Version
from lineage.predictions import Served
from lineage.questions.spread import chunks, flows_of, things
from lineage.store import Direction, GraphReader


class ModelRead(NamedTuple):
    """One read of a version, most often a model's, by a rollout."""

    run: bytes
    version: Version
    edge: Edge


def is_live(run: Run) -> bool:
    """Whether ``run`` is a rollout that still serves."""
    return run.type is RunType.SERVICE and run.ended_at is None


def served_in(run: Run, start: int, end: int) -> bool:
    """Whether the rollout ``run`` served in ``[start, end]``; its own end is no part of its time."""
    if run.started_at is None or run.started_at > end:
        return False
    return run.ended_at is None or run.ended_at > start


def rollouts_of(graph: GraphReader, deployments: Iterable[bytes]) -> list[Run]:
    """All rollouts of deployments, by (start, key)."""
    nodes = things(graph, runs_of(graph, deployments)).values()
    rollouts = (node for node in nodes if isinstance(node, Run) and node.type is RunType.SERVICE)
    return sorted(rollouts, key=lambda run: (run.started_at or 0, run.key))


def runs_of(graph: GraphReader, jobs: Iterable[bytes]) -> list[bytes]:
    """The keys of all runs of jobs."""
    return [
        edge.target
        for chunk in chunks(jobs)
        for edge in graph.neighbours(chunk, [EdgeKind.HAS_RUN], Direction.DOWNSTREAM)
    ]


def model_reads(graph: GraphReader, runs: Iterable[bytes]) -> dict[bytes, list[ModelRead]]:
    """What each of ``runs`` read of models, by run."""
    found = {run: [read for read in reads if read.version.is_model] for run, reads in _reads(graph, runs).items()}
    return {run: reads for run, reads in found.items() if reads}


def _reads(graph: GraphReader, runs: Iterable[bytes]) -> dict[bytes, list[ModelRead]]:
    owners = flows_of(graph, runs)
    edges = [
        edge for chunk in chunks(owners) for edge in graph.neighbours(chunk, [EdgeKind.READ_BY], Direction.UPSTREAM)
    ]
    versions = things(graph, (edge.source for edge in edges))
    reads: dict[bytes, list[ModelRead]] = defaultdict(list)
    for edge in edges:
        version = versions.get(edge.source)
        if isinstance(version, Version):
            reads[owners[edge.target]].append(ModelRead(owners[edge.target], version, edge))
    return reads


def serving(reads: Iterable[ModelRead], run: Run, start: int | None, end: int | None) -> list[ModelRead]:
    """Those of the reads of rollout ``run`` that it served from in ``[start, end]``: per model what it last told until
    ``start``, and all that it told after it until ``end``; if it told nothing before, the first. Without times: what
    it told last."""
    by_model: dict[bytes, list[ModelRead]] = defaultdict(list)
    for read in reads:
        by_model[read.version.dataset].append(read)
    return [read for model in sorted(by_model) for read in _serving(by_model[model], run, model, start, end)]


def is_told_later(run: Run, at: int) -> bool:
    """Whether the rollout told what it serves of some model only after ``at``."""
    told: dict[bytes, int] = {}
    for moment, model, _ in run.serves:
        told[model] = min(moment, told.get(model, moment))
    return any(moment > at for moment in told.values())


def _serving(reads: Sequence[ModelRead], run: Run, model: bytes, start: int | None, end: int | None) -> list[ModelRead]:
    told = [(at, versions) for at, of, versions in run.serves if of == model]
    told = told or [(read.edge.at or 0, (read.version.key,)) for read in reads]
    moments = [at for at, _ in told]
    begin = max((at for at in moments if start is None or at <= start), default=min(moments, default=0))
    last = begin if start is None else max(begin, end if end is not None else begin)
    served = {version for at, versions in told if begin <= at <= last for version in versions}
    return [read for read in reads if read.version.key in served]


def served_windows(graph: GraphReader, runs: Sequence[Run], holds: Callable[[bytes], bool]) -> list[Served]:
    """What each rollout served, for counting its predictions: when, and all names of the models that it reads.

    It counts from when and while it served or had met what ``holds``; all its time, where it read nothing of that. One
    that tells no start covers only the records that name it.
    """
    reads = _reads(graph, (run.key for run in runs))
    datasets = things(graph, {read.version.dataset for each in reads.values() for read in each})
    return [
        Served(run.job, run.run_id, start, end, models, whole)
        for run in runs
        for models in [
            frozenset(
                name
                for read in reads.get(run.key, ())
                if read.version.is_model
                for name in _names(read.version, datasets.get(read.version.dataset))
            )
        ]
        for start, end, whole in _spans(run, [read for read in reads.get(run.key, ()) if holds(read.version.key)])
    ]


def _spans(run: Run, reads: Sequence[ModelRead]) -> list[tuple[int, int | None, bool]]:
    """(start, end, whether that is all its time) of the times in which ``run`` worked with one of ``reads``."""
    if run.started_at is None:
        return [(0, 0, True)]
    spans = [span for read in reads for span in _with_version(run, read)]
    if not reads or any(start <= run.started_at and end == run.ended_at for start, end in spans):
        return [(run.started_at, run.ended_at, True)]
    return [(start, end, False) for start, end in spans]


def _with_version(run: Run, read: ModelRead) -> Iterator[tuple[int, int | None]]:
    """From when to when ``run`` worked with one version: of a model until it told others of it, else to its end."""
    told = [(at, versions) for at, model, versions in run.serves if model == read.version.dataset]
    if not told:
        yield read.edge.at or 0, run.ended_at
        return
    for (at, versions), until in zip(told, [*(at for at, _ in told[1:]), run.ended_at], strict=True):
        if read.version.key in versions:
            yield at, until


def _names(version: Version, model: GraphThing | None) -> tuple[Name, ...]:
    aliases = model.aliases if isinstance(model, Dataset) else ()
    return (Name(version.namespace, version.name), *aliases)
