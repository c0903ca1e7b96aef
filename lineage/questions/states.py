"""Which state a subject is in at a moment, and which it was in before: what the two sides of a diff begin from.

A dataset or model at a moment is its last certain version written by then, a job its last run started by then, a
deployment the rollouts that served then, a rollout what it served then, a streaming run what it had written by then.
Without a moment it is the last of all. Before a version stands the one certain version before it; before a run the last
run of its job that completed before it, or else the last; before a rollout the one that began before it. A version, and
a run that is neither STREAMING nor SERVICE, is the same at all moments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lineage.answer import Thing, View, label, minute
from lineage.errors import BadInputError, InvalidSubjectError, NotFoundError
from lineage.keys import job_key
from lineage.model import Column, Dataset, Flow, Job, Run, RunState, RunType, Version
from lineage.predictions import Prediction
from lineage.questions.absence import why_none_served
from lineage.questions.resolution import resolve, versions_of
from lineage.questions.rollouts import all_reads, is_live, rollouts_of, runs_of, served_in, serving
from lineage.questions.seeds import Seeds
from lineage.questions.serving import servings, told_versions
from lineage.questions.spread import fetched, flows_of, things
from lineage.questions.subjects import CodeRef, Subject, VersionRef
from lineage.store import GraphReader
from lineage.topology import latest_certain, version_rank

_BEGINNING = -(1 << 63)

T = TypeVar("T", Version, Run)


@dataclass(frozen=True, slots=True)
class State:
    """``seeds``: where the history begins, versions and flows, each with the version or run that it stands for;
    ``runs``: those to be compared themselves."""

    seeds: Seeds
    runs: tuple[Run, ...] = ()

    @property
    def subjects(self) -> tuple[bytes, ...]:
        """The keys of what this is a state of: the runs, or else the versions."""
        return tuple(sorted({run.key for run in self.runs} or set(self.seeds.values())))


@dataclass(frozen=True, slots=True)
class Moment:
    """``time``: UTC microseconds, None for now; ``field``: what the caller calls it."""

    time: int | None
    field: str


def states(view: View, a: Subject, b: Subject | None, a_as_of: Moment, b_as_of: Moment) -> tuple[State, State]:
    """What ``a`` and ``b`` are at their moments. Without ``b`` both are of ``a``: at the two moments, or, without the
    first, what stood before the second.

    Raises NotFoundError where nothing stood then, InvalidSubjectError for a column and for sides that can't be
    compared, BadInputError for a moment of what is the same at all.
    """
    later = _things(view, b or a, b_as_of)
    if b is None and a_as_of.time is None:
        earlier: list[_Stood] = [_before(view.graph, thing) for thing in later]
    else:
        earlier = _things(view, a, a_as_of)
    one, other = _state(view.graph, earlier, a_as_of.time), _state(view.graph, later, b_as_of.time)
    if one.seeds and other.seeds and _are_flows(one) is not _are_flows(other):
        raise InvalidSubjectError(
            "A version and a run can't be compared.",
            hint="Compare the version with one that the run wrote.",
            field="/b",
        )
    return one, other


def _are_flows(state: State) -> bool:
    return any(seed != thing for seed, thing in state.seeds.items())


_Stood = Version | Run | Prediction


def _things(view: View, of: Subject, as_of: Moment) -> list[_Stood]:
    """The versions, runs and predictions that ``of`` is at a moment."""
    found = resolve(view, of)
    if isinstance(of, VersionRef) and (of.version, of.run_id, of.digest) == (None, None, None):
        datasets = {thing.dataset for thing in found if isinstance(thing, Version)}
        found = tuple(things(view.graph, sorted(datasets)).values())
    if isinstance(of, CodeRef):
        found = _last_of_each_job([thing for thing in found if isinstance(thing, Run)]) or found
    return [stood for thing in found for stood in _stood(view.graph, thing, as_of)]


def _last_of_each_job(runs: Iterable[Run]) -> tuple[Run, ...]:
    return tuple({run.job: run for run in sorted(runs, key=_started)}.values())


def _stood(graph: GraphReader, thing: Thing, as_of: Moment) -> Sequence[_Stood]:
    match thing:
        case Column():
            raise InvalidSubjectError("A column has no history of its own.", hint="Compare versions of its dataset.")
        case Dataset():
            return [_version_at(graph, thing, as_of.time)]
        case Job():
            return (
                _rollouts_at(graph, thing, as_of.time) if thing.is_deployment else [_run_at(graph, thing, as_of.time)]
            )
        case Run() if thing.type is not RunType.BATCH:
            return [thing]
    if as_of.time is not None:
        said = "A prediction" if isinstance(thing, Prediction) else label(thing)
        raise BadInputError(
            f"{said} is the same at all times: no moment can be given for it.",
            hint="Give moments for a dataset, a model, a job or a deployment.",
            field=as_of.field,
        )
    return [thing]


def _started(run: Run) -> tuple[int, bytes]:
    return _BEGINNING if run.started_at is None else run.started_at, run.key


def _version_at(graph: GraphReader, dataset: Dataset, time: int | None) -> Version:
    known = versions_of(graph, [dataset.key])
    latest = latest_certain(known, time).get(dataset.key)
    if latest is None:
        times = [version.written_at for version in known if version.certain]
        raise _nothing_then(dataset, "version", time, min(times, default=None))
    return latest


def _run_at(graph: GraphReader, job: Job, time: int | None) -> Run:
    known = _runs(graph, job.key)
    found = [run for run in known if time is None or (run.started_at is not None and run.started_at <= time)]
    if not found:
        times = [run.started_at for run in known if run.started_at is not None]
        raise _nothing_then(job, "run", time, min(times, default=None))
    return max(found, key=_started)


def _nothing_then(of: Dataset | Job, what: str, time: int | None, first: int | None) -> NotFoundError:
    when = "yet" if time is None else f"by {minute(time)} (UTC)"
    hint = f"Its first is of {minute(first)} (UTC)." if first is not None else ""
    return NotFoundError(f"{label(of)} of namespace {of.namespace!r} had no {what} {when}.", hint=hint)


def _rollouts_at(graph: GraphReader, deployment: Job, time: int | None) -> list[Run]:
    known = rollouts_of(graph, [deployment.key])
    if time is None:
        found = [run for run in known if is_live(run)] or known[-1:]
    else:
        found = [run for run in known if served_in(run, time, time)]
    if not found:
        raise NotFoundError(why_none_served(known, time or 0, time or 0))
    return found


def _runs(graph: GraphReader, job: bytes) -> list[Run]:
    return [run for run in things(graph, runs_of(graph, [job])).values() if isinstance(run, Run)]


def _before(graph: GraphReader, thing: _Stood) -> Version | Run:
    match thing:
        case Version():
            known = versions_of(graph, [thing.dataset])
            versions = [one for one in known if one.certain and version_rank(one) < version_rank(thing)]
            return _last(versions, version_rank, thing, "version")
        case Run():
            runs = [run for run in _runs(graph, job_key(*thing.job)) if _started(run) < _started(thing)]
            done = [run for run in runs if run.state is RunState.COMPLETE or run.type is RunType.SERVICE]
            return _last(done or runs, _started, thing, "run")
    raise InvalidSubjectError("Nothing stands before a prediction.", hint="Name another one to compare it with.")


def _last(known: Sequence[T], order: Callable[[T], tuple[int, bytes]], thing: Version | Run, what: str) -> T:
    if not known:
        raise NotFoundError(
            f"No {what} is known before {label(thing)}: it is the first.", hint="Name what to compare it with."
        )
    return max(known, key=order)


def _state(graph: GraphReader, stood: Iterable[_Stood], time: int | None) -> State:
    seeds: Seeds = {}
    runs: dict[bytes, Run] = {}
    for thing in stood:
        match thing:
            case Version():
                seeds[thing.key] = thing.key
            case Run() if thing.type is RunType.SERVICE:
                reads = all_reads(graph, [thing.key]).get(thing.key, [])
                seeds.update((read.version.key, read.version.key) for read in serving(reads, thing, time, time))
                runs[thing.key] = thing
            case Run():
                seeds.update(dict.fromkeys(_flows_at(graph, thing, time), thing.key))
                runs[thing.key] = thing
            case Prediction():
                made = servings(graph, thing)
                versions = [read.version for each in made for read in each.reads] or told_versions(graph, thing)
                seeds.update((version.key, version.key) for version in versions)
                runs.update((each.rollout.key, each.rollout) for each in made)
    if not seeds and not runs:
        raise InvalidSubjectError(
            "No rollout is known that could have made this prediction.", hint="Ask about its model or its deployment."
        )
    return State(seeds, tuple(runs.values()))


def _flows_at(graph: GraphReader, run: Run, time: int | None) -> list[bytes]:
    """The flows of ``run``; where it has several for one output, the last at that time."""
    flows = [
        node
        for nodes in fetched(graph, sorted(flows_of(graph, [run.key])))
        for node in nodes
        if isinstance(node, Flow) and (time is None or node.moment is None or node.moment <= time)
    ]
    last = {flow.output: flow.key for flow in sorted(flows, key=lambda flow: (flow.moment or _BEGINNING, flow.key))}
    return sorted(last.values())
