"""``python -m lineage.app``: a server with the settings of the environment."""

from __future__ import annotations

import logging
import sys

from lineage.app import serve
from lineage.errors import LineageError
from lineage.settings import read_settings


def main() -> int:
    """Serve until told to stop; 1 if the server can't start, with a sentence that says why."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        serve(read_settings(), lambda url: print(f"Lineage is ready at {url}", flush=True))
    except LineageError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
