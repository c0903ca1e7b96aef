"""Traversals of a large graph, against C on CSR and networkx: ``python bench/bench_reach.py [--quick]``.

Impact goes downstream, provenance upstream, on the logical level of a made world that is only wired. The floor is
``reach.c`` on the same graph in the same run: node numbers in, node numbers and distances out, the numbers in random
order, as ids are where nobody orders them. What Lineage gives beside: keys, what each flow stands for, kinds, evidence,
certainty.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import networkx as nx
import numpy as np
from c_reach import Wiring, compiler
from figures import Curve, Figure, Options, Report, progress, read_options, seconds
from wired import FILES, Wired, compiled, counted, reading, wired, wired_shape
from world import DAY, START, make_world
from worlds import copied, prepared

from lineage.model import Changes
from lineage.sqlite import SQLiteStore
from lineage.sqlite.topology import Thresholds
from lineage.store import Direction, EdgeFilter

SIZES = (50, 1_000, 10_000, 500_000)
FULL, QUICK = 500_000, 10_000
GROWING = (1_000, 10_000, 100_000, FULL)
TOMBSTONES = 0.05
ENOUGH_MILLIONS = 0.1
"""Of nodes and edges: what less takes is mostly what any takes."""
DELETED_AT_ONCE = 2_000
RANDOM = "C, random numbers"
NEVER_CONSOLIDATED = Thresholds(changes=1 << 40)


def measure_reach(report: Report, path: Path, graph: Wired, sizes: Sequence[int]) -> None:
    """Impact and provenance for answers of ``sizes``. Raises RuntimeError if C finds something else."""
    for direction, name in ((Direction.DOWNSTREAM, "impact"), (Direction.UPSTREAM, "provenance")):
        c = graph.in_c(direction)
        for size in sizes:
            dataset, expected = graph.subject(direction, size)
            with reading(path) as reader:
                taken, found = graph.ask(reader, dataset, direction)
            same(found, expected)
            floor = c.mixed_seconds(dataset)
            is_largest = size == max(sizes)
            goal = "≤ 2.2 for 500,000" if is_largest and name == "impact" else ""
            report.add(Figure(f"{name}, {found:,} nodes", taken * 1e3, "ms", floor * 1e3, RANDOM, goal))
            if is_largest:
                what = f"{name}, {found:,} nodes, C alone with its numbers in the order of the layers"
                report.add(Figure(what, c.laid_seconds(dataset) * 1e3, "ms", floor * 1e3, RANDOM))


def same(found: int, expected: int) -> None:
    """Raises RuntimeError unless both are the same number of nodes."""
    if found != expected:
        raise RuntimeError(f"Lineage finds {found} nodes, C {expected}.")


def measure_time(report: Report, path: Path, graph: Wired, sizes: Sequence[int]) -> None:
    """What ``as_of`` adds."""
    late = EdgeFilter(as_of=START + 30 * DAY)
    for size in sizes:
        dataset, _ = graph.subject(Direction.DOWNSTREAM, size)
        with reading(path) as reader:
            plain, _ = graph.ask(reader, dataset, Direction.DOWNSTREAM)
            then, found = graph.ask(reader, dataset, Direction.DOWNSTREAM, late)
        report.add(Figure(f"impact, {found:,} nodes, asOf", then * 1e3, "ms", plain * 1e3, "without asOf"))


def measure_tombstones(report: Report, path: Path, graph: Wired, size: int) -> None:
    """The largest impact again after a share of the edges was deleted, against C on what is left."""
    wiring, own = graph.wiring, copied(path, graph.folder / "tombstones")
    drawn = np.random.Generator(np.random.PCG64(2)).random(len(wiring.sources))
    may_go = wiring.sources < wiring.datasets
    is_gone = (drawn < TOMBSTONES / may_go.mean()) & may_go
    left = Wiring(wiring.nodes, wiring.datasets, wiring.sources[~is_gone], wiring.targets[~is_gone])
    c = compiled(left, graph.folder, Direction.DOWNSTREAM)
    dataset, _ = graph.subject(Direction.DOWNSTREAM, size)
    keys = list(graph.edge_keys(np.flatnonzero(is_gone)))
    store = SQLiteStore(own / "graph.sqlite", thresholds=NEVER_CONSOLIDATED)
    try:
        store.topology.settle()
        for at in range(0, len(keys), DELETED_AT_ONCE):
            store.apply(Changes(edges=dict.fromkeys(keys[at : at + DELETED_AT_ONCE])), 0)
        with store.reader() as reader:
            taken, found = graph.ask(reader, dataset, Direction.DOWNSTREAM)
    finally:
        store.close()
    same(found, c.laid.reach(dataset) - 1)
    what = f"impact, {found:,} nodes, after {is_gone.mean():.0%} of the edges were deleted"
    report.add(Figure(what, taken * 1e3, "ms", c.mixed_seconds(dataset) * 1e3, "C without these edges", "≤ 3"))


def measure_networkx(report: Report, path: Path, graph: Wired, sizes: Sequence[int]) -> None:
    """The same answers from a networkx graph of integers."""
    beside = nx.DiGraph()
    beside.add_edges_from(zip(graph.wiring.sources.tolist(), graph.wiring.targets.tolist(), strict=True))
    for size in sizes:
        dataset, _ = graph.subject(Direction.DOWNSTREAM, size)
        other = networkx_seconds(beside, dataset)
        with reading(path) as reader:
            taken, found = graph.ask(reader, dataset, Direction.DOWNSTREAM)
        report.add(Figure(f"impact, {found:,} nodes, beside networkx", taken * 1e3, "ms", other * 1e3, "networkx"))


def networkx_seconds(graph: nx.DiGraph, seed: int) -> float:
    """The time of one search."""
    return seconds(lambda: nx.single_source_shortest_path_length(graph, seed), times=3)


def measure_opening(report: Report, path: Path, graph: Wired) -> dict[str, float]:
    """Seconds until the topology is in memory with and without the snapshot, each with the memory that it takes."""
    own = copied(path, graph.folder / f"opening-{graph.world.shape.datasets}")
    seed = graph.key(graph.world.roots()[-1])
    nodes, edges = counted(own)
    millions = (nodes + edges) / 1e6
    snapshots = [file for file in own.glob("graph.*") if file.name not in FILES]
    told = {"with the snapshot": opened(own, seed)} if snapshots else {}
    for file in snapshots:
        file.unlink()
    told["without a snapshot"] = opened(own, seed)
    shutil.rmtree(own)
    for how, found in told.items():
        what = f"{millions:.2f} million nodes and edges, {how}"
        goal = "≤ 2 s for 5 million" if how == "with the snapshot" else ""
        report.add(Figure(f"from opening to the first answer, {what}", found["seconds"] * 1e3, "ms", goal=goal))
        if how != "with the snapshot":
            report.add(Figure(f"until the topology is in memory, {what}", found["settled"] * 1e3, "ms"))
        if millions >= ENOUGH_MILLIONS:
            memory = (found["after"] - found["before"]) / 1e6
            report.add(Figure(f"memory of the open graph, {what}", memory / millions, "MB a million"))
    return {how: found["settled"] for how, found in told.items()}


def opened(path: Path, seed: bytes) -> dict[str, float]:
    """What ``opening.py`` tells."""
    command = [sys.executable, str(Path(__file__).with_name("opening.py")), str(path), seed.hex()]
    told: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def measure_growth(report: Report, options: Options, datasets: Sequence[int], folder: Path) -> None:
    """An answer of about 1,000 nodes, opening and memory, in worlds of all sizes."""
    reach: dict[str, list[tuple[float, float]]] = {"Lineage": [], RANDOM: []}
    opening: dict[str, list[tuple[float, float]]] = {}
    for number in datasets:
        path = prepared(wired_shape(number), options.worlds)
        graph = wired(make_world(wired_shape(number)), folder)
        dataset, _ = graph.subject(Direction.DOWNSTREAM, 1_000)
        size = float(sum(counted(path)))
        with reading(path) as reader:
            taken, found = graph.ask(reader, dataset, Direction.DOWNSTREAM, times=21)
        floor = graph.in_c(Direction.DOWNSTREAM).mixed_seconds(dataset, times=21)
        what = f"impact, {found:,} nodes in a world of {size / 1e6:.2f} million nodes and edges"
        report.add(Figure(what, taken * 1e3, "ms", floor * 1e3, RANDOM))
        reach["Lineage"].append((size, taken * 1e3))
        reach[RANDOM].append((size, floor * 1e3))
        for how, needed in measure_opening(report, path, graph).items():
            opening.setdefault(how, []).append((size, needed * 1e3))
    x = "nodes and edges of the world"
    report.curves.append(Curve("reach", "Impact on about 1,000 nodes", x, "ms", reach))
    report.curves.append(Curve("opening", "From opening until the topology is in memory", x, "ms", opening))


def main() -> None:
    """Measure, and print what was found beside floors and goals."""
    options = read_options(__doc__)
    report = Report("reach", "Traversals", options)
    if compiler() is None:
        report.notes.append("There is no C compiler on this machine: nothing was measured.")
        report.end()
        return
    datasets = QUICK if options.quick else FULL
    sizes = [size for size in SIZES if size <= datasets]
    path = prepared(wired_shape(datasets), options.worlds)
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as name:
        folder = Path(name)
        progress("laying the same world in C")
        graph = wired(make_world(wired_shape(datasets)), folder)
        measure_reach(report, path, graph, sizes)
        measure_time(report, path, graph, sizes[-2:])
        measure_tombstones(report, path, graph, sizes[-1])
        measure_networkx(report, path, graph, sizes)
        measure_growth(report, options, [each for each in GROWING if each <= datasets], folder)
    nodes, edges = counted(path)
    report.notes.append(f"The world has {nodes:,} nodes, jobs among them, and {edges:,} edges.")
    report.end()


if __name__ == "__main__":
    main()
