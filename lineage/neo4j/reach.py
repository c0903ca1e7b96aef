"""The traversal: one query that prunes breadth first, stops at the limit, and returns lists.

``MATCH (s)-[…*1..]->(t)`` with ``min(length(p))`` visits each node once, nearest first (the planner's
``VarLengthExpand(Pruning,BFS,All)``), but once for each row of ``s``. So many seeds are tied to one probe, in a
transaction that is rolled back: seeds that are flows through a second one, as a flow seed counts for one step. The
length of a path then says the distance by itself. Two lists come back, as rows and texts cost more than the traversal:
of each node its key as bytes, and its distance and kind in one number.

How strong the best path is, narrower walks say, as in :mod:`lineage.topology.strength`; none where no edge was ever
weak, and only a count where no weak edge is on any path.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from neo4j import AsyncSession, AsyncTransaction
from neo4j.exceptions import Neo4jError
from numpy.typing import NDArray

from lineage.key_array import KeyArray
from lineage.kind import KIND_CODES, Kind
from lineage.model import Evidence
from lineage.neo4j.connection import Connection, rows, rows_within
from lineage.neo4j.failures import DEADLOCK, TIMED_OUT
from lineage.neo4j.properties import OF_FLOW
from lineage.neo4j.walk import Walk
from lineage.store import EVIDENCE_CODES, Direction, Level, Limits, Reach

_NODES, _TIME = "NODES", "TIME"
_FEW = 1_000
"""So many of the nearest are told where time is over."""
_FEW_SECONDS = 0.5
_COLUMN = KIND_CODES[Kind.COLUMN]
_CODES = 2 * OF_FLOW
_KEY_BYTES = 16
_ATTEMPTS = 5

_SEEDS = "MATCH (s:Lineage) WHERE s.key IN $keys AND NOT s:LineageMissing RETURN s.key, s.code"
_TIE = {
    Direction.DOWNSTREAM: """
CREATE (p:LineageProbe)-[:PROBE]->(q:LineageProbe) WITH p, q
CALL (p) { UNWIND $near AS key MATCH (s:Lineage {key: key}) CREATE (p)-[:PROBE]->(s) }
CALL (q) { UNWIND $far AS key MATCH (s:Lineage {key: key}) CREATE (q)-[:PROBE]->(s) }
RETURN elementId(p)""",
    Direction.UPSTREAM: """
CREATE (p:LineageProbe)<-[:PROBE]-(q:LineageProbe) WITH p, q
CALL (p) { UNWIND $near AS key MATCH (s:Lineage {key: key}) CREATE (p)<-[:PROBE]-(s) }
CALL (q) { UNWIND $far AS key MATCH (s:Lineage {key: key}) CREATE (q)<-[:PROBE]-(s) }
RETURN elementId(p)""",
}
_ONE = "(s:Lineage&!LineageMissing {key: $key})"
_FIND = """
WITH s, t, min(length(p)) AS d WHERE t.found IS NOT NULL
WITH s, t, d ORDER BY d LIMIT $limit
RETURN s.code, collect(t.found), collect(d * $codes + t.code)"""


@dataclass(frozen=True, slots=True)
class _Start:
    """Where walks begin: what matches it, its parameters, the seeds, and who runs queries. ``probed`` says that it is a
    probe, in whose transaction all is done."""

    match: str
    told: dict[str, Any]
    seeds: frozenset[bytes]
    runner: AsyncSession | AsyncTransaction
    probed: bool


@dataclass(slots=True)
class _Lists:
    """What a walk found, nearest first: of each node the key, behind it the owner's if it has one, and the length of
    the path with the code of the kind. ``start`` is the code of where it began."""

    start: int | None = None
    found: list[bytes] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    def without(self, seeds: frozenset[bytes], most: int) -> _Lists:
        """The first ``most`` that are no seed."""
        keep = [i for i, each in enumerate(self.found) if each[:_KEY_BYTES] not in seeds][:most]
        if len(keep) == len(self.found):
            return self
        return _Lists(self.start, [self.found[i] for i in keep], [self.values[i] for i in keep])


class Traversal:
    """One question to ``reach`` of :class:`lineage.store.GraphReader`, from seeds to columns."""

    def __init__(self, connection: Connection, walk: Walk, limits: Limits) -> None:
        self._connection = connection
        self._walk = walk
        self._limits = limits

    async def run(self, seeds: Sequence[bytes]) -> Reach:
        """Everything that a path from any seed leads to."""
        wanted = frozenset(seeds)
        if not wanted:
            return _nothing(None)
        if _is_over(self._limits):
            return _nothing(_TIME)
        if len(wanted) == 1:
            return await self._from_one(next(iter(wanted)), wanted)
        async with self._connection.session() as session:
            found = await rows(session, _SEEDS, {"keys": sorted(seed.hex() for seed in wanted)})
        columns = [(key, code) for key, code in found if code == _COLUMN]
        others = [(key, code) for key, code in found if code != _COLUMN]
        return _joined([await self._from_many(part, wanted) for part in (others, columns) if part], self._limits)

    async def _from_one(self, seed: bytes, wanted: frozenset[bytes]) -> Reach:
        async with self._connection.session() as session:
            start = _Start(_ONE, {"key": seed.hex()}, wanted, session, probed=False)
            return await _Walks(self._walk, self._limits, start).run()

    async def _from_many(self, seeds: list[tuple[str, int]], wanted: frozenset[bytes]) -> Reach:
        """What leads from ``seeds``, each with its code; columns come by themselves."""
        if len(seeds) == 1:
            return await self._from_one(bytes.fromhex(seeds[0][0]), wanted)
        for attempt in range(_ATTEMPTS):
            try:
                return await self._probed(seeds, wanted)
            except Neo4jError as error:
                if error.code in TIMED_OUT:
                    break
                if error.code != DEADLOCK or attempt + 1 == _ATTEMPTS:
                    raise
        return _nothing(_TIME)

    async def _probed(self, seeds: list[tuple[str, int]], wanted: frozenset[bytes]) -> Reach:
        told = {
            "near": sorted(key for key, code in seeds if code < OF_FLOW),
            "far": sorted(key for key, code in seeds if code >= OF_FLOW),
        }
        async with self._connection.session() as session:
            transaction = await session.begin_transaction(timeout=_seconds(self._limits))
            try:
                ((probe,),) = await rows(transaction, _TIE[self._walk.direction], told)
                start = _Start("(s)", {"probe": probe}, wanted, transaction, probed=True)
                return await _Walks(self._walk, self._limits, start).run()
            finally:
                await transaction.close()


class _Walks:
    """The walks from one start: one to find, narrower ones to say how strong the paths are."""

    def __init__(self, walk: Walk, limits: Limits, start: _Start) -> None:
        self._walk = walk
        self._limits = limits
        self._start = start

    async def run(self) -> Reach:
        cut: str | None = None
        try:
            lists = await self._find(self._walk, self._limits.nodes + 1)
        except Neo4jError as error:
            if error.code not in TIMED_OUT or self._start.probed:
                raise
            cut, lists = _TIME, await self._few()
        if len(lists.found) > self._limits.nodes:
            lists, cut = lists.without(frozenset(), self._limits.nodes), cut or _NODES
        keys, things, codes, lengths = _columns(lists)
        evidence, certain, stale = await self._strength([each[:_KEY_BYTES] for each in lists.found], cut)
        return Reach(keys, things, codes, self._distances(lists, lengths, codes), evidence, certain, stale, cut)

    async def _find(self, walk: Walk, most: int, seconds: float | None = None) -> _Lists:
        """The nearest ``most`` that a path leads to, seeds apart."""
        told = {"limit": most + len(self._start.seeds), "codes": _CODES}
        found = await self._ask(self._match(walk) + _FIND, told, seconds)
        return _Lists(*found[0]).without(self._start.seeds, most) if found else _Lists()

    async def _few(self) -> _Lists:
        try:
            return await self._find(self._walk, min(_FEW, self._limits.nodes), _FEW_SECONDS)
        except Neo4jError as error:
            if error.code not in TIMED_OUT:
                raise
            return _Lists()

    def _distances(self, lists: _Lists, lengths: NDArray[np.int64], codes: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Flows entered, of a path of so many edges; of columns, columns."""
        if self._start.probed:
            found = np.where(codes == _COLUMN, lengths - 1, lengths // 2)
        elif lists.start is not None and lists.start >= OF_FLOW:
            found = lengths // 2 + 1
        else:
            found = np.where(codes == _COLUMN, lengths, (lengths + 1) // 2)
        return found.astype(np.int32)

    async def _strength(
        self, keys: list[bytes], cut: str | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
        """Evidence, certainty and staleness of the best path to each of ``keys``."""
        edges, wiring = self._walk.edges, self._walk.level is Level.LOGICAL
        certain, stale = np.ones(len(keys), np.bool_), np.zeros(len(keys), np.bool_)
        if not self._walk.marks.weak or not keys or await self._are_all_strong(len(keys), cut, wiring):
            return np.zeros(len(keys), np.uint8), certain, stale
        weakest = EVIDENCE_CODES[edges.evidence]
        evidence = np.full(len(keys), weakest, np.uint8)
        for stronger in reversed([each for each in Evidence if EVIDENCE_CODES[each] < weakest]):
            evidence[await self._are_in(keys, self._walk.narrower(evidence=stronger))] = EVIDENCE_CODES[stronger]
        if not edges.certain_only:
            certain = await self._are_in(keys, self._walk.narrower(certain_only=True))
        if wiring and not edges.fresh_only:
            stale = ~await self._are_in(keys, self._walk.narrower(fresh_only=True))
        return evidence, certain, stale

    async def _are_all_strong(self, count: int, cut: str | None, wiring: bool) -> bool:
        """Whether strong edges alone lead to as many nodes: those are among the ones that were found."""
        if cut is not None:
            return False
        strong = self._walk.narrower(evidence=Evidence.DECLARED, certain_only=True, fresh_only=wiring)
        query = (
            f"{self._match(strong)} WITH DISTINCT t WHERE t.found IS NOT NULL AND NOT t.key IN $seeds RETURN count(t)"
        )
        told = {"seeds": [seed.hex() for seed in self._start.seeds]}
        try:
            ((reached,),) = await self._ask(query, told)
        except Neo4jError as error:
            if error.code not in TIMED_OUT or self._start.probed:
                raise
            return False
        return bool(reached == count)

    async def _are_in(self, keys: list[bytes], walk: Walk) -> NDArray[np.bool_]:
        """Which of ``keys`` a path of ``walk`` leads to; none that is not known for want of time."""
        try:
            lists = await self._find(walk, self._limits.nodes)
        except Neo4jError as error:
            if error.code not in TIMED_OUT or self._start.probed:
                raise
            lists = _Lists()
        reached = {each[:_KEY_BYTES] for each in lists.found}
        return np.array([key in reached for key in keys], np.bool_)

    async def _ask(self, query: str, told: dict[str, Any], seconds: float | None = None) -> Sequence[Sequence[Any]]:
        told = {**self._start.told, "asOf": self._walk.edges.as_of, **told}
        seconds = _seconds(self._limits) if seconds is None else seconds
        if isinstance(self._start.runner, AsyncSession) and seconds is not None:
            return await rows_within(self._start.runner, query, told, seconds)
        return await rows(self._start.runner, query, told)

    def _match(self, walk: Walk) -> str:
        if self._start.probed:
            return f"MATCH (s) WHERE elementId(s) = $probe {walk.pattern(self._start.match, probed=True)}"
        return walk.pattern(self._start.match, probed=False)


def _columns(lists: _Lists) -> tuple[KeyArray, KeyArray, NDArray[np.uint8], NDArray[np.int64]]:
    """Keys, what answers name in their place, codes of the kind of that, and lengths of paths."""
    values = np.array(lists.values, np.int64)
    lengths, codes = values // _CODES, values % _CODES
    blocks = np.frombuffer(b"".join(lists.found), dtype=">u8").reshape(-1, 2).astype(np.uint64)
    counts = np.fromiter(map(len, lists.found), np.int64, len(lists.found)) // _KEY_BYTES
    ends = np.cumsum(counts)
    keys, things = blocks[ends - counts], blocks[ends - 1]
    is_flow = codes >= OF_FLOW
    things[is_flow & (counts == 1)] = 0
    return keys, things, np.where(is_flow, codes - OF_FLOW, codes).astype(np.uint8), lengths


def _seconds(limits: Limits) -> float | None:
    return None if limits.deadline is None else max(0.001, limits.deadline - time.monotonic())


def _is_over(limits: Limits) -> bool:
    return limits.deadline is not None and time.monotonic() > limits.deadline


def _nothing(cut: str | None) -> Reach:
    none = np.zeros(0, np.uint8)
    keys = np.zeros((0, 2), np.uint64)
    flags = none.astype(np.bool_)
    return Reach(keys, keys, none, none.astype(np.int32), none, flags, flags, cut)


def _joined(parts: list[Reach], limits: Limits) -> Reach:
    """What datasets and what columns lead to, which never meet; the nearest of both, where that is too much or one of
    them was cut."""
    if len(parts) < 2:
        return parts[0] if parts else _nothing(None)
    one, other = parts
    cut = one.cut or other.cut
    distances = np.concatenate([one.distances, other.distances])
    order = np.argsort(distances, kind="stable")
    for part in parts:
        if part.cut is not None:
            order = order[distances[order] <= part.distances.max(initial=0)]
    if len(order) > limits.nodes:
        order, cut = order[: limits.nodes], cut or _NODES
    return Reach(
        np.concatenate([one.keys, other.keys])[order],
        np.concatenate([one.things, other.things])[order],
        np.concatenate([one.kinds, other.kinds])[order],
        distances[order],
        np.concatenate([one.evidence, other.evidence])[order],
        np.concatenate([one.certain, other.certain])[order],
        np.concatenate([one.stale, other.stale])[order],
        cut,
    )
