"""What has to stand in the database before it is used: constraints, indexes, and the one node of the state.

Migrations are numbered, each safe to run twice and by two servers at once. ``(:LineageState)`` says how many ledger
entries the graph reflects (``watermark``), of which ledger, who may write (``epoch``), which migrations ran
(``schema``), how bodies are laid out (``layout``), that the graph is being emptied (``clearing``), and which kinds of
edge take more to be read (``weakKinds``, ``replacedKinds``: :mod:`lineage.neo4j.writer`). Its ``gate`` is unique, which
makes it a lock: see :mod:`lineage.neo4j.gate`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from neo4j import AsyncSession
from neo4j.exceptions import ClientError, TransientError

from lineage import body
from lineage.errors import UnusableStoreError
from lineage.kind import KINDS
from lineage.neo4j.connection import rows, rows_within

GRAPH = ("Lineage", "LineageName", "LineageAlias")
"""What is removed when the graph is emptied."""
OURS = (*GRAPH, "LineageState")
"""Every node of ours has exactly one of these labels."""

LAYOUT = crc32(repr((3, [str(kind) for kind in KINDS], body.LAYOUT)).encode())
"""Follows from what is written, the codes of kinds, and the model's fields: another one, and the graph is made anew."""

_OLDEST = (5, 26)
_INSIST_SECONDS = 30.0
_LOOK_SECONDS = 5.0
"""The server ends a look at what is there after so long: see :func:`is_made`."""
_MADE_SECONDS = 10.0
"""An index for a constraint that stands there for so long is being made by nobody."""
_PAUSE = 0.1
_EQUIVALENT = "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists"
_BEING_MADE = frozenset(
    {
        "Neo.ClientError.Schema.IndexAlreadyExists",
        "Neo.ClientError.Schema.IndexWithNameAlreadyExists",
    }
)
"""What is said of a constraint that somebody, or a statement whose connection was lost, is making: of its index."""

_GATE = "CREATE CONSTRAINT lineage_gate IF NOT EXISTS FOR (n:LineageState) REQUIRE n.gate IS UNIQUE"
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE CONSTRAINT lineage_key IF NOT EXISTS FOR (n:Lineage) REQUIRE n.key IS UNIQUE",
        "CREATE CONSTRAINT lineage_name IF NOT EXISTS FOR (n:LineageName) REQUIRE n.key IS UNIQUE",
        "CREATE CONSTRAINT lineage_alias IF NOT EXISTS FOR (n:LineageAlias) REQUIRE n.key IS UNIQUE",
        "CREATE INDEX lineage_alias_of IF NOT EXISTS FOR (n:LineageAlias) ON (n.of)",
        "CREATE INDEX lineage_owner IF NOT EXISTS FOR (n:Flow) ON (n.owner)",
        "CREATE INDEX lineage_dataset_name IF NOT EXISTS FOR (n:Dataset) ON (n.name)",
        "CREATE INDEX lineage_job_name IF NOT EXISTS FOR (n:Job) ON (n.name)",
        "CREATE INDEX lineage_run_id IF NOT EXISTS FOR (n:Run) ON (n.runId)",
        "CREATE INDEX lineage_version_written IF NOT EXISTS FOR (n:Version) ON (n.writtenAt)",
        "CREATE TEXT INDEX lineage_search IF NOT EXISTS FOR (n:Lineage) ON (n.folded)",
        "CREATE TEXT INDEX lineage_alias_search IF NOT EXISTS FOR (n:LineageAlias) ON (n.folded)",
    ),
    (
        "CREATE TEXT INDEX lineage_namespace_search IF NOT EXISTS FOR (n:Lineage) ON (n.foldedNamespace)",
        "CREATE TEXT INDEX lineage_alias_namespace_search IF NOT EXISTS FOR (n:LineageAlias) ON (n.foldedNamespace)",
        "CREATE INDEX lineage_long IF NOT EXISTS FOR (n:Lineage) ON (n.long)",
        "CREATE INDEX lineage_alias_long IF NOT EXISTS FOR (n:LineageAlias) ON (n.long)",
    ),
)

_CONSTRAINTS = ["lineage_gate", "lineage_key", "lineage_name", "lineage_alias"]
_LEFT = "SHOW INDEXES YIELD name, owningConstraint WHERE owningConstraint IS NULL AND name IN $names RETURN name"

STATE_COLUMNS = "p.ledger, p.watermark, p.schema, p.layout, p.weakKinds, p.replacedKinds"
"""What :meth:`State.of` takes, of the state node ``p``."""

_STATE = f"MATCH (p:LineageState) RETURN {STATE_COLUMNS} LIMIT 1"
_COUNTS = "RETURN " + ", ".join(
    ["COUNT { () }", *(f"COUNT {{ (:{label}) }}" for label in OURS)]  # the count store's, whatever there is
)
_FOREIGN = f"MATCH (n) WHERE NOT (n:{'|'.join(OURS)}) RETURN labels(n) LIMIT 1"
_CREATE = """
WITH EXISTS { (:Lineage) } AS old
MERGE (p:LineageState {gate: 'open'})
ON CREATE SET p.ledger = $ledger, p.watermark = 0, p.epoch = timestamp(), p.schema = 0, p.layout = $layout,
    p.clearing = CASE WHEN old THEN true END
RETURN p.schema"""
_MIGRATED = "MATCH (p:LineageState) SET p.schema = CASE WHEN p.schema < $schema THEN $schema ELSE p.schema END"


@dataclass(frozen=True, slots=True)
class State:
    """What the state node says; no ``ledger`` where a view has just made it. ``weak`` and ``replaced`` are the kinds of
    which any edge ever was: see :mod:`lineage.neo4j.writer`."""

    ledger: str | None
    watermark: int
    schema: int
    layout: int
    weak: frozenset[str]
    replaced: frozenset[str]

    @classmethod
    def of(cls, row: Sequence[Any]) -> State:
        """That of a row of :data:`STATE_COLUMNS`."""
        ledger, watermark, schema, layout, weak, replaced = row
        return cls(ledger, watermark or 0, schema or 0, layout or 0, frozenset(weak or ()), frozenset(replaced or ()))


async def read_state(session: AsyncSession) -> State | None:
    """What the state node says, None where there is none."""
    found = await rows_within(session, _STATE, {}, _LOOK_SECONDS)
    return State.of(found[0]) if found else None


def is_made(state: State | None) -> bool:
    """Whether the constraints stand. Nothing else should be asked before: queries that are planned while a constraint
    on their label is being made can be refused, or wait for each other for ever."""
    return state is not None and state.schema > 0


def check_version(agent: str) -> None:
    """Raises UnusableStoreError for a server that is too old; ``agent`` is ``Neo4j/5.26.30`` or ``Neo4j/2026.08.1``."""
    name, _, version = agent.partition("/")
    numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2] if part.isdigit())
    if name == "Neo4j" and numbers < _OLDEST:
        raise UnusableStoreError(
            f"This is {agent}, and Lineage needs Neo4j {'.'.join(map(str, _OLDEST))} or newer.",
            hint="Use the newest release with long-term support, or the newest of all.",
        )


async def check_contents(session: AsyncSession, ledger: str, *, adopt: bool) -> State | None:
    """The state, if this database is for the graph of ``ledger``, or for none yet. Writes nothing.

    Raises UnusableStoreError for the graph of another ledger and for somebody else's data, unless with ``adopt``, and
    for a database that a newer release has migrated.
    """
    state = await read_state(session)
    if state is not None and state.schema > len(_MIGRATIONS):
        raise UnusableStoreError(
            f"A newer release of Lineage has migrated this database (to {state.schema}; this one knows "
            f"{len(_MIGRATIONS)}).",
            hint="Use that release.",
        )
    if adopt:
        return state
    if state is not None and state.ledger != ledger:
        raise of_another_ledger(state.ledger)
    ((everything, *ours),) = await rows_within(session, _COUNTS, {}, _LOOK_SECONDS)
    if everything > sum(ours):
        foreign = await rows(session, _FOREIGN, {})
        labels = ":".join(foreign[0][0]) if foreign else ""
        raise UnusableStoreError(
            f"This database holds {everything - sum(ours):,} nodes that are not Lineage's"
            + (f", with the label {labels[:80]}." if labels else "."),
            hint="Use an empty database, or share this one: lineage serve --store neo4j --adopt.",
        )
    return state


def of_another_ledger(ledger: str | None) -> UnusableStoreError:
    """The database is for the graph of ``ledger``."""
    return UnusableStoreError(
        f"This database holds the graph of another ledger ({ledger}).",
        hint="Use another database, or replace that graph: lineage serve --store neo4j --adopt.",
    )


async def migrate(session: AsyncSession, ledger: str) -> None:
    """Make what is missing of constraints, indexes and the state."""
    await _ensure(session, _GATE)
    ((done,),) = await _insist(session, _CREATE, {"ledger": ledger, "layout": LAYOUT})
    for migration in _MIGRATIONS[done:]:
        for statement in migration:
            await _ensure(session, statement)
    await rows(session, "CALL db.awaitIndexes(300)", {})
    if done < len(_MIGRATIONS):
        await _insist(session, _MIGRATED, {"schema": len(_MIGRATIONS)})


async def _ensure(session: AsyncSession, statement: str) -> None:
    """Run a statement that another server may be running too."""
    try:
        try:
            await _insist(session, statement, {}, _MADE_SECONDS)
        except ClientError as error:
            if error.code not in _BEING_MADE:
                raise
            await _drop_left(session)
            await _insist(session, statement, {})
    except ClientError as error:
        if error.code != _EQUIVALENT:
            raise


async def _drop_left(session: AsyncSession) -> None:
    """Remove indexes that no constraint owns though they have the name of one: what made them was killed."""
    for (name,) in await rows(session, _LEFT, {"names": _CONSTRAINTS}):
        with suppress(ClientError):  # it has an owner by now
            await rows(session, f"DROP INDEX {name} IF EXISTS", {})


async def _insist(
    session: AsyncSession, statement: str, told: dict[str, Any], seconds: float = _INSIST_SECONDS
) -> Sequence[Sequence[Any]]:
    """Run a statement again while others are in the way."""
    end = time.monotonic() + seconds
    while True:
        try:
            return await rows(session, statement, told)
        except (TransientError, ClientError) as error:
            passing = isinstance(error, TransientError) or error.code in _BEING_MADE
            if not passing or time.monotonic() > end:
                raise
            await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 (no secret)
