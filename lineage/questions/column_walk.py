"""What the traversals from columns have in common, downstream (:mod:`lineage.questions.columns`) and upstream
(:mod:`lineage.questions.column_sources`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, count

from lineage.answer import GraphThing, label
from lineage.key_array import unpack
from lineage.model import GapCode
from lineage.questions.assessment import Concluded
from lineage.questions.marks import Marks
from lineage.questions.spread import ColumnReads, Spread, cut_of, things
from lineage.store import Direction, EdgeFilter, GraphReader, Level, Limits, Reach
from lineage.topology import Walked

Taken = tuple[int, bytes, bytes | None]
"""A flow that was taken up whole: at what distance, of which dataset, by which job."""


def widest(
    graph: GraphReader, seeds: Sequence[bytes], direction: Direction, edges: EdgeFilter, limits: Limits
) -> Reach:
    """All columns that ``edges`` tie to ``seeds``. What is covered hangs on all of them: how many nodes an answer may
    have counts when they are put together."""
    return graph.reach(Level.LOGICAL, seeds, direction, edges, Limits(deadline=limits.deadline))


def distances_by(seeds: Sequence[bytes], step: Callable[[bytes], Iterable[bytes]]) -> dict[bytes, int]:
    """The columns that steps lead to from ``seeds``, these among them; ``step`` gives those next to one."""
    distances, frontier = dict.fromkeys(seeds, 0), list(seeds)
    for at in count(1):
        if not frontier:
            break
        stepped = dict.fromkeys(chain.from_iterable(map(step, frontier)))
        frontier = [key for key in stepped if key not in distances]
        distances.update(dict.fromkeys(frontier, at))
    return distances


def rows(reach: Reach) -> Iterable[tuple[int, bytes]]:
    """(distance, key) of all that ``reach`` holds."""
    return zip(reach.distances.tolist(), unpack(reach.keys), strict=True)


def merged(parts: Sequence[Walked], limits: Limits) -> Walked:
    """All that ``parts`` found at the least distance; past the nearest place where a part was cut, nothing."""
    least: dict[bytes, int] = {}
    for distance, key in chain.from_iterable(part.found for part in parts):
        least[key] = min(distance, least.get(key, distance))
    cut = next((part.cut for part in parts if part.cut), None)
    horizon = min((max((at for at, _ in part.found), default=0) for part in parts if part.cut), default=None)
    found = sorted((distance, key) for key, distance in least.items() if horizon is None or distance <= horizon)
    if len(found) > limits.nodes:
        return Walked(tuple(found[: limits.nodes]), "NODES")
    return Walked(tuple(found), cut)


def spread_of(full: Reach, seeds: Sequence[bytes], edges: EdgeFilter, limits: Limits, reads: ColumnReads) -> Spread:
    """``full``, reached from columns, which stand for themselves."""
    entry = {seed: seed for seed in seeds}
    return Spread(Level.LOGICAL, edges, frozenset(seeds), Marks(full), entry, cut_of(full, limits), reads)


def gaps_of(
    graph: GraphReader, taken: Sequence[Taken], said: Callable[[str, GraphThing | None], str]
) -> tuple[Concluded, ...]:
    """The gaps of what was taken up, each about its job or, if it has none, its dataset. ``said`` makes the message of
    by whom (`` by NAME`` or nothing) and of the dataset."""
    nodes = things(graph, (key for _, home, job in taken for key in (home, job) if key is not None))

    def message(home: bytes, job: bytes | None) -> str:
        by = nodes.get(job or b"")
        return said(f" by {label(by)}" if by else "", nodes.get(home))

    return tuple(
        Concluded(GapCode.UNDIVIDED.value, distance, job or home, message(home, job)) for distance, home, job in taken
    )
