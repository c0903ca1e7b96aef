"""How affected paths enter the hits of a radius: the flows in between, and the reads of these that lie on such paths.

Columns are entered from columns, and shown as entered from the jobs that take one to the other
(:mod:`lineage.questions.columns`); only what no job is known to take comes from the column itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lineage.answer import Kind
from lineage.model import Edge, EdgeKind, Role
from lineage.questions.found import Found
from lineage.questions.spread import Spread, edges_of, flows_of, owners_of
from lineage.store import Direction, GraphReader, Level

_OWNING = frozenset({Kind.JOB, Kind.DEPLOYMENT, Kind.RUN, Kind.ROLLOUT})
_INTO_FLOW = {Level.LOGICAL: EdgeKind.FEEDS, Level.VERSION: EdgeKind.READ_BY}
_OUT_OF_FLOW = {Level.LOGICAL: EdgeKind.FEEDS, Level.VERSION: EdgeKind.WROTE}


@dataclass(frozen=True, slots=True)
class Ways:
    """``reads``: the affected reads through which the hit is entered, of a run or job its own; ``before``: the hits or
    subjects next before it on shortest paths."""

    reads: list[Edge] = field(default_factory=list)
    before: set[bytes] = field(default_factory=set)

    @property
    def roles(self) -> frozenset[Role | None]:
        """The roles of the reads."""
        return frozenset(read.role for read in self.reads)


def ways_into(graph: GraphReader, spread: Spread, hits: Sequence[Found]) -> dict[bytes, Ways]:
    """The ways into each of ``hits``."""
    ways = {hit.key: Ways() for hit in hits}
    owning = {hit.key: hit.distance for hit in hits if hit.kind in _OWNING}
    columns = {hit.key: hit.distance for hit in hits if hit.kind is Kind.COLUMN}
    others = {hit.key: hit.distance for hit in hits if hit.key not in owning and hit.key not in columns}
    own = {flow: owner for flow, owner in flows_of(graph, owning).items() if spread.holds(flow)}
    entering = _edges(graph, others, _OUT_OF_FLOW[spread.level], spread)
    reads = _reads(graph, spread, {*own, *(edge.source for edge in entering)})
    for flow, owner in own.items():
        ways[owner].reads.extend(reads[flow])
        if _left_at(spread, flow) == owning[owner]:
            ways[owner].before.update(_sources(spread, flow, reads[flow]))
    owners = owners_of(graph, sorted(reads))
    for edge in entering:
        into = ways[edge.target]
        into.reads.extend(reads[edge.source])
        if _left_at(spread, edge.source) == others[edge.target]:
            into.before.update(_shown_before(spread, edge.source, owners, reads[edge.source]))
    for job in owning.keys() & spread.columns.crossed.keys():
        _enter_crossed(spread, ways[job], spread.columns.crossed[job], owning[job])
    for edge in _edges(graph, columns, EdgeKind.FEEDS, spread):
        _enter_column(spread, ways[edge.target], edge, columns[edge.target])
    return ways


def _edges(graph: GraphReader, keys: Iterable[bytes], kind: EdgeKind, spread: Spread) -> list[Edge]:
    """The affected edges into ``keys``: admitted, and from what is a seed or was reached."""
    return spread.followed(edges_of(graph, keys, [kind], Direction.UPSTREAM))


def _reads(graph: GraphReader, spread: Spread, flows: Iterable[bytes]) -> dict[bytes, list[Edge]]:
    """The affected reads of each of ``flows``; of one that was taken up, from a column."""
    reads = {flow: list(spread.columns.taken.get(flow, ())) for flow in flows}
    for edge in _edges(graph, reads, _INTO_FLOW[spread.level], spread):
        reads[edge.target].append(edge)
    return reads


def _left_at(spread: Spread, flow: bytes) -> int | None:
    """The distance at which the traversal left ``flow``: a seed counts as one."""
    return 1 if flow in spread.seeds else spread.distance(flow)


def _sources(spread: Spread, flow: bytes, reads: Iterable[Edge]) -> set[bytes]:
    """What feeds ``flow`` on a shortest path: datasets, columns or versions."""
    before = (_left_at(spread, flow) or 0) - 1
    return {read.source for read in reads if spread.distance(read.source) == before}


def _shown_before(spread: Spread, flow: bytes, owners: Mapping[bytes, bytes], reads: Iterable[Edge]) -> set[bytes]:
    if flow in spread.seeds:
        return {spread.entry.get(flow, flow)}
    return {owners[flow]} if flow in owners else _sources(spread, flow, reads)


def _enter_crossed(spread: Spread, ways: Ways, reads: Iterable[Edge], distance: int) -> None:
    for read in reads:
        ways.reads.append(read)
        if spread.distance(read.source) == distance - 1:
            ways.before.add(read.source)


def _enter_column(spread: Spread, ways: Ways, edge: Edge, distance: int) -> None:
    told = spread.columns
    wires = told.wires.get((told.homes[edge.source], told.homes[edge.target]))
    if wires == ():
        return
    ways.reads.extend(wires or ())
    if spread.distance(edge.source) == distance - 1:
        jobs = [told.jobs.get(wire.target, edge.source) for wire in wires or ()]
        ways.before.update(jobs or [edge.source])
