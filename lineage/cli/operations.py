"""The named operations of ``graphql/operations``, as they stand: read without loading anything of GraphQL."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lineage.errors import LineageError

NAMES = ("Diff", "Impact", "Node", "Path", "Provenance", "Search", "TrainingData")


@cache
def operation(name: str) -> str:
    """The text of the operation ``name``."""
    for folder in _folders():
        file = folder / f"{name}.graphql"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise LineageError(f"The operation {name} is missing from this installation.", hint="Install lineage-graph anew.")


def _folders() -> list[Path]:
    """In a wheel they lie in the package, in a checkout beside it."""
    spec = find_spec("lineage_graphql")
    packages = [Path(place) for place in (spec.submodule_search_locations or ()) if spec] if spec else []
    return [folder for package in packages for folder in (package / "operations", package.parent / "operations")]
