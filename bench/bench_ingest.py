"""Durable ingest over HTTP, against a null durable server in the same run: ``python bench/bench_ingest.py [EVENTS]``.

32 connections; a server, with the process that folds for it, has one core and the client the other. Rounds alternate
between the two servers, each on a fresh folder; medians count. Each job of the stream has run once before anything is
measured: a platform's jobs are mostly known. CPU is of all of a server until all is projected. At half of the rate
found, the lag of the
projection (as ``/metrics`` tells it, 20 times a second) and the time to the acknowledgement are taken. Goals in time
are those for a machine whose null server does 9,000 events/s, and scale with it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ingest_client import Load
from ingest_events import AT_ONCE, JOBS, stream
from rich.console import Console
from rich.table import Table

EVENTS = 6000
FIRST_RUNS = 2 * JOBS + 2 * AT_ONCE
"""Events until each job has run."""
ROUNDS = 3
HALF_LOAD_SECONDS = 12
REFERENCE_RATE = 9000
CATCH_UP_SECONDS = 300
SERVER_CORE, CLIENT_CORE = sorted(os.sched_getaffinity(0))[:2]
BENCH = Path(__file__).parent


@dataclass(slots=True)
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    port: int

    def folders(self) -> Iterator[Path]:
        """What the system tells of its process, and of the one that folds for it (``/proc/PID``)."""
        own = Path("/proc") / str(self.process.pid)
        yield own
        for told in own.glob("task/*/children"):
            yield from (own.with_name(child) for child in told.read_text().split())

    def cpu(self) -> float:
        """Seconds of CPU that it has taken, system calls included (``/proc/PID/stat``, fields 14 and 15)."""
        return sum(map(_cpu_of, self.folders()))

    def metric(self, name: str) -> float:
        """One gauge of ``/metrics``."""
        with urllib.request.urlopen(f"http://localhost:{self.port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
        if found is None:
            raise RuntimeError(f"/metrics has no {name}.")
        return float(found[1])

    def catch_up(self) -> None:
        """Wait until all is projected."""
        end = time.monotonic() + CATCH_UP_SECONDS
        while self.metric("lineage_projection_lag_entries") > 0:
            if time.monotonic() > end:
                raise RuntimeError(f"The projection did not catch up in {CATCH_UP_SECONDS} s.")
            time.sleep(0.05)


def _cpu_of(folder: Path) -> float:
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(
    command: Sequence[str], environment: dict[str, str], log: Path, cores: Sequence[int] = (SERVER_CORE,)
) -> Iterator[Served]:
    """Start a server on ``cores``, by default one of its own, and stop it as an operator would."""
    with log.open("w") as errors, bound(*cores):
        process = subprocess.Popen(
            [sys.executable, *command], env=os.environ | environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    assert process.stdout is not None
    try:
        told = re.search(r":(\d+)\s*$", process.stdout.readline())
        if told is None:
            raise RuntimeError(f"The server did not start: {log.read_text()[-2000:]}")
        yield Served(process, int(told[1]))
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@contextmanager
def bound(*cores: int) -> Iterator[None]:
    """This thread, and what it starts meanwhile, on ``cores``."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def null_server(folder: Path) -> Sequence[str]:
    """The command that starts the null server."""
    return [str(BENCH / "null_server.py"), str(folder / "null.log")]


def real_server(folder: Path) -> dict[str, str]:
    """The environment in which the real server starts."""
    return {"LINEAGE_DATA": str(folder / "data"), "LINEAGE_PORT": "0"}


@dataclass(slots=True)
class Round:
    """What one round of the real server found; ``ledger`` and ``files`` are bytes."""

    rate: float
    cpu: float
    ledger: int
    files: int


def null_rate(events: Sequence[bytes]) -> float:
    """Events per second of the null server."""
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as name:
        folder = Path(name)
        with serving(null_server(folder), {}, folder / "errors") as server:
            load = Load(events)
            load.run(server.port)
    return len(events) / load.seconds


def real_round(events: Sequence[bytes]) -> Round:
    """One round of the real server."""
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as name:
        folder = Path(name)
        with serving(["-m", "lineage.app"], real_server(folder), folder / "errors") as server:
            Load(events[:FIRST_RUNS]).run(server.port)
            server.catch_up()
            before = server.cpu()
            load = Load(events[FIRST_RUNS:])
            load.run(server.port)
            server.catch_up()
            cpu = server.cpu() - before
        files = sum(file.stat().st_size for file in (folder / "data").iterdir())
        ledger = (folder / "data" / "ledger.sqlite").stat().st_size
    counted = len(events) - FIRST_RUNS
    return Round(counted / load.seconds, cpu / counted, ledger, files)


def half_load(rate: float) -> tuple[float, float]:
    """Seconds at ``rate`` events/s: p99 of the projection's lag, p99 of the wait for the acknowledgement."""
    lags: list[float] = []
    done = threading.Event()
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as name:
        folder = Path(name)
        with serving(["-m", "lineage.app"], real_server(folder), folder / "errors") as server:
            events = stream(FIRST_RUNS + int(rate * HALF_LOAD_SECONDS))
            Load(events[:FIRST_RUNS]).run(server.port)
            server.catch_up()
            load = Load(events[FIRST_RUNS:], rate=rate)

            def watch() -> None:
                while not done.wait(0.05):
                    lags.append(server.metric("lineage_projection_lag_seconds"))

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            load.run(server.port)
            done.set()
            watcher.join()
    return percentile(lags, 99), percentile(load.waits, 99)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many of a hundred don't exceed."""
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]


def main() -> None:
    """Measure, and print what was found beside the goals."""
    events = stream(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
    with bound(CLIENT_CORE):
        nulls, rounds = [], []
        for _ in range(ROUNDS):
            nulls.append(null_rate(events))
            rounds.append(real_round(events))
        null, rate = median(nulls), median(one.rate for one in rounds)
        lag, wait = half_load(rate / 2)
    size = sum(map(len, events))
    slower = REFERENCE_RATE / null
    table = Table(title=f"Durable ingest of {len(events):,} events of {size / len(events):,.0f} bytes, {ROUNDS} rounds")
    for heading in ("what", "goal", "found"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    table.add_row("null server, events/s", "", f"{null:,.0f}")
    table.add_row("Lineage, events/s", f"≥ {null / 2:,.0f}", f"{rate:,.0f}")
    table.add_row("ratio", "≥ 50 %", f"{rate / null:.0%}")
    table.add_row(
        "server CPU per event in all, µs", f"≤ {200 * slower:.0f}", f"{median(r.cpu for r in rounds) * 1e6:.0f}"
    )
    table.add_row(f"projection lag p99 at {rate / 2:,.0f}/s, ms", f"< {250 * slower:.0f}", f"{lag * 1000:.0f}")
    table.add_row(f"acknowledgement p99 at {rate / 2:,.0f}/s, ms", f"< {25 * slower:.0f}", f"{wait * 1000:.1f}")
    table.add_row("ledger bytes / JSON", "≤ 0.15", f"{median(r.ledger for r in rounds) / size:.3f}")
    table.add_row("all files / JSON", "≤ 0.6", f"{median(r.files for r in rounds) / size:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
