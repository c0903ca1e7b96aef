"""What is reached from where in a made world: plain breadth-first search over dictionaries, straight from the numbers.

It shares nothing with the stores: no keys, no rows, no arrays. Both levels are here: how things are wired, and what was
truly read and written; each edge with the time from when, and until when, it was there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from world import Version, World
from world_names import Names, rollout_id, run_id, version_of

from lineage.keys import dataset_key, job_key, run_key
from lineage.timeline.writes import version_key

Thing = tuple[str, int, int]
"""Its kind (``dataset``, ``log``, ``job``, ``deployment``, ``version``, ``run``, ``rollout``, ``logged``), its number
(of a version its dataset's, of a run its job's, of what a model's deployment has that model's), and which of them."""

Place = tuple[Thing, int]
"""Where a path passes: a thing and -1, or a run or job and the output that it passes to."""


class Step(NamedTuple):
    """One edge to ``to``, there from ``at`` until ``until`` (None: it is still)."""

    to: Place
    at: int
    until: int | None = None


Steps = dict[Place, list[Step]]


class GroundTruth:
    """Both levels of ``world``, forward and backward."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._names = Names(world)
        self._wired: Steps = {}
        self._ran: Steps = {}
        self._wire()
        self._run()
        self._backward = {"wired": reversed_steps(self._wired), "ran": reversed_steps(self._ran)}

    def potential(self, dataset: int, as_of: int | None = None) -> dict[Thing, int]:
        """What is wired downstream of a dataset, with how many jobs are crossed, itself apart."""
        return things(self.places(dataset, as_of))

    def places(self, dataset: int, as_of: int | None = None) -> dict[Place, int]:
        """As :meth:`potential`, by flow, the dataset itself among them."""
        return search(self._wired, [(("dataset", dataset, 0), -1)], as_of)

    def actual(self, dataset: int, as_of: int | None = None) -> dict[Thing, int]:
        """What was made of all its versions, with how many runs are crossed, these apart."""
        seeds = [(thing, -1) for thing in self.versions(dataset)]
        return things(search(self._ran, seeds, as_of))

    def wired_from(self, dataset: int, as_of: int | None = None) -> dict[Thing, int]:
        """What a dataset is wired to come from."""
        return things(search(self._backward["wired"], [(("dataset", dataset, 0), -1)], as_of))

    def versions(self, dataset: int) -> list[Thing]:
        """All versions of a dataset."""
        found: list[Thing] = []
        while ((thing := ("version", dataset, len(found))), -1) in self._backward["ran"]:
            found.append(thing)
        return found

    def known_since(self, dataset: int) -> int:
        """When a dataset was first read or written."""
        place: Place = (("dataset", dataset, 0), -1)
        return min(step.at for steps in (self._wired, self._backward["wired"]) for step in steps.get(place, ()))

    def key(self, thing: Thing) -> bytes:
        """The store key of a thing."""
        kind, number, nth = thing
        names = self._names
        match kind:
            case "dataset":
                return dataset_key(*names.dataset(number))
            case "log":
                return dataset_key(*names.log(number))
            case "job":
                return job_key(*names.job(number))
            case "deployment":
                return job_key(*names.deployment(number))
            case "run":
                return run_key(run_id(number, nth), *names.job(number))
            case "rollout":
                return run_key(self._rollout_ids[number, nth], *names.deployment(number))
            case "logged":
                told = (self._rollout_ids[number, nth], *names.deployment(number), self._served_from[number, nth])
                return version_key(names.log(number), told)
        job = self._writer[number]
        return version_of(names, Version(number, nth), run_id(job, nth), job)

    def _wire(self) -> None:
        self._writer = {dataset: job.number for job in self._world.jobs for dataset in job.outputs}
        first: dict[tuple[int, int], int] = {}
        for run in self._world.runs():
            for dataset in [*(read.dataset for read in run.reads), -1]:
                first.setdefault((run.job, dataset), run.start)
        for job in self._world.jobs:
            for output in job.outputs:
                flow: Place = (("job", job.number, 0), output)
                told = self._world.declarations(job) if job.declared else []
                begun = told[0][0] if told else first[job.number, -1]
                self._wired.setdefault(flow, []).append(Step((("dataset", output, 0), -1), begun))
                for source in job.inputs:
                    at = min([at for at, reads in told if source in reads], default=first.get((job.number, source)))
                    replaced = told and source not in told[-1][1]
                    if at is not None:
                        step = Step(flow, at, told[-1][0] if replaced else None)
                        self._wired.setdefault((("dataset", source, 0), -1), []).append(step)

    def _run(self) -> None:
        for run in self._world.runs():
            for dataset, nth in run.writes:
                flow: Place = (("run", run.job, run.nth), dataset)
                self._ran.setdefault(flow, []).append(Step((("version", dataset, nth), -1), run.end))
                for read in run.reads:
                    self._ran.setdefault((("version", *read), -1), []).append(Step(flow, run.start))
        self._rollout_ids: dict[tuple[int, int], str] = {}
        self._served_from: dict[tuple[int, int], int] = {}
        for rollout in self._world.rollouts():
            place, start = (rollout.model, rollout.nth), rollout.start
            self._rollout_ids[place], self._served_from[place] = rollout_id(rollout), start
            flow = (("rollout", *place), rollout.model)
            self._ran.setdefault((("version", *rollout.version), -1), []).append(Step(flow, start))
            self._ran.setdefault(flow, []).append(Step((("logged", *place), -1), start))
            self._serve(rollout.model, start)

    def _serve(self, model: int, start: int) -> None:
        flow: Place = (("deployment", model, 0), model)
        if flow not in self._wired:
            self._wired[flow] = [Step((("log", model, 0), -1), start)]
            self._wired.setdefault((("dataset", model, 0), -1), []).append(Step(flow, start))


def reversed_steps(steps: Mapping[Place, Iterable[Step]]) -> Steps:
    """The same edges, each the other way."""
    found: Steps = {}
    for place, leaving in steps.items():
        for step in leaving:
            found.setdefault(step.to, []).append(step._replace(to=place))
    return found


def search(steps: Mapping[Place, Sequence[Step]], seeds: Iterable[Place], as_of: int | None) -> dict[Place, int]:
    """What is reached, with the least number of flows passed, seeds at 0; with ``as_of`` (UTC microseconds) over what
    was there then, else over what is there still."""
    distances = dict.fromkeys(seeds, 0)
    waiting = deque(distances)
    while waiting:
        place = waiting.popleft()
        for to in _next(steps.get(place, ()), as_of):
            distance = distances[place] + (to[1] >= 0)
            if distance < distances.get(to, distance + 1):
                distances[to] = distance
                waiting.append(to)
    return distances


def _next(steps: Iterable[Step], as_of: int | None) -> Iterator[Place]:
    for to, at, until in steps:
        if until is None if as_of is None else at <= as_of and (until is None or as_of < until):
            yield to


def things(distances: Mapping[Place, int]) -> dict[Thing, int]:
    """The things that were passed, each at its least distance; seeds, which are at 0, left out."""
    found: dict[Thing, int] = {}
    for (thing, _), distance in distances.items():
        if distance > 0:
            found[thing] = min(distance, found.get(thing, distance))
    return found
