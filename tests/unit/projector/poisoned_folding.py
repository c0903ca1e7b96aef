"""The process that folds, which fails at events of the job ``poison``."""

from __future__ import annotations

from typing import Any

from lineage.fold.absorb import Absorber
from lineage.projector import folding

_absorb = Absorber.absorb


def absorb(self: Absorber, index: int, position: int, told: Any) -> None:
    """As the fold does, but for that job."""
    _absorb(self, index, position, told)
    if told.job.name == "poison":
        raise RecursionError


if __name__ == "__main__":
    Absorber.absorb = absorb  # type: ignore[method-assign]
    folding.main()
