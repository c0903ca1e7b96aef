"""Neo4j as the graph store: ``python bench/bench_neo4j.py [--quick]``.

The server is started from Maven Central's jars (:mod:`neo4j_peer`). Floors are in the same run: of the projection, the
rows of the same change lists by plain UNWIND MERGE; of an answer, the plain query. Beside both stands the embedded
store. What is compared takes turns, so that a busy machine slows all of it; medians count.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import neo4j_bare
from bench_ingest import CLIENT_CORE, FIRST_RUNS, SERVER_CORE, bound, serving
from bench_store import STREAM, timed
from figures import Figure, Options, Report, percentile, progress, read_options
from ingest_client import Load
from ingest_events import stream
from neo4j_answers import Answers, measure_answers
from neo4j_lag import lags
from neo4j_peer import Ground, connected, environment, lack, neo4j_server, wipe
from world import Shape, make_world
from world_events import world_events
from worlds import fill

from lineage.app import Folder, open_folder
from lineage.garbage import collect_seldom
from lineage.model import Changes
from lineage.settings import Settings
from lineage.store import GraphStore

BARE = "bare UNWIND MERGE of the same rows"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: so many ``events`` of a platform's stream after those that are ``known``, and those of the
    world ``told``, in so many ``rounds``; steady intake for ``seconds``; and ``answers``."""

    known: int
    events: int
    told: Shape
    rounds: int
    seconds: float
    answers: Answers


FULL = Sizes(
    FIRST_RUNS,
    6_000,
    Shape(2_000),
    3,
    60.0,
    Answers(Shape(50_000, days=1), sizes=(10, 100, 1_000, 5_000, 20_000, 50_000), times=9, seeds=400),
)
QUICK = Sizes(100, 200, Shape(200), 1, 4.0, Answers(Shape(1_000, days=1), sizes=(10, 100, 500), times=5, seeds=40))


def measure_projection(report: Report, ground: Ground, sizes: Sizes) -> float:
    """Two ledgers into Neo4j; the stream's events a second. Garbage is collected as seldom as ``lineage rebuild``
    does."""
    collect_seldom()
    events = stream(sizes.known + sizes.events)
    rate = _measure_ledger(report, ground, STREAM, (events[: sizes.known], events[sizes.known :]), sizes.rounds)
    _measure_ledger(report, ground, "a made world", ([], world_events(make_world(sizes.told))), sizes.rounds)
    return rate


def _measure_ledger(
    report: Report, ground: Ground, name: str, told: tuple[Sequence[bytes], Sequence[bytes]], rounds: int
) -> float:
    """The rate of the second part, after the first. A round before the others counts nothing: it warms the server, and
    gives the change lists."""
    number = len(told[1])
    progress(f"{name}: {number:,} events")
    _, *lists = projected(ground.settings("neo4j"), *told)
    first, rest = ([neo4j_bare.statements(each) for each in part] for part in lists)
    taken: dict[str, list[float]] = {"neo4j": [], "bare": [], "sqlite": []}
    for _ in range(rounds):
        taken["neo4j"].append(projected(ground.settings("neo4j"), *told)[0])
        taken["bare"].append(bare_seconds(ground.uri, first, rest))
        taken["sqlite"].append(projected(ground.settings("sqlite"), *told)[0])
    rate, bare, embedded = (number / median(seconds) for seconds in taken.values())
    report.add(Figure(f"{name}: projected", rate, "events/s", bare, BARE, "≥ 0.6"))
    report.add(Figure(f"{name}: projected, beside the embedded store", rate, "events/s", embedded, "embedded"))
    return rate


def projected(
    settings: Settings, known: Sequence[bytes], events: Sequence[bytes]
) -> tuple[float, list[Changes], list[Changes]]:
    """Seconds in which ``events`` are projected after those that are ``known``, and the change lists of both."""
    with open_folder(settings) as folder:
        lists = recorded(folder.store)
        fill(folder, known)
        catch_up(folder)
        first = len(lists)
        fill(folder, events)
        taken = timed(lambda: catch_up(folder))
    shutil.rmtree(settings.data)
    return taken, lists[:first], lists[first:]


def catch_up(folder: Folder) -> None:
    """Project all that waits, until it is there to be read."""
    assert folder.projector is not None
    folder.projector.catch_up()
    folder.store.watermark()


def recorded(store: GraphStore) -> list[Changes]:
    """The change lists that ``store`` is given from now on."""
    lists: list[Changes] = []
    apply = store.apply

    def record(changes: Changes, watermark: int) -> None:
        lists.append(changes)
        apply(changes, watermark)

    store.apply = record  # type: ignore[method-assign]
    return lists


def bare_seconds(uri: str, first: neo4j_bare.Lists, rest: neo4j_bare.Lists) -> float:
    """Seconds in which ``rest`` is written into a database that has ``first`` and nothing else."""
    wipe(uri)
    with connected(uri) as driver:
        neo4j_bare.write(driver, first)
        return timed(lambda: neo4j_bare.write(driver, rest))


def measure_intake(report: Report, ground: Ground, sizes: Sizes, rate: float) -> None:
    """A server that projects into Neo4j: what it takes at most, and how far the graph is behind at half of ``rate``. It
    shares both cores with Neo4j, as where ``rate`` was found, and one of them with the client."""
    settings = ground.settings("neo4j")
    at_once, steady = sizes.events, int(rate / 2 * sizes.seconds)
    events = stream(sizes.known + at_once + steady)
    command, cores, log = ["-m", "lineage.app"], (SERVER_CORE, CLIENT_CORE), ground.folder / "intake.log"
    with serving(command, environment(settings), log, cores) as server:
        Load(events[: sizes.known]).run(server.port)
        server.catch_up()
        load = Load(events[sizes.known : sizes.known + at_once])

        def all_projected() -> None:
            load.run(server.port)
            server.catch_up()

        both = at_once / timed(all_projected)
        report.add(Figure("acknowledged over HTTP at most", at_once / load.seconds, "events/s"))
        report.add(Figure("projected meanwhile", both, "events/s", at_once / load.seconds, "acknowledged"))
        load = Load(events[sizes.known + at_once :], rate=rate / 2)
        behind = lags(ground.uri, server.port, load)
    what = f"at {rate / 2:,.0f} events/s over HTTP"
    for percent, goal in ((50, ""), (99, "< 2 s")):
        lag = percentile(behind, percent)
        report.add(Figure(f"graph behind the acknowledgement {what}, p{percent}", lag, "s", goal=goal))
    report.add(Figure(f"acknowledgement {what}, p99", percentile(load.waits, 99), "s"))


def measure(report: Report, uri: str, sizes: Sizes) -> None:
    """Everything, in the database at ``uri``, which is emptied."""
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as name:
        ground = Ground(uri, Path(name))
        rate = measure_projection(report, ground, sizes)
        with bound(CLIENT_CORE):
            progress(f"steady intake for {sizes.seconds:.0f} s")
            measure_intake(report, ground, sizes, rate)
        measure_answers(report, ground, sizes.answers)


def main(options: Options, sizes: Sizes) -> None:
    """Measure, and print what was found beside floors and goals; where a server can't be had, say why."""
    missing = lack()
    if missing is not None:
        progress(missing)
        return
    report = Report("neo4j", "Neo4j as the graph store", options)
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as home, neo4j_server(Path(home)) as uri:
        measure(report, uri, sizes)
    report.end()


if __name__ == "__main__":
    called = read_options(__doc__)
    main(called, QUICK if called.quick else FULL)
