"""A view as of a moment of valid time: what we know today about how things stood then.

What there was: versions written (without a writer: first seen), runs started and wires told at or before the moment;
wires that were replaced only later; predictions made until then. A run that ended later still ran: it has no end, and a
rollout is live. All else is told as it is known today: names, content hashes, owners, whether a write failed.

Every question takes its moment from its view, so each page of an answer is of the same moment as long as it is asked
with such a view.

>>> from lineage.memory import MemoryStore
>>> with MemoryStore().reader() as reader:
...     AsOf(reader, 0).as_of
0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from lineage.answer import GraphThing, Thing, View, label, minute
from lineage.errors import NotFoundError
from lineage.key_array import KeyArray
from lineage.keys import dataset_key
from lineage.model import Column, Dataset, Edge, EdgeKind, GapCode, Job, Name, NameScope, Node, Run, RunState, Version
from lineage.predictions import FOREVER, Count, Prediction, PredictionReader, Served, Told
from lineage.questions.spread import edges_of, flows_of, things
from lineage.store import EVERYTHING, Direction, EdgeFilter, GraphReader, Level, Limits, Reach

_BOTH = (Direction.DOWNSTREAM, Direction.UPSTREAM)
_ENDS = {
    EdgeKind.HAS_VERSION: ("target",),
    EdgeKind.HAS_RUN: ("target",),
    EdgeKind.HAS_FLOW: ("source",),
    EdgeKind.PARENT_OF: ("source", "target"),
}
"""The ends of timeless edges that may not have been there yet. Edges with a time have none before their ends."""

_S = TypeVar("_S", bound=Node | Prediction)
_T = TypeVar("_T", bound=Thing)


def at_moment(view: View, as_of: int | None) -> View:
    """``view`` as of ``as_of`` (UTC microseconds); ``view`` itself without one."""
    if as_of is None:
        return view
    return View(AsOf(whole(view.graph), as_of), PredictionsUntil(view.predictions, as_of), view.behind)


def moment_of(graph: GraphReader) -> int | None:
    """The moment of valid time that ``graph`` shows, None for now."""
    return graph.as_of if isinstance(graph, AsOf) else None


def whole(graph: GraphReader) -> GraphReader:
    """``graph`` as it is now."""
    return graph.whole if isinstance(graph, AsOf) else graph


def of_moment(view: View, edges: EdgeFilter) -> EdgeFilter:
    """``edges`` as of the moment of ``view``, which alone says when."""
    return replace(edges, as_of=moment_of(view.graph))


def known(view: View, find: Callable[[View], Iterable[_T]]) -> list[_T]:
    """What ``find`` gives, of that what was there at the moment of ``view``, as it was then. Raises what ``find``
    raises, and NotFoundError where nothing of it was there yet, saying since when it is known."""
    graph, predictions = view.graph, view.predictions
    if not isinstance(graph, AsOf) or not isinstance(predictions, PredictionsUntil):
        return list(find(view))
    found = list(find(View(graph.whole, predictions.whole, view.behind)))
    since = [_known_since(graph.whole, thing) for thing in found]
    there = [thing for thing, at in zip(found, since, strict=True) if at is None or at <= graph.as_of]
    if found and not there:
        first, at = min(zip(found, since, strict=True), key=lambda each: each[1] or 0)
        raise NotFoundError(
            f"{label(first)} is known since {minute(at or 0)} (UTC): at {minute(graph.as_of)} it was not there yet.",
            hint="Ask as of a later time.",
            field="/asOf",
        )
    return [graph.then(thing) for thing in there]


class AsOf:
    """A :class:`~lineage.store.GraphReader` of ``whole`` as of ``as_of``. What is counted and dumped, and what is found
    by a part of a name, is that of all times."""

    def __init__(self, whole: GraphReader, as_of: int) -> None:
        self.whole = whole
        self.as_of = as_of
        self.search = whole.search
        self.count = whole.count
        self.dump = whole.dump

    @property
    def ledger_size(self) -> int:
        """The watermark of this view."""
        return self.whole.ledger_size

    def then(self, thing: _T) -> _T:
        """``thing``, which was there, as it was."""
        return _then(thing, self.as_of)

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there was none yet."""
        return [
            node and (_then(node, self.as_of) if self._was_there(node) else None) for node in self.whole.fetch(keys)
        ]

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        """All edges of ``kinds`` that left or entered any of ``keys``."""
        admits = replace(EVERYTHING, as_of=self.as_of).admits
        edges = [edge for edge in self.whole.neighbours(keys, kinds, direction) if admits(edge)]
        ends = {getattr(edge, end) for edge in edges for end in _ENDS.get(edge.kind, ())}
        if not ends:
            return edges
        nodes = self.whole.fetch(sorted(ends))
        gone = {node.key for node in nodes if node is not None and not self._was_there(node)}
        return [edge for edge in edges if edge.source not in gone and edge.target not in gone]

    def reach(
        self,
        level: Level,
        seeds: Sequence[bytes],
        direction: Direction,
        edges: EdgeFilter = EVERYTHING,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
    ) -> Reach:
        """Everything that a path from any seed led to."""
        return self.whole.reach(level, seeds, direction, replace(edges, as_of=self.as_of), limits)

    def are_latest(self, versions: KeyArray, as_of: int | None = None) -> NDArray[np.bool_]:
        """Which of ``versions`` was the latest certain version of its dataset."""
        return self.whole.are_latest(versions, self.as_of if as_of is None else min(as_of, self.as_of))

    def lookup(self, scope: NameScope, value: str) -> list[bytes]:
        """The keys of the nodes that have that name today, of those that were there."""
        keys = self.whole.lookup(scope, value)
        return [key for key, node in zip(keys, self.whole.fetch(keys), strict=True) if node and self._was_there(node)]

    def _was_there(self, node: Node) -> bool:
        since = _began(node)
        return since is None or since <= self.as_of


class PredictionsUntil:
    """A :class:`~lineage.predictions.PredictionReader` of what ``whole`` has with a time up to ``as_of``."""

    def __init__(self, reader: PredictionReader, as_of: int) -> None:
        self.whole: PredictionReader = reader.whole if isinstance(reader, PredictionsUntil) else reader
        self._end = as_of + 1

    def find(self, deployment: Name, id: str) -> list[Prediction]:
        """All records under (deployment, id)."""
        return [record for record in self.whole.find(deployment, id) if record.time < self._end]

    def count(self, served: Sequence[Served], *, since: int | None = None) -> Count:
        """The records that any of ``served`` covers."""
        until = [replace(each, end=min(each.end, self._end)) for each in served if each.start < self._end]
        return self.whole.count(until, since=since)

    def told(self, deployment: Name, run_id: str | None, start: int = -FOREVER, end: int = FOREVER) -> frozenset[Told]:
        """What the records told of their models."""
        return self.whole.told(deployment, run_id, start, min(end, self._end))

    def samples(self, deployment: Name, start: int, end: int, limit: int) -> list[Prediction]:
        """Records of ``deployment``."""
        return self.whole.samples(deployment, start, min(end, self._end), limit)


def _began(thing: Node | Prediction) -> int | None:
    """Since when ``thing`` is there, as it says itself; None if it doesn't."""
    match thing:
        case Version():
            return thing.written_at
        case Run():
            return thing.started_at
        case Prediction():
            return thing.time
    return None


def _known_since(graph: GraphReader, thing: Thing) -> int | None:
    """Since when ``thing`` is there, by itself or by the first version, run or wire; None where nothing says."""
    if isinstance(thing, Dataset | Job | Column):
        return min(_times(graph, thing), default=None)
    return _began(thing)


def _times(graph: GraphReader, thing: GraphThing) -> Iterator[int]:
    key, has = thing.key, EdgeKind.HAS_RUN if isinstance(thing, Job) else EdgeKind.HAS_VERSION
    if isinstance(thing, Column):
        yield from _told_since(graph, [key])
        key = dataset_key(thing.namespace, thing.name)
    edges = graph.neighbours([key], [has], Direction.DOWNSTREAM)
    nodes = things(graph, (edge.target for edge in edges)).values()
    yield from (at for node in nodes if (at := _began(node)) is not None)
    yield from _told_since(graph, list(flows_of(graph, [key])) if isinstance(thing, Job) else [key])


def _told_since(graph: GraphReader, keys: Sequence[bytes]) -> Iterator[int]:
    for direction in _BOTH:
        edges = edges_of(graph, keys, [EdgeKind.FEEDS], direction)
        yield from (edge.at for edge in edges if edge.at is not None)


def _then(thing: _S, as_of: int) -> _S:
    then: Any = thing
    if isinstance(thing, Run):
        then = _running(thing, as_of)
    elif isinstance(thing, Dataset) and thing.dropped_at is not None and thing.dropped_at > as_of:
        then = msgspec.structs.replace(thing, dropped_at=None)
    return cast(_S, then)


def _running(run: Run, as_of: int) -> Run:
    """``run`` with what it told it served by then and, where it ended later, as it ran on."""
    serves = tuple(each for each in run.serves if each[0] <= as_of)
    if run.ended_at is None or run.ended_at <= as_of:
        return run if len(serves) == len(run.serves) else msgspec.structs.replace(run, serves=serves)
    gaps = tuple(gap for gap in run.gaps if gap.code != GapCode.ROLLOUT_NOT_ENDED.value)
    return msgspec.structs.replace(run, state=RunState.RUNNING, ended_at=None, error=None, gaps=gaps, serves=serves)
