"""The edges that an answer holds, and the links that it shows for them: flows never appear, so an edge of a flow is one
of its run or job, and what a flow ties that belongs to neither is tied directly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import msgspec

from lineage.answer import Link, View
from lineage.model import Binding, Edge, EdgeKind, Evidence, Role, Transformation
from lineage.questions.spread import Spread, edges_of, owners_of, stronger, things, weaker
from lineage.store import Direction, GraphReader

_BINDINGS = {binding: rank for rank, binding in enumerate(Binding)}
_ROLES = {role: rank for rank, role in enumerate(Role)}


class Tie(msgspec.Struct, frozen=True):
    """A link by keys."""

    kind: EdgeKind
    source: bytes
    target: bytes
    evidence: Evidence
    certain: bool
    binding: Binding | None = None
    role: Role | None = None
    transformations: tuple[Transformation, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The edges of an answer: ``into`` flows, ``out`` of flows, ``direct`` ones among columns; and the run or job of
    each flow that has one."""

    into: tuple[Edge, ...]
    out: tuple[Edge, ...]
    direct: tuple[Edge, ...]
    owners: Mapping[bytes, bytes]


def held_edges(graph: GraphReader, spread: Spread, keys: Iterable[bytes] | None = None) -> Held:
    """The admitted edges among the nodes that ``spread`` holds; with ``keys``, which it
    holds, those that enter one of them."""
    kinds = sorted(spread.level.edge_kinds)
    entered = sorted({*spread.marks, *spread.seeds}) if keys is None else keys
    edges = spread.followed(edges_of(graph, entered, kinds, Direction.UPSTREAM))
    ends = {key for edge in edges for key in (edge.source, edge.target)}
    flows = {key for key in ends if _is_flow(spread, key)}
    into = tuple(edge for edge in edges if edge.target in flows)
    out = tuple(edge for edge in edges if edge.source in flows)
    direct = tuple(edge for edge in edges if edge.target not in flows and edge.source not in flows)
    return Held(into, out, direct, owners_of(graph, sorted(flows)))


def _is_flow(spread: Spread, key: bytes) -> bool:
    found = spread.marks.is_flow(key)
    return spread.entry.get(key, key) != key if found is None else found


def ties_of(held: Held) -> tuple[Tie, ...]:
    """The links of an answer in the order (kind, source, target), each once."""
    ties: dict[tuple[EdgeKind, bytes, bytes], Tie] = {}
    for tie in _ties(held):
        key = (tie.kind, tie.source, tie.target)
        ties[key] = _joined(ties[key], tie) if key in ties else tie
    return tuple(ties[key] for key in sorted(ties, key=lambda key: (key[0].value, *key[1:])))


def _ties(held: Held) -> Iterator[Tie]:
    for edge in held.direct:
        yield _tie(edge, edge.source, edge.target)
    unowned: dict[bytes, tuple[list[Edge], list[Edge]]] = defaultdict(lambda: ([], []))
    for edge in held.into:
        if edge.target in held.owners:
            yield _tie(edge, edge.source, held.owners[edge.target])
        else:
            unowned[edge.target][0].append(edge)
    for edge in held.out:
        if edge.source in held.owners:
            yield _tie(edge, held.owners[edge.source], edge.target)
        else:
            unowned[edge.source][1].append(edge)
    for reads, writes in unowned.values():
        yield from (_across(read, write) for read, write in product(reads, writes))


def _tie(edge: Edge, source: bytes, target: bytes) -> Tie:
    told = edge.transformations
    return Tie(edge.kind, source, target, edge.evidence, edge.certain, edge.binding, edge.role, told)


def _across(read: Edge, write: Edge) -> Tie:
    evidence = weaker(read.evidence, write.evidence)
    certain = read.certain and write.certain
    return Tie(EdgeKind.FEEDS, read.source, write.target, evidence, certain, read.binding, read.role)


def _joined(one: Tie, other: Tie) -> Tie:
    return Tie(
        one.kind,
        one.source,
        one.target,
        stronger(one.evidence, other.evidence),
        one.certain or other.certain,
        weakest_binding([one.binding, other.binding]),
        first_role([one.role, other.role]),
        one.transformations or other.transformations,
    )


def weakest_binding(bindings: Iterable[Binding | None]) -> Binding | None:
    """The weakest of several reads' bindings, None if none tells one."""
    return max((binding for binding in bindings if binding is not None), key=_BINDINGS.__getitem__, default=None)


def first_role(roles: Iterable[Role | None]) -> Role | None:
    """Of several reads' roles that which is told, None if none tells one."""
    return min((role for role in roles if role is not None), key=_ROLES.__getitem__, default=None)


@dataclass(frozen=True, slots=True)
class LinkPages:
    """``Pages[Link]`` over ties."""

    ties: Sequence[Tie]

    @property
    def total(self) -> int:
        """The number of links."""
        return len(self.ties)

    def page(self, view: View, start: int, stop: int) -> list[Link]:
        """Links ``start`` up to but without ``stop``."""
        return links(view.graph, self.ties[max(start, 0) : max(stop, 0)])


def links(graph: GraphReader, ties: Sequence[Tie]) -> list[Link]:
    """``ties`` with the things that they tie; without those of which one is gone."""
    nodes = things(graph, (key for tie in ties for key in (tie.source, tie.target)))
    return [
        Link(
            nodes[tie.source],
            nodes[tie.target],
            tie.kind,
            tie.evidence,
            tie.certain,
            tie.binding,
            tie.role,
            tie.transformations,
        )
        for tie in ties
        if tie.source in nodes and tie.target in nodes
    ]
