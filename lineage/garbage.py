"""Python's collector of cycles, set for a process that holds millions of objects which hardly ever form a cycle."""

from __future__ import annotations

import gc

_YOUNG = 100_000
"""New objects before a collection. With the 700 of Python 3.11 collecting takes a fifth of the projection's time."""
_MIDDLE, _OLD = 20, 50
"""Collections of the young before one of the next generation, and of that before one of everything."""


def collect_seldom() -> None:
    """Collect seldom, and leave out what is loaded now: modules, schemas and routes stay until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
