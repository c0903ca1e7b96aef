"""Python's collector of cycles, set for a process that holds millions of objects which hardly ever form a cycle."""

from __future__ import annotations

import gc

_YOUNG = 100_000
"""New objects before a collection. By default (700) collecting takes a fifth of the time of the projection."""


def relax() -> None:
    """Collect seldom, and leave out what is loaded now: modules, schemas and routes stay until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
