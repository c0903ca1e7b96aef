"""The JSON schemas of our own facets (OpenLineage 2-0-2, custom facets), as files beside this one, for servers and
validators.

>>> "ContentHashDatasetFacet" in facet_names()
True
>>> load_facet_schema("RoleDatasetFacet")["$id"]
'urn:lineage-graph:facet:RoleDatasetFacet:1-0-0'
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

URN = "urn:lineage-graph:facet:"
VERSION = "1-0-0"
"""Of every schema here. A published schema never changes: another one gets another version and another ``$id``."""


def facet_id(name: str) -> str:
    """The schema's ``$id``, a URN (RFC 8141) that holds its name and version."""
    return f"{URN}{name}:{VERSION}"


def facet_names() -> tuple[str, ...]:
    """The names of all schemas, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json")))


def read_facet_schema(name: str) -> bytes:
    """The schema's bytes as published. Raises KeyError for a name that is not in :func:`facet_names`."""
    if name not in facet_names():
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}.json").read_bytes()


def load_facet_schema(name: str) -> dict[str, Any]:
    """The schema, parsed. Raises KeyError for a name that is not in :func:`facet_names`."""
    schema: dict[str, Any] = json.loads(read_facet_schema(name))
    return schema
