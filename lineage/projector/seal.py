"""What says which ledger, and how much of it, facts were made from, and by which rules."""

from __future__ import annotations

from lineage.fold.fold import RULES
from lineage.ledger import Ledger

SEAL = b"ledger"
"""Key of the record among ROWS that holds it; no unit of rows has a key of six bytes."""


def seal(ledger: Ledger, size: int) -> bytes:
    """Names the rules, the ledger and its first ``size`` entries: its id and their Merkle root."""
    return RULES.to_bytes(4) + ledger.id.encode() + ledger.root(size)
