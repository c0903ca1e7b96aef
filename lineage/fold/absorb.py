"""Events into facts: every event is merged into the records of what it speaks of, and marks what that touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from lineage.dialects import dialect_of
from lineage.event.model import Event, EventDataset, EventKind, Facets
from lineage.facts.claims import Claims
from lineage.facts.extract import (
    DECLARED_SOURCES,
    dataset_telling,
    declared_sources,
    lasting_facets,
    run_claims,
    symlinks,
)
from lineage.facts.naming import named_by_facets, read_by_facets
from lineage.fold import order
from lineage.fold.declarations import declare_dataset, declare_job
from lineage.fold.directory import NAMED, READS, WRITES, Directory, Group
from lineage.fold.postings import NAMING, TELLS, Place, Postings, Renames
from lineage.fold.records import DatasetRecord, Records
from lineage.fold.schemas import tell_schema
from lineage.fold.store import Table
from lineage.fold.work import Work
from lineage.keys import dataset_key, job_key, run_key
from lineage.model import Name


class Absorber:
    """Merges events into facts. Merging one again changes nothing."""

    def __init__(self, records: Records, directory: Directory, work: Work, renames: Renames) -> None:
        self._records = records
        self._renames = renames
        self._directory = directory
        self._work = work
        self._postings = Postings(records)
        self._place: Place = (0, 0)

    def absorb(self, index: int, position: int, event: Event) -> None:
        """Take one event as it was received."""
        self._place = index, position
        dialect = dialect_of(event)
        meant = dialect.meant(event)
        for root in dialect.model_roots(meant):
            self._absorb_root(root)
        if meant.kind is EventKind.DATASET:
            self._postings.post_dataset_event(index, position, meant)
            self._absorb_dataset_event(meant)
            return
        claims = dialect.claims(meant, run_claims(meant, index, position))
        claims = msgspec.structs.replace(claims, dialect=dialect.name)
        self._absorb_datasets(meant)
        for name in named_by_facets(claims):
            self._name(name)
        self._absorb_job(meant)
        if meant.kind is EventKind.JOB:
            self._postings.post_job_event(meant, claims)
            self._absorb_job_event(meant, claims)
        else:
            self._absorb_run_event(meant, claims)

    # -- runs and jobs

    def _absorb_run_event(self, event: Event, claims: Claims) -> None:
        assert event.run_id is not None
        assert event.job is not None
        record = self._records.run(event.run_id, event.job)
        key = run_key(event.run_id, *event.job)
        known = self._records.claims(key).values() if record.events else ()
        self._postings.post_run_event(event, claims, known)
        if not self._records.claim(key, record, claims):
            return
        if record.events == 1:
            self._greet(key, event.run_id, event.job)
        self._work.flows.add(key)
        if claims.parent:
            for run_id in {claims.parent.run_id, *((claims.parent.root[0],) if claims.parent.root else ())}:
                self._records.facts.link(Table.CHILDREN, run_id.encode(), key)
        self._note_touches(key, event, claims, is_new=record.events == 1)

    def _greet(self, key: bytes, run_id: str, job: Name) -> None:
        """A run speaks for the first time: those that named it as their parent may mean it."""
        facts = self._records.facts
        facts.link(Table.RUN_IDS, run_id.encode(), key)
        record = self._records.job(job)
        record.runs += 1
        self._records.mark(record)
        self._work.flows.update(child for child, _ in facts.links(Table.CHILDREN, run_id.encode()))

    def _note_touches(self, key: bytes, event: Event, claims: Claims, *, is_new: bool) -> None:
        facts = self._records.facts
        touched: dict[Name, int] = {}
        for dataset in event.inputs:
            touched[dataset.name] = touched.get(dataset.name, 0) | READS
        for dataset in event.outputs:
            touched[dataset.name] = touched.get(dataset.name, 0) | WRITES
        for name in read_by_facets(claims):
            touched[name] = touched.get(name, 0) | READS
        renamed = (write.previous for write in claims.writes if write.previous is not None)
        for name in (*named_by_facets(claims), *renamed):
            touched[name] = touched.get(name, 0) | NAMED
        for read in claims.reads:
            if read.version or read.digests:
                touched[read.name] = touched.get(read.name, 0) | TELLS
        for name, bits in touched.items():
            known = None if is_new else facts.linked(Table.TOUCHES, dataset_key(*name), key)
            before = known[0] if known else 0
            if before | bits == before:
                continue
            if self._touches_alias(key, name):
                with self._regrouping({name}):
                    facts.link(Table.TOUCHES, dataset_key(*name), key, bytes([before | bits]))
            else:
                facts.link(Table.TOUCHES, dataset_key(*name), key, bytes([before | bits]))

    def _touches_alias(self, run: bytes, name: Name) -> bool:
        """Whether the run touches the dataset under another of its names too: that alone may untie them (R2)."""
        group = self._directory.group(name)
        if len(group.public) == 1:
            return False
        linked = self._records.facts.linked
        called = (other for member in group.public for other in self._directory.called(member))
        return any(linked(Table.TOUCHES, dataset_key(*other), run) for other in called if other != name)

    def _absorb_job(self, event: Event) -> None:
        assert event.job is not None
        record = self._records.job(event.job)
        minute = record.facets.minute
        changed = record.facets.merge(_without_lineage(event.job_facets), (event.time, event.hash))
        self._records.mark(record)
        if changed or record.facets.minute != minute:
            self._work.jobs.add(event.job)
        if "jobType" in changed:
            runs = self._records.facts.links(Table.JOB_RUNS, job_key(*event.job))
            self._work.flows.update(place[order.SIZE :] for place, _ in runs)

    def _absorb_job_event(self, event: Event, claims: Claims) -> None:
        assert event.job is not None
        record = self._records.job(event.job)
        key = job_key(*event.job)
        if declare_job(self._records.facts, record, claims):
            self._work.declared.add(key)
        tells = any(write.version or write.digests for write in claims.writes)
        if tells and all(known.hash != claims.hash for known in record.tellings):
            record.tellings.append(claims)
            self._work.tellers.add(key)
            self._work.declared.add(key)
        self._records.mark(record)

    # -- datasets

    def _absorb_dataset_event(self, event: Event) -> None:
        assert event.dataset is not None
        stamp = (event.time, event.hash)
        self._absorb_facets(event.dataset.name, lasting_facets(event.dataset), stamp)
        self._absorb_schema(event.dataset, event.time)
        record = self._records.dataset(event.dataset.name)
        key = dataset_key(*event.dataset.name)
        declared = {name: event.dataset.facets[name] for name in DECLARED_SOURCES if name in event.dataset.facets}
        for source in declared_sources({"lineage": declared.get("lineage")}) or ():
            self._name(source.name)
        if declare_dataset(self._records.facts, record, declared, stamp):
            self._work.declared.add(key)
        telling = dataset_telling(event)
        if telling is not None and telling not in record.tellings:
            record.tellings.append(telling)
            self._work.tellers.add(key)
            self._work.declared.add(key)
        self._records.mark(record)

    def _absorb_datasets(self, event: Event) -> None:
        facets: dict[Name, dict[str, Any]] = {}
        for dataset in (*event.inputs, *event.outputs):
            told, before = lasting_facets(dataset), facets.get(dataset.name)
            facets[dataset.name] = told if before is None or before is told else before | told
        for name, told in facets.items():
            self._absorb_facets(name, told, (event.time, event.hash))
        for dataset in (*event.inputs, *event.outputs):
            self._absorb_schema(dataset, event.time)

    def _absorb_schema(self, dataset: EventDataset, time: int) -> None:
        if tell_schema(self._records.dataset(dataset.name), dataset, time):
            self._work.seen.add(dataset.name)

    def _absorb_facets(self, name: Name, facets: Facets, stamp: tuple[int, bytes]) -> None:
        record = self._name(name)
        if not NAMING.keys().isdisjoint(facets):
            place, renames = self._place, self._renames
            facets = {f: v for f, v in facets.items() if f not in NAMING or renames(name, f, place, stamp)}
        minute, schema = record.facets.minute, record.facets.value("schema") if "schema" in facets else {}
        if "symlinks" in facets and record.facets.would_change("symlinks", facets["symlinks"], stamp):
            before = symlinks(record.facets.value("symlinks"))
            identifiers = symlinks(facets["symlinks"])
            self._postings.post_identifiers(name, identifiers, withdrawn=set(before) - set(identifiers))
            with self._regrouping({name, *before, *identifiers}):
                changed = record.facets.merge(facets, stamp)
                for identifier in identifiers:
                    self._records.facts.link(Table.CARRIERS, dataset_key(*identifier), dataset_key(*name))
                    self._records.facts.link(Table.NAMES, identifier.namespace.encode(), identifier.name.encode())
        else:
            changed = record.facets.merge(facets, stamp)
        self._records.mark(record)
        if not NAMING.keys().isdisjoint(changed):
            self._postings.post_naming(name, self._place, changed)
        if schema and "schema" in changed:
            self._postings.post_replaced_schema(name, schema, record.facets.value("schema"))
        if changed:
            self._work.datasets.add(name)
        elif record.facets.minute != minute:
            self._work.seen.add(name)
        if "datasetType" in changed:
            self._directory.forget(name)
            self._touch_runs(self._directory.group(name).public)
            self._work.kinds.add(self._directory.resolve(name))

    def _name(self, name: Name) -> DatasetRecord:
        """An event names the dataset: whoever hid it shows it from now on (R7)."""
        record = self._records.dataset(name)
        if not record.is_named:
            record.is_named = True
            self._records.mark(record)
            self._work.datasets.add(name)
            self._work.datasets.add(self._directory.resolve(name))
            for member in (name, *self._directory.group(name).public):
                for key, _ in (
                    *self._records.facts.links(Table.HIDDEN, dataset_key(*member)),
                    *self._records.facts.links(Table.NEEDS, dataset_key(*member)),
                ):
                    self._redo(key)
        return record

    def _redo(self, key: bytes) -> None:
        """Have the flows of this run computed anew, or what this job or dataset declares."""
        if self._records.run_by_key(key):
            self._work.flows.add(key)
        else:
            self._work.declared.add(key)
            self._work.tellers.add(key)

    # -- names

    def _absorb_root(self, root: Name) -> None:
        if self._directory.is_root(root):
            return
        self._postings.post_naming(root, self._place)
        inside = self._directory.names_inside(root)
        with self._regrouping({root, *inside}):
            self._directory.add_root(root)
        self._touch_runs((root, *inside))
        self._work.datasets.update(inside)
        self._work.kinds.add(self._directory.resolve(root))
        self._name(root)

    @contextmanager
    def _regrouping(self, names: set[Name]) -> Iterator[None]:
        """Around a change of what ties ``names`` to others: every run of a name whose group differs is looked at
        again."""
        before = self._groups(names)
        yield
        for name in before:
            self._directory.forget(name)
        after = self._groups({*before, *names})
        moved = [name for name in before | after if before.get(name) != after.get(name)]
        self._touch_runs(moved)
        for name in moved:
            publics = {groups[name].public[name] for groups in (before, after) if name in groups}
            self._work.datasets |= {name, *publics}
            self._work.kinds |= publics

    def _groups(self, names: set[Name]) -> dict[Name, Group]:
        groups = [self._directory.group(name) for name in names]
        return {member: group for group in groups for member in group.public}

    def _touch_runs(self, names: Iterable[Name]) -> None:
        """Have everything done again that names any of ``names``."""
        facts = self._records.facts
        for spelling in [called for name in names for called in self._directory.called(name)]:
            key = dataset_key(*spelling)
            self._work.flows.update(run for run, _ in facts.links(Table.TOUCHES, key))
            for table in (Table.SOURCES, Table.HIDDEN, Table.TELLERS):
                for other, _ in facts.links(table, key):
                    self._redo(other)
            self._work.declared.add(key)
            self._work.tellers.add(key)


def _without_lineage(facets: Facets) -> dict[str, object]:
    return {name: value for name, value in facets.items() if name != "lineage"}
