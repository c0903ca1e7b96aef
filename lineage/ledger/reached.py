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


def check_reflected(index: int, *, size: int, reached: int, field: str) -> None:
    """Raises IndexAheadError, which says by how much it lags, where a graph that reflects the first ``reached`` entries
    of a ledger of ``size`` does not reflect entry ``index``. ``field`` is what holds the index."""
    if index < reached:
        return
    entries = "1 entry" if reached == 1 else f"{reached} entries"
    last = f"its last is {size - 1}" if size else "it is empty"
    raise IndexAheadError(
        f"The graph reflects {entries}; entry {index} was asked for: {index + 1 - reached} behind.",
        hint="Ask again in a moment."
        if index < size
        else f"The ledger has no such entry yet ({last}): take the index from a receipt of this server.",
        field=field,
    )
