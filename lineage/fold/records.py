"""The fold's records, decoded once and written back once for each batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import zstandard

from lineage.facts.claims import Claims, Telling
from lineage.facts.history import History, Span
from lineage.facts.registers import Register
from lineage.facts.schema import Fields
from lineage.flows.run import Rank
from lineage.fold.store import FactStore, Table
from lineage.fold.wire import ColumnLineage, JobWire, ToldColumns, ToldWire, Wire
from lineage.keys import dataset_key, job_key, run_key
from lineage.model import Name


class SeenBySiblings(msgspec.Struct, array_like=True, frozen=True):
    """What R8 asks of a run in the same process: when it began, whether it writes, what it reads and which of that are
    models."""

    start: int
    writes: bool
    reads: tuple[Name, ...]
    models: tuple[Name, ...]


class RunRecord(msgspec.Struct, array_like=True):
    """A run: how many events spoke of it (their claims stand apart), and what it last contributed to what others
    share. ``is_silent``: it is only named; ``silent_parents`` are such runs that it names."""

    run_id: str
    job: Name
    events: int = 0
    start: int | None = None
    touched: list[Name] = []
    wires: list[JobWire] = []
    columns: list[ToldColumns] = []
    hidden: list[Name] = []
    borrows: bool = False
    claimed: list[tuple[Name, Name]] = []
    references: dict[bytes, bytes] = {}
    parent: bytes | None = None
    silent_parents: list[bytes] = []
    family: str | None = None
    seen: SeenBySiblings | None = None
    infers: list[tuple[bytes, Name]] = []
    complete_rank: Rank | None = None
    needs: list[Name] = []
    is_silent: bool = False


class DatasetRecord(msgspec.Struct, array_like=True):
    """A dataset under one of its names. ``sources``: by facet, when it declared what it is made from, by the digest of
    what ``declared`` holds; ``columns``: by digest, the column lineage that is told of it; ``schemas``: by digest, when
    each was last told."""

    name: Name
    is_named: bool = False
    facets: Register = msgspec.field(default_factory=Register)
    sources: dict[str, History] = {}
    declared: dict[bytes, Any] = {}
    tellings: list[Telling] = []
    references: dict[bytes, bytes] = {}
    columns: dict[bytes, ColumnLineage] = {}
    schemas: dict[bytes, tuple[int, Fields]] = {}
    fields: list[bytes] = []
    described: bytes = b""
    hidden: list[Name] = []
    declared_sources: list[Name] = []
    declared_columns: dict[ToldColumns, Span] = {}
    told_of: list[Name] = []


class Rollout(msgspec.Struct, array_like=True, frozen=True):
    """What R17 compares of a deployment's rollouts."""

    start: int
    run_id: str
    end: int | None
    environment: str | None
    percent: float


class JobRecord(msgspec.Struct, array_like=True):
    """A job: its facets, when its JobEvents declared what (``declared`` and ``declared_wires`` by the digest in
    ``declarations``), and how often its runs told each wire, each column claim and, with the least start of these, each
    column lineage. ``runs`` counts those that spoke, ``silent_runs`` those that are only named."""

    name: Name
    facets: Register = msgspec.field(default_factory=Register)
    declarations: History = msgspec.field(default_factory=History)
    declared: dict[bytes, Claims] = {}
    declared_wires: dict[bytes, list[JobWire]] = {}
    declared_columns: dict[ToldColumns, Span] = {}
    declared_sources: list[Name] = []
    hidden: list[Name] = []
    tellings: list[Claims] = []
    told_of: list[Name] = []
    references: dict[bytes, bytes] = {}
    wires: dict[Wire, ToldWire] = {}
    columns: dict[ToldColumns, tuple[int, int]] = {}
    claims: dict[tuple[Name, Name], int] = {}
    rollouts: dict[bytes, Rollout] = {}
    last_complete: tuple[Rank, bytes] | None = None
    runs: int = 0
    silent_runs: int = 0
    needs: list[Name] = []


_Record = TypeVar("_Record", RunRecord, DatasetRecord, JobRecord)

_UNKNOWN = object()
_RAW, _ZSTD = b"\x00", b"\x01"
WORTH_COMPRESSING = 60
"""Bytes above which a body is compressed."""
DICTIONARY = (Path(__file__).parent / "facts.zdict").read_bytes()
"""Made by ``bench/facts_dictionary.py`` from generated events."""


class Records:
    """Records by table and key, each decoded once. ``mark`` what was changed; ``flush`` writes that back."""

    def __init__(self, facts: FactStore, *, capacity: int = 25_000) -> None:
        self.facts = facts
        self._capacity = capacity
        self._known: dict[tuple[Table, bytes], Any] = {}
        self._changed: dict[tuple[Table, bytes], None] = {}
        self._claims: dict[bytes, dict[bytes, Claims]] = {}
        self._rows: dict[bytes, dict[bytes, bytes]] = {}
        self._changed_rows: dict[bytes, None] = {}
        dictionary = zstandard.ZstdCompressionDict(DICTIONARY)
        self._compress = zstandard.ZstdCompressor(level=1, dict_data=dictionary, write_dict_id=False).compress
        self._decompress = zstandard.ZstdDecompressor(dict_data=dictionary).decompress
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode_claims = msgspec.msgpack.Decoder(Claims).decode
        self._decode_rows = msgspec.msgpack.Decoder(dict[bytes, bytes]).decode
        self._decoders: dict[Table, msgspec.msgpack.Decoder[Any]] = {
            Table.RUN: msgspec.msgpack.Decoder(RunRecord),
            Table.DATASET: msgspec.msgpack.Decoder(DatasetRecord),
            Table.JOB: msgspec.msgpack.Decoder(JobRecord),
        }

    def run(self, run_id: str, job: Name) -> RunRecord:
        """The run's record, a new one if there is none."""
        key = run_key(run_id, *job)
        found: RunRecord | None = self._load(Table.RUN, key)
        return found or self._new(Table.RUN, key, RunRecord(run_id, job))

    def run_by_key(self, key: bytes) -> RunRecord | None:
        """The run's record, or None."""
        return self._load(Table.RUN, key)  # type: ignore[no-any-return]

    def claims(self, key: bytes) -> dict[bytes, Claims]:
        """What the events of a run claim, by the hash of each event; callers leave it as it is."""
        found = self._claims.get(key)
        if found is None:
            found = self._claims[key] = {}
            for event, value in self.facts.links(Table.CLAIMS, key):
                found[event] = msgspec.structs.replace(self._decode_claims(self.unpack(value)), hash=event)
        return found

    def claim(self, key: bytes, record: RunRecord, claims: Claims) -> bool:
        """Take what one event of a run claims; False if that is known."""
        known = self.claims(key) if record.events else self._claims.setdefault(key, {})
        if claims.hash in known:
            return False
        known[claims.hash] = claims
        record.events += 1
        value = self.pack(msgspec.structs.replace(claims, hash=b""))
        self.facts.link(Table.CLAIMS, key, claims.hash, value)
        self.mark(record)
        return True

    def dataset(self, name: Name) -> DatasetRecord:
        """The record of a dataset under this name, a new one if there is none."""
        key = dataset_key(*name)
        found: DatasetRecord | None = self._load(Table.DATASET, key)
        if found is None:
            self.facts.link(Table.NAMES, name.namespace.encode(), name.name.encode())
        return found or self._new(Table.DATASET, key, DatasetRecord(name))

    def known_dataset(self, name: Name) -> DatasetRecord | None:
        """The record of a dataset under this name, or None."""
        return self._load(Table.DATASET, dataset_key(*name))  # type: ignore[no-any-return]

    def dataset_by_key(self, key: bytes) -> DatasetRecord | None:
        """The record of a dataset, or None."""
        return self._load(Table.DATASET, key)  # type: ignore[no-any-return]

    def job(self, name: Name) -> JobRecord:
        """The job's record, a new one if there is none."""
        key = job_key(*name)
        found: JobRecord | None = self._load(Table.JOB, key)
        return found or self._new(Table.JOB, key, JobRecord(name))

    def job_by_key(self, key: bytes) -> JobRecord | None:
        """The job's record, or None."""
        return self._load(Table.JOB, key)  # type: ignore[no-any-return]

    def mark(self, record: RunRecord | DatasetRecord | JobRecord) -> None:
        """Have ``record`` written back by the next ``flush``."""
        if isinstance(record, RunRecord):
            self._changed[Table.RUN, run_key(record.run_id, *record.job)] = None
        elif isinstance(record, DatasetRecord):
            self._changed[Table.DATASET, dataset_key(*record.name)] = None
        else:
            self._changed[Table.JOB, job_key(*record.name)] = None

    def rows(self, unit: bytes) -> dict[bytes, bytes]:
        """What was last given to the graph for ``unit``: by row key, the digest of the row."""
        found = self._rows.get(unit)
        if found is None:
            raw = self.facts.get(Table.ROWS, unit)
            found = self._rows[unit] = {} if raw is None else self._decode_rows(self.unpack(raw))
        return found

    def set_rows(self, unit: bytes, rows: dict[bytes, bytes]) -> None:
        """Remember what was given to the graph for ``unit``."""
        self._rows[unit] = rows
        self._changed_rows[unit] = None

    def flush(self) -> None:
        """Write back what was marked, and let go of what is too much to hold."""
        for table, key in self._changed:
            self.facts.put(table, key, self.pack(self._known[table, key]))
        self._changed.clear()
        for unit in self._changed_rows:
            rows = self._rows[unit]
            self.facts.put(Table.ROWS, unit, self.pack(rows) if rows else None)
        self._changed_rows.clear()
        if len(self._rows) > self._capacity:
            self._rows.clear()
        if len(self._known) > self._capacity:
            self._known.clear()
            self._claims.clear()

    def forget(self) -> None:
        """Drop everything decoded, changed or not."""
        self._known.clear()
        self._claims.clear()
        self._changed.clear()
        self._rows.clear()
        self._changed_rows.clear()

    def _load(self, table: Table, key: bytes) -> Any:
        place = table, key
        found = self._known.get(place, _UNKNOWN)
        if found is _UNKNOWN:
            raw = self.facts.get(table, key)
            found = None
            if raw is not None:
                found = self._decoders[table].decode(self.unpack(raw))
            self._known[place] = found
        return found

    def _new(self, table: Table, key: bytes, record: _Record) -> _Record:
        self._known[table, key] = record
        self._changed[table, key] = None
        return record

    def pack(self, value: Any) -> bytes:
        """The bytes to store for ``value``."""
        body = self._encode(value)
        return _ZSTD + self._compress(body) if len(body) > WORTH_COMPRESSING else _RAW + body

    def unpack(self, raw: bytes) -> bytes:
        """The encoded value of what :meth:`pack` gave."""
        return self._decompress(raw[1:]) if raw[:1] == _ZSTD else raw[1:]
