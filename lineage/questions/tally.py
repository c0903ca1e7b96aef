"""How many predictions a change affects: those that rollouts made while they worked with what the change reached.

What a record told of run, model and version means here what it means to :mod:`lineage.questions.serving`. One that
names a version counts for that version alone, whenever the rollout served; any other for what was served at its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from lineage.answer import View
from lineage.model import Name, Run
from lineage.predictions import FOREVER, Count, Served, Told
from lineage.questions.rollouts import ModelRead, all_reads, times_served
from lineage.questions.serving import Meanings

_EVER = (-FOREVER, FOREVER)


def tally(
    view: View,
    rollouts: Sequence[Run],
    holds: Callable[[bytes], bool],
    since: int | None = None,
    changed: Collection[bytes] = (),
) -> Count:
    """The predictions of ``rollouts``, from ``since`` on, that what ``holds`` had a part in: all predictions of a
    rollout that read no such version, or is among ``changed`` itself. A rollout that tells no start made only those
    that name it."""
    reads = all_reads(view.graph, (run.key for run in rollouts))
    by_deployment: dict[Name, list[_Rollout]] = defaultdict(list)
    for run in rollouts:
        by_deployment[run.job].append(_rollout(run, reads.get(run.key, ()), holds, run.key in changed))
    served = [one for deployment, own in by_deployment.items() for one in _served(view, deployment, own)]
    return view.predictions.count(served, since=since)


@dataclass(frozen=True, slots=True)
class _Rollout:
    """``times``: by version, when a model's served; ``held``: its reads, of whatever, that the change reached; none if
    it is what changed."""

    run: Run
    models: Sequence[ModelRead]
    times: Mapping[bytes, Sequence[tuple[int, int]]]
    held: Sequence[ModelRead]

    def spans(self, told: Told, meant: Set[bytes]) -> Iterator[tuple[int, int]]:
        """The times ``[start, end)`` whose records count, of those that told ``told``, which means ``meant``."""
        if not self.held:
            yield _EVER
        for read in self.held:
            if not read.version.is_model:
                yield self._since(read.edge.at or 0)
            elif read.version.key in meant:
                yield from [_EVER] if told.names_version else self.times.get(read.version.key, ())

    def spans_alone(self, told: Told, meant: Set[bytes]) -> Iterator[tuple[int, int]]:
        """The same of records that tell no run: within the time of this one."""
        if self.run.started_at is not None:
            until = FOREVER if self.run.ended_at is None else self.run.ended_at
            for start, end in self.spans(told, meant):
                yield max(start, self.run.started_at), min(end, until)

    def _since(self, at: int) -> tuple[int, int]:
        from_its_start = self.run.started_at is None or at <= self.run.started_at
        return -FOREVER if from_its_start else at, FOREVER


def _rollout(run: Run, reads: Sequence[ModelRead], holds: Callable[[bytes], bool], has_changed: bool) -> _Rollout:
    models = [read for read in reads if read.version.is_model]
    held = [] if has_changed else [read for read in reads if holds(read.version.key)]
    return _Rollout(run, models, times_served(models, run), held)


def _served(view: View, deployment: Name, rollouts: Sequence[_Rollout]) -> Iterator[Served]:
    versions = {read.version.key: read.version for rollout in rollouts for read in rollout.models}
    meanings = Meanings(view.graph, versions.values())
    alone = view.predictions.told(deployment, None, *_time(rollouts))
    without_model = {told for told in alone if told.model is None}
    by_version: dict[bytes, set[Told]] = defaultdict(set)
    for told in alone - without_model:
        for version in meanings.of(told):
            by_version[version].add(told)
    for rollout in rollouts:
        run_id = rollout.run.run_id
        for told in view.predictions.told(deployment, run_id):
            yield from (Served(deployment, run_id, told, *span) for span in rollout.spans(told, meanings.of(told)))
        for told in without_model.union(*(by_version.get(read.version.key, ()) for read in rollout.models)):
            yield from (Served(deployment, None, told, *span) for span in rollout.spans_alone(told, meanings.of(told)))


def _time(rollouts: Sequence[_Rollout]) -> tuple[int, int]:
    """When any of ``rollouts`` served; an empty time if none tells its start."""
    runs = [rollout.run for rollout in rollouts if rollout.run.started_at is not None]
    ends = [FOREVER if run.ended_at is None else run.ended_at for run in runs]
    return min((run.started_at or 0 for run in runs), default=0), max(ends, default=0)
