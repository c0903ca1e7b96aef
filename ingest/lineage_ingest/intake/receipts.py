"""Receipts, and OpenLineage's answer to a batch, as they are sent."""

from __future__ import annotations

from typing import Any

from lineage.ledger import Receipt
from lineage_ingest.intake.records import Batch

_MAX_REASON = 500


def describe(receipt: Receipt, warnings: tuple[str, ...]) -> dict[str, Any]:
    """The receipt of one record."""
    return {
        "index": receipt.index,
        "position": receipt.position,
        "eventHash": receipt.event_hash,
        "duplicate": receipt.duplicate,
        "warnings": warnings,
    }


def describe_batch(batch: Batch, receipts: list[Receipt]) -> dict[str, Any]:
    """The answer to a batch; ``element`` of a receipt is its record's place in the batch, as ``index`` of a failure is.

    Each element has either. The status is ``success``, or ``partial_success`` where any was refused, be it every one.
    """
    failed = len(batch.refusals)
    return {
        "status": "partial_success" if failed else "success",
        "summary": {
            "received": batch.received,
            "successful": batch.received - failed,
            "failed": failed,
            "retriable": 0,
            "non_retriable": failed,
        },
        "failed_events": [
            {
                "index": refusal.element,
                "reason": str(refusal.error)[:_MAX_REASON],
                "retriable": False,
                "code": refusal.error.code,
                "field": refusal.error.field,
            }
            for refusal in batch.refusals
        ],
        "receipts": [
            {"element": element, **describe(receipt, parsed.warnings)}
            for element, receipt, parsed in zip(batch.elements, receipts, batch.parsed, strict=True)
        ],
    }
