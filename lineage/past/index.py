"""Where to look for what told of a thing: the facts that are kept, and those of the events folded for the past.

The kept facts know every event up to their watermark, the later ones too: whatever is found is narrowed to the past.
Only tables to which the fold only adds are read, and of records only the names.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lineage.facts.claims import Claims
from lineage.facts.naming import names_in
from lineage.facts.registers import Stamp
from lineage.fold.postings import NAMING, Place, place_of, posted_under, posting_of, run_id_of, sought_silent, withdrawn
from lineage.fold.records import Records
from lineage.fold.store import FactStore, Table
from lineage.keys import dataset_key
from lineage.model import Name

_FOLDER_END = "0"
"""What follows ``/``: the names inside a folder are those before it."""


class Index:
    """Looks up, of the first ``until`` ledger entries. ``kept`` must stay as it is while it is asked."""

    def __init__(self, kept: FactStore, own: Records, until: int) -> None:
        self._own = own
        self._until = until
        self._claims: dict[bytes, list[Claims]] = {}
        self.look_in(kept)

    def look_in(self, kept: FactStore) -> None:
        """Look in ``kept`` from now on, which reflects at least what was looked in before."""
        self._kept = Records(kept)
        self._size = kept.watermark()

    def look_also_in(self, own: Records) -> None:
        """Look in the records of a new fold from now on, beside the kept facts."""
        self._own = own

    # -- runs and jobs

    def claims(self, run: bytes) -> list[Claims]:
        """What the run's events claim."""
        found = self._claims.get(run)
        if found is None:
            told = {**self._own.claims(run), **self._kept.claims(run)}
            found = self._claims[run] = [claims for claims in told.values() if claims.index < self._until]
        return found

    def run(self, run: bytes) -> tuple[str, Name] | None:
        """The runId and the job."""
        record = self._kept.run_by_key(run) or self._own.run_by_key(run)
        return (record.run_id, record.job) if record else None

    def job(self, job: bytes) -> Name | None:
        """The name of the job."""
        record = self._kept.job_by_key(job) or self._own.job_by_key(job)
        return record.name if record else None

    def runs_of(self, job: bytes) -> set[bytes]:
        """The runs of a job that spoke."""
        return {other[-len(job) :] for other in self._links(Table.JOB_RUNS, job)}

    def runs_called(self, run_id: str) -> set[bytes]:
        """The runs with this runId that spoke."""
        return set(self._links(Table.RUN_IDS, run_id.encode()))

    def children(self, run_id: str) -> set[bytes]:
        """The runs that name a run with this runId as parent or root."""
        return set(self._links(Table.CHILDREN, run_id.encode()))

    # -- datasets

    def dataset(self, key: bytes) -> Name | None:
        """The name of the dataset."""
        record = self._kept.dataset_by_key(key) or self._own.dataset_by_key(key)
        if record is not None:
            return record.name
        runs = self._links(Table.TOUCHES, key)
        told = (name for run in runs for claims in self.claims(run) for name in names_in(claims))
        return next((name for name in told if dataset_key(*name) == key), None)

    def touches(self, name: Name) -> dict[bytes, int]:
        """The runs that name the dataset, each with the bits of TOUCHES."""
        found: dict[bytes, int] = {}
        for run, value in self._links_with_values(Table.TOUCHES, dataset_key(*name)):
            found[run] = found.get(run, 0) | value[0]
        return found

    def namings(self, name: Name) -> set[Place]:
        """Where the events stand that changed how the dataset is called, or what type it is of."""
        found = map(place_of, self._links(Table.NAMINGS, posted_under(dataset_key(*name))))
        return {place for place in found if place[0] < self._until}

    def renames(self, name: Name, facet: str, place: Place, stamp: Stamp) -> bool:
        """Whether the event at ``place`` changed by this facet how the dataset is called, when it came. Of one that the
        kept facts do not reflect: whether it comes after what these have, as the fold takes all that comes after."""
        if place[0] < self._size:
            key = posted_under(dataset_key(*name))
            bits = self._kept.facts.linked(Table.NAMINGS, key, posting_of(place))
            return bits is not None and bool(bits[0] & NAMING[facet])
        record = self._kept.known_dataset(name)
        told = record.facets.told.get(facet) if record else None
        return told is None or told[:2] < stamp

    def carriers(self, identifier: Name) -> set[Name]:
        """The datasets that have, or had, this identifier among their symlinks."""
        return self.carriers_of(dataset_key(*identifier))

    def carriers_of(self, identifier: bytes) -> set[Name]:
        """As :meth:`carriers`, of the key that the identifier has as a dataset's name."""
        found = (self.dataset(key) for key in self._links(Table.CARRIERS, identifier))
        return {name for name in found if name is not None}

    def identifiers(self, name: Name) -> set[Name]:
        """The identifiers that the dataset has, or had, among its symlinks."""
        return {Name(*msgspec.msgpack.decode(other)) for other in self._links(Table.IDENTIFIERS, dataset_key(*name))}

    def root(self, name: Name) -> Name:
        """The outermost folder that holds ``name`` and is, or becomes, one model; else ``name``."""
        roots = {other.decode() for other in self._links(Table.ROOTS, name.namespace.encode())}
        end = name.name.find("/", 1) if roots else -1
        while end != -1:
            if name.name[:end] in roots:
                return Name(name.namespace, name.name[:end])
            end = name.name.find("/", end + 1)
        return name

    def is_root(self, name: Name) -> bool:
        """Whether ``name`` is a folder that is, or becomes, one model."""
        return self.root(Name(name.namespace, f"{name.name}/")) == name

    def inside(self, folder: Name) -> list[Name]:
        """The names in a folder."""
        start, end = f"{folder.name}/".encode(), f"{folder.name}{_FOLDER_END}".encode()
        found: set[str] = set()
        for facts in (self._kept.facts, self._own.facts):
            for other, _ in facts.links_from(Table.NAMES, folder.namespace.encode(), start):
                if other >= end:
                    break
                found.add(other.decode())
        return [Name(folder.namespace, name) for name in sorted(found)]

    # -- what is posted

    def postings(self, key: bytes) -> dict[Place, bool]:
        """Where the JobEvents and DatasetEvents stand that tell of a dataset or job; whether they tell of versions."""
        found: dict[Place, bool] = {}
        for other, value in self._links_with_values(Table.POSTINGS, posted_under(key)):
            place = place_of(other)
            if place[0] < self._until:
                found[place] = bool(value)
        return found

    def once_silent(self, job: bytes) -> list[str]:
        """The runIds that were named under the job with this key before they spoke."""
        return sorted(map(run_id_of, self.sought(sought_silent(job))))

    def sought(self, key: bytes) -> set[bytes]:
        """What :mod:`lineage.fold.postings` posted under ``key``."""
        return set(self._links(Table.SOUGHT, key))

    def withdrawn(self) -> Iterator[tuple[str, Name, str | None]]:
        """All that may be there no more."""
        for facts in (self._kept.facts, self._own.facts):
            yield from withdrawn(facts)

    def _links(self, table: Table, key: bytes) -> Iterator[bytes]:
        return (other for other, _ in self._links_with_values(table, key))

    def _links_with_values(self, table: Table, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        for facts in (self._kept.facts, self._own.facts):
            yield from facts.links(table, key)
