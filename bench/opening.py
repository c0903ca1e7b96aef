"""What opening a graph takes: ``python bench/opening.py FOLDER SEED``, in a process that does nothing else.

Prints JSON: ``seconds`` until the first answer (everything downstream of SEED, the hexadecimal key of a dataset, on the
logical level), ``found`` in it, ``settled`` until the topology is in memory, and resident bytes ``before`` opening,
``after`` that, and at the ``peak``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from lineage.sqlite import SQLiteStore
from lineage.store import Direction, Level


def resident() -> int:
    """Bytes that this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak() -> int:
    """The most that it ever had."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))


def main() -> None:
    """Open, ask once, tell."""
    path, seed = Path(sys.argv[1]), bytes.fromhex(sys.argv[2])
    before, begun = resident(), time.perf_counter()
    store = SQLiteStore(path / "graph.sqlite")
    with store.reader() as reader:
        found = len(reader.reach(Level.LOGICAL, [seed], Direction.DOWNSTREAM))
    taken = time.perf_counter() - begun
    store.topology.settle()
    settled = time.perf_counter() - begun
    told = {"seconds": taken, "settled": settled, "found": found}
    print(json.dumps(told | {"before": before, "after": resident(), "peak": peak()}))
    store.close()


if __name__ == "__main__":
    main()
