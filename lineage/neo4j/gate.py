"""The lock between views and commits, which keeps each view on one state.

Neo4j reads what is committed, statement by statement, and shows a commit while it is being applied. So views and
commits exclude each other, by a lock that Neo4j itself keeps: MERGE of a node by a unique value holds the value's
index entry shared until its transaction ends, and setting the value holds it exclusively (Neo4j Operations manual,
"Locks", on index entries). Views share it among themselves, across processes and servers; a commit takes it first,
holding nothing else while it waits.

Whoever waits to commit lets no further view in. So that one long view does not keep all others out, a commit waits a
moment only, lets them pass, and tries again, each time twice as long, up to 1 s.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from neo4j import AsyncManagedTransaction, AsyncTransaction, unit_of_work
from neo4j.exceptions import TransientError

from lineage.errors import UnavailableError, UnusableStoreError
from lineage.neo4j.connection import Connection, Runner, rows
from lineage.neo4j.failures import DEADLOCK
from lineage.neo4j.schema import LAYOUT, STATE_COLUMNS, State, of_another_ledger

_T = TypeVar("_T")

_SHARED = f"MERGE (p:LineageState {{gate: 'open'}}) RETURN {STATE_COLUMNS}, p.clearing, COUNT {{ (:LineageMissing) }}"
_EXCLUSIVE = "MATCH (p:LineageState {gate: 'open'}) SET p.gate = 'shut' SET p.gate = 'open'"
_STILL = "MATCH (p:LineageState {gate: 'open'}) WHERE p.epoch = $epoch AND p.ledger = $ledger RETURN p.watermark"
_TAKE = """
MATCH (p:LineageState {gate: 'open'}) WHERE $adopt OR p.ledger = $ledger
SET p.watermark = CASE WHEN p.ledger = $ledger AND p.layout = $layout THEN p.watermark ELSE 0 END
SET p.epoch = CASE WHEN p.epoch < timestamp() THEN timestamp() ELSE p.epoch + 1 END, p.ledger = $ledger
RETURN p.epoch, p.layout, p.clearing"""
_WHOSE = "MATCH (p:LineageState {gate: 'open'}) RETURN p.ledger, p.watermark, p.epoch"

LONGEST_COMMIT = 30.0
"""Seconds after which a reply is taken for lost, though the server answers others: what was written, the next look at
the watermark says. A long list gets more."""
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 1.0
_PAUSE = 0.1


class _TakenError(Exception):
    """Others have the lock."""


async def enter(transaction: AsyncTransaction) -> tuple[State, bool]:
    """Take the lock shared, until the transaction ends: the state, and whether any end of an edge is missing. Raises
    UnavailableError for a graph that is being emptied."""
    ((*state, clearing, missing),) = await rows(transaction, _SHARED, {})
    if clearing:
        raise UnavailableError("The graph in Neo4j is being emptied.", hint="Ask again in a while.")
    return State.of(state), bool(missing)


async def take(connection: Connection, ledger: str, *, adopt: bool) -> tuple[int, bool]:
    """Become the one who writes: the epoch, and whether the graph has to be emptied, as bodies are laid out otherwise
    or somebody did not come to the end of it. A graph of another ledger or layout is outdated from now on: its
    watermark is 0. Epochs follow the time in milliseconds: one of a database that was emptied or set back never comes
    again. Raises UnusableStoreError for the graph of another ledger, unless with ``adopt``."""

    async def become(transaction: AsyncManagedTransaction) -> tuple[int, bool]:
        found = await rows(transaction, _TAKE, {"ledger": ledger, "layout": LAYOUT, "adopt": adopt})
        if not found:
            others = await rows(transaction, _WHOSE, {})
            raise of_another_ledger(others[0][0]) if others else GraphGoneError()
        ((epoch, layout, clearing),) = found
        return epoch, layout != LAYOUT or bool(clearing)

    return await _locked(connection, become, LONGEST_COMMIT)


async def watermark(runner: Runner, ledger: str, epoch: int | None) -> int:
    """How many entries of ``ledger`` the graph reflects, 0 if there is none yet. Raises UnusableStoreError for that of
    another ledger and, with ``epoch``, where that is no longer the one who writes; then GraphGoneError where there is
    no graph any more."""
    if epoch is None:
        found = await rows(runner, _WHOSE, {})
        if found and found[0][0] != ledger:
            raise of_another_ledger(found[0][0])
        return found[0][1] if found else 0
    found = await rows(runner, _STILL, {"epoch": epoch, "ledger": ledger})
    if not found:
        raise await _no_more(runner, ledger, epoch)
    reached: int = found[0][0]
    return reached


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

    Views are let pass as often as there are any. Raises UnavailableError when writing has then taken ``longest``
    seconds, or where the graph is not at the claim's watermark; UnusableStoreError where another projector has taken
    over, GraphGoneError where there is no graph any more.
    """

    async def claimed(transaction: AsyncManagedTransaction) -> _T:
        reached = await watermark(transaction, claim.ledger, claim.epoch)
        if claim.watermark not in (None, reached):
            raise UnavailableError(
                f"The graph in Neo4j reflects {reached} entries, and was left at {claim.watermark}.",
                hint="A reply was lost, or it was restored from a backup; it is brought up to date from the ledger.",
            )
        return await work(transaction)

    return await _locked(connection, claimed, longest)


async def _locked(
    connection: Connection, work: Callable[[AsyncManagedTransaction], Awaitable[_T]], longest: float
) -> _T:
    """What ``work`` returns, run in a transaction that has the lock. What was read before it was had may have changed
    since."""
    wait = _FIRST_WAIT

    async def locked(transaction: AsyncManagedTransaction) -> _T:
        try:
            await asyncio.wait_for(rows(transaction, _EXCLUSIVE, {}), wait)
        except TimeoutError as error:
            raise _TakenError from error
        except TransientError as error:
            if error.code != DEADLOCK:
                raise
            raise _TakenError from error
        return await work(transaction)

    # Where the client's machine is gone, only the server's own limit lets go of the lock.
    ended = unit_of_work(timeout=longest)(locked)
    while True:
        try:
            async with connection.session() as session:
                return await asyncio.wait_for(session.execute_write(ended), longest)
        except _TakenError:
            await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
            wait = min(wait * 2, _LONGEST_WAIT)


class GraphGoneError(UnavailableError):
    """The database was emptied, or replaced by an empty or older one."""

    def __init__(self, what: str = "The graph in Neo4j is gone.") -> None:
        super().__init__(what, hint="It is made anew from the ledger.")


async def _no_more(runner: Runner, ledger: str, epoch: int) -> UnavailableError:
    """Why the projector with this ``epoch`` can't write any more."""
    found = await rows(runner, _WHOSE, {})
    if not found:
        return GraphGoneError()
    whose, _, last = found[0]
    if whose == ledger and last < epoch:
        return GraphGoneError("The database in Neo4j was restored from an old backup.")
    return UnusableStoreError(
        "Another server projects into this Neo4j database now.",
        hint="One server writes a graph; stop the other one, and start this one again.",
    )
