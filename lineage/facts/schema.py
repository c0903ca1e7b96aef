"""The fields that a dataset's schema facet tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def schema_fields(facets: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of the schema facet among ``facets``, nested ones by their dotted path as ``name``."""
    schema = facets.get("schema")
    return list(_fields(schema.get("fields") if isinstance(schema, dict) else None, ""))


def _fields(fields: object, prefix: str) -> Iterator[dict[str, Any]]:
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict) and isinstance(field.get("name"), str):
            path = prefix + field["name"]
            yield {**field, "name": path}
            yield from _fields(field.get("fields"), path + ".")
