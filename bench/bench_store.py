"""What keeping costs: restart, rebuild, fsck, bytes on disk, past moments: ``python bench/bench_store.py [--quick]``.

Two ledgers: a platform's stream (``ingest_events.py``: 6.7 kB an event) and a made world's events. Floors are in the
same run: of folding and checking, that the ledger is read and its events are parsed; of a restart, a Python process
that loads the server's modules.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from asking import NOTHING, Client, subject
from bench_ingest import serving
from figures import Figure, Options, Report, progress, read_options, seconds
from ingest_events import stream
from world import DAY, START, WAREHOUSE, Shape, World, make_world
from world_events import world_events, written
from worlds import fill

from lineage.app import Folder, open_folder
from lineage.garbage import collect_seldom
from lineage.projector.batches import read_batch
from lineage.settings import Settings

EVENTS, QUICK_EVENTS = 50_000, 1_000
WORLD, QUICK_WORLD = Shape(20_000), Shape(300)
SUBJECTS = 20
SEEN = 0.75
"""Of a made world's events: after so many each dataset was told of."""
ATTEMPTS = 3
STREAM = "a platform's stream"
GOALS = {(STREAM, "ledger.sqlite"): "≤ 0.15", (STREAM, "all files"): "≤ 0.6"}


def measure_fold(report: Report, folder: Folder, name: str, events: Sequence[bytes]) -> None:
    """The first projection, a rebuild, and fsck, in this process: on one core."""
    projector = folder.projector
    assert projector is not None
    number = len(events)
    parsed = number / timed(lambda: read_all(folder))
    report.add(
        Figure(f"{name}: projected the first time", number / timed(projector.catch_up), "events/s", parsed, "parsed")
    )
    rebuilt = number / timed(projector.rebuild)
    report.add(Figure(f"{name}: rebuilt", rebuilt, "events/s", parsed, "parsed", "≥ 7,000 a core"))
    checked = timed(lambda: sound(folder))
    report.add(Figure(f"{name}: fsck", number / checked, "events/s", parsed, "parsed"))


def measure_apart(report: Report, path: Path, name: str, number: int) -> None:
    """A rebuild with the fold in a process of its own, and what is left for this one."""
    rates, taken = [], []
    for apart in (False, True):
        with open_folder(Settings(data=path, fold_apart=apart)) as folder:
            assert folder.projector is not None
            before = time.process_time()
            rates.append(number / timed(folder.projector.rebuild))
            taken.append((time.process_time() - before) / number * 1e6)
    what = f"{name}: rebuilt with the fold in a process of its own, on two cores"
    report.add(Figure(what, rates[1], "events/s", rates[0], "in one process"))
    report.add(Figure(f"{name}: CPU of the server's own process meanwhile", taken[1], "µs", taken[0], "in one process"))


def sound(folder: Folder) -> None:
    """Raises RuntimeError if fsck finds a fault."""
    found = folder.check()
    if not found.sound:
        raise RuntimeError(f"fsck: {found.faults[:3]}")


def read_all(folder: Folder) -> None:
    """Read and parse the whole ledger."""
    at = 0
    while at < folder.ledger.size():
        at = read_batch(folder.ledger, at, folder.ledger.size(), lambda place: None).end


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def measure_disk(report: Report, path: Path, name: str, events: Sequence[bytes]) -> None:
    """Bytes of each file for an event, against the JSON."""
    size = sum(map(len, events)) / len(events)
    files = {file.name: file.stat().st_size / len(events) for file in path.iterdir() if file.is_file()}
    for file, found in sorted((files | {"all files": sum(files.values())}).items()):
        if found >= 1:
            report.add(
                Figure(f"{name}: {file} for each event", found, "bytes", size, "the JSON", GOALS.get((name, file), ""))
            )


def measure_restart(report: Report, path: Path, name: str, attempts: int) -> None:
    """From the start of a server to its being ready, and to its first answer."""
    environment = {"LINEAGE_DATA": str(path), "LINEAGE_PORT": "0"}
    loading = [sys.executable, "-c", "import lineage.app"]
    floor = seconds(lambda: subprocess.run(loading, check=True), attempts) * 1e3

    def start() -> None:
        with serving(["-m", "lineage.app"], environment, path.with_suffix(".log")) as served:
            client = Client(served.port)
            client.timed(NOTHING)
            client.close()
            taken.append(time.perf_counter() - begun)

    taken: list[float] = []
    for _ in range(attempts):
        begun = time.perf_counter()
        start()
    report.add(Figure(f"{name}: restart to the first answer", median(taken) * 1e3, "ms", floor, "loading the modules"))


def measure_past(report: Report, path: Path, world: World, events: int) -> None:
    """Impacts as of a moment, and as of a ledger index, against now; what the server can't be asked is named."""
    largest = max(world.domains[WAREHOUSE + 1 :], key=lambda domain: domain.size)
    draw = random.Random(3)
    subjects = {
        "random datasets": [subject(world, draw.randrange(world.shape.datasets)) for _ in range(SUBJECTS)],
        f"the root of {largest.size:,} datasets": [subject(world, largest.first)],
    }
    environment = {"LINEAGE_DATA": str(path), "LINEAGE_PORT": "0"}
    with serving(["-m", "lineage.app"], environment, path.with_suffix(".log")) as served:
        client = Client(served.port)
        known = client.ask('{ __type(name: "Query") { fields { name args { name } } } }')["__type"]["fields"]
        told = next({arg["name"] for arg in field["args"]} for field in known if field["name"] == "impact")
        for argument, kind, value in (
            ("asOf", "DateTime", written(START + DAY)),
            ("atIndex", "Long", int(events * SEEN)),
        ):
            if argument not in told:
                report.notes.append(f"This server's impact takes no {argument}.")
                continue
            for what, of in subjects.items():
                now = past_seconds(client, of, "", "", {}) * 1e3
                past = past_seconds(client, of, f", $at: {kind}", f", {argument}: $at", {"at": value}) * 1e3
                goal = "≤ 1 s for 5,000 events" if argument == "atIndex" else ""
                report.add(Figure(f"impact of {what}, {argument}", past, "ms", now, "now", goal))
        client.close()


def past_seconds(
    client: Client, subjects: Sequence[dict[str, object]], declared: str, given: str, value: dict[str, object]
) -> float:
    """Seconds of an impact on average over ``subjects``."""
    query = f"query($of: SubjectInput!{declared}) {{ impact(of: $of{given}) {{ complete summary {{ kind actual }} }} }}"

    def ask() -> None:
        for of in subjects:
            client.timed(query, of=of, **value)

    return seconds(ask, times=ATTEMPTS) / len(subjects)


def measure(report: Report, options: Options, folder: Path) -> None:
    """Both ledgers."""
    world = make_world(QUICK_WORLD if options.quick else WORLD)
    ledgers = {
        STREAM: stream(QUICK_EVENTS if options.quick else EVENTS),
        "a made world": world_events(world),
    }
    for name, events in ledgers.items():
        progress(f"{name}: {len(events):,} events")
        path = folder / name.rpartition(" ")[2]
        with open_folder(Settings(data=path, fold_apart=False)) as opened:
            fill(opened, events)
            measure_fold(report, opened, name, events)
        if name == STREAM:
            measure_apart(report, path, name, len(events))
        measure_disk(report, path, name, events)
        measure_restart(report, path, name, 1 if options.quick else ATTEMPTS)
    measure_past(report, path, world, len(events))


def main() -> None:
    """Measure, and print what was found beside floors and goals."""
    options = read_options(__doc__)
    collect_seldom()  # as in all that projects
    report = Report("store", "Restart, rebuild, check, disk", options)
    with tempfile.TemporaryDirectory(prefix="lineage-bench-", dir=os.environ.get("TMPDIR")) as name:
        measure(report, options, Path(name))
    report.end()


if __name__ == "__main__":
    main()
