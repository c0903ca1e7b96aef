"""The lock between views and commits, which keeps each view on one state.

Neo4j reads what is committed, statement by statement, and shows a commit while it is being applied. So views and
commits exclude each other, by a lock that Neo4j itself keeps: MERGE of a node by a unique value holds the value's
index entry shared until its transaction ends, and setting the value holds it exclusively (Neo4j Operations manual,
"Locks", on index entries). Views share it among themselves, across processes and servers; a commit takes it first,
holding nothing else while it waits.

Whoever waits to commit lets no further view in. So that one long view does not keep all others out, a commit waits a
moment only, lets them pass, and tries again, each time a little longer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from neo4j import AsyncManagedTransaction, AsyncTransaction

from lineage.errors import UnavailableError, UnusableStoreError
from lineage.neo4j.connection import Connection, rows
from lineage.neo4j.schema import State

_T = TypeVar("_T")

_SHARED = """
MERGE (p:LineageState {gate: 'open'})
RETURN p.ledger, p.watermark, p.epoch, p.schema, p.layout, p.weakKinds, p.replacedKinds, p.clearing,
    COUNT { (:LineageMissing) }"""
_EXCLUSIVE = """
MATCH (p:LineageState {gate: 'open'}) WHERE p.epoch = $epoch AND p.ledger = $ledger
SET p.gate = 'shut' SET p.gate = 'open'
RETURN p.epoch"""
# What was matched before the lock was had may have changed since.
_STILL = "MATCH (p:LineageState {gate: 'open'}) WHERE p.epoch = $epoch AND p.ledger = $ledger RETURN p.watermark"

LONGEST_COMMIT = 30.0
"""Seconds after which a reply is taken for lost, though the server answers others: what was written, the next look at
the watermark says. A long list gets more."""
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 1.0
_PAUSE = 0.1


class _TakenError(Exception):
    """Views have the lock."""


async def enter(transaction: AsyncTransaction) -> tuple[State, bool]:
    """Take the lock shared, until the transaction ends: the state, and whether any end of an edge is missing. Raises
    UnavailableError for a graph that is being emptied."""
    ((ledger, watermark, epoch, schema, layout, weak, replaced, clearing, missing),) = await rows(
        transaction, _SHARED, {}
    )
    if clearing:
        raise UnavailableError("The graph in Neo4j is being emptied.", hint="Ask again in a while.")
    kinds = frozenset(weak or ()), frozenset(replaced or ())
    return State(ledger, watermark or 0, epoch or 0, schema or 0, layout or 0, *kinds), bool(missing)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants to commit: the ledger, the epoch, and the watermark that this projector left, None if not known."""

    ledger: str
    epoch: int
    watermark: int | None = None


async def commit(
    connection: Connection,
    claim: Claim,
    work: Callable[[AsyncManagedTransaction], Awaitable[_T]],
    longest: float = LONGEST_COMMIT,
) -> _T:
    """What ``work`` returns, run in a transaction that has the lock; it may be run more than once.

    Raises UnavailableError after ``longest`` seconds, or where somebody set the graph back; UnusableStoreError where
    another projector has taken over, GraphGoneError where there is no graph any more.
    """
    wait = _FIRST_WAIT

    async def locked(transaction: AsyncManagedTransaction) -> _T:
        told = {"epoch": claim.epoch, "ledger": claim.ledger}
        try:
            found = await asyncio.wait_for(rows(transaction, _EXCLUSIVE, told), wait)
        except TimeoutError as error:
            raise _TakenError from error
        still = await rows(transaction, _STILL, told) if found else ()
        if not still:
            raise await _no_more(transaction)
        if claim.watermark not in (None, still[0][0]):
            raise UnavailableError(
                f"The graph in Neo4j reflects {still[0][0]} entries, and was left at {claim.watermark}.",
                hint="It was restored from a backup, it seems; it is brought up to date from the ledger.",
            )
        return await work(transaction)

    while True:
        try:
            async with connection.session() as session:
                return await asyncio.wait_for(session.execute_write(locked), longest)
        except _TakenError:
            await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
            wait = min(wait * 2, _LONGEST_WAIT)


class GraphGoneError(UnavailableError):
    """The database was emptied, or replaced by an empty one."""

    def __init__(self) -> None:
        super().__init__(
            "The graph in Neo4j is gone.",
            hint="It is made anew from the ledger with the next event, or when the server is started again.",
        )


async def _no_more(transaction: AsyncManagedTransaction) -> UnavailableError | UnusableStoreError:
    """Why this projector can't write any more."""
    ((states,),) = await rows(transaction, "RETURN COUNT { (:LineageState) }", {})
    if not states:
        return GraphGoneError()
    return UnusableStoreError(
        "Another server projects into this Neo4j database now.",
        hint="One server writes a graph; stop the other one, and start this one again.",
    )
