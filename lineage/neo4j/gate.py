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
the watermark says."""
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0
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


async def commit(
    connection: Connection, ledger: str, epoch: int, work: Callable[[AsyncManagedTransaction], Awaitable[_T]]
) -> _T:
    """What ``work`` returns, run in a transaction that has the lock; it may be run more than once.

    Raises UnusableStoreError where another projector has taken over.
    """
    wait = _FIRST_WAIT

    async def locked(transaction: AsyncManagedTransaction) -> _T:
        told = {"epoch": epoch, "ledger": ledger}
        try:
            found = await asyncio.wait_for(rows(transaction, _EXCLUSIVE, told), wait)
        except TimeoutError as error:
            raise _TakenError from error
        if not found:
            raise _replaced()
        if not await rows(transaction, _STILL, told):
            raise _replaced()
        return await work(transaction)

    while True:
        try:
            async with connection.session() as session:
                return await asyncio.wait_for(session.execute_write(locked), LONGEST_COMMIT)
        except _TakenError:
            await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
            wait = min(wait * 2, _LONGEST_WAIT)


def _replaced() -> UnusableStoreError:
    return UnusableStoreError(
        "Another server projects into this Neo4j database now.",
        hint="One server writes a graph; stop the other one, and start this one again.",
    )
