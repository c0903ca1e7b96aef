"""Answers from Neo4j: the traversal against the plain query, many seeds against one, and the operation Impact.

All is asked in one world whose jobs ran once, of versions and flows of runs: what is downstream of versions. The
embedded store holds the same world.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from statistics import median

import neo4j_bare
from asking import IMPACT, TOTALS, Client, Data, subject
from bench_ingest import CLIENT_CORE, bound, serving
from figures import Curve, Figure, Report, progress
from ingest_events import stream
from neo4j import Driver
from neo4j_peer import Ground, connected, environment
from wired import counted, reading
from world import Shape, World, make_world
from world_changes import world_changes
from world_names import Names
from worlds import fill

from lineage.app import open_folder
from lineage.key_array import unpack
from lineage.keys import dataset_key
from lineage.kind import KIND_CODES, Kind
from lineage.model import Changes, EdgeKind
from lineage.settings import Settings
from lineage.store import Direction, GraphReader, Level, Reach

BARE = "bare Cypher"
_DRAWN = 2_000
"""Datasets, besides the roots, among which those are found that have answers of the wanted sizes."""
_ROWS = 2_000
_WEAK = "MATCH (p:LineageState) SET p.weakKinds = $kinds"


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of about these ``sizes`` in the world of ``shape``, each so many ``times``; and from so many ``seeds``
    at once."""

    shape: Shape
    sizes: tuple[int, ...]
    times: int
    seeds: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A version, and how much is downstream of it."""

    dataset: int
    version: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Both:
    """One world in both stores, open to be read, and a driver for what is asked without Lineage."""

    neo4j: GraphReader
    embedded: GraphReader
    driver: Driver


def measure_answers(report: Report, ground: Ground, answers: Answers) -> None:
    """Make the world in both stores and ask."""
    world, made = make_world(answers.shape), {}
    for store in ("sqlite", "neo4j"):
        made[store] = ground.settings(store)
        progress(f"a world of {answers.shape.datasets:,} datasets into {store}")
        write(made[store], world)
    with reading(made["sqlite"].data) as graph:
        subjects = chosen(graph, world, answers.sizes)
    with opened(ground, made) as both:
        measure_reach(report, both, subjects, answers.times)
        measure_seeds(report, both, subjects, answers)
    with connected(ground.uri) as driver:
        driver.execute_query(_WEAK, kinds=[kind.value for kind in EdgeKind])
        with opened(ground, made) as both:
            measure_weak(report, both, subjects, answers.times)
        driver.execute_query(_WEAK, kinds=[])
    with bound(CLIENT_CORE):
        measure_impact(report, ground, made, world, subjects, answers.times)
    nodes, edges = counted(made["sqlite"].data)
    report.notes.append(
        f"Answers are from a world of {nodes:,} nodes, {2 * answers.shape.datasets:,} of them versions and the flows "
        f"that wrote them, and {edges:,} edges."
    )


def write(settings: Settings, world: World) -> None:
    """A data folder in which one event was told, and its graph with ``world`` besides."""
    with open_folder(settings) as folder:
        assert folder.projector is not None
        fill(folder, stream(1))
        folder.projector.catch_up()
        for changes in world_changes(world):
            for piece in pieces(changes):
                folder.store.apply(piece, 1)
        folder.store.watermark()


def pieces(changes: Changes) -> Iterator[Changes]:
    """The same in lists of about as many rows as a projector gives at once, nodes first."""
    nodes, edges, names = iter(changes.nodes.items()), iter(changes.edges.items()), iter(changes.names.items())
    while rows := list(islice(nodes, _ROWS)):
        yield Changes(nodes=dict(rows))
    while ties := list(islice(edges, _ROWS)):
        yield Changes(edges=dict(ties))
    while named := list(islice(names, _ROWS)):
        yield Changes(names=dict(named))


@contextmanager
def opened(ground: Ground, made: dict[str, Settings]) -> Iterator[Both]:
    """Both graphs."""
    with ExitStack() as opening:
        folder = opening.enter_context(open_folder(made["neo4j"], read_only=True))
        embedded = opening.enter_context(reading(made["sqlite"].data))
        neo4j = opening.enter_context(folder.store.reader())
        yield Both(neo4j, embedded, opening.enter_context(connected(ground.uri)))


def chosen(graph: GraphReader, world: World, sizes: Sequence[int]) -> list[Subject]:
    """The versions with answers nearest to ``sizes``."""
    drawn = random.Random(5).choices(range(world.shape.datasets), k=_DRAWN)
    found = [each for dataset in {*world.roots(), *drawn} for each in _subjects(graph, world, dataset)]
    nearest = [min(found, key=lambda each: abs(math.log(max(each.size, 1) / size))) for size in sizes]
    return list(dict.fromkeys(nearest))


def _subjects(graph: GraphReader, world: World, dataset: int) -> Iterator[Subject]:
    key = dataset_key(*Names(world).dataset(dataset))
    for edge in graph.neighbours([key], [EdgeKind.HAS_VERSION], Direction.DOWNSTREAM):
        yield Subject(dataset, edge.target, len(downstream(graph, [edge.target])))


def downstream(graph: GraphReader, versions: Sequence[bytes]) -> Reach:
    """What was made of ``versions``."""
    return graph.reach(Level.VERSION, versions, Direction.DOWNSTREAM)


def in_turn(calls: Sequence[Callable[[], object]], times: int) -> list[float]:
    """The median milliseconds of each call, after one that isn't counted; they take turns."""
    taken: list[list[float]] = [[] for _ in calls]
    for number in range(times + 1):
        for call, each in zip(calls, taken, strict=True):
            begun = time.perf_counter()
            call()
            if number:
                each.append((time.perf_counter() - begun) * 1e3)
    return [median(each) for each in taken]


def measure_reach(report: Report, both: Both, subjects: Sequence[Subject], times: int) -> None:
    """The traversal. Raises RuntimeError if the stores or the plain query find different numbers of nodes."""
    lines: dict[str, list[tuple[float, float]]] = {"Lineage on Neo4j": [], BARE: [], "embedded store": []}
    for each in subjects:
        seed = [each.version]
        found = {
            len(downstream(both.neo4j, seed)),
            len(neo4j_bare.reach(both.driver, Level.VERSION, each.version)),
            each.size,
        }
        if found != {each.size}:
            raise RuntimeError(f"Neo4j, the plain query and the embedded store find {found} nodes.")
        ours, bare, embedded = in_turn(
            [
                partial(downstream, both.neo4j, seed),
                partial(neo4j_bare.reach, both.driver, Level.VERSION, each.version),
                partial(downstream, both.embedded, seed),
            ],
            times,
        )
        what = f"everything downstream, {each.size:,} nodes"
        report.add(Figure(what, ours, "ms", bare, BARE, "≤ 1.3"))
        report.add(Figure(f"{what}, beside the embedded store", ours, "ms", embedded, "embedded"))
        for line, taken in zip(lines.values(), (ours, bare, embedded), strict=True):
            line.append((each.size, taken))
    report.curves.append(Curve("neo4j", "Everything downstream of a version", "nodes found", "ms", lines))


def measure_weak(report: Report, both: Both, subjects: Sequence[Subject], times: int) -> None:
    """The largest traversal once any edge of the graph is less than declared, certain and fresh."""
    largest = max(subjects, key=lambda each: each.size)
    ours, bare = in_turn(
        [
            partial(downstream, both.neo4j, [largest.version]),
            partial(neo4j_bare.reach, both.driver, Level.VERSION, largest.version),
        ],
        times,
    )
    what = f"everything downstream, {largest.size:,} nodes, in a graph that has a weak edge"
    report.add(Figure(what, ours, "ms", bare, BARE))


def measure_seeds(report: Report, both: Both, subjects: Sequence[Subject], answers: Answers) -> None:
    """What many seeds lead to, against as much from one: the versions nearest to it."""
    for each in subjects:
        seeds = nearest_versions(downstream(both.embedded, [each.version]), answers.seeds)
        if len(seeds) < answers.seeds or each.size < 4 * answers.seeds:
            continue
        found = len(downstream(both.neo4j, seeds))
        many, one = in_turn(
            [
                partial(downstream, both.neo4j, seeds),
                partial(downstream, both.neo4j, [each.version]),
            ],
            answers.times,
        )
        floor = f"one seed, {each.size:,} nodes"
        report.add(Figure(f"downstream of {len(seeds)} seeds, {found:,} nodes", many, "ms", one, floor, "≤ 2"))


def nearest_versions(found: Reach, number: int) -> list[bytes]:
    """The keys of the first so many versions in it."""
    versions = (found.kinds == KIND_CODES[Kind.VERSION]).nonzero()[0]
    order = found.distances[versions].argsort(kind="stable")[:number]
    return unpack(found.keys[versions[order]])


def measure_impact(
    report: Report, ground: Ground, made: dict[str, Settings], world: World, subjects: Sequence[Subject], times: int
) -> None:
    """The named operation over HTTP, from a server on each store."""
    with ExitStack() as opening:
        clients = []
        for store, settings in made.items():
            log = ground.folder / f"{store}.log"
            server = opening.enter_context(serving(["-m", "lineage.app"], environment(settings), log))
            clients.append(Client(server.port))
            opening.callback(clients[-1].close)
        for each in subjects:
            of = subject(world, each.dataset)
            embedded, ours = (totals(client, of) for client in clients)
            if embedded is None or ours is None:
                report.notes.append(f"The operation Impact of what {each.size:,} nodes came from is cut by a limit.")
                continue
            if embedded != ours:
                raise RuntimeError(f"The embedded store finds {embedded} hits, Neo4j {ours}.")
            taken = in_turn([partial(client.timed, IMPACT, of=of) for client in clients], times)
            what = f"operation Impact, first 1,000 of {ours:,} hits of either radius"
            report.add(Figure(what, taken[1], "ms", taken[0], "embedded"))


def totals(client: Client, of: Data) -> int | None:
    """How many hits both radii have; None if not all were found within the server's limits."""
    impact = client.ask(TOTALS, of=of)["impact"]
    return impact["potential"]["totalCount"] + impact["actual"]["totalCount"] if impact["complete"] else None
