"""Whether an answer can reflect a ledger index: the ledger may not have it yet, or the graph may not reflect it."""

from __future__ import annotations

from lineage.errors import IndexAheadError, UnavailableError


def check_reached(index: int, *, size: int, reached: int, field: str, hint: str) -> None:
    """Raises IndexAheadError, with ``hint``, where a ledger of ``size`` entries has no entry ``index``, and
    UnavailableError where the graph reflects only the first ``reached`` of them. ``field`` is what holds the index."""
    if index >= size:
        raise IndexAheadError(f"The ledger has no entry {index} yet; its last is {size - 1}.", hint=hint, field=field)
    if index >= reached:
        raise UnavailableError(
            f"The graph is {size - reached} entries behind the ledger, and does not reflect entry {index} yet.",
            hint="Ask again in a moment.",
            field=field,
        )
