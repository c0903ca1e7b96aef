"""Which rollouts served when, and what each of them served.

A rollout meets an undeclared model at its START only, but later tellings (``traffic[].version``) change what it serves
(R12 b, R13): what it serves at a time is, per model, all that it told last until then (several: a split of traffic).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lineage.model import Edge, EdgeKind, Run, RunType, Version
from lineage.predictions import FOREVER
from lineage.questions.spread import edges_of, flows_of, things
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
    return [edge.target for edge in edges_of(graph, jobs, [EdgeKind.HAS_RUN], Direction.DOWNSTREAM)]


def model_reads(graph: GraphReader, runs: Iterable[bytes]) -> dict[bytes, list[ModelRead]]:
    """What each of ``runs`` read of models, by run."""
    found = {run: [read for read in reads if read.version.is_model] for run, reads in all_reads(graph, runs).items()}
    return {run: reads for run, reads in found.items() if reads}


def all_reads(graph: GraphReader, runs: Iterable[bytes]) -> dict[bytes, list[ModelRead]]:
    """What each of ``runs`` read, of whatever dataset, by run."""
    owners = flows_of(graph, runs)
    edges = list(edges_of(graph, owners, [EdgeKind.READ_BY], Direction.UPSTREAM))
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
    by_model = _by_model(reads)
    return [read for model in sorted(by_model) for read in _serving(by_model[model], run, model, start, end)]


def times_served(reads: Iterable[ModelRead], run: Run) -> dict[bytes, list[tuple[int, int]]]:
    """By version, the spans ``[start, end)`` of the moments at which :func:`serving` gives it: what ``run`` first told
    or met of a model stands for all time before, what it last did for all time after."""
    times: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for model, own in _by_model(reads).items():
        told: dict[int, set[bytes]] = defaultdict(set)
        for at, versions in _tellings(own, run, model):
            told[at].update(versions)
        starts = sorted(told)
        for start, end in zip([-FOREVER, *starts[1:]], [*starts[1:], FOREVER], strict=True):
            for version in told[max(start, starts[0])]:
                times[version].append((start, end))
    return times


def is_told_later(run: Run, at: int) -> bool:
    """Whether the rollout told what it serves of some model only after ``at``."""
    told: dict[bytes, int] = {}
    for moment, model, _ in run.serves:
        told[model] = min(moment, told.get(model, moment))
    return any(moment > at for moment in told.values())


def _serving(reads: Sequence[ModelRead], run: Run, model: bytes, start: int | None, end: int | None) -> list[ModelRead]:
    told = _tellings(reads, run, model)
    moments = [at for at, _ in told]
    begin = max((at for at in moments if start is None or at <= start), default=min(moments, default=0))
    last = begin if start is None else max(begin, end if end is not None else begin)
    served = {version for at, versions in told if begin <= at <= last for version in versions}
    return [read for read in reads if read.version.key in served]


def _by_model(reads: Iterable[ModelRead]) -> dict[bytes, list[ModelRead]]:
    by_model: dict[bytes, list[ModelRead]] = defaultdict(list)
    for read in reads:
        by_model[read.version.dataset].append(read)
    return by_model


def _tellings(reads: Sequence[ModelRead], run: Run, model: bytes) -> list[tuple[int, tuple[bytes, ...]]]:
    """From when on ``run`` served which versions of ``model``: as it told or, if it told none, as it met them."""
    told = [(at, versions) for at, of, versions in run.serves if of == model]
    return told or [(read.edge.at or 0, (read.version.key,)) for read in reads]
