"""The process that folds, which fails at events of the job ``poison``, and at two keys."""

from __future__ import annotations

from typing import Any

from lineage.errors import DataFolderError
from lineage.fold.absorb import Absorber
from lineage.fold.sqlite import SQLiteFacts
from lineage.fold.store import Table
from lineage.projector import folding

_absorb, _get = Absorber.absorb, SQLiteFacts.get


def absorb(self: Absorber, index: int, position: int, told: Any) -> None:
    """As the fold does, but for that job."""
    _absorb(self, index, position, told)
    if told.job.name == "poison":
        raise RecursionError


def get(self: SQLiteFacts, table: Table, key: bytes) -> bytes | None:
    """As the facts do, but for those keys."""
    if key == b"damaged":
        raise DataFolderError("It is damaged.", hint="Mend it.", field="/key")
    if key == b"unsent":
        error = type("OwnError", (Exception,), {})
        raise error("of a kind of its own")
    return _get(self, table, key)


if __name__ == "__main__":
    Absorber.absorb = absorb  # type: ignore[method-assign]
    SQLiteFacts.get = get  # type: ignore[method-assign]
    folding.main()
