"""The fields that a dataset's schema facet tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

Fields = tuple[tuple[str, str | None], ...]
"""Name and type of each field, in their order, nested ones after the field that has them, by their dotted path."""

_encode = msgspec.msgpack.Encoder().encode


def schema_fields(facets: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of the schema facet among ``facets``, nested ones by their dotted path as ``name``."""
    return [{**field, "name": path} for path, field in _fields(_listed(facets.get("schema")), "")]


def fields_of(facets: Mapping[str, Any]) -> Fields:
    """What tells one schema from another: names and types, whatever is said about them."""
    told = _listed(facets.get("schema"))
    return tuple([(path, kind if isinstance(kind := f.get("type"), str) else None) for path, f in _fields(told, "")])


def schema_digest(fields: Fields) -> bytes | None:
    """Eight bytes that stand for a dataset's schema; None for one without fields."""
    return blake2b(_encode(fields), digest_size=8).digest() if fields else None


def _listed(told: Any) -> Any:
    return told.get("fields") if isinstance(told, dict) and told.get("_deleted") is not True else None


def _fields(fields: object, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict) and isinstance(field.get("name"), str):
            path = prefix + field["name"]
            yield path, field
            if "fields" in field:
                yield from _fields(field["fields"], path + ".")
