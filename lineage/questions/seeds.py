"""Where a question's traversals begin: from the things that a subject means to nodes of either level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lineage.answer import GraphThing, View
from lineage.errors import InvalidSubjectError
from lineage.keys import dataset_key, job_key
from lineage.model import Column, Dataset, EdgeKind, Job, Run, Version
from lineage.predictions import Prediction
from lineage.questions.resolution import resolve, versions_of
from lineage.questions.rollouts import runs_of
from lineage.questions.serving import servings
from lineage.questions.spread import edges_of, flows_of, things
from lineage.questions.subjects import CodeRef, Subject
from lineage.store import Direction, GraphReader

_NAMED = 3

Seeds = dict[bytes, bytes]
"""Seed → the thing that it stands for: itself, or a flow's run or job."""


def subjects_of(view: View, of: Subject) -> dict[bytes, GraphThing]:
    """The nodes that ``of`` means, by key, ascending; a prediction means the rollouts that may have made it. Raises
    NotFoundError, and InvalidSubjectError for a prediction of which no rollout is known."""
    found: dict[bytes, GraphThing] = {}
    for thing in resolve(view, of):
        if isinstance(thing, Prediction):
            found.update((serving.rollout.key, serving.rollout) for serving in servings(view.graph, thing))
        else:
            found[thing.key] = thing
    if not found:
        raise InvalidSubjectError(
            "No rollout is known that could have made this prediction.", hint="Ask about its model or its deployment."
        )
    return dict(sorted(found.items()))


def changed_by(view: View, of: Subject) -> dict[bytes, GraphThing]:
    """The nodes that a change of ``of`` changes, as :func:`subjects_of`. Raises NotFoundError, and InvalidSubjectError
    for a prediction, naming the rollouts that may have made it."""
    found = resolve(view, of)
    records = [thing for thing in found if isinstance(thing, Prediction)]
    if records:
        raise InvalidSubjectError(
            "Nothing is made of a prediction: it affects nothing.", hint=_instead(view.graph, records)
        )
    nodes = {thing.key: thing for thing in found if not isinstance(thing, Prediction)}
    return dict(sorted(nodes.items()))


def _instead(graph: GraphReader, records: Iterable[Prediction]) -> str:
    made = sorted({each.rollout.run_id for record in records for each in servings(graph, record)})
    by = "the rollout that made it" if len(made) == 1 else "a rollout that may have made it"
    of = f"{by} (run {', '.join(made[:_NAMED])}{', …' if made[_NAMED:] else ''})" if made else "its model or deployment"
    return f"Ask for the impact of {of}, or ask which data trained it."


def logical_seeds(graph: GraphReader, subjects: Mapping[bytes, GraphThing]) -> Seeds:
    """What ``subjects`` are on the logical level, columns by themselves: datasets, and the flows of jobs."""
    seeds: Seeds = {}
    jobs: set[bytes] = set()
    for thing in subjects.values():
        match thing:
            case Dataset() | Column():
                seeds[thing.key] = thing.key
            case Version():
                seeds[thing.dataset] = thing.dataset
            case Job():
                jobs.add(thing.key)
            case Run():
                jobs.add(job_key(thing.job.namespace, thing.job.name))
    return seeds | flows_of(graph, sorted(jobs))


def version_seeds(
    graph: GraphReader, subjects: Mapping[bytes, GraphThing], of: Subject, since: int | None = None
) -> Seeds:
    """What ``subjects`` are on the version level: versions, and the flows of runs; of a dataset or column all versions,
    of a job all runs (of one that told a commit: those that told no other). With ``since`` only versions written then
    or later, and flows that wrote such."""
    versions = {key for key, thing in subjects.items() if isinstance(thing, Version)}
    versions.update(version.key for version in versions_of(graph, sorted(_datasets(subjects.values()))))
    runs = {key for key, thing in subjects.items() if isinstance(thing, Run)} | _runs_of_jobs(graph, subjects, of)
    flows = flows_of(graph, sorted(runs))
    if since is not None:
        versions = _written_since(graph, versions, since)
        flows = _writing_since(graph, flows, since)
    return {key: key for key in versions} | flows


def _datasets(subjects: Iterable[GraphThing]) -> set[bytes]:
    return {
        thing.key if isinstance(thing, Dataset) else dataset_key(thing.namespace, thing.name)
        for thing in subjects
        if isinstance(thing, Dataset | Column)
    }


def _runs_of_jobs(graph: GraphReader, subjects: Mapping[bytes, GraphThing], of: Subject) -> set[bytes]:
    runs = runs_of(graph, [key for key, thing in subjects.items() if isinstance(thing, Job)])
    if not isinstance(of, CodeRef):
        return set(runs)
    nodes = things(graph, runs)
    return {key for key, run in nodes.items() if isinstance(run, Run) and run.commit in (None, of.commit)}


def _written_since(graph: GraphReader, versions: Iterable[bytes], since: int) -> set[bytes]:
    nodes = things(graph, sorted(versions))
    return {key for key, node in nodes.items() if isinstance(node, Version) and node.written_at >= since}


def _writing_since(graph: GraphReader, flows: Seeds, since: int) -> Seeds:
    edges = list(edges_of(graph, flows, [EdgeKind.WROTE], Direction.DOWNSTREAM))
    late = _written_since(graph, {edge.target for edge in edges}, since)
    return {edge.source: flows[edge.source] for edge in edges if edge.target in late}
