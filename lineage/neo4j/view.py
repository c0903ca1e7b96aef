"""What a view of the graph in Neo4j holds while it is open."""

from __future__ import annotations

import time
from dataclasses import dataclass

from neo4j import AsyncSession, AsyncTransaction

from lineage.neo4j import gate
from lineage.neo4j.connection import Connection
from lineage.neo4j.schema import State

_VIEW_SECONDS = 3_600.0
"""After so long the server ends a view: whoever opened it may be gone."""


@dataclass(frozen=True, slots=True)
class View:
    """What holds the lock shared, and what it found: see :func:`lineage.neo4j.gate.enter`. ``ends`` is a time.monotonic
    moment."""

    session: AsyncSession
    transaction: AsyncTransaction
    state: State
    missing: bool
    ends: float

    @classmethod
    async def enter(cls, connection: Connection) -> View:
        """Take the lock, until :meth:`end` or :meth:`leave`. Raises as :func:`lineage.neo4j.gate.enter`."""
        session = connection.session()
        try:
            transaction = await session.begin_transaction(timeout=_VIEW_SECONDS)
            state, missing = await gate.enter(transaction)
            return cls(session, transaction, state, missing, time.monotonic() + _VIEW_SECONDS)
        except BaseException:
            await session.close()
            raise

    async def end(self) -> None:
        """Let go of the lock. Raises what the server raises where it was lost before: what was read may be of two
        states then."""
        try:
            await self.transaction.commit()
        finally:
            await self.session.close()

    async def leave(self) -> None:
        """Let go of the lock, and forget what was read."""
        try:
            await self.transaction.close()
        finally:
            await self.session.close()
