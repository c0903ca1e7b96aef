"""How ingest changes with connections, batches and what is stored: ``python bench/bench_load.py``.

Each number of connections is put against the null durable server with as many, single events and batches of 100, which
count as 100 events. Then one server is filled, and at each size of its ledger the same stream is sent: the rate until
all is acknowledged, and until all is projected. Server and client have a core each.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from bench_ingest import CLIENT_CORE, FIRST_RUNS, Served, bound, null_server, real_server, serving
from figures import Curve, Figure, Options, Report, progress, read_options
from ingest_client import PATH, Load
from ingest_events import stream

CONNECTIONS = (1, 8, 32, 128)
BATCH = 100
FILLED = (10_000, 30_000, 100_000)
QUICK_FILLED = (500, 1_000)


def batches(events: Sequence[bytes]) -> list[bytes]:
    """``events`` as JSON arrays of a hundred."""
    return [b"[" + b",".join(events[at : at + BATCH]) + b"]" for at in range(0, len(events), BATCH)]


def null_rate(bodies: Sequence[bytes], connections: int) -> float:
    """Bodies per second of the null server."""
    with _folder() as folder, serving(null_server(folder), {}, folder / "errors") as server:
        load = Load(bodies, connections)
        load.run(server.port)
    return len(bodies) / load.seconds


def measure_connections(report: Report, count: int) -> None:
    """Single events and batches at each number of connections, each on a fresh folder."""
    events = stream(FIRST_RUNS + count)
    single, whole = events[FIRST_RUNS:], batches(events[FIRST_RUNS:])
    lines: dict[str, list[tuple[float, float]]] = {
        "Lineage, single": [],
        "null server": [],
        "Lineage, batches of 100": [],
    }
    for connections in CONNECTIONS:
        null = null_rate(single, connections)
        one = _acknowledged(events[:FIRST_RUNS], Load(single, connections))
        report.add(Figure(f"{connections} connections, single", one, "events/s", null, "the null server", "≥ 0.5"))
        floor = null_rate(whole, connections) * BATCH
        many = _acknowledged(events[:FIRST_RUNS], Load(whole, connections, path=f"{PATH}/batch", taken=200)) * BATCH
        goal = "≥ 20,000 a second" if connections == 32 else ""
        report.add(Figure(f"{connections} connections, batches", many, "events/s", floor, "the null server", goal))
        for line, rate in zip(lines, (one, null, many), strict=True):
            lines[line].append((connections, rate))
    report.curves.append(
        Curve("ingest-connections", "Ingest by connections", "connections", "events/s acknowledged", lines)
    )


def _acknowledged(first: Sequence[bytes], load: Load) -> float:
    """Bodies per second of a server that has met each job once."""
    with _folder() as folder, serving(["-m", "lineage.app"], real_server(folder), folder / "errors") as server:
        Load(first).run(server.port)
        server.catch_up()
        load.run(server.port)
    return len(load.bodies) / load.seconds


def measure_growth(report: Report, sizes: Sequence[int], count: int) -> None:
    """The rate at each size of one server's ledger; the goal is at the last, against the first."""
    lines: dict[str, list[tuple[float, float]]] = {"acknowledged": [], "projected": []}
    stored, events = 0, iter(stream(sizes[-1] + count))
    with _folder() as folder, serving(["-m", "lineage.app"], real_server(folder), folder / "errors") as server:
        for size in sizes:
            _fill(server, list(islice(events, max(size - stored, 0))))
            acknowledged, projected = _timed(server, list(islice(events, count)))
            stored = size + count
            lines["acknowledged"].append((size, acknowledged))
            lines["projected"].append((size, projected))
            progress(f"{size:,} stored: {acknowledged:,.0f} acknowledged, {projected:,.0f} projected a second")
    for line, points in lines.items():
        what = f"{line} at {sizes[-1]:,} events stored"
        report.add(Figure(what, points[-1][1], "events/s", points[0][1], f"at {sizes[0]:,}", "≥ 0.8"))
    report.curves.append(Curve("ingest-growth", "Ingest by what is stored", "events stored", "events/s", lines))


def _fill(server: Served, events: Sequence[bytes]) -> None:
    Load(batches(events), connections=4, path=f"{PATH}/batch", taken=200).run(server.port)
    server.catch_up()


def _timed(server: Served, events: Sequence[bytes]) -> tuple[float, float]:
    begun = time.perf_counter()
    load = Load(events)
    load.run(server.port)
    server.catch_up()
    return len(events) / load.seconds, len(events) / (time.perf_counter() - begun)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as name:
        yield Path(name)


def main(options: Options) -> None:
    """Measure, print, and write the figures."""
    report = Report("load", "Ingest by connections, batches and what is stored", options)
    with bound(CLIENT_CORE):
        measure_connections(report, 1_000 if options.quick else 6_000)
        measure_growth(report, QUICK_FILLED if options.quick else FILLED, 500 if options.quick else 3_000)
    report.end()


if __name__ == "__main__":
    main(read_options(__doc__))
