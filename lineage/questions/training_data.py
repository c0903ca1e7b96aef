"""Which data trained what served.

Prediction, window or model → model versions → for each, the run that wrote it, and what that run read into the one flow
that wrote it → all that these came from. ``distance`` is the number of runs crossed from the model version. Certainty:
:mod:`lineage.questions.served`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lineage.answer import Kind, ServedModel, TrainingData, TrainingHit, View
from lineage.model import Binding, Edge, Role, Run, Version
from lineage.questions.assessment import Holding, assess
from lineage.questions.found import Found
from lineage.questions.marks import Mark
from lineage.questions.moment import of_moment
from lineage.questions.narrowing import EVERY_HIT, Only, listed
from lineage.questions.served import Served, served
from lineage.questions.spread import Spread, found, spread, stronger, things, weaker
from lineage.questions.subjects import ServedSubject
from lineage.questions.ties import Held, LinkPages, first_role, held_edges, ties_of, weakest_binding
from lineage.store import EVERYTHING, Direction, EdgeFilter, GraphReader, Level, Limits


def training_data(
    view: View,
    of: ServedSubject,
    *,
    edges: EdgeFilter = EVERYTHING,
    only: Only = EVERY_HIT,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
) -> TrainingData:
    """What trained what ``of`` means, over edges that ``edges`` admits, within ``limits``; its datasets are those that
    ``only`` admits.

    Raises NotFoundError; InvalidSubjectError for a version that is no model's; BadInputError for a window that ends
    before it begins.
    """
    graph, start, edges = view.graph, served(view, of), of_moment(view, edges)
    upstream = _upstream(graph, start.models, edges, limits)
    held = held_edges(graph, upstream)
    into = {edge.key: edge for edge in (*held.into, *(read.edge for each in start.servings for read in each.reads))}
    whole = Held(tuple(into.values()), held.out, held.direct, {**held.owners, **_owners(start)})
    models = _models(graph, start)
    hits = _with_models(found(upstream), start.models, held, upstream)
    every = [hit for hit in hits if hit.kind is Kind.VERSION]
    rows = tuple(_rows(start.models, listed(graph, every, only), whole))
    return TrainingData(
        cut=upstream.cut,
        ledger_index=graph.ledger_size - 1,
        behind=view.behind,
        left_out=len(every) - len(rows),
        assess=lambda later: assess(later, _holding(start, models, hits, whole)),
        certainty=start.certainty,
        records=start.records,
        models=models,
        datasets=_TrainingPages(rows),
        links=LinkPages(ties_of(whole)),
    )


def _upstream(graph: GraphReader, models: Mapping[bytes, Version], edges: EdgeFilter, limits: Limits) -> Spread:
    return spread(graph, Level.VERSION, {key: key for key in models}, Direction.UPSTREAM, edges, limits)


def _owners(of: Served) -> dict[bytes, bytes]:
    return {read.edge.target: read.run for each in of.servings for read in each.reads}


def _models(graph: GraphReader, of: Served) -> tuple[ServedModel, ...]:
    runs = things(graph, (version.run for version in of.models.values() if version.run is not None))
    rollouts: dict[bytes, list[Run]] = defaultdict(list)
    for each in of.servings:
        for key in {read.version.key for read in each.reads}:
            rollouts[key].append(each.rollout)
    return tuple(
        ServedModel(
            version,
            tuple(sorted(rollouts[key], key=lambda run: (run.started_at or 0, run.key))),
            trained if isinstance(trained := runs.get(version.run or b""), Run) else None,
        )
        for key, version in sorted(of.models.items())
    )


def _with_models(
    hits: Sequence[Found], models: Mapping[bytes, Version], held: Held, upstream: Spread
) -> tuple[Found, ...]:
    """``hits``, and those models that another was made from: the traversal does not come back to a seed."""
    reached: dict[bytes, Found] = {}
    for edge in held.into:
        mark = upstream.marks.get(edge.target)
        if edge.source in models and mark is not None:
            reached[edge.source] = _nearer(reached.get(edge.source), edge, mark)
    return tuple(sorted((*hits, *reached.values()), key=lambda hit: (hit.distance, hit.kind.value, hit.key)))


def _nearer(known: Found | None, edge: Edge, mark: Mark) -> Found:
    evidence, certain = weaker(mark.evidence, edge.evidence), mark.certain and edge.certain
    if known is None:
        return Found(edge.source, Kind.VERSION, mark.distance, evidence, certain)
    distance = min(known.distance, mark.distance)
    return Found(edge.source, Kind.VERSION, distance, stronger(known.evidence, evidence), known.certain or certain)


class _Row(NamedTuple):
    """``roles``: those of the training runs' reads, None where none was told; empty beyond the training runs."""

    hit: Found
    roles: tuple[Role | None, ...]
    binding: Binding | None


def _rows(models: Mapping[bytes, Version], hits: Iterable[Found], whole: Held) -> Iterator[_Row]:
    training = {edge.source for edge in whole.out if edge.target in models}
    reads: dict[bytes, list[Edge]] = defaultdict(list)
    for edge in whole.into:
        reads[edge.source].append(edge)
    for hit in hits:
        if hit.kind is Kind.VERSION:
            own = reads[hit.key]
            roles = tuple(edge.role for edge in own if edge.target in training)
            yield _Row(hit, roles, weakest_binding(edge.binding for edge in own))


def _holding(of: Served, models: Iterable[ServedModel], hits: Iterable[Found], whole: Held) -> Holding:
    distances = {hit.key: hit.distance for hit in hits}
    distances.update(dict.fromkeys((each.rollout.key for each in of.servings), 0))
    distances.update(dict.fromkeys(of.models, 0))
    trained_by = frozenset(model.trained_by.key for model in models if model.trained_by is not None)
    return Holding(distances, (*whole.into, *whole.out), asked=of.models.keys(), trained_by=trained_by, found=of.gaps)


@dataclass(frozen=True, slots=True)
class _TrainingPages:
    rows: Sequence[_Row]

    @property
    def total(self) -> int:
        return len(self.rows)

    def page(self, view: View, start: int, stop: int) -> list[TrainingHit]:
        rows = self.rows[max(start, 0) : max(stop, 0)]
        nodes = things(view.graph, (row.hit.key for row in rows))
        found = ((row, nodes.get(row.hit.key)) for row in rows)
        return [_training_hit(row, node) for row, node in found if isinstance(node, Version)]


def _training_hit(row: _Row, version: Version) -> TrainingHit:
    untold = Role.BASE_MODEL if version.is_model else Role.TRAIN
    role = first_role(role or untold for role in row.roles) or Role.UPSTREAM
    return TrainingHit(version, role, row.hit.distance, row.binding, row.hit.evidence, row.hit.certain)
