"""Who projects comes after who takes events and answers questions."""

from __future__ import annotations

import os
from contextlib import suppress

NICENESS = 10
"""On Linux the projection gets what intake leaves of a core, and a tenth of it at least."""


def give_precedence(who: int) -> None:
    """Give ``who``, a process or on Linux a thread, this niceness, unless it has a higher one."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, who, max(NICENESS, os.getpriority(os.PRIO_PROCESS, who)))
