"""The rows of datasets and their columns, under their public names."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from lineage.facts.history import Span
from lineage.facts.schema import schema_fields
from lineage.fold.context import Context
from lineage.fold.emission import Emission
from lineage.fold.store import Table
from lineage.fold.wiring import owners, tag_items, tags
from lineage.keys import Base, column_key, dataset_key, store_key
from lineage.model import (
    Column,
    Dataset,
    Edge,
    EdgeKind,
    Gap,
    GapCode,
    Name,
    NameKey,
    NameScope,
    Schema,
    Transformation,
)

_encode = msgspec.msgpack.Encoder().encode
_Place = tuple[Name, str, str]
_Fed = tuple[Span, tuple[Transformation, ...]]
_SHOWN_OTHERWISE = ("ownership", "tags", "documentation", "symlinks")


class DatasetRows:
    """Gives the rows of datasets and columns."""

    def __init__(self, context: Context, emission: Emission) -> None:
        self._context = context
        self._emission = emission

    def give(self, name: Name) -> None:
        """Compute the rows of the dataset with this name: nothing if it goes under another or nothing names it."""
        key = dataset_key(*name)
        is_public = self._context.directory.resolve(name) == name
        if not is_public or not self._context.is_shown(name):
            self._emission.give(key, (), (), ())
            self._give_columns(name, {}, {})
            if not is_public:
                self._context.work.datasets.add(self._context.directory.resolve(name))
            return
        members = self._context.members(name)
        facets = self._facets(name, members)
        self._give_row(key, name, members, facets)
        self._give_columns(name, facets, self._columns(name, members))

    def give_again(self, name: Name) -> None:
        """As :meth:`give` for a dataset that was named once more with nothing new: only when is new."""
        public = self._context.directory.resolve(name)
        members = self._context.members(public)
        self._give_row(dataset_key(*public), public, members, self._facets(public, members))

    def _give_row(self, key: bytes, name: Name, members: tuple[Name, ...], facets: dict[str, Any]) -> None:
        names: list[NameKey] = [
            (NameScope.KEY, dataset_key(*member).hex(), key) for member in self._aliases(name, members)
        ]
        self._emission.give(key, (self._dataset(name, members, facets),), (), names)

    def _aliases(self, name: Name, members: tuple[Name, ...]) -> list[Name]:
        """All other names: symlinks, and parts of a model folder."""
        found = [member for member in members if member != name]
        if self._context.directory.is_root(name):
            facts = self._context.records.facts
            inside = (other.decode() for other, _ in facts.links(Table.NAMES, name.namespace.encode()))
            found += [Name(name.namespace, other) for other in inside if other.startswith(name.name + "/")]
        return found

    def _facets(self, name: Name, members: tuple[Name, ...]) -> dict[str, Any]:
        """Last writer wins among all names of the dataset, facet by facet."""
        told: dict[str, tuple[int, bytes, Any]] = {}
        for member in members:
            record = self._context.records.known_dataset(member)
            for facet, stamped in (record.facets.told if record else {}).items():
                if facet not in told or told[facet][:2] < stamped[:2]:
                    told[facet] = stamped
        return {
            facet: value
            for facet, (_, _, value) in sorted(told.items())
            if isinstance(value, dict) and value.get("_deleted") is not True
        }

    def _dataset(self, name: Name, members: tuple[Name, ...], facets: dict[str, Any]) -> Dataset:
        conflict = self._context.directory.group(name).conflict
        records = [self._context.records.known_dataset(member) for member in members]
        times = [minute for record in records if record and (minute := record.facets.minute) is not None]
        schemas = {digest: fields for record in records if record for digest, (_, fields) in record.schemas.items()}
        description = facets.get("documentation", {}).get("description")
        return Dataset(
            key=dataset_key(*name),
            namespace=name.namespace,
            name=name.name,
            is_model=self._context.is_model(name),
            aliases=tuple(member for member in members if member != name),
            owners=owners(facets),
            tags=tags(facets),
            description=description if isinstance(description, str) else None,
            dropped_at=self._context.timeline(name).dropped_at,
            updated_at=max(times, default=None),
            facets={facet: value for facet, value in facets.items() if facet not in _SHOWN_OTHERWISE},
            gaps=(Gap(GapCode.ALIAS_CONFLICT.value, conflict),) if conflict else (),
            schemas=tuple(Schema(digest, fields) for digest, fields in sorted(schemas.items())),
        )

    # -- columns

    def _columns(self, name: Name, members: tuple[Name, ...]) -> dict[_Place, list[_Fed]]:
        """(input, field, own field) -> when and how, for each that tells it; what goes into the whole goes into each
        field told."""
        found: dict[_Place, list[_Fed]] = {}
        for member in members:
            record = self._context.records.known_dataset(member)
            for told in record.columns.values() if record else ():
                fields = sorted({s.output_field for s in told.sources if s.output_field})
                for source in told.sources:
                    for field in [source.output_field] if source.output_field else fields:
                        place = (self._context.directory.resolve(source.name), source.field or "", field)
                        found.setdefault(place, []).append((told.span, source.transformations))
        return found

    def _give_columns(self, name: Name, facets: dict[str, Any], columns: dict[_Place, list[_Fed]]) -> None:
        unit = store_key(Base.COLUMN, "of", *name)
        edges: list[Edge] = []
        used: set[tuple[Name, str]] = {(name, field["name"]) for field in schema_fields(facets)}
        for (public, field, own), told in sorted(columns.items()):
            used |= {(public, field), (name, own)}
            edges.append(_edge(column_key(*public, field), column_key(*name, own), told))
        self._emission.give(unit, (), edges, ())
        described = blake2b(
            _encode((facets.get("schema"), facets.get("tags"), self._context.members(name))), digest_size=8
        ).digest()
        self._note_columns(name, unit, used, described)

    def _note_columns(self, name: Name, unit: bytes, used: set[tuple[Name, str]], described: bytes) -> None:
        """A column is there while its dataset's schema or any column lineage names it."""
        record = self._context.records.known_dataset(name)
        if record is None:
            return
        facts = self._context.records.facts
        now = {column_key(*dataset, field): (dataset, field) for dataset, field in used}
        if sorted(now) == record.fields and described == record.described:
            return
        if described != record.described:
            columns = [column.decode() for column, _ in facts.links(Table.FIELDS, dataset_key(*name))]
            self._context.work.columns.update((name, column) for column in columns)
        record.described = described
        for key in set(record.fields) - now.keys():
            packed = facts.linked(Table.COLUMNS, key, unit)
            facts.link(Table.COLUMNS, key, unit, None)
            if packed:
                self._context.work.columns.add(_unpack(packed))
        for key, place in now.items():
            facts.link(Table.COLUMNS, key, unit, _pack(place))
            self._context.work.columns.add(place)
        record.fields = sorted(now)
        self._context.records.mark(record)

    def give_column(self, name: Name, field: str) -> None:
        """Compute the row of one column."""
        key, facts = column_key(*name, field), self._context.records.facts
        if not any(True for _ in facts.links(Table.COLUMNS, key)):
            self._emission.give(key, (), (), ())
            facts.link(Table.FIELDS, dataset_key(*name), field.encode(), None)
            return
        facts.link(Table.FIELDS, dataset_key(*name), field.encode())
        members = self._context.members(name)
        facets = self._facets(name, members)
        told = next((each for each in schema_fields(facets) if each["name"] == field), {})
        column = Column(
            key=key,
            namespace=name.namespace,
            name=name.name,
            column=field,
            type=_text(told.get("type")),
            description=_text(told.get("description")),
            tags=tuple(sorted({text for text, column in tag_items(facets) if column == field})),
        )
        names: list[NameKey] = [
            (NameScope.KEY, column_key(*member, field).hex(), key) for member in members if member != name
        ]
        self._emission.give(key, (column,), (), names)


def _edge(source: bytes, target: bytes, told: list[_Fed]) -> Edge:
    """One edge from the first start to the last end, whatever is between, as those tell it that told it last."""
    ends = [until for (_, until), _ in told]
    end = None if None in ends else max(until for until in ends if until is not None)
    last = {how for (_, until), each in told if until == end for how in each}
    return Edge(
        EdgeKind.FEEDS,
        source,
        target,
        at=min(at for (at, _), _ in told),
        until=end,
        transformations=tuple(sorted(last, key=repr)),
    )


def _pack(place: tuple[Name, str]) -> bytes:
    (namespace, name), field = place
    return "\0".join((str(len(namespace)), str(len(name)), namespace + name + field)).encode()


def _unpack(value: bytes) -> tuple[Name, str]:
    first, second, joined = value.decode().split("\0", 2)
    at, end = int(first), int(first) + int(second)
    return Name(joined[:at], joined[at:end]), joined[end:]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
