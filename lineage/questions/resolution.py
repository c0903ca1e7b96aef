"""From a reference to the nodes that it means: by key, by alias, by what R10 named or could have named a version.

A reference that several things match means all of them. Every function raises NotFoundError for what was never seen.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence, Set
from functools import singledispatch

from lineage.answer import GraphThing, Thing, View, label
from lineage.errors import InvalidSubjectError, NotFoundError
from lineage.keys import Base, column_key, dataset_key, decode_id, job_key, store_key
from lineage.model import Column, Dataset, EdgeKind, Job, Name, NameScope, Run, Version
from lineage.predictions import Prediction
from lineage.questions.moment import known
from lineage.questions.nearest import not_found
from lineage.questions.spread import edges_of, flows_of, things
from lineage.questions.subjects import (
    CodeRef,
    ColumnRef,
    ContentRef,
    DatasetRef,
    JobRef,
    NodeRef,
    PredictionRef,
    RunRef,
    Subject,
    VersionRef,
    check,
)
from lineage.store import Direction, GraphReader


def resolve(view: View, subject: Subject) -> tuple[Thing, ...]:
    """The things that ``subject`` means, by key; of a prediction, its records. Raises NotFoundError, also for what was
    not there yet at the view's moment, and InvalidSubjectError for an id that no answer gives."""
    check(subject)
    return tuple(known(view, lambda now: _resolve(subject, now)))


@singledispatch
def _resolve(subject: object, view: View) -> Iterable[Thing]:
    raise InvalidSubjectError(f"{type(subject).__name__} is no subject.")


@_resolve.register
def _(subject: NodeRef, view: View) -> Iterable[Thing]:
    record = _record_of(subject.id, view)
    if record is not None:
        return record
    base, key = decode_id(subject.id)
    if base is Base.FLOW:
        raise InvalidSubjectError(f"{subject.id!r} is a flow, which no answer shows.", field="/id")
    nodes = _by_keys(view.graph, [key])
    if not nodes:
        raise NotFoundError(
            f"No node has the id {subject.id!r}.", hint="Take the id of a node from an answer.", field="/id"
        )
    return nodes


@_resolve.register
def _(subject: DatasetRef, view: View) -> Iterable[Thing]:
    return datasets(view.graph, subject.namespace, subject.name)


@_resolve.register
def _(subject: VersionRef, view: View) -> Iterable[Thing]:
    return versions(view.graph, subject)


@_resolve.register
def _(subject: ColumnRef, view: View) -> Iterable[Thing]:
    nodes = _columns(view.graph, subject)
    if nodes:
        return nodes
    datasets(view.graph, subject.namespace, subject.name)
    name = f"{subject.name}.{subject.column}"
    raise not_found(view.graph, "column", subject.namespace, name, [Base.COLUMN])


@_resolve.register
def _(subject: JobRef, view: View) -> Iterable[Thing]:
    return jobs(view.graph, subject)


@_resolve.register
def _(subject: RunRef, view: View) -> Iterable[Thing]:
    nodes = [node for node in _named(view.graph, NameScope.RUN_ID, subject.run_id.lower()) if isinstance(node, Run)]
    if not nodes:
        raise NotFoundError(
            f"No run has the runId {subject.run_id!r}.",
            hint="Give the whole of it, a UUID; or search for the run's job.",
            field="/run/runId",
        )
    return nodes


@_resolve.register
def _(subject: PredictionRef, view: View) -> Iterable[Thing]:
    return records(view, subject)


@_resolve.register
def _(subject: CodeRef, view: View) -> Iterable[Thing]:
    nodes = [
        node
        for node in _named(view.graph, NameScope.COMMIT, subject.commit)
        if isinstance(node, Run | Job) and subject.repository in (None, node.repository)
    ]
    if not nodes:
        where = f" in the repository {subject.repository!r}" if subject.repository else ""
        raise NotFoundError(
            f"No run or job told the commit {subject.commit!r}{where}.",
            hint="Give the whole of it, as it was told; or search for the job.",
            field="/code/commit",
        )
    return nodes


@_resolve.register
def _(subject: ContentRef, view: View) -> Iterable[Thing]:
    nodes = [node for node in _with_digest(view.graph, subject.digest) if _has_content(node, subject)]
    if not nodes:
        raise NotFoundError(
            f"No version has the content hash {subject.digest!r}.",
            hint="Give the whole of it.",
            field="/content/digest",
        )
    return nodes


def datasets(graph: GraphReader, namespace: str, name: str) -> list[Dataset]:
    """The dataset of that name or alias; several where an alias was split."""
    nodes = [node for node in _by_keys(graph, [dataset_key(namespace, name)]) if isinstance(node, Dataset)]
    if not nodes:
        raise not_found(graph, "dataset", namespace, name, [Base.DATASET])
    return nodes


def jobs(graph: GraphReader, ref: JobRef) -> list[Job]:
    """The job or deployment of that name."""
    nodes = [node for node in _by_keys(graph, [job_key(ref.namespace, ref.name)]) if isinstance(node, Job)]
    if not nodes:
        raise not_found(graph, "job", ref.namespace, ref.name, [Base.JOB])
    return nodes


def versions(graph: GraphReader, ref: VersionRef) -> list[Version]:
    """The versions of a dataset that ``ref`` means: all of them, or those of one name."""
    if sum(name is not None for name in (ref.version, ref.run_id, ref.digest)) > 1:
        raise InvalidSubjectError("A version is named by one of version, runId and digest.", field="/version")
    owners = [dataset.key for dataset in datasets(graph, ref.namespace, ref.name)]
    nodes = [version for version in _candidates(graph, ref, owners) if version.dataset in owners]
    if not nodes:
        name = ref.version or ref.run_id or ref.digest
        raise NotFoundError(
            f"The dataset {ref.name!r} of namespace {ref.namespace!r} has no version {name!r}."
            if name
            else f"The dataset {ref.name!r} of namespace {ref.namespace!r} has no version yet.",
            hint=_known_versions(versions_of(graph, owners)),
            field="/version",
        )
    return nodes


def versions_once(graph: GraphReader, ref: VersionRef, known: Set[bytes]) -> frozenset[bytes]:
    """Those of ``known``, keys of versions of the dataset of ``ref`` that don't declare its ``version``, that
    :func:`versions` gives for it. It looks at other versions only where one of ``known`` may have had that name."""
    once = _once_named(graph, ref, [("version", ref.version or "")])
    if not any(version.key in known for version in once):
        return frozenset()
    return frozenset(version.key for version in versions(graph, ref) if version.key in known)


def _candidates(graph: GraphReader, ref: VersionRef, owners: list[bytes]) -> list[Version]:
    if ref.digest is not None:
        return _with_digest(graph, ref.digest)
    known = versions_of(graph, owners)
    if ref.version is not None:
        found = [version for version in known if ref.version in version.declared]
        return found or _once_named(graph, ref, [("version", ref.version)])
    if ref.run_id is not None:
        return _written_by(graph, ref, known, ref.run_id.lower())
    return known


def _once_named(graph: GraphReader, ref: VersionRef, parts: Iterable[tuple[str, ...]]) -> list[Version]:
    """Versions that a key of R10 with ``parts`` leads to: what a version could have been named before more was told."""
    known = (Name(node.namespace, node.name) for node in datasets(graph, ref.namespace, ref.name))
    names = sorted({Name(ref.namespace, ref.name), *known})
    keys = [store_key(Base.VERSION, name.namespace, name.name, *rest) for name in names for rest in parts]
    return [node for node in _by_keys(graph, keys) if isinstance(node, Version)]


def _written_by(graph: GraphReader, ref: VersionRef, known: Sequence[Version], run_id: str) -> list[Version]:
    runs = things(graph, graph.lookup(NameScope.RUN_ID, run_id))
    edges = edges_of(graph, flows_of(graph, runs), [EdgeKind.WROTE], Direction.DOWNSTREAM)
    wrote = {edge.target for edge in edges}
    found = [version for version in known if version.run in runs or version.key in wrote]
    parts = [("run", run_id, *node.job) for node in runs.values() if isinstance(node, Run)]
    return found or _once_named(graph, ref, parts)


def versions_of(graph: GraphReader, owners: Iterable[bytes]) -> list[Version]:
    """All versions of datasets, by key."""
    edges = edges_of(graph, owners, [EdgeKind.HAS_VERSION], Direction.DOWNSTREAM)
    nodes = things(graph, (edge.target for edge in edges)).values()
    return sorted((node for node in nodes if isinstance(node, Version)), key=lambda version: version.key)


def records(view: View, ref: PredictionRef) -> list[Prediction]:
    """The records of a prediction, by (time, index, position): those that tell the run and the model that ``ref``
    tells."""
    deployment = Name(ref.deployment.namespace, ref.deployment.name)
    found = [
        record
        for record in view.predictions.find(deployment, ref.id)
        if ref.run_id in (None, record.run_id)
        and (ref.model is None or record.model == Name(ref.model.namespace, ref.model.name))
    ]
    if not found:
        raise _no_record(jobs(view.graph, ref.deployment), ref)
    return found


def _no_record(known: Sequence[Job], ref: PredictionRef) -> NotFoundError:
    name = ref.deployment.name
    if not any(job.is_deployment for job in known):
        return NotFoundError(
            f"{name!r} of namespace {ref.deployment.namespace!r} is a job, and no deployment: it has no prediction "
            f"{ref.id!r}.",
            hint="Name a deployment (a job of processingType SERVICE), or ask for this job's impact or provenance.",
            field="/prediction/deployment",
        )
    return NotFoundError(
        f"The deployment {name!r} recorded no prediction {ref.id!r}.",
        hint="Ask for what it served at the time of the prediction instead: that needs no record.",
        field="/prediction/id",
    )


def _record_of(text: str, view: View) -> list[Prediction] | None:
    """The record that an id of ``thing_id`` names; None if it is the id of a node."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        if not raw.startswith(b"PREDICTION:"):
            return None
        namespace, name, id, index, position = json.loads(raw.removeprefix(b"PREDICTION:"))
    except (ValueError, UnicodeError, binascii.Error):
        return None
    found = records(view, PredictionRef(JobRef(namespace, name), id))
    return [record for record in found if (record.index, record.position) == (index, position)] or found


def _columns(graph: GraphReader, ref: ColumnRef) -> list[Column]:
    nodes = _by_keys(graph, [column_key(ref.namespace, ref.name, ref.column)])
    if not nodes:
        found = _by_keys(graph, [dataset_key(ref.namespace, ref.name)])
        names = {(node.namespace, node.name) for node in found if isinstance(node, Dataset)}
        nodes = _by_keys(graph, [column_key(*name, ref.column) for name in sorted(names)])
    return [node for node in nodes if isinstance(node, Column)]


def _by_keys(graph: GraphReader, keys: Iterable[bytes]) -> list[GraphThing]:
    """The nodes of ``keys`` or, where there is none, those that the key once led to or could have (R2, R10)."""
    wanted: set[bytes] = set()
    keys = list(keys)
    for key, node in zip(keys, graph.fetch(keys), strict=True):
        wanted.update([key] if node is not None else graph.lookup(NameScope.KEY, key.hex()))
    return sorted(things(graph, wanted).values(), key=lambda node: node.key)


def _named(graph: GraphReader, scope: NameScope, value: str) -> list[GraphThing]:
    return sorted(things(graph, graph.lookup(scope, value)).values(), key=lambda node: node.key)


def _with_digest(graph: GraphReader, digest: str) -> list[Version]:
    """Versions with a content hash, also if written as ``sha256:…``."""
    nodes = _named(graph, NameScope.DIGEST, digest) or _named(graph, NameScope.DIGEST, digest.rpartition(":")[2])
    return [node for node in nodes if isinstance(node, Version)]


def _has_content(version: Version, ref: ContentRef) -> bool:
    return any(
        told.digest in (ref.digest, ref.digest.rpartition(":")[2])
        and ref.algorithm in (None, told.algorithm)
        and ref.scope in (None, told.scope)
        and ref.method in (None, told.method)
        for told in version.digests
    )


def _known_versions(known: Sequence[Version]) -> str:
    latest = sorted(known, key=lambda version: (-version.written_at, version.key))[:3]
    return f"It has {'; '.join(_said(version) for version in latest)}." if latest else ""


def _said(version: Version) -> str:
    hashes = [f"sha256:{told.digest}" for told in version.digests if told.algorithm == "sha256"]
    names = version.declared or hashes[:1]
    return f"{', '.join(names)} ({label(version)})" if names else label(version)
