"""Events into facts: every event is merged into the records of what it speaks of, and marks what that touches."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lineage.dialects import dialect_of
from lineage.event.model import Event, EventKind, Facets
from lineage.facts.claims import Claims
from lineage.facts.extract import (
    DECLARED_SOURCES,
    dataset_telling,
    declared_sources,
    lasting_facets,
    run_claims,
    symlinks,
)
from lineage.fold.directory import READS, WRITES, Directory
from lineage.fold.records import DatasetRecord, Records
from lineage.fold.store import Table
from lineage.fold.work import Work
from lineage.keys import dataset_key, job_key, run_key
from lineage.model import Name


class Absorber:
    """Merges events into facts. Merging one again changes nothing."""

    def __init__(self, records: Records, directory: Directory, work: Work) -> None:
        self._records = records
        self._directory = directory
        self._work = work

    def absorb(self, index: int, position: int, event: Event) -> None:
        """Take one event as it was received."""
        dialect = dialect_of(event)
        meant = dialect.meant(event)
        for root in dialect.model_roots(meant):
            self._absorb_root(root)
        if meant.kind is EventKind.DATASET:
            self._absorb_dataset_event(meant)
            return
        claims = dialect.claims(meant, run_claims(meant, index, position))
        claims = msgspec.structs.replace(claims, dialect=dialect.name)
        self._absorb_datasets(meant)
        self._absorb_named_by_lineage(claims)
        self._absorb_job(meant)
        if meant.kind is EventKind.JOB:
            self._absorb_job_event(meant, claims)
        else:
            self._absorb_run_event(meant, claims)

    # -- runs and jobs

    def _absorb_run_event(self, event: Event, claims: Claims) -> None:
        assert event.run_id is not None
        assert event.job is not None
        record = self._records.run(event.run_id, event.job)
        if any(known.hash == claims.hash for known in record.claims):
            return
        key = run_key(event.run_id, *event.job)
        if not record.claims:
            self._greet(key, event.run_id, event.job)
        record.claims.append(claims)
        self._records.mark(record)
        self._work.flows.add(key)
        if claims.parent:
            for run_id in {claims.parent.run_id, *((claims.parent.root[0],) if claims.parent.root else ())}:
                self._records.facts.link(Table.CHILDREN, run_id.encode(), key)
        self._note_touches(key, event)

    def _greet(self, key: bytes, run_id: str, job: Name) -> None:
        """A run speaks for the first time: those that named it as their parent may mean it."""
        facts = self._records.facts
        facts.link(Table.RUN_IDS, run_id.encode(), key)
        facts.link(Table.JOB_RUNS, job_key(*job), key)
        record = self._records.job(job)
        record.runs += 1
        self._records.mark(record)
        self._work.flows.update(child for child, _ in facts.links(Table.CHILDREN, run_id.encode()))

    def _note_touches(self, key: bytes, event: Event) -> None:
        facts = self._records.facts
        touched: dict[Name, int] = {}
        for dataset in event.inputs:
            touched[dataset.name] = touched.get(dataset.name, 0) | READS
        for dataset in event.outputs:
            touched[dataset.name] = touched.get(dataset.name, 0) | WRITES
        for name, bits in touched.items():
            known = facts.linked(Table.TOUCHES, dataset_key(*name), key)
            before = known[0] if known else 0
            if before | bits != before:
                facts.link(Table.TOUCHES, dataset_key(*name), key, bytes([before | bits]))
                group = self._directory.group(self._directory.root(name))
                if len(group.public) > 1 or group.conflict:
                    self._regroup({self._directory.root(name)})

    def _absorb_job(self, event: Event) -> None:
        assert event.job is not None
        record = self._records.job(event.job)
        changed = record.facets.merge(_without_lineage(event.job_facets), (event.time, event.hash))
        self._records.mark(record)
        self._work.jobs.add(event.job)
        if "jobType" in changed:
            self._work.flows.update(run for run, _ in self._records.facts.links(Table.JOB_RUNS, job_key(*event.job)))

    def _absorb_job_event(self, event: Event, claims: Claims) -> None:
        assert event.job is not None
        record = self._records.job(event.job)
        key = job_key(*event.job)
        if record.declared is None or record.declared.stamp < claims.stamp:
            record.declared = claims
            self._work.declared.add(key)
        tells = any(write.version or write.digests for write in claims.writes)
        if tells and all(known.hash != claims.hash for known in record.tellings):
            record.tellings.append(claims)
            self._work.tellers.add(key)
        self._records.mark(record)

    # -- datasets

    def _absorb_dataset_event(self, event: Event) -> None:
        assert event.dataset is not None
        stamp = (event.time, event.hash)
        self._absorb_facets(event.dataset.name, lasting_facets(event.dataset), stamp)
        record = self._records.dataset(event.dataset.name)
        key = dataset_key(*event.dataset.name)
        declared = {name: event.dataset.facets[name] for name in DECLARED_SOURCES if name in event.dataset.facets}
        if record.sources.merge(declared, stamp):
            self._work.declared.add(key)
            self._name_sources(record)
        telling = dataset_telling(event)
        if telling is not None and telling not in record.tellings:
            record.tellings.append(telling)
            self._work.tellers.add(key)
        self._records.mark(record)

    def _name_sources(self, record: DatasetRecord) -> None:
        lineage = record.sources.value("lineage")
        for source in declared_sources({"lineage": lineage}) or ():
            self._name(source.name)

    def _absorb_datasets(self, event: Event) -> None:
        facets: dict[Name, dict[str, object]] = {}
        for dataset in (*event.inputs, *event.outputs):
            facets.setdefault(dataset.name, {}).update(lasting_facets(dataset))
        for name, told in facets.items():
            self._absorb_facets(name, told, (event.time, event.hash))

    def _absorb_facets(self, name: Name, facets: Facets, stamp: tuple[int, bytes]) -> None:
        record = self._name(name)
        before = symlinks(record.facets.value("symlinks"))
        changed = record.facets.merge(facets, stamp)
        self._records.mark(record)
        self._work.datasets.add(name)
        if "symlinks" in changed:
            identifiers = symlinks(record.facets.value("symlinks"))
            for identifier in identifiers:
                self._records.facts.link(Table.CARRIERS, dataset_key(*self._directory.root(identifier)), dataset_key(*name))
            self._regroup({self._directory.root(other) for other in (name, *before, *identifiers)})
        if "datasetType" in changed:
            self._touch_runs(self._directory.group(self._directory.root(name)).public)
            self._work.kinds.add(self._directory.resolve(name))

    def _absorb_named_by_lineage(self, claims: Claims) -> None:
        for entry in claims.entries:
            for name in (*((entry.target,) if entry.target else ()), *(source.name for source in entry.sources)):
                self._name(name)

    def _name(self, name: Name) -> DatasetRecord:
        """An event names the dataset: whoever hid it shows it from now on (R7)."""
        record = self._records.dataset(name)
        if not record.is_named:
            record.is_named = True
            self._records.mark(record)
            self._work.datasets.add(name)
            self._work.datasets.add(self._directory.resolve(name))
            for member in (name, *self._directory.group(self._directory.root(name)).public):
                for key, _ in self._records.facts.links(Table.HIDDEN, dataset_key(*member)):
                    (self._work.flows if self._records.run_by_key(key) else self._work.declared).add(key)
        return record

    # -- names

    def _absorb_root(self, root: Name) -> None:
        names = self._directory.add_root(root)
        self._touch_runs(names)
        self._work.datasets.update(names)
        self._work.kinds.update(self._directory.resolve(name) for name in names)
        if names or self._records.known_dataset(root) is None:
            self._name(root)

    def _regroup(self, names: set[Name]) -> None:
        """Symlinks changed, or what speaks against them: every run of the names concerned is looked at again."""
        before = {member: self._directory.group(member) for name in names for member in self._directory.group(name).public}
        for name in before:
            self._directory.forget(name)
        after = {member: self._directory.group(member) for name in before for member in self._directory.group(name).public}
        moved = [
            name
            for name in before | after
            if name not in before or name not in after or before[name] != after[name]
        ]
        self._touch_runs(moved)
        for name in moved:
            groups = [groups[name] for groups in (before, after) if name in groups]
            publics = [group.public[name] for group in groups]
            self._work.datasets.update((name, *publics))
            self._work.kinds.update(publics)

    def _touch_runs(self, names: Iterable[Name]) -> None:
        """Have everything done again that names any of ``names``."""
        facts = self._records.facts
        for name in names:
            key = dataset_key(*name)
            self._work.flows.update(run for run, _ in facts.links(Table.TOUCHES, key))
            for other, _ in (*facts.links(Table.SOURCES, key), (key, b"")):
                self._work.declared.add(other)
                self._work.tellers.add(other)
            for other, _ in facts.links(Table.HIDDEN, key):
                (self._work.flows if self._records.run_by_key(other) else self._work.declared).add(other)


def _without_lineage(facets: Facets) -> dict[str, object]:
    return {name: value for name, value in facets.items() if name != "lineage"}
