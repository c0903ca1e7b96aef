"""What the past is looked up by and nothing else: which events told of what, where no other fact says so.

A run's events are known by its claims, the runs that name a dataset by its touches. What is told without a run, and
what a later event may replace so that the facts no longer show it, is posted here as events come. A posting says only
where to look: one too many costs a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from uuid import UUID

import msgspec

from lineage.event.model import Event
from lineage.facts.claims import Claims, Parent, Read, Source, Write
from lineage.facts.extract import DECLARED_SOURCES, dataset_telling, declared_sources
from lineage.facts.naming import named_aside, names_in
from lineage.facts.registers import Stamp
from lineage.facts.schema import schema_fields
from lineage.fold.records import Records
from lineage.fold.store import FactStore, Table
from lineage.keys import dataset_key, job_key, run_key
from lineage.model import Digest, Name

Place = tuple[int, int]
"""(ledger index, position) of a record."""

Column = tuple[Name, str]

TELLS = 8
"""Bit of TOUCHES: some event of the run tells which version or which content of the dataset it read."""

NAMING = {"symlinks": 1, "datasetType": 2}
"""Facets that say how a dataset is called, and of what type it is, each with its bit of NAMINGS."""

Renames = Callable[[Name, str, Place, Stamp], bool]
"""Whether a facet counts for how a dataset is called, by the place and the stamp of the event that tells it."""


def any_event(name: Name, facet: str, place: Place, stamp: Stamp) -> bool:
    """Each does."""
    return True


_POSITION_BITS = 24
_REMEMBERED = 50_000
_PLACE = 8
_DIGEST, _COMMIT, _SILENT, _ONCE = b"d", b"c", b"s", b"o"
_UUID = b"\xff"
"""Stands before a runId in sixteen bytes; no text begins with it."""


class Postings:
    """Writes postings."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._facts = records.facts
        self._posted: set[tuple[bytes, bytes]] = set()

    def post_run_event(self, event: Event, claims: Claims, known: Iterable[Claims]) -> None:
        """Post what a RunEvent tells beyond claims and touches; ``known`` is what the run's events claimed before."""
        assert event.job is not None
        self._post_content(event.job, claims)
        if claims.parent and all(each.parent != claims.parent for each in known):
            self._post_parent(claims.parent)
        if claims.type == "ABORT" or any(write.columns for write in claims.writes):
            mine = _column_tellings(claims)
            others = [each for each in known if _column_tellings(each) != mine]
            told = set(_columns(claims)) if others else set()
            for column in dict.fromkeys(column for each in others for column in _columns(each)):
                if column not in told:
                    self._post_column(column)

    def _post_parent(self, parent: Parent) -> None:
        """Post the runs that a run names as its parent and root, unless they have spoken."""
        for run_id, job in filter(None, ((parent.run_id, parent.job), parent.root)):
            if self._facts.linked(Table.RUN_IDS, run_id.encode(), run_key(run_id, *job)) is None:
                self._facts.link(Table.SOUGHT, sought_silent(job_key(*job)), _packed(run_id))
                self._post_sought(_ONCE, b"J" + msgspec.msgpack.encode(job))

    def post_job_event(self, event: Event, claims: Claims) -> None:
        """Post what a JobEvent tells of, and where it stands."""
        assert event.job is not None
        self._post_content(event.job, claims)
        tells = any(write.version or write.digests for write in claims.writes)
        keys = [job_key(*event.job), *(dataset_key(*name) for name in names_in(claims))]
        self._post_place(keys, (claims.index, claims.position), tells=tells)

    def post_dataset_event(self, index: int, position: int, event: Event) -> None:
        """Post what a DatasetEvent tells of, and where it stands."""
        assert event.dataset is not None
        telling = dataset_telling(event)
        for digest in telling.digests if telling else ():
            self._post_digest(event.dataset.name, digest)
        keys = [dataset_key(*name) for name in names_of_dataset_event(event)]
        self._post_place(keys, (index, position), tells=telling is not None)

    def post_identifiers(self, name: Name, identifiers: Iterable[Name], *, withdrawn: Iterable[Name]) -> None:
        """Post the identifiers of a symlinks facet under the dataset that carries it, and those of the one before."""
        for identifier in identifiers:
            self._facts.link(Table.IDENTIFIERS, dataset_key(*name), msgspec.msgpack.encode(identifier))
        for identifier in withdrawn:
            self._post_name(identifier)

    def post_naming(self, name: Name, place: Place, changed: Iterable[str] = ()) -> None:
        """Post where an event stands that shows that a dataset is one model, or changes how it is called or of what
        type it is, by the facets ``changed``. At any time these events alone tell the same as all do: what others told
        changed nothing when it came."""
        key, posting = posted_under(dataset_key(*name)), posting_of(place)
        before = self._facts.linked(Table.NAMINGS, key, posting) or b"\0"
        bits = before[0] | sum(NAMING.get(facet, 0) for facet in changed)
        self._facts.link(Table.NAMINGS, key, posting, bytes([bits]))

    def post_replaced_schema(self, name: Name, before: object, after: object) -> None:
        """Post the fields that a dataset had and may not have any more."""
        kept = {field["name"] for field in schema_fields({"schema": after})}
        for field in schema_fields({"schema": before}):
            if field["name"] not in kept:
                self._post_column((name, field["name"]))

    def _post_place(self, keys: Iterable[bytes], place: Place, *, tells: bool) -> None:
        packed = posting_of(place)
        for key in dict.fromkeys(keys):
            self._facts.link(Table.POSTINGS, posted_under(key), packed, b"\x01" if tells else b"")

    def _post_content(self, job: Name, claims: Claims) -> None:
        # What is named otherwise has a record by now.
        for name in named_aside(claims):
            if self._records.known_dataset(name) is None:
                self._post_name(name)
        tellings: list[Read | Write] = [*claims.reads, *claims.writes]
        for told in tellings:
            for digest in told.digests:
                self._post_digest(told.name, digest)
        if claims.commit:
            self._post_sought(sought_commit(claims.commit), job_key(*job))

    def _post_digest(self, name: Name, digest: Digest) -> None:
        self._post_sought(sought_digest(digest.digest), dataset_key(*name))

    def _post_sought(self, key: bytes, other: bytes) -> None:
        """Post what most events tell that others told: once, as long as it is remembered."""
        if (key, other) in self._posted:
            return
        if len(self._posted) >= _REMEMBERED:
            self._posted.clear()
        self._posted.add((key, other))
        self._facts.link(Table.SOUGHT, key, other)

    def _post_name(self, name: Name) -> None:
        self._facts.link(Table.SOUGHT, _ONCE, b"D" + msgspec.msgpack.encode(name))

    def _post_column(self, column: Column) -> None:
        self._facts.link(Table.SOUGHT, _ONCE, b"C" + msgspec.msgpack.encode(column))


def posting_of(place: Place) -> bytes:
    """The posting of the event at ``place``."""
    index, position = place
    return (index << _POSITION_BITS | position).to_bytes(_PLACE)


def place_of(posting: bytes) -> Place:
    """Where the event of a posting stands."""
    index, position = divmod(int.from_bytes(posting), 1 << _POSITION_BITS)
    return index, position


def posted_under(key: bytes) -> bytes:
    """What the postings of a dataset or job are found under."""
    return key[:_PLACE]


def sought_digest(digest: str) -> bytes:
    """What leads to the datasets of which a content hash was told."""
    return _DIGEST + _hash(digest)


def sought_commit(commit: str) -> bytes:
    """What leads to the jobs of which a commit was told."""
    return _COMMIT + _hash(commit)


def sought_silent(job: bytes) -> bytes:
    """What leads to the runIds that were named under a job before they spoke: :func:`run_id_of` reads them."""
    return _SILENT + posted_under(job)


def run_id_of(packed: bytes) -> str:
    """The runId that is sought."""
    return str(UUID(bytes=packed[1:])) if packed[:1] == _UUID else packed.decode()


def withdrawn(facts: FactStore) -> Iterator[tuple[str, Name, str | None]]:
    """(D for a dataset, J for a job, C for a column; name; field) of all that may be no more."""
    for packed, _ in facts.links(Table.SOUGHT, _ONCE):
        kind, rest = packed[:1].decode(), packed[1:]
        if kind == "C":
            (namespace, name), field = msgspec.msgpack.decode(rest)
            yield kind, Name(namespace, name), field
        else:
            yield kind, Name(*msgspec.msgpack.decode(rest)), None


def names_of_dataset_event(event: Event) -> Iterator[Name]:
    """Every name of a dataset in a DatasetEvent, some more than once."""
    assert event.dataset is not None
    yield event.dataset.name
    for facet in DECLARED_SOURCES:
        if facet in event.dataset.facets:
            yield from (source.name for source in declared_sources({facet: event.dataset.facets[facet]}) or ())


def _column_tellings(claims: Claims) -> object:
    """Equal for claims of which :func:`_columns` gives the same."""
    return [(write.name, write.columns) for write in claims.writes if write.columns], claims.entries


def _columns(claims: Claims) -> Iterator[Column]:
    told: list[tuple[Name, Source]] = [(write.name, source) for write in claims.writes for source in write.columns]
    told += [(entry.target, source) for entry in claims.entries if entry.target for source in entry.sources]
    for target, source in told:
        if source.field is not None:
            yield source.name, source.field
        if source.output_field is not None:
            yield target, source.output_field


def _packed(run_id: str) -> bytes:
    try:
        found = UUID(run_id)
    except ValueError:
        return run_id.encode()
    return _UUID + found.bytes if str(found) == run_id else run_id.encode()


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_PLACE).digest()
