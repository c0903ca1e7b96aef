"""What the graph of the past asks of who folds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lineage.memory import MemoryReader
from lineage.past.need import Need

Needs = Iterable[tuple[Need, object]]
"""What is needed, and of what."""


class Folding(Protocol):
    """Some of the first ``until`` entries of a ledger, folded; more of them when they are needed."""

    until: int

    @property
    def reader(self) -> MemoryReader:
        """What is folded."""

    def fold(self, needs: Needs) -> bool:
        """Have all that ``needs`` need folded; whether any of it was not."""

    def replay(self) -> None:
        """Have everything folded."""
