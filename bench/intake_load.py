"""Intake at a steady rate beside other work: ``python bench/intake_load.py PORT RATE SECONDS``.

Prints a line when each job has run once, begins when it is sent one, and at the end prints JSON: ``p99`` and
``longest`` of the seconds from when an event was due to its acknowledgement.
"""

from __future__ import annotations

import json
import sys

from figures import percentile
from ingest_client import Load
from ingest_events import AT_ONCE, JOBS, stream

FIRST_RUNS = 2 * JOBS + 2 * AT_ONCE
"""Events until each job has run."""


def main() -> None:
    """Send what was asked for."""
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    events = stream(FIRST_RUNS + int(rate * seconds))
    Load(events[:FIRST_RUNS]).run(port)
    print("ready", flush=True)
    sys.stdin.readline()
    load = Load(events[FIRST_RUNS:], rate=rate)
    load.run(port)
    print(json.dumps({"p99": percentile(load.waits, 99), "longest": max(load.waits)}), flush=True)


if __name__ == "__main__":
    main()
