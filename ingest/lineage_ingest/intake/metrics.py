"""What the intake counts, for Prometheus; every series is there from the start, at 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lineage.ledger import EntryKind

CODES = (
    "NOT_JSON",
    "INVALID_EVENT",
    "TOO_LARGE",
    "REFUSED",
    "QUEUE_FULL",
    "LEDGER_UNAVAILABLE",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "ERROR",
)
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class IntakeMetrics:
    """The counters of the intake in ``registry``. May be used from any thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._accepted = Counter(
            "lineage_records_accepted", "Records taken and durable, by kind.", ["kind"], registry=registry
        )
        self._duplicates = Counter(
            "lineage_records_duplicate", "Records that were acknowledged before, by kind.", ["kind"], registry=registry
        )
        self._refused = Counter(
            "lineage_records_refused", "Bodies and batch elements not taken, by code.", ["code"], registry=registry
        )
        self._commit = Histogram(
            "lineage_commit_seconds",
            "From a checked record to its receipt.",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        kinds: tuple[EntryKind, ...] = get_args(EntryKind)
        self._accepted_of = {kind: self._accepted.labels(kind) for kind in kinds}
        self._duplicates_of = {kind: self._duplicates.labels(kind) for kind in kinds}
        for code in CODES:
            self._refused.labels(code)

    def gauge(self, name: str, help: str, value: Callable[[], float]) -> None:
        """Show what ``value`` says whenever the metrics are read; NaN when it fails."""

        def safely() -> float:
            try:
                return float(value())
            except Exception:
                return float("nan")

        Gauge(name, help, registry=self.registry).set_function(safely)

    def committed(self, kind: EntryKind, accepted: int, duplicates: int, seconds: float) -> None:
        """One request was answered with receipts, ``seconds`` after its records were checked."""
        if accepted:
            self._accepted_of[kind].inc(accepted)
        if duplicates:
            self._duplicates_of[kind].inc(duplicates)
        self._commit.observe(seconds)

    def refused(self, code: str) -> None:
        """A body or an element was not taken."""
        self._refused.labels(code).inc()
