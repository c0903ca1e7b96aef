"""Questions over HTTP to a server on a made world: ``python bench/bench_questions.py [--quick]``.

The server is a process of its own with a core of its own, as in ``bench_ingest.py``, the client has the other. The
floor of an answer is dumping the same answer with orjson; that of the largest one's summary, the traversal alone. At
half of the intake's maximum, as found in this run, impacts of at most 1,000 hits are asked for in worlds of all sizes.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from bisect import bisect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import orjson
from asking import HITS, IMPACT, NOTHING, PAGE, SUMMARY, Client, Data, subject
from bench_ingest import CLIENT_CORE, FIRST_RUNS, Served, bound, real_round, serving
from figures import Curve, Figure, Options, Report, percentile, progress, read_options, seconds
from ingest_events import stream
from wired import counted, reading
from world import REFERENCE_TABLES, WAREHOUSE, Shape, World, make_world
from world_names import Names
from worlds import copied, prepared

from lineage.keys import dataset_key
from lineage.model import EdgeKind
from lineage.store import Direction, Level

HITS_ASKED = (10, 1_000, 10_000)
INCIDENT = Shape(133_000, inputs=10.0)
"""About a million nodes and four million edges."""
QUICK_INCIDENT = Shape(4_000, inputs=10.0)
GROWING, QUICK_GROWING = (1_000, 10_000, 100_000, 1_000_000), (1_000, 3_000)
MOST = 1_000
AFFECTED = (10, 30, 100, 300, MOST + 1)
"""Bounds of how many hits the impacts have that are asked for under load."""
DRAWS = 30
ASKED, QUICK_ASKED = 1_000, 60
SUBJECTS, QUICK_SUBJECTS = 100, 12
INTAKE_EVENTS, QUICK_INTAKE_EVENTS = 6_000, 1_000
LOAD_SECONDS, QUICK_LOAD_SECONDS = 30, 4


@contextmanager
def server(path: Path) -> Iterator[tuple[Served, Client]]:
    """A server on the data folder, and who asks it."""
    with serving(["-m", "lineage.app"], {"LINEAGE_DATA": str(path), "LINEAGE_PORT": "0"}, path / "log") as served:
        client = Client(served.port)
        yield served, client
        client.close()


def measure_answers(report: Report, world: World, client: Client) -> None:
    """Answers of so many hits, against a dump of the same answer."""
    fixed = seconds(lambda: client.timed(NOTHING), times=51) * 1e3
    report.add(Figure("a question about nothing", fixed, "ms"))
    for hits in (each for each in HITS_ASKED if each <= world.shape.datasets // 10):
        of, found = nearest(world, client, hits)
        for what, query, variables in (
            (f"{found:,} hits × 6 fields", HITS, {"of": of, "first": 10_000}),
            (f"operation Impact, first 1,000 of {found:,} hits of either radius", IMPACT, {"of": of}),
        ):
            taken, dump = median_and_dump(client, query, variables)
            goal = f"≤ {3 * dump + 6:.1f} ms" if query is HITS and hits == 1_000 else ""
            report.add(Figure(what, taken, "ms", dump, "orjson dump", goal))


def median_and_dump(client: Client, query: str, variables: Data) -> tuple[float, float]:
    """Milliseconds of the question, and of dumping its answer."""
    taken = seconds(lambda: client.timed(query, **variables), times=15) * 1e3
    answer = orjson.loads(client.timed(query, **variables)[1])
    return taken, seconds(lambda: orjson.dumps(answer), times=15) * 1e3


def nearest(world: World, client: Client, hits: int) -> tuple[Data, int]:
    """The root of a domain that has about so many potential hits, and how many: each table and its job is one."""
    domains = sorted(world.domains[WAREHOUSE + 1 :], key=lambda domain: abs(2 * domain.size - hits))[:5]
    roots = [subject(world, domain.first) for domain in domains]
    roots += [subject(world, job.outputs[0]) for job in world.jobs[-200:]] if hits < domains[0].size else []
    counts = [len(client.ask(HITS, of=of, first=10_000)["impact"]["potential"]["nodes"]) for of in roots]
    best = min(range(len(roots)), key=lambda at: abs(counts[at] - hits))
    return roots[best], counts[best]


def measure_largest(report: Report, path: Path, world: World, served: Served, client: Client) -> None:
    """Summary and first page of the largest answer, and the server's memory after it."""
    candidates = [*range(REFERENCE_TABLES), world.domains[WAREHOUSE].first]
    sizes = {dataset: client.affected(subject(world, dataset)) for dataset in candidates}
    dataset = max(candidates, key=sizes.__getitem__)
    of, found = subject(world, dataset), sizes[dataset]
    alone = traversal(path, world, dataset) * 1e3
    summary = seconds(lambda: client.timed(SUMMARY, of=of)) * 1e3
    page = seconds(lambda: client.timed(PAGE, of=of)) * 1e3
    what = f"summary of {found:,} hits"
    report.add(Figure(what, summary, "ms", alone, "both traversals alone", f"≤ {alone + 150:.0f} ms"))
    report.add(
        Figure(f"{what} and first 100 with names", page, "ms", summary, "the summary", f"≤ {summary + 50:.0f} ms")
    )
    nodes, edges = counted(path)
    what = f"server with {nodes:,} nodes and {edges:,} edges after it"
    report.add(Figure(f"memory of the {what}", resident(served, "VmRSS"), "MB", goal="≤ 1,000 MB for a million nodes"))
    report.add(Figure(f"most memory of the {what}", resident(served, "VmHWM"), "MB"))


def traversal(path: Path, world: World, dataset: int) -> float:
    """Seconds of both radii of a dataset in this process, keys only."""
    key = dataset_key(*Names(world).dataset(dataset))
    with reading(path) as graph:
        edges = graph.neighbours([key], [EdgeKind.HAS_VERSION], Direction.DOWNSTREAM)
        versions = [edge.target for edge in edges]
        wired = seconds(lambda: graph.reach(Level.LOGICAL, [key], Direction.DOWNSTREAM))
        return wired + seconds(lambda: graph.reach(Level.VERSION, versions, Direction.DOWNSTREAM))


def resident(served: Served, what: str) -> float:
    """Megabytes of the server's memory, and of the process that folds for it: VmRSS now, VmHWM at most."""
    told = [line for folder in served.folders() for line in (folder / "status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in told if line.startswith(f"{what}:")) * 1024 / 1e6


def some_subjects(world: World, client: Client, number: int) -> list[Data]:
    """So many random datasets, as many that affect few things as that affect up to 1,000: the same mixture in every
    world, as far as it has them."""
    draw = random.Random(7)
    found: list[list[Data]] = [[] for _ in pairwise(AFFECTED)]
    for _ in range(DRAWS * number):
        of = subject(world, draw.randrange(world.shape.datasets))
        place = bisect(AFFECTED, client.affected(of)) - 1
        if 0 <= place < len(found) and len(found[place]) < number // len(found):
            found[place].append(of)
        if all(len(each) == number // len(found) for each in found):
            break
    return [each[at % len(each)] for at in range(number // len(found)) for each in found if each]


def asked(client: Client, subjects: Sequence[Data], times: int) -> list[float]:
    """Milliseconds of each of so many questions."""
    return [client.timed(IMPACT, of=subjects[at % len(subjects)])[0] * 1e3 for at in range(times)]


def measure_load(report: Report, options: Options, shapes: Sequence[Shape], rate: float, folder: Path) -> None:
    """Impacts of at most 1,000 hits in worlds of several sizes, calm and while intake runs at ``rate`` events/s."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for shape in shapes:
        nodes, found = loaded(report, options, shape, rate, folder)
        for name, value in found.items():
            lines.setdefault(name, []).append((float(nodes), value))
            goal = "≤ 2 for 1,000,000" if shape is shapes[-1] else ""
            what = f"impact of ≤ {MOST:,} hits among {shape.datasets:,} datasets, {name}"
            report.add(Figure(what, value, "ms", lines[name][0][1], f"{shapes[0].datasets:,} datasets", goal))
    title = f"Impact of at most {MOST:,} hits, HTTP request to last byte"
    report.curves.append(Curve("questions", title, "nodes of the world", "ms", lines))


def loaded(report: Report, options: Options, shape: Shape, rate: float, folder: Path) -> tuple[int, dict[str, float]]:
    """How many nodes the world of ``shape`` has, and the milliseconds of an impact in it by what they are of."""
    path = copied(prepared(shape, options.worlds), folder / f"load-{shape.datasets}-{shape.inputs}")
    nodes, edges = counted(path)
    with server(path) as (served, client):
        calm, busy, acknowledged = under_load(options, make_world(shape), served, client, rate)
    for name, waited in acknowledged.items():
        what = f"acknowledgement meanwhile among {nodes:,} nodes and {edges:,} edges, {name}"
        report.add(Figure(what, waited * 1e3, "ms", goal="≤ 1 s" if name == "longest" else ""))
    taken = {"calm": calm, "at half of the intake's maximum": busy}
    found = {f"p{of}, {how}": percentile(times, of) for how, times in taken.items() for of in (50, 99)}
    return nodes, found


def under_load(
    options: Options, world: World, served: Served, client: Client, rate: float
) -> tuple[list[float], list[float], dict[str, float]]:
    """Milliseconds of the questions, calm and under load, and seconds of the acknowledgements meanwhile."""
    subjects = some_subjects(world, client, QUICK_SUBJECTS if options.quick else SUBJECTS)
    calm = asked(client, subjects, QUICK_ASKED if options.quick else ASKED)
    long = QUICK_LOAD_SECONDS if options.quick else LOAD_SECONDS
    command = [str(Path(__file__).with_name("intake_load.py")), str(served.port), str(rate), str(long)]
    with subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as intake:
        assert intake.stdin is not None
        assert intake.stdout is not None
        intake.stdout.readline()
        served.catch_up()
        intake.stdin.write("go\n")
        intake.stdin.flush()
        busy: list[float] = []
        while intake.poll() is None:
            busy += asked(client, subjects[len(busy) % len(subjects) :], 1)
        acknowledged: dict[str, float] = json.loads(intake.stdout.readline())
    return calm, busy, acknowledged


def main() -> None:
    """Measure, and print what was found beside floors and goals."""
    options = read_options(__doc__)
    report = Report("questions", "Questions over HTTP", options)
    incident = QUICK_INCIDENT if options.quick else INCIDENT
    datasets = QUICK_GROWING if options.quick else GROWING
    shapes = [Shape(number) for number in datasets]
    world, kept = make_world(incident), prepared(incident, options.worlds)
    for shape in shapes:
        prepared(shape, options.worlds)
    with bound(CLIENT_CORE), tempfile.TemporaryDirectory(prefix="lineage-bench-") as name:
        folder = Path(name)
        with server(copied(kept, folder / "incident")) as (served, client):
            measure_answers(report, world, client)
            measure_largest(report, kept, world, served, client)
        progress("the intake's maximum")
        events = stream(FIRST_RUNS + (QUICK_INTAKE_EVENTS if options.quick else INTAKE_EVENTS))
        rate = real_round(events).rate
        report.add(Figure("the intake's maximum", rate, "events/s"))
        nodes, found = loaded(report, options, incident, rate / 2, folder)
        for how, value in found.items():
            goal = "≤ 20 ms for a million nodes" if how.startswith("p99, at half") else ""
            report.add(Figure(f"impact of ≤ {MOST:,} hits among {nodes:,} nodes, {how}", value, "ms", goal=goal))
        measure_load(report, options, shapes, rate / 2, folder)
    report.end()


if __name__ == "__main__":
    main()
