"""The traversal: one query that prunes breadth first, stops at the limit, and returns lists.

``MATCH (s)-[…*1..]->(t)`` with ``min(length(p))`` visits each node once, nearest first (the planner's
``VarLengthExpand(Pruning,BFS,All)``), but once for each row of ``s``. So many seeds are tied to one probe, in a
transaction that is rolled back: seeds that are flows through a second one, as a flow seed counts for one step. The
length of a path then says the distance by itself. Two lists come back, as rows and texts cost more than the traversal:
of each node one property, in bytes, and the length of the path. Nothing is ordered, unless there is too much of it.

How strong the best path is, narrower walks say, as in :mod:`lineage.topology.strength`; none where no edge was ever
weak, and only a count where no weak edge is on any path.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from neo4j import AsyncSession, AsyncTransaction
from neo4j.exceptions import Neo4jError
from numpy.typing import NDArray

from lineage.key_array import KeyArray, pack, unpack
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
_ATTEMPTS = 5
_PLAIN = np.dtype([("key", ">u8", 2), ("code", "u1")])
_OWNED = np.dtype([("key", ">u8", 2), ("owner", ">u8", 2), ("code", "u1")])
"""What ``found`` of a node says (:func:`lineage.neo4j.properties.found_bytes`)."""

_TIE = """
CREATE (p:LineageProbe)%s(q:LineageProbe) WITH p, q
MATCH (s:Lineage) WHERE s.key IN $keys AND NOT s:LineageMissing AND (s.code = $column) = $columns
WITH p, CASE WHEN s.code < $flow THEN p ELSE q END AS probe, s
CREATE (probe)%s(s)
RETURN elementId(p), count(s)"""
_TIES = {Direction.DOWNSTREAM: _TIE.replace("%s", "-[:PROBE]->"), Direction.UPSTREAM: _TIE.replace("%s", "<-[:PROBE]-")}
"""No row where there is no such seed."""
_ONE = "(s:Lineage&!LineageMissing {key: $key})"
_LENGTHS = " WITH t, min(length(p)) AS d"
_PRESENT = " WHERE t.found IS NOT NULL WITH t, d"
_LISTS = " LIMIT $limit WITH collect(t.found) AS found, collect(d) AS lengths"
_RETURN = {
    False: " OPTIONAL MATCH (s:Lineage {key: $key}) RETURN s.code, found, lengths",
    True: " RETURN null, found, lengths",
}
"""By whether the start is a probe."""


@dataclass(frozen=True, slots=True)
class _Start:
    """Where walks begin: what matches it, its parameters, the seeds, and who runs queries. ``probed`` says that it is a
    probe, in whose transaction all is done."""

    match: str
    told: dict[str, Any]
    seeds: frozenset[bytes]
    runner: AsyncSession | AsyncTransaction
    probed: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What a walk found: of each node the key, that of what answers name in its place (zeros if nothing), its code, and
    the length of the path. ``start`` is the code of where it began."""

    start: int | None
    keys: KeyArray
    things: KeyArray
    codes: NDArray[np.uint8]
    lengths: NDArray[np.int64]

    def only(self, rows: NDArray[Any]) -> _Found:
        """Of all that, these rows."""
        return _Found(self.start, self.keys[rows], self.things[rows], self.codes[rows], self.lengths[rows])

    def without(self, seeds: frozenset[bytes]) -> _Found:
        """What is no seed."""
        first = pack(list(seeds))[:, 0]
        perhaps = np.flatnonzero(self.keys[:, 0] == first if len(first) == 1 else np.isin(self.keys[:, 0], first))
        wrong = [row for row, key in zip(perhaps, unpack(self.keys[perhaps]), strict=True) if key in seeds]
        return self.only(np.delete(np.arange(len(self.keys)), wrong)) if wrong else self

    def nearest(self, most: int) -> _Found:
        """So many, of the shortest paths."""
        return self if len(self.keys) <= most else self.only(np.argsort(self.lengths, kind="stable")[:most])


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
        reach, are_left = await self._from_many(wanted, columns=False)
        if not are_left:
            return reach
        return _joined(reach, (await self._from_many(wanted, columns=True))[0], self._limits)

    async def _from_one(self, seed: bytes, wanted: frozenset[bytes]) -> Reach:
        async with self._connection.session() as session:
            start = _Start(_ONE, {"key": seed.hex()}, wanted, session, probed=False)
            return await _Walks(self._walk, self._limits, start).run()

    async def _from_many(self, wanted: frozenset[bytes], *, columns: bool) -> tuple[Reach, bool]:
        """What leads from ``wanted``: from what is no column, if there is any, or with ``columns`` from columns; and
        whether there may be columns left for a walk of their own."""
        for attempt in range(_ATTEMPTS):
            try:
                return await self._probed(wanted, columns=columns)
            except Neo4jError as error:
                if error.code in TIMED_OUT:
                    break
                if error.code != DEADLOCK or attempt + 1 == _ATTEMPTS:
                    raise
        return _nothing(_TIME), False

    async def _probed(self, wanted: frozenset[bytes], *, columns: bool) -> tuple[Reach, bool]:
        session = self._connection.session()
        try:
            transaction = await session.begin_transaction(timeout=_seconds(self._limits))
            tied = await self._tied(transaction, wanted, columns=columns)
            if not tied and not columns:
                columns = True
                tied = await self._tied(transaction, wanted, columns=columns)
            if not tied:
                return _nothing(None), False
            ((probe, count),) = tied
            start = _Start("(s)", {"probe": probe}, wanted, transaction, probed=True)
            are_left = self._walk.level is Level.LOGICAL and not columns and count < len(wanted)
            return await _Walks(self._walk, self._limits, start).run(), are_left
        finally:
            self._connection.do_later(session.close())  # which rolls back; the answer need not wait for it

    async def _tied(
        self, transaction: AsyncTransaction, wanted: frozenset[bytes], *, columns: bool
    ) -> Sequence[Sequence[Any]]:
        """The probe that those of ``wanted`` that are columns, or those that are not, are tied to, and how many."""
        told = {
            "keys": sorted(seed.hex() for seed in wanted),
            "columns": columns,
            "column": _COLUMN,
            "flow": OF_FLOW,
        }
        return await rows(transaction, _TIES[self._walk.direction], told)


class _Walks:
    """The walks from one start: one to find, narrower ones to say how strong the paths are."""

    def __init__(self, walk: Walk, limits: Limits, start: _Start) -> None:
        self._walk = walk
        self._limits = limits
        self._start = start
        self._cut: str | None = None

    async def run(self) -> Reach:
        try:
            found = await self._find(self._walk, self._limits.nodes + 1)
        except Neo4jError as error:
            if error.code not in TIMED_OUT or self._start.probed:
                raise
            self._cut, found = _TIME, await self._few()
        if len(found.keys) > self._limits.nodes:
            found, self._cut = found.nearest(self._limits.nodes), self._cut or _NODES
        is_flow = found.codes >= OF_FLOW
        kinds = np.where(is_flow, found.codes - OF_FLOW, found.codes).astype(np.uint8)
        evidence, certain, stale = await self._strength(found.keys)
        return Reach(found.keys, found.things, kinds, self._distances(found), evidence, certain, stale, self._cut)

    async def _find(self, walk: Walk, most: int, seconds: float | None = None) -> _Found:
        """The nearest ``most`` that a path leads to, seeds apart."""
        limit = most + len(self._start.seeds)
        found = await self._lists(walk, limit, seconds, ordered=False)
        if len(found.keys) == limit:
            found = await self._lists(walk, limit, seconds, ordered=True)
        return found.without(self._start.seeds).nearest(most)

    async def _lists(self, walk: Walk, limit: int, seconds: float | None, *, ordered: bool) -> _Found:
        """At most ``limit`` that a path leads to: if ``ordered`` the nearest, else any."""
        rest = (" ORDER BY d" if ordered else "") + _LISTS + _RETURN[self._start.probed]
        if not self._start.probed and not walk.marks.missing:
            ((start, found, lengths),) = await self._ask(self._match(walk) + _LENGTHS + rest, {"limit": limit}, seconds)
            if len(found) == len(lengths):
                return _columns(start, found, lengths)
        # Nodes that somebody else has tied to ours have no such property.
        query = self._match(walk) + _LENGTHS + _PRESENT + rest
        ((start, found, lengths),) = await self._ask(query, {"limit": limit}, seconds)
        return _columns(start, found, lengths)

    async def _few(self) -> _Found:
        try:
            return await self._find(self._walk, min(_FEW, self._limits.nodes), _FEW_SECONDS)
        except Neo4jError as error:
            if error.code not in TIMED_OUT:
                raise
            return _columns(None, [], [])

    def _distances(self, found: _Found) -> NDArray[np.int32]:
        """Flows entered, of a path of so many edges; of columns, columns."""
        lengths = found.lengths
        if self._start.probed:
            distances = np.where(found.codes == _COLUMN, lengths - 1, lengths // 2)
        elif found.start is not None and found.start >= OF_FLOW:
            distances = lengths // 2 + 1
        else:
            distances = np.where(found.codes == _COLUMN, lengths, (lengths + 1) // 2)
        return distances.astype(np.int32)

    async def _strength(self, found: KeyArray) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.bool_]]:
        """Evidence, certainty and staleness of the best path to each of ``found``."""
        edges, wiring = self._walk.edges, self._walk.level is Level.LOGICAL
        certain, stale = np.ones(len(found), np.bool_), np.zeros(len(found), np.bool_)
        if not self._walk.marks.weak or not len(found) or await self._are_all_strong(len(found), wiring):
            return np.zeros(len(found), np.uint8), certain, stale
        keys, weakest = unpack(found), EVIDENCE_CODES[edges.evidence]
        evidence = np.full(len(keys), weakest, np.uint8)
        for stronger in reversed([each for each in Evidence if EVIDENCE_CODES[each] < weakest]):
            evidence[await self._are_in(keys, self._walk.narrower(evidence=stronger))] = EVIDENCE_CODES[stronger]
        if not edges.certain_only:
            certain = await self._are_in(keys, self._walk.narrower(certain_only=True))
        if wiring and not edges.fresh_only:
            stale = ~await self._are_in(keys, self._walk.narrower(fresh_only=True))
        return evidence, certain, stale

    async def _are_all_strong(self, count: int, wiring: bool) -> bool:
        """Whether strong edges alone lead to as many nodes: those are among the ones that were found."""
        if self._cut is not None:
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
        """Which of ``keys`` a path of ``walk`` leads to; none once time is over, and then the answer says so."""
        if self._cut == _TIME:
            return np.zeros(len(keys), np.bool_)
        try:
            found = await self._find(walk, self._limits.nodes)
        except Neo4jError as error:
            if error.code not in TIMED_OUT or self._start.probed:
                raise
            self._cut = _TIME
            return np.zeros(len(keys), np.bool_)
        reached = set(unpack(found.keys))
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


def _columns(start: int | None, found: list[bytes], lengths: list[int]) -> _Found:
    """``found`` of nodes, and the lengths of the paths to them, as columns: what has an owner first."""
    told = np.array(lengths, np.int64)
    is_owned = np.fromiter(map(len, found), np.int64, len(found)) == _OWNED.itemsize
    owned = np.frombuffer(b"".join(compress(found, is_owned)), _OWNED)
    plain = np.frombuffer(b"".join(compress(found, ~is_owned)), _PLAIN)
    themselves = np.where(plain["code"][:, None] >= OF_FLOW, 0, plain["key"])
    return _Found(
        start,
        np.concatenate([owned["key"], plain["key"]]).astype(np.uint64),
        np.concatenate([owned["owner"], themselves]).astype(np.uint64),
        np.concatenate([owned["code"], plain["code"]]),
        np.concatenate([told[is_owned], told[~is_owned]]),
    )


def _seconds(limits: Limits) -> float | None:
    return None if limits.deadline is None else max(0.001, limits.deadline - time.monotonic())


def _is_over(limits: Limits) -> bool:
    return limits.deadline is not None and time.monotonic() > limits.deadline


def _nothing(cut: str | None) -> Reach:
    none = np.zeros(0, np.uint8)
    keys = np.zeros((0, 2), np.uint64)
    flags = none.astype(np.bool_)
    return Reach(keys, keys, none, none.astype(np.int32), none, flags, flags, cut)


def _joined(one: Reach, other: Reach, limits: Limits) -> Reach:
    """What datasets and what columns lead to, which never meet; the nearest of both, where that is too much or one of
    them was cut."""
    cut = one.cut or other.cut
    distances = np.concatenate([one.distances, other.distances])
    order = np.argsort(distances, kind="stable")
    for part in (one, other):
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
