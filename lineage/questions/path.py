"""How one thing led to another: one shortest path on each level.

Both ends are taken as in an impact: as wired, datasets, columns and jobs; as run, versions and runs. Where one end is a
column and the other is not, the column stands for its dataset. Of several shortest paths that is given which, going
back from the target, takes the node of least key at each step; of several targets or sources the nearest, of least key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lineage.answer import Cut, GraphThing, Path, Route, View
from lineage.keys import dataset_key
from lineage.kind import Kind
from lineage.model import Column, Edge, Flow
from lineage.predictions import Prediction
from lineage.questions.assessment import Holding, assess
from lineage.questions.moment import of_moment
from lineage.questions.seeds import Seeds, logical_seeds, subjects_of, version_seeds
from lineage.questions.spread import Spread, spread, things
from lineage.questions.subjects import Subject
from lineage.questions.ties import Held, links, ties_of
from lineage.store import EVERYTHING, Direction, EdgeFilter, GraphReader, Level, Limits


@dataclass(frozen=True, slots=True)
class _Walk:
    route: Route | None
    edges: tuple[Edge, ...]
    cut: Cut | None


def path(
    view: View,
    source: Subject,
    target: Subject,
    *,
    edges: EdgeFilter = EVERYTHING,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
) -> Path:
    """A shortest path from ``source`` to ``target`` downstream, over edges that ``edges`` admits.

    Raises NotFoundError, InvalidSubjectError as for an impact.
    """
    graph, edges = view.graph, of_moment(view, edges)
    starts, ends = subjects_of(view, source), subjects_of(view, target)
    wired_starts, wired_ends = _logical(graph, starts, ends)
    wired = _walk(graph, Level.LOGICAL, wired_starts, wired_ends, edges, limits)
    ran = _walk(
        graph,
        Level.VERSION,
        version_seeds(graph, starts, source),
        version_seeds(graph, ends, target),
        edges,
        limits,
    )
    nodes = [node for walk in (wired, ran) if walk.route is not None for node in walk.route.nodes]
    distances = {node.key: 0 for node in nodes if not isinstance(node, Prediction)}
    return Path(
        cut=wired.cut or ran.cut,
        ledger_index=graph.ledger_size - 1,
        behind=view.behind,
        assess=lambda later: assess(later, Holding(distances, (*wired.edges, *ran.edges))),
        potential=wired.route,
        actual=ran.route,
    )


def _logical(
    graph: GraphReader, starts: Mapping[bytes, GraphThing], ends: Mapping[bytes, GraphThing]
) -> tuple[Seeds, Seeds]:
    if _are_columns(starts) is not _are_columns(ends):
        starts, ends = _as_datasets(graph, starts), _as_datasets(graph, ends)
    return logical_seeds(graph, starts), logical_seeds(graph, ends)


def _are_columns(subjects: Mapping[bytes, GraphThing]) -> bool:
    return any(isinstance(thing, Column) for thing in subjects.values())


def _as_datasets(graph: GraphReader, subjects: Mapping[bytes, GraphThing]) -> dict[bytes, GraphThing]:
    keys = [
        dataset_key(thing.namespace, thing.name) if isinstance(thing, Column) else key
        for key, thing in subjects.items()
    ]
    return things(graph, keys)


def _walk(graph: GraphReader, level: Level, sources: Seeds, targets: Seeds, edges: EdgeFilter, limits: Limits) -> _Walk:
    """What is both source and target leads nowhere: the least of it is the whole route."""
    both = sorted(sources.keys() & targets.keys())
    if both:
        return _Walk(_route(graph, [both[0]], ()), (), None)
    downstream = spread(graph, level, sources, Direction.DOWNSTREAM, edges, limits)
    reached = [key for key in targets if key in downstream.marks]
    if not reached:
        return _Walk(None, (), downstream.cut)
    target = min(reached, key=lambda key: (downstream.marks.distance(key), key))
    keys, taken = _back(graph, downstream, target)
    return _Walk(_route(graph, keys, taken), taken, None)


def _back(graph: GraphReader, downstream: Spread, target: bytes) -> tuple[list[bytes], tuple[Edge, ...]]:
    """The keys from a seed to ``target``, flows among them, and the edges between."""
    keys, taken = [target], []
    while keys[-1] not in downstream.seeds:
        edge = min(_nearer(graph, downstream, keys[-1]), key=lambda edge: edge.source)
        keys.append(edge.source)
        taken.append(edge)
    return keys[::-1], tuple(taken[::-1])


def _nearer(graph: GraphReader, downstream: Spread, key: bytes) -> list[Edge]:
    """The admitted edges by which a shortest path enters ``key``: entering a flow or a column costs one."""
    mark = downstream.marks[key]
    before = mark.distance - (mark.is_flow or mark.kind is Kind.COLUMN)
    kinds = sorted(downstream.level.edge_kinds)
    return [
        edge
        for edge in graph.neighbours([key], kinds, Direction.UPSTREAM)
        if downstream.edges.admits(edge) and _left_at(downstream, edge.source) == before
    ]


def _left_at(downstream: Spread, key: bytes) -> int | None:
    """The distance at which the traversal left ``key``: a flow that is a seed counts as one."""
    is_flow_seed = key in downstream.seeds and downstream.entry[key] != key
    return 1 if is_flow_seed else downstream.distance(key)


def _route(graph: GraphReader, keys: Sequence[bytes], taken: Sequence[Edge]) -> Route:
    flows = {node.key: node.owner for node in graph.fetch(keys) if isinstance(node, Flow)}
    owners = {key: owner for key, owner in flows.items() if owner is not None}
    held = Held(
        tuple(edge for edge in taken if edge.target in flows),
        tuple(edge for edge in taken if edge.source in flows),
        tuple(edge for edge in taken if edge.source not in flows and edge.target not in flows),
        owners,
    )
    shown = [owners.get(key, key) for key in keys if key not in flows or key in owners]
    nodes = things(graph, shown)
    ties = {(tie.source, tie.target): tie for tie in ties_of(held)}
    between = [ties[pair] for pair in pairwise(shown) if pair in ties]
    return Route(tuple(nodes[key] for key in shown), tuple(links(graph, between)))
