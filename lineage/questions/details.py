"""What a hit says besides how it was reached, looked up for a whole page with the first that is asked for it.

Only this looks at edges: those by which affected paths enter the page's hits (:mod:`lineage.questions.ways`). They give
``via`` and the roles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from lineage.answer import Consequence, GraphThing, Kind, View, kind_of
from lineage.model import Dataset, EdgeKind, Job, Owner, Run, Version
from lineage.questions import consequence
from lineage.questions.found import Found
from lineage.questions.narrowing import holder_key
from lineage.questions.rollouts import is_live
from lineage.questions.spread import Spread, edges_of, flows_of, things, transformation_of
from lineage.questions.standing import is_on_record, is_replaced, latest_versions, readers_of, served_now
from lineage.questions.tally import tally
from lineage.questions.ways import Ways, ways_into
from lineage.store import Direction, GraphReader, Level


class PageDetails:
    """Of ``hits``, a page of what ``spread`` reached; :class:`lineage.answer.HitDetails`. ``nodes`` are those hits that
    are still there."""

    def __init__(self, view: View, spread: Spread, hits: Sequence[Found]) -> None:
        self._view = view
        self._graph = view.graph
        self._spread = spread
        self._hits = hits
        self.nodes = things(self._graph, (hit.key for hit in hits))

    def owners(self, node: GraphThing) -> tuple[Owner, ...]:
        """Who answers for ``node``: its own, or those of its dataset or job."""
        owner = self._owners.get(holder_key(node))
        return owner.owners if isinstance(owner, Dataset | Job) else ()

    def via(self, node: GraphThing) -> GraphThing | None:
        """Of what stands next before ``node``, that of least (distance, key)."""
        return self._via.get(node.key)

    def is_standing(self, node: GraphThing) -> bool:
        """Whether ``node``, of the actual radius, is the latest of its dataset, served now, or a live rollout."""
        if self._spread.level is not Level.VERSION:
            return False
        if isinstance(node, Run):
            return is_live(node)
        if not isinstance(node, Version):
            return False
        latest = self._latest.get(node.dataset)
        return node.key in self._served or (latest is not None and latest.key == node.key)

    def is_remediated(self, node: GraphThing) -> bool:
        """Whether ``node``, of the actual radius, was replaced by what does not descend from the change."""
        if self._spread.cut is not None or self._spread.level is not Level.VERSION:
            return False
        if isinstance(node, Version):
            latest = self._latest.get(node.dataset)
            if latest is None or self._spread.holds(latest.key) or not is_replaced(node, latest):
                return False
            return node.run is None or is_on_record(self._graph, latest)
        wrote = self._wrote.get(node.key, ())
        return bool(wrote) and all(self.is_remediated(version) for version in wrote)

    def consequence(self, node: GraphThing) -> Consequence:
        """What to do about ``node`` (:mod:`lineage.questions.consequence`)."""
        if self.is_remediated(node):
            return Consequence.NONE
        roles = self._ways[node.key].roles
        match kind_of(node):
            case Kind.DEPLOYMENT | Kind.ROLLOUT:
                live = not isinstance(node, Run) or is_live(node)
                scored = isinstance(node, Run) and not live and self._has_predictions(node)
                return consequence.for_service(roles, live=live, scored=scored)
            case Kind.JOB | Kind.RUN:
                return consequence.for_transform(roles)
        return consequence.for_model(roles) if self._is_model(node) else Consequence.REBUILD

    def transformation(self, node: GraphThing) -> str | None:
        """Of a column that a column reached: DIRECT if some path to it is, at each step; else INDIRECT."""
        return transformation_of(self._spread, node)

    # -- looked up for all hits at once

    @cached_property
    def _ways(self) -> Mapping[bytes, Ways]:
        return ways_into(self._graph, self._spread, self._hits)

    @cached_property
    def _owners(self) -> Mapping[bytes, GraphThing]:
        return things(self._graph, (holder_key(node) for node in self.nodes.values()))

    @cached_property
    def _via(self) -> Mapping[bytes, GraphThing]:
        before = {key for ways in self._ways.values() for key in ways.before}
        ranks = _ranks(self._graph, self._spread, before)
        nearest = {key: min(ways.before, key=ranks.__getitem__) for key, ways in self._ways.items() if ways.before}
        nodes = things(self._graph, nearest.values())
        return {key: nodes[other] for key, other in nearest.items() if other in nodes}

    @cached_property
    def _wrote(self) -> Mapping[bytes, Sequence[Version]]:
        """What was reached through the runs of the page, by run."""
        runs = [key for key, node in self.nodes.items() if isinstance(node, Run)]
        return _written(self._graph, self._spread, runs)

    @cached_property
    def _latest(self) -> Mapping[bytes, Version]:
        versions = [node for node in self.nodes.values() if isinstance(node, Version)]
        datasets = {version.dataset for version in versions}
        datasets.update(version.dataset for wrote in self._wrote.values() for version in wrote)
        return latest_versions(self._graph, datasets)

    @cached_property
    def _served(self) -> set[bytes]:
        models = [key for key, node in self.nodes.items() if isinstance(node, Version) and node.is_model]
        return served_now(self._graph, readers_of(self._graph, models)) if models else set()

    def _is_model(self, node: GraphThing) -> bool:
        whole = self._owners.get(holder_key(node))
        return (isinstance(whole, Dataset) and whole.is_model) or (isinstance(node, Version) and node.is_model)

    def _has_predictions(self, run: Run) -> bool:
        return tally(self._view, [run], self._spread.holds).count > 0


def _ranks(graph: GraphReader, spread: Spread, keys: Iterable[bytes]) -> dict[bytes, tuple[int, bytes]]:
    """(distance, key) of hits and subjects, a run's or job's distance being the least of its flows'."""
    subjects = {spread.entry.get(seed, seed) for seed in spread.seeds}
    ranks = {key: (0 if key in subjects else spread.distance(key), key) for key in keys}
    owners = [key for key, (known, _) in ranks.items() if known is None or key in spread.columns.crossed]
    for flow, owner in sorted(flows_of(graph, owners).items()):
        distance, known = spread.distance(flow), ranks[owner][0]
        if distance is not None and (known is None or distance < known):
            ranks[owner] = (distance, owner)
    return {key: (distance or 0, key) for key, (distance, _) in ranks.items()}


def _written(graph: GraphReader, spread: Spread, runs: Sequence[bytes]) -> dict[bytes, list[Version]]:
    """The versions that were reached through each of ``runs``."""
    own = {flow: run for flow, run in flows_of(graph, runs).items() if spread.holds(flow)}
    edges = [
        edge
        for edge in edges_of(graph, own, [EdgeKind.WROTE], Direction.DOWNSTREAM)
        if spread.edges.admits(edge) and spread.holds(edge.target)
    ]
    nodes = things(graph, (edge.target for edge in edges))
    wrote: dict[bytes, list[Version]] = defaultdict(list)
    for edge in edges:
        version = nodes.get(edge.target)
        if isinstance(version, Version):
            wrote[own[edge.source]].append(version)
    return wrote
