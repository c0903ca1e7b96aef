"""The HTTP intake: records in, the ledger as a feed, liveness, readiness, metrics.

All of it is plain ASGI. :func:`intake_router` puts the parts together, :class:`Guard` goes around the whole server:

* ``body``: a request's bytes, in bounded memory. ``records``: bytes to checked records, one or a batch.
* ``intake``: check, hand on, answer when durable. ``receipts``, ``answers``: what is sent back.
* ``rejected``, ``turned_away``: what was refused. ``feed``: the ledger's entries.
* ``operations``, ``health``, ``metrics``: for operators.
* ``guard``: API keys and browsers. ``router``: which address is which. ``openapi``: the same, documented.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from lineage.ledger import Ledger
from lineage_ingest.intake.answers import Answer, no_address, problem, wrong_method
from lineage_ingest.intake.feed import Feed
from lineage_ingest.intake.guard import Guard
from lineage_ingest.intake.health import LedgerHealth, probe_folder
from lineage_ingest.intake.intake import Intake, IntakeLimits, Writer
from lineage_ingest.intake.metrics import IntakeMetrics
from lineage_ingest.intake.openapi import openapi_paths
from lineage_ingest.intake.operations import Operations, Projected, facet_schemas
from lineage_ingest.intake.rejected import RejectedLog, Rejection
from lineage_ingest.intake.router import IntakeRouter
from lineage_ingest.intake.turned_away import TurnedAway

__all__ = [
    "Answer",
    "Guard",
    "Intake",
    "IntakeLimits",
    "IntakeMetrics",
    "IntakeParts",
    "IntakeRouter",
    "LedgerHealth",
    "Projected",
    "RejectedLog",
    "Rejection",
    "TurnedAway",
    "Writer",
    "intake_router",
    "no_address",
    "openapi_paths",
    "probe_folder",
    "problem",
    "wrong_method",
]


def _nothing() -> int:
    return 0


def _no_probe() -> None:
    return None


@dataclass(frozen=True, slots=True)
class IntakeParts:
    """What the intake is made of; ``probe`` raises LedgerUnavailableError when the ledger could not be written now.

    ``queue_depth`` gives the records that wait for the ledger, ``projected`` how the projection stands.
    """

    ledger: Ledger
    writer: Writer
    rejected: RejectedLog
    limits: IntakeLimits = field(default_factory=IntakeLimits)
    metrics: IntakeMetrics = field(default_factory=lambda: IntakeMetrics(CollectorRegistry()))
    probe: Callable[[], object] = _no_probe
    queue_depth: Callable[[], int] = _nothing
    projected: Callable[[], Projected] = Projected


def intake_router(parts: IntakeParts, otherwise: ASGIApp) -> IntakeRouter:
    """The intake's addresses in front of ``otherwise``. Call it once for the same metrics."""
    metrics = parts.metrics
    health = LedgerHealth(parts.probe)
    limits = parts.limits
    intake = Intake(parts.writer, parts.rejected, metrics, health, limits)
    metrics.gauge("lineage_queue_records", "Records that wait for the ledger.", parts.queue_depth)
    metrics.gauge("lineage_inflight_bytes", "Bytes of bodies in memory.", lambda: intake.inflight_bytes)
    metrics.gauge("lineage_ledger_entries", "Entries in the ledger.", parts.ledger.size)
    metrics.gauge(
        "lineage_projection_lag_entries", "Ledger entries not projected yet.", lambda: parts.projected().behind
    )
    metrics.gauge(
        "lineage_projection_lag_seconds", "Age of the oldest entry not projected.", lambda: parts.projected().seconds
    )
    metrics.gauge("lineage_rejected_dropped", "Refusals that could not be kept.", lambda: parts.rejected.dropped)
    return IntakeRouter(
        intake,
        Feed(parts.ledger, limits.feed_wait, limits.feed_limit),
        Operations(health, metrics.registry, parts.projected, facet_schemas()),
        otherwise,
    )
