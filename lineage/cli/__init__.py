"""The command line: ``lineage``.

Each command is a thin function over a service. Modules are loaded by the command that needs them, so that
``lineage --help`` is quick, and that hashing, sending and asking over HTTP work with the light install, which has
nothing of the server. :mod:`lineage.cli.failure` has the exit codes.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line with the arguments of this process, and exit with its code."""
    from lineage.cli.program import run

    sys.exit(run(sys.argv[1:]))
