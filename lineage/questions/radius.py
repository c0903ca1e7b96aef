"""One radius of an impact: what was reached, as keys; and a page of it, with all that a hit says.

Only a page looks at edges: those by which affected paths enter its hits (:mod:`lineage.questions.ways`). They give
``via`` and the roles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lineage.answer import Consequence, GraphThing, ImpactHit, Kind, View
from lineage.keys import dataset_key, job_key
from lineage.model import Column, Dataset, EdgeKind, Job, Owner, Run, Version
from lineage.questions import consequence
from lineage.questions.found import Found, Hits
from lineage.questions.rollouts import is_live
from lineage.questions.spread import Spread, chunks, flows_of, things
from lineage.questions.standing import is_on_record, is_replaced, latest_versions, readers_of, served_now
from lineage.questions.tally import tally
from lineage.questions.ways import ways_into
from lineage.store import Direction, GraphReader, Level


@dataclass(frozen=True, slots=True)
class Radius:
    """The hits of one level, in the order (distance, kind, key): ``Pages[ImpactHit]``."""

    spread: Spread
    hits: Hits

    @property
    def total(self) -> int:
        """The number of hits."""
        return len(self.hits)

    def page(self, view: View, start: int, stop: int) -> list[ImpactHit]:
        """Hits ``start`` up to but without ``stop``."""
        hits = self.hits[max(start, 0) : max(stop, 0)]
        return _Page(view, self.spread, hits).hits() if hits else []


class _Page:
    def __init__(self, view: View, spread: Spread, hits: Sequence[Found]) -> None:
        self._view = view
        self._graph = view.graph
        self._spread = spread
        self._hits = hits
        self._nodes = things(self._graph, (hit.key for hit in hits))
        self._ways = ways_into(self._graph, spread, hits)
        self._owners = self._owner_nodes()
        self._via = self._nearest()
        self._latest: dict[bytes, Version] = {}
        self._served: set[bytes] = set()
        self._wrote: dict[bytes, list[Version]] = {}
        if spread.level is Level.VERSION:
            self._look_up_standing()

    def hits(self) -> list[ImpactHit]:
        return [self._hit(hit, self._nodes[hit.key]) for hit in self._hits if hit.key in self._nodes]

    def _hit(self, hit: Found, node: GraphThing) -> ImpactHit:
        remediated = self._is_remediated(node)
        return ImpactHit(
            node=node,
            kind=hit.kind,
            distance=hit.distance,
            consequence=Consequence.NONE if remediated else self._consequence(node, hit.kind),
            evidence=hit.evidence,
            certain=hit.certain,
            owners=self._owners_of(node),
            via=self._via.get(hit.key),
            stale=hit.stale,
            standing=self._is_standing(node),
            remediated=remediated,
        )

    def _owner_nodes(self) -> dict[bytes, GraphThing]:
        return things(self._graph, (_owning(node) for node in self._nodes.values()))

    def _owners_of(self, node: GraphThing) -> tuple[Owner, ...]:
        owner = self._owners.get(_owning(node))
        return owner.owners if isinstance(owner, Dataset | Job) else ()

    def _nearest(self) -> dict[bytes, GraphThing]:
        """Of what stands next before each hit, that of least (distance, key)."""
        before = {key for ways in self._ways.values() for key in ways.before}
        ranks = _ranks(self._graph, self._spread, before)
        nearest = {key: min(ways.before, key=ranks.__getitem__) for key, ways in self._ways.items() if ways.before}
        nodes = things(self._graph, nearest.values())
        return {key: nodes[other] for key, other in nearest.items() if other in nodes}

    def _look_up_standing(self) -> None:
        versions = {key: node for key, node in self._nodes.items() if isinstance(node, Version)}
        runs = [key for key, node in self._nodes.items() if isinstance(node, Run)]
        self._wrote = _written(self._graph, self._spread, runs)
        datasets = {version.dataset for version in versions.values()}
        datasets.update(version.dataset for wrote in self._wrote.values() for version in wrote)
        self._latest = latest_versions(self._graph, datasets)
        models = [key for key, version in versions.items() if version.is_model]
        self._served = served_now(self._graph, readers_of(self._graph, models)) if models else set()

    def _is_standing(self, node: GraphThing) -> bool:
        if isinstance(node, Run):
            return is_live(node)
        if not isinstance(node, Version):
            return False
        latest = self._latest.get(node.dataset)
        return node.key in self._served or (latest is not None and latest.key == node.key)

    def _is_remediated(self, node: GraphThing) -> bool:
        if self._spread.cut is not None:
            return False
        if isinstance(node, Version):
            latest = self._latest.get(node.dataset)
            if latest is None or self._spread.holds(latest.key) or not is_replaced(node, latest):
                return False
            return node.run is None or is_on_record(self._graph, latest)
        wrote = self._wrote.get(node.key, ())
        return bool(wrote) and all(self._is_remediated(version) for version in wrote)

    def _consequence(self, node: GraphThing, kind: Kind) -> Consequence:
        roles = self._ways[node.key].roles
        if kind in (Kind.DEPLOYMENT, Kind.ROLLOUT):
            live = not isinstance(node, Run) or is_live(node)
            scored = isinstance(node, Run) and not live and self._has_predictions(node)
            return consequence.for_service(roles, live=live, scored=scored)
        if kind in (Kind.JOB, Kind.RUN):
            return consequence.for_transform(roles)
        if self._is_model(node):
            return consequence.for_model(roles)
        return Consequence.REBUILD

    def _is_model(self, node: GraphThing) -> bool:
        whole = self._owners.get(_owning(node))
        return (isinstance(whole, Dataset) and whole.is_model) or (isinstance(node, Version) and node.is_model)

    def _has_predictions(self, run: Run) -> bool:
        return tally(self._view, [run], self._spread.holds).count > 0


def _owning(node: GraphThing) -> bytes:
    """The key of the dataset or job whose owners are those of ``node``."""
    match node:
        case Dataset() | Job():
            return node.key
        case Column():
            return dataset_key(node.namespace, node.name)
        case Version():
            return node.dataset
        case Run():
            return job_key(node.job.namespace, node.job.name)


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
        for chunk in chunks(own)
        for edge in graph.neighbours(chunk, [EdgeKind.WROTE], Direction.DOWNSTREAM)
        if spread.edges.admits(edge) and spread.holds(edge.target)
    ]
    nodes = things(graph, (edge.target for edge in edges))
    wrote: dict[bytes, list[Version]] = defaultdict(list)
    for edge in edges:
        version = nodes.get(edge.target)
        if isinstance(version, Version):
            wrote[own[edge.source]].append(version)
    return wrote
