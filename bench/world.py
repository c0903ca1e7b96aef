"""A made world: layered pipelines of many domains, with hubs, diamonds, versions, models, deployments and predictions.

The same for the same :class:`Shape`, from 1,000 to 1,000,000 datasets. Here are only numbers: which job reads and
writes what, and when it runs. :mod:`world_changes` makes graph rows of it, :mod:`world_events` the OpenLineage events
that tell the same, and :mod:`ground_truth` what is reached from where.

Half of the datasets are one domain's, the warehouse; the others' sizes follow a power law, so that there are answers
of every size. Jobs read from earlier layers of their own domain, the first tables of a layer far more often than the
last, and sometimes a table of domain 0, which everybody reads. Every domain hangs on its first table, its root. The
warehouse's last table is an inventory, made from thousands of others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z; days are counted from here."""

COLUMNS = ("id", "amount", "label")
REFERENCE_TABLES = 8
"""Tables of domain 0."""
WAREHOUSE = 1
"""The domain with half of the datasets."""

_SMALLEST, _LARGEST = 20, 8_000
_WANTED = (27, 270, 540, 5_400)
"""Domains that each world has which is large enough: so that answers of these sizes can be asked for."""
_MOST_INPUTS = 12
_INVENTORIED = 5_000
_LAYERS = 20
_LAYER_TIME = 300 * SECOND
_RUN_TIME = 60 * SECOND
_SERVED_FROM = 20 * HOUR


@dataclass(frozen=True, slots=True)
class Shape:
    """``datasets``: tables and models, prediction logs apart. ``inputs``: how many a job reads on average. ``days`` on
    which jobs may run: on the first each does, on each later one a share ``again``; 0: nothing ever runs, and jobs are
    only declared, by JobEvents."""

    datasets: int
    inputs: float = 3.0
    days: int = 3
    again: float = 0.25
    seed: int = 20260101


class Domain(NamedTuple):
    """``size`` tables from number ``first`` on, that of the root. ``columnar``: its column lineage is told."""

    number: int
    first: int
    size: int
    columnar: bool


class Job(NamedTuple):
    """What reads ``inputs`` (ascending) and writes ``outputs``, by number. ``declared``: by JobEvents, it never runs.
    ``late`` is an input that is only read from the second run (or declaration) on, ``dropped`` one that is read no
    longer from then on."""

    number: int
    domain: Domain
    layer: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    declared: bool
    late: int | None = None
    dropped: int | None = None

    def reads(self, nth: int) -> tuple[int, ...]:
        """What its run (or declaration) number ``nth``, from 0, reads."""
        absent = self.dropped if nth else self.late
        return tuple(each for each in self.inputs if each != absent)


class Version(NamedTuple):
    """The ``nth`` version, from 0, of a dataset."""

    dataset: int
    nth: int


class Run(NamedTuple):
    """One run of a job, its ``nth``; it reads at ``start`` and writes at ``end`` (UTC microseconds)."""

    job: int
    nth: int
    start: int
    end: int
    reads: tuple[Version, ...]
    writes: tuple[Version, ...]


class Rollout(NamedTuple):
    """The ``nth`` rollout of ``model``'s deployment; it serves ``version`` from ``start`` to ``end`` (None: still)."""

    model: int
    nth: int
    version: Version
    start: int
    end: int | None


@dataclass(slots=True, eq=False)
class World:
    """All that there is, by number: datasets from 0 in the order of their domains and layers, jobs likewise."""

    shape: Shape
    domains: list[Domain] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    domain_of: list[int] = field(default_factory=list)
    models: set[int] = field(default_factory=set)

    def runs(self) -> Iterator[Run]:
        """All runs, in an order in which what is read was written before."""
        draw = random.Random(self.shape.seed + 1)
        counted = [0] * len(self.jobs)
        latest = [-1] * self.shape.datasets
        for day in range(self.shape.days):
            for job in self.jobs:
                if not job.declared and (day == 0 or draw.random() < self.shape.again):
                    yield _run(job, counted[job.number], day, latest)
                    counted[job.number] += 1

    def declarations(self, job: Job) -> list[tuple[int, tuple[int, ...]]]:
        """What a declared job says of itself: when, and its inputs; what it said before is thereby replaced."""
        first = START + job.layer * SECOND
        changes = job.late is not None or job.dropped is not None
        return [(first + nth * DAY, job.reads(nth)) for nth in range(2 if changes else 1)]

    def rollouts(self) -> Iterator[Rollout]:
        """All rollouts; every second model is deployed, and each version of it replaces the one before."""
        serving: dict[int, Rollout] = {}
        for run in self.runs():
            for version in run.writes:
                if self.is_deployed(version.dataset):
                    start = run.start - (run.start - START) % DAY + _SERVED_FROM + version.dataset % 3600 * SECOND
                    if version.dataset in serving:
                        yield serving[version.dataset]._replace(end=start - 10 * SECOND)
                    serving[version.dataset] = Rollout(version.dataset, version.nth, version, start, None)
        yield from serving.values()

    def is_deployed(self, dataset: int) -> bool:
        """Whether the dataset is a model that a deployment serves."""
        return dataset in self.models and dataset % 2 == 0

    def roots(self) -> list[int]:
        """The dataset that all of a domain hangs on, of each."""
        return [domain.first for domain in self.domains]

    def is_columnar(self, dataset: int) -> bool:
        """Whether the columns of a dataset are told."""
        return self.domains[self.domain_of[dataset]].columnar


def _run(job: Job, nth: int, day: int, latest: list[int]) -> Run:
    start = START + day * DAY + job.layer * _LAYER_TIME + job.number % 120 * SECOND
    reads = tuple(Version(dataset, latest[dataset]) for dataset in job.reads(nth))
    for dataset in job.outputs:
        latest[dataset] = nth
    return Run(
        job.number, nth, start, start + _RUN_TIME, reads, tuple(Version(dataset, nth) for dataset in job.outputs)
    )


def make_world(shape: Shape) -> World:
    """The world of ``shape``, at least 200 datasets."""
    world = World(shape)
    draw = random.Random(shape.seed)
    first = 0
    for size in _sizes(shape.datasets, draw):
        number = len(world.domains)
        domain = Domain(number, first, size, columnar=number % 8 == 3)
        world.domains.append(domain)
        world.domain_of += [number] * size
        _Pipelines(world, domain, draw).lay()
        first += size
    return world


def _sizes(datasets: int, draw: random.Random) -> Iterator[int]:
    """The domains' sizes: reference tables, the warehouse, those that are wanted, and as many others as there is room
    for."""
    largest = max(_SMALLEST, min(_LARGEST, datasets // 20))
    left = datasets - REFERENCE_TABLES - datasets // 2
    yield from (REFERENCE_TABLES, datasets // 2)
    for size in _WANTED:
        if size <= largest and left > 2 * size:
            yield size
            left -= size
    while left:
        size = min(int(_SMALLEST / (1 - draw.random())), largest)
        size = left if left < size + _SMALLEST else size
        yield size
        left -= size


class _Pipelines:
    """Lays the jobs of one domain."""

    def __init__(self, world: World, domain: Domain, draw: random.Random) -> None:
        self._world = world
        self._domain = domain
        self._draw = draw.random
        self._layers = min(_LAYERS, max(2, round(math.log2(domain.size))))
        self._has_inventory = domain.number == WAREHOUSE

    def lay(self) -> None:
        """Give each table of the domain the job that writes it."""
        domain = self._domain
        bounds = self._bounds()
        for layer, (start, end) in enumerate(pairwise(bounds)):
            at, is_last = start, layer == self._layers - 1
            while at < end:
                outputs = (at, at + 1) if layer and at + 1 < end and self._draw() < 0.1 else (at,)
                inputs = self._inputs(layer, bounds) if layer else ()
                declared = not self._world.shape.days or (is_last and domain.number > WAREHOUSE and self._draw() < 0.1)
                if layer >= 2 and not is_last and not declared and len(outputs) == 1 and self._draw() < 0.04:
                    self._world.models.add(at)
                self._add(layer, inputs, outputs, declared)
                at += len(outputs)
        if self._has_inventory:
            last, size = bounds[-2], bounds[-1] - bounds[-2]
            read = {last + int(size * self._draw()) for _ in range(min(size, _INVENTORIED))}
            self._add(self._layers, tuple(sorted(read)), (bounds[-1],), not self._world.shape.days)

    def _bounds(self) -> list[int]:
        """Where each layer begins, and the end; the inventory comes after it."""
        domain = self._domain
        if domain.number == 0:
            return [domain.first, domain.first + domain.size]
        sources = max(1, domain.size // 50)
        rest = domain.size - sources - self._has_inventory
        inner = self._layers - 1
        return [domain.first, *(domain.first + sources + rest * layer // inner for layer in range(inner + 1))]

    def _inputs(self, layer: int, bounds: list[int]) -> tuple[int, ...]:
        """At least one of the layer before; of that and of all before it, the first tables the most."""
        draw, first, own = self._draw, self._domain.first, bounds[layer]
        before = bounds[layer - 1]
        found = {first if layer == 1 and draw() < 0.9 else before + int((own - before) * draw() ** 2)}
        more = min(int(-math.log(1 - draw()) * (self._world.shape.inputs - 0.5)), _MOST_INPUTS - 1)
        for _ in range(more):
            power = 0.5 if draw() < 0.5 else 2.0
            found.add(first + int((own - first) * draw() ** power))
        if draw() < 0.03:
            found.add(int(REFERENCE_TABLES * draw() ** 2))
        return tuple(sorted(found))

    def _add(self, layer: int, inputs: tuple[int, ...], outputs: tuple[int, ...], declared: bool) -> None:
        late = dropped = None
        if len(inputs) >= 3 and self._draw() < 0.2:
            late, dropped = (inputs[-1], None) if self._draw() < 0.5 else (None, inputs[1])
        job = Job(len(self._world.jobs), self._domain, layer, inputs, outputs, declared, late, dropped)
        self._world.jobs.append(job)
