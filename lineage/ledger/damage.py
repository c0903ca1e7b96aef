"""What is said of a ledger file that does not hold any more what was written to it."""

from __future__ import annotations

from lineage.errors import DataFolderError

HINT = "Restore ledger.sqlite from a backup; `lineage fsck` tells how much is damaged."


def damaged(what: str) -> DataFolderError:
    """The error that says so of ``what``, which begins a sentence."""
    return DataFolderError(f"{what} in ledger.sqlite is damaged.", hint=HINT)
