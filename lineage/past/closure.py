"""On which events a thing depends: what must be folded so that its rows are those of the whole past.

Worked out from the rules; more is taken than can matter, never less. What a thing needs is said in needs of other
things, until only events are left:

- a *run's* rows: all its job's events (R1, R6, R9, R17), how its datasets are called (R2) and which versions these have
  (R10 to R16), whether its parents spoke (R1), its siblings within one process and what they read (R8);
- which *versions* a dataset has, and who meets which: every run that writes it or tells anything of its versions, under
  any of its names; of a run that streams or renames, also the versions of what it reads (R11, R16); what JobEvents and
  DatasetEvents tell of them, and of what they say these were made from (R3, R12);
- how a dataset is *called*: if it ever had a symlink, or may be (part of) a model, all that names it (R2);
- a *job's* flows: its runs' and JobEvents' names, and how these are called (R3 to R8).

A run that only reads a dataset, and tells neither version nor content, changes nothing for the others that do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lineage.facts.naming import named, names_in
from lineage.fold.directory import NAMED, READS, WRITES
from lineage.fold.postings import TELLS, Place
from lineage.keys import dataset_key, job_key
from lineage.model import Name, RunType
from lineage.past.index import Index
from lineage.past.need import Need
from lineage.past.records import Told
from lineage.past.spellings import Spellings

_MATTERS = WRITES | NAMED | TELLS


class Closure:
    """Grows by what is asked for. ``told`` reads JobEvents and DatasetEvents, which no fact holds."""

    def __init__(self, index: Index, told: Callable[[Place], Told | None]) -> None:
        self._index = index
        self._told = told
        self._known: set[tuple[Need, object]] = set()
        self._todo: list[tuple[Need, object]] = []
        self._places: set[Place] = set()
        self._fresh: set[Place] = set()
        self._shown: set[Name] = set()
        self._spellings = Spellings(index)
        self._continuous: dict[Name, bool] = {}

    def need(self, need: Need, *of: object) -> None:
        """Have the events of this need among those that ``take`` gives."""
        for each in of:
            if (need, each) not in self._known:
                self._known.add((need, each))
                self._todo.append((need, each))

    def take(self) -> list[Place]:
        """The places of all events needed that were not taken before, in the ledger's order."""
        while self._todo:
            need, of = self._todo.pop()
            _STEPS[need](self, of)
        fresh, self._fresh = sorted(self._fresh), set()
        return fresh

    # -- runs

    def _run(self, run: bytes) -> None:
        for claims in self._index.claims(run):
            self._want((claims.index, claims.position))
            self._shown.update(named(claims))

    def _spoken(self, run_id: str) -> None:
        self.need(Need.RUN, *self._index.runs_called(run_id))

    def _silent(self, run_id: str) -> None:
        self.need(Need.SPOKEN, run_id)
        for child in self._index.children(run_id):
            self.need(Need.RUN, child)
            self._parents(child)

    def _parents(self, run: bytes) -> None:
        for claims in self._index.claims(run):
            if claims.parent is not None:
                self.need(Need.SPOKEN, claims.parent.run_id, *([claims.parent.root[0]] if claims.parent.root else ()))

    def _job_of(self, run: bytes) -> Name | None:
        """The job; its events are needed."""
        found = self._index.run(run)
        if found is None:
            return None
        self.need(Need.JOB, found[1])
        return found[1]

    def _family(self, run: bytes) -> None:
        for sibling in self.siblings(run):
            self._job_of(sibling)
            names = self._names_told(sibling)
            self.need(Need.CALLED, *names)
            self.need(Need.VERSIONS, *names)

    def siblings(self, run: bytes) -> set[bytes]:
        """The runs in the same process."""
        parents = {c.parent.run_id for c in self._index.claims(run) if c.parent and c.parent.single_process}
        return {child for parent in parents for child in self._index.children(parent)} - {run}

    def _rows(self, run: bytes) -> None:
        self.need(Need.RUN, run)
        self._job_of(run)
        self._parents(run)
        self.need(Need.VERSIONS, *self._names_told(run))
        self.need(Need.FAMILY, run)

    def _names_told(self, run: bytes) -> set[Name]:
        return {name for claims in self._index.claims(run) for name in names_in(claims)}

    # -- jobs

    def _job(self, job: Name) -> None:
        key = job_key(*job)
        self._want(*self._index.postings(key))
        for run in self._index.runs_of(key):
            self.need(Need.RUN, run)
            self._parents(run)

    def _wires(self, job: Name) -> None:
        self.need(Need.JOB, job)
        key = job_key(*job)
        names: set[Name] = set()
        for run in self._index.runs_of(key):
            names |= self._names_told(run)
            for sibling in self.siblings(run):
                self._job_of(sibling)
                names |= self._names_told(sibling)
        names.update(name for place in self._index.postings(key) for name in self._names_at(place))
        self.need(Need.CALLED, *names)
        self.need(Need.SHOWN, *names)

    def _silent_runs(self, job: Name) -> None:
        self.need(Need.SILENT, *self._index.once_silent(job_key(*job)))

    # -- datasets

    def _events(self, name: Name) -> None:
        self._want(*self._index.postings(dataset_key(*name)))
        self.need(Need.RUN, *self._index.touches(name))

    def _called(self, name: Name) -> None:
        names = self._spellings.of(name)
        several: set[bytes] = set()
        met: set[bytes] = set()
        for each in names:
            self._want(*self._index.namings(each))
            runs = self._index.touches(each).keys() if len(names) > 1 else ()
            several.update(met.intersection(runs))
            met.update(runs)
        self.need(Need.RUN, *several)

    def _dataset(self, name: Name) -> None:
        self.need(Need.EVENTS, *self._spellings.of(name))
        self.need(Need.VERSIONS, name)
        self.need(Need.EXISTS, name)

    def _exists(self, name: Name) -> None:
        self.need(Need.CALLED, name)
        self._shown_by(name)
        names = self._spellings.of(name)
        # What nothing shows is there all the same where a run needs it, which follows from all its job's claims.
        for run in {run for each in names - self._shown for run in self._index.touches(each)}:
            self._job_of(run)

    def _shown_by(self, name: Name) -> None:
        for each in self._spellings.of(name) - self._shown:
            self._show(each)

    def _show(self, name: Name) -> None:
        for run in self._index.touches(name):
            if any(name in named(claims) for claims in self._index.claims(run)):
                self.need(Need.RUN, run)
                self._shown.add(name)
                return
        self._want(*self._index.postings(dataset_key(*name)))

    def _versions(self, name: Name) -> None:
        self.need(Need.CALLED, name)
        self.need(Need.SHOWN, name)
        for each in self._spellings.of(name):
            for run, bits in self._index.touches(each).items():
                if bits & _MATTERS:
                    self._touch(run)
            for place, tells in self._index.postings(dataset_key(*each)).items():
                self._want(place)
                if tells:
                    self._tells(place)

    def _touch(self, run: bytes) -> None:
        job = self._job_of(run)
        claims = self._index.claims(run)
        renamed = {write.previous for each in claims for write in each.writes if write.previous is not None}
        self.need(Need.VERSIONS, *renamed)
        if job is not None and self._may_be_continuous(job):
            self.need(Need.VERSIONS, *self._names_told(run))

    def _may_be_continuous(self, job: Name) -> bool:
        found = self._continuous.get(job)
        if found is None:
            key = job_key(*job)
            types = {claims.run_type for run in self._index.runs_of(key) for claims in self._index.claims(run)}
            types.update(told.run_type for place in self._index.postings(key) if (told := self._told(place)))
            found = self._continuous[job] = bool(types - {None, RunType.BATCH.value})
        return found

    def _tells(self, place: Place) -> None:
        """What tells of one version may tell from which others it was made, and what tells of those in turn."""
        told = self._told(place)
        if told is not None:
            self.need(Need.VERSIONS, *told.names)
            if told.job is not None:
                self._want(*self._index.postings(job_key(*told.job)))

    def _readers(self, name: Name) -> None:
        self.need(Need.VERSIONS, name)
        for run in {run for each in self._spellings.of(name) for run in self._index.touches(each)}:
            self.need(Need.ROWS, run, *self.siblings(run))

    # -- the logical level

    def _declared(self, name: Name) -> None:
        names = {name, *(each for place in self._posted(name) for each in self._names_at(place))}
        self.need(Need.CALLED, *names)
        self.need(Need.SHOWN, *names)

    def _into(self, name: Name) -> None:
        self._wire(name, WRITES | NAMED)

    def _out_of(self, name: Name) -> None:
        for run in self._wire(name, READS | NAMED):
            for sibling in self.siblings(run):
                job = self._job_of(sibling)
                self.need(Need.WIRES, *([job] if job else ()))

    def _wire(self, name: Name, mask: int) -> list[bytes]:
        """What ties the dataset to others; the runs among it."""
        self.need(Need.CALLED, name)
        self.need(Need.SHOWN, name)
        runs: list[bytes] = []
        for each in self._spellings.of(name):
            runs += (run for run, bits in self._index.touches(each).items() if bits & mask)
            for place in self._posted(each):
                told = self._told(place)
                self.need(Need.WIRES, *([told.job] if told and told.job else ()))
                self.need(Need.DECLARED, *([told.dataset] if told and told.dataset else ()))
        for run in runs:
            job = self._job_of(run)
            self.need(Need.WIRES, *([job] if job else ()))
        return runs

    def _posted(self, name: Name) -> Iterable[Place]:
        """JobEvents and DatasetEvents that name the dataset; they are needed."""
        places = self._index.postings(dataset_key(*name))
        self._want(*places)
        return places

    def _names_at(self, place: Place) -> Iterable[Name]:
        told = self._told(place)
        return told.names if told else ()

    def _want(self, *places: Place) -> None:
        self._fresh.update(place for place in places if place not in self._places)
        self._places.update(places)


_STEPS: dict[Need, Callable[[Closure, Any], None]] = {
    Need.RUN: Closure._run,
    Need.SPOKEN: Closure._spoken,
    Need.SILENT: Closure._silent,
    Need.FAMILY: Closure._family,
    Need.ROWS: Closure._rows,
    Need.JOB: Closure._job,
    Need.WIRES: Closure._wires,
    Need.SILENT_RUNS: Closure._silent_runs,
    Need.EVENTS: Closure._events,
    Need.CALLED: Closure._called,
    Need.DATASET: Closure._dataset,
    Need.EXISTS: Closure._exists,
    Need.SHOWN: Closure._shown_by,
    Need.VERSIONS: Closure._versions,
    Need.READERS: Closure._readers,
    Need.DECLARED: Closure._declared,
    Need.INTO: Closure._into,
    Need.OUT_OF: Closure._out_of,
}
