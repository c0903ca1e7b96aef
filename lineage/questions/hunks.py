"""From aligned histories to hunks: what differs between counterparts, node by node.

A unit is a pair of nodes that are counterparts, or a node without one; flows stand for their runs, and of several flows
of two runs there is one hunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lineage.answer import kind_of, label
from lineage.answer.difference import Aspect, Change, Content, Difference
from lineage.model import Dataset, Run, Version
from lineage.questions.alignment import Alignment, Wiring
from lineage.questions.contrast import contents, of_producers, of_reads, of_runs, of_side, of_versions
from lineage.questions.drafts import Draft, judge
from lineage.questions.histories import History
from lineage.questions.partings import Units

_Sides = tuple[bytes | None, bytes | None]
_RUN_ALONE: _Sides = (None, None)


@dataclass(frozen=True, slots=True)
class Subjects:
    """What both sides begin from: the nodes, and the runs to compare, which may stand for none of these (rollouts)."""

    nodes: tuple[frozenset[bytes], frozenset[bytes]]
    runs: tuple[Sequence[Run], Sequence[Run]]


def hunks_of(
    a: History, b: History, alignment: Alignment, subjects: Subjects, datasets: Mapping[bytes, Dataset]
) -> list[Draft]:
    """All counterparts that are not the same thing, in the order of ``rank``, also those without a difference.
    ``datasets``: those whose versions are compared, for what schemas they had."""
    drafting = _Drafting(a, b, alignment, datasets)
    drafting.draft(subjects)
    judge(drafting.drafts, drafting.units(subjects))
    return sorted(drafting.drafts, key=lambda draft: draft.rank)


class _Drafting:
    def __init__(self, a: History, b: History, alignment: Alignment, datasets: Mapping[bytes, Dataset]) -> None:
        self._a = a
        self._b = b
        self._alignment = alignment
        self._datasets = datasets
        self._nodes: list[_Sides] = list(alignment.pairs)
        self._nodes += [(key, None) for key in sorted(a.own - alignment.of_a.keys())]
        self._nodes += [(None, key) for key in sorted(b.own - alignment.of_b.keys())]
        self._drafts: dict[_Sides, Draft] = {}

    @property
    def drafts(self) -> list[Draft]:
        return list(self._drafts.values())

    def draft(self, subjects: Subjects) -> None:
        for unit, (a, b) in enumerate(self._nodes):
            if a is not None and b is not None:
                self._draft_pair(unit, a, b)
        self._draft_runs(*subjects.runs)
        paired = ({a: draft for (a, _), draft in self._drafts.items()}, {b: d for (_, b), d in self._drafts.items()})
        for unit, (a, b) in enumerate(self._nodes):
            if a is not None and b is None:
                self._draft_single(unit, a, self._a, self._b, paired[0])
                self._tell_output(unit, a, (self._a, self._b), subjects.nodes, paired[0])
            elif b is not None and a is None:
                self._draft_single(unit, b, self._b, self._a, paired[1])
                self._tell_output(unit, b, (self._b, self._a), subjects.nodes[::-1], paired[1])

    def _draft_runs(self, a: Sequence[Run], b: Sequence[Run]) -> None:
        """Runs that are subjects, where no nodes of theirs are counterparts."""
        for one, other in zip(sorted(a, key=_place), sorted(b, key=_place), strict=False):
            if one.key != other.key and (one.key, other.key) not in self._drafts:
                self._nodes.append(_RUN_ALONE)
                draft = self._put(len(self._nodes) - 1, (one, other), 0, (other.key, True))
                draft.tell(list(of_runs(one, other)))

    def _tell_output(
        self,
        unit: int,
        key: bytes,
        sides: tuple[History, History],
        seeds: tuple[frozenset[bytes], frozenset[bytes]],
        paired: Mapping[bytes | None, Draft],
    ) -> None:
        """What a run that is a subject read for an output that its counterpart did not write."""
        (own, other), run = sides, sides[0].run(key)
        draft = paired.get(run.key) if run is not None and key in seeds[0] else None
        if draft is None:
            return
        reads = (other.version(edge.source) for seed in seeds[1] for edge in other.into(seed))
        known = {version.dataset for version in reads if version is not None}
        lost = [version for version in (own.version(edge.source) for edge in own.into(key)) if version is not None]
        change = Change.ADDED if own is self._b else Change.REMOVED
        draft.units.append(unit)
        draft.tell([of_side(Aspect.INPUT, change, one.name, label(one)) for one in lost if one.dataset not in known])

    def _draft_pair(self, unit: int, a: bytes, b: bytes) -> None:
        distance = min(self._a.closure.distances[a], self._b.closure.distances[b])
        start = (b, True) if b in self._b.own else (a, False)
        wiring = self._alignment.wiring.get((a, b))
        one, other = self._a.version(a), self._b.version(b)
        if one is not None and other is not None:
            draft = self._put(unit, (one, other), distance, start)
            draft.tell(list(of_versions(one, other, self._datasets)))
            columns_differ = any(each.aspect is Aspect.SCHEMA for each in draft.differences)
            draft.alike = contents(one, other)[0] is Content.SAME and not columns_differ
            draft.tell([*of_producers(wiring, self._a, self._b), *self._told_without_run(wiring)] if wiring else [])
        ran, did = self._a.run(a), self._b.run(b)
        if ran is not None and did is not None:
            is_new = (ran.key, did.key) not in self._drafts
            draft = self._put(unit, (ran, did), distance, start)
            draft.tell(list(of_runs(ran, did)) if is_new and ran.key != did.key else [])
            draft.tell(list(of_reads(wiring, self._a, self._b)) if wiring else [])

    def _told_without_run(self, wiring: Wiring) -> Iterator[Difference]:
        """What is read by flows of no run, which stand for none (R3)."""
        for one, other in wiring.both:
            beyond = self._alignment.wiring.get((one.source, other.source))
            if beyond is not None and self._b.run(other.source) is None:
                yield from of_reads(beyond, self._a, self._b)

    def _draft_single(
        self, unit: int, key: bytes, own: History, other: History, paired: Mapping[bytes | None, Draft]
    ) -> None:
        """A node that only ``own`` has, if the other side is known well enough to say so."""
        thing = own.version(key) or own.run(key)
        if thing is None or not self._alignment.whole or other.closure.cut is not None:
            return
        if isinstance(thing, Run) and (thing.key in other.closure.runs or thing.key in paired):
            return
        in_b = own is self._b
        draft = self._put(unit, (None, thing) if in_b else (thing, None), own.closure.distances[key], (key, in_b))
        aspect, name = (Aspect.DATA, thing.name) if isinstance(thing, Version) else (Aspect.RUN, thing.job.name)
        draft.tell([of_side(aspect, Change.ADDED if in_b else Change.REMOVED, name, label(thing))])

    def _put(
        self,
        unit: int,
        sides: tuple[Version | Run | None, Version | Run | None],
        distance: int,
        start: tuple[bytes, bool],
    ) -> Draft:
        things = [thing for thing in sides if thing is not None]
        key = (_key(sides[0]), _key(sides[1]))
        at = max((time for time in map(_time, things) if time is not None), default=None)
        kind = max(kind_of(thing) for thing in things)
        draft = self._drafts.setdefault(key, Draft(*key, kind, distance, at, *start))
        if distance < draft.distance:
            draft.distance, draft.start, draft.start_in_b = distance, *start
        draft.units.append(unit)
        return draft

    def units(self, subjects: Subjects) -> Units:
        """What leads to what among the units; runs that stand for no node come last, after the subjects' nodes."""
        of_a = {a: unit for unit, (a, _) in enumerate(self._nodes) if a is not None and a in self._a.own}
        of_b = {b: unit for unit, (_, b) in enumerate(self._nodes) if b is not None and b in self._b.own}
        seeds = {of_a[key] for key in subjects.nodes[0] if key in of_a}
        seeds |= {of_b[key] for key in subjects.nodes[1] if key in of_b}
        before = [
            set(seeds) if sides == _RUN_ALONE else _sources(self._a, sides[0], of_a) | _sources(self._b, sides[1], of_b)
            for sides in self._nodes
        ]
        alone = {unit for unit, sides in enumerate(self._nodes) if sides == _RUN_ALONE}
        alike = {unit for draft in self._drafts.values() if draft.alike for unit in draft.units}
        return Units(before, alike, seeds | alone)


def _sources(history: History, key: bytes | None, units: Mapping[bytes, int]) -> set[int]:
    if key is None or key not in units:
        return set()
    return {units[edge.source] for edge in history.into(key) if edge.source in units}


def _key(thing: Version | Run | None) -> bytes | None:
    return None if thing is None else thing.key


def _time(thing: Version | Run) -> int | None:
    return thing.written_at if isinstance(thing, Version) else thing.started_at


def _place(run: Run) -> tuple[str, str, int, bytes]:
    return *run.job, -(run.started_at or 0), run.key
