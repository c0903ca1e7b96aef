"""Which model versions a prediction, a window of time or a reference means, and how certain that is.

*Certainty* is EXACT if one rollout is settled (by the record's run, or as the only one live) and it served one version
of each of its models without splitting its traffic among them, or if a record names its model version. Several records
under one id that don't all lead to the same are CANDIDATES, with gap CONFLICTING_RECORDS. Of a window, several rollouts
are CANDIDATES too. A prediction without a known rollout has the gap NO_ROLLOUT, and goes on from the model version that
it tells; a rollout of which no model version is known has the gap NO_PRODUCER.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lineage.answer import Certainty, View
from lineage.errors import BadInputError, InvalidSubjectError
from lineage.model import GapCode, Job, Version
from lineage.predictions import Prediction
from lineage.questions.absence import model_told, why_none_made, why_none_served
from lineage.questions.assessment import Concluded
from lineage.questions.moment import known, moment_of
from lineage.questions.resolution import jobs, records, versions
from lineage.questions.rollouts import rollouts_of
from lineage.questions.serving import Serving, deployment_keys, servings, servings_in, told_versions
from lineage.questions.subjects import PredictionRef, ServedSubject, ServedWindow, VersionRef, check
from lineage.store import GraphReader


@dataclass(frozen=True, slots=True)
class Served:
    """What the question begins from: model versions with the rollouts that served them."""

    certainty: Certainty
    models: Mapping[bytes, Version]
    servings: tuple[Serving, ...] = ()
    records: tuple[Prediction, ...] = ()
    gaps: tuple[Concluded, ...] = ()


def served(view: View, of: ServedSubject) -> Served:
    """What ``of`` means. Raises NotFoundError; InvalidSubjectError for a version that is no model's, or a window of a
    job that is no deployment; BadInputError for a window that ends before it begins, or begins after the view's
    moment."""
    check(of)
    match of:
        case PredictionRef():
            return _of_records(view.graph, known(view, lambda now: records(now, of)))
        case ServedWindow():
            return _of_window(view, of)
        case VersionRef():
            return _of_versions(known(view, lambda now: versions(now.graph, of)), of)


def _of_versions(found: Iterable[Version], of: VersionRef) -> Served:
    models = [version for version in found if version.is_model]
    if not models:
        raise InvalidSubjectError(
            f"{of.name!r} of namespace {of.namespace!r} is no model.", hint="Ask for its provenance."
        )
    return Served(Certainty.EXACT, {version.key: version for version in models})


def _of_window(view: View, of: ServedWindow) -> Served:
    graph, as_of = view.graph, moment_of(view.graph)
    if of.start > of.end:
        raise BadInputError("The window ends before it begins.", field="/served/to")
    if as_of is not None and of.start > as_of:
        raise BadInputError("The window begins after the moment that is asked about.", field="/served/from")
    deployments = known(view, lambda now: jobs(now.graph, of.deployment))
    found = servings_in(graph, [job.key for job in deployments], of.start, of.end)
    gaps = _without_model(found) or ([] if found else [_none_in_window(graph, deployments, of)])
    exact = len(found) == 1 and not found[0].is_split and not gaps
    return Served(_certainty(exact), _read_models(found), tuple(found), gaps=tuple(gaps))


def _of_records(graph: GraphReader, found: Sequence[Prediction]) -> Served:
    parts = [_of_record(graph, record) for record in found]
    first = parts[0]
    settled = all(
        part.certainty is Certainty.EXACT and part.servings == first.servings and part.models == first.models
        for part in parts
    )
    gaps = {gap for part in parts for gap in part.gaps}
    if len(parts) > 1 and not settled:
        message = f"{len(parts)} different records stand under this id."
        gaps.add(Concluded(GapCode.CONFLICTING_RECORDS.value, 0, None, message))
    merged = {each.rollout.key: each for part in parts for each in part.servings}
    for part in parts:
        for each in part.servings:
            reads = {read.edge.key: read for read in (*merged[each.rollout.key].reads, *each.reads)}
            merged[each.rollout.key] = Serving(each.rollout, tuple(reads.values()))
    models = {key: model for part in parts for key, model in part.models.items()}
    return Served(_certainty(settled), models, tuple(merged.values()), tuple(found), tuple(sorted(gaps, key=repr)))


def _of_record(graph: GraphReader, record: Prediction) -> Served:
    found = servings(graph, record)
    models = _read_models(found)
    if not models:
        models = {version.key: version for version in told_versions(graph, record)}
    gaps = [] if found else [_no_rollout(deployment_keys(graph, record), why_none_made(graph, record))]
    if not models:
        gaps += _without_model(found, record)
    one_rollout = len(found) == 1 and not found[0].is_split
    named = record.model_version is not None
    return Served(
        _certainty(bool(models) and (one_rollout or (named and len(models) == 1))),
        models,
        tuple(found),
        gaps=tuple(gaps),
    )


def _certainty(exact: bool) -> Certainty:
    return Certainty.EXACT if exact else Certainty.CANDIDATES


def _read_models(found: Iterable[Serving]) -> dict[bytes, Version]:
    return {read.version.key: read.version for each in found for read in each.reads}


def _none_in_window(graph: GraphReader, deployments: Sequence[Job], of: ServedWindow) -> Concluded:
    """The gap; raises InvalidSubjectError if there could be no rollout."""
    known = rollouts_of(graph, [job.key for job in deployments])
    if not known and not any(job.is_deployment for job in deployments):
        raise InvalidSubjectError(
            f"{of.deployment.name!r} of namespace {of.deployment.namespace!r} is a job, and no deployment: it serves "
            "nothing.",
            hint="Name a deployment (a job of processingType SERVICE), or ask for this job's impact or provenance.",
            field="/served/deployment",
        )
    return _no_rollout([job.key for job in deployments], why_none_served(known, of.start, of.end))


def _no_rollout(deployments: Sequence[bytes], message: str) -> Concluded:
    return Concluded(GapCode.NO_ROLLOUT.value, 0, deployments[0] if deployments else None, message)


def _without_model(found: Iterable[Serving], record: Prediction | None = None) -> list[Concluded]:
    message = "No model version is known that this rollout served."
    if record is not None and record.model is not None:
        message = f"This rollout is not known to have served {model_told(record.model, record.model_version)}."
    return [Concluded(GapCode.NO_PRODUCER.value, 0, each.rollout.key, message) for each in found if not each.reads]
