"""The graph in words that need no key: what the reference gives, what the fold gives, and how they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from reference_fold.world import RunId

from lineage.event.model import Name
from lineage.facts.schema import Fields

VersionId = tuple[object, ...]
"""(dataset, "run", run, moment), or (dataset, "declared" | "digest" | "found", by what it is known)."""
Flow = tuple[RunId, object, int | None]
"""(run, output, moment); of a version told without a run (R3), (NO_RUN, version, None)."""
NO_RUN: RunId = ("", Name("", ""))
Wire = tuple[Name | None, Name | None, Name | None, int | None]
"""(input, job, output, until when): without an input that a flow feeds the output, without a job one that only the
dataset tells."""
Column = tuple[Name, str, Name, str]
"""(input, its field, output, its field)."""


@dataclass
class Facts:
    """What is compared. Gap codes stand beside what they are of."""

    runs: dict[RunId, tuple[str, str, int | None, int | None, frozenset[str]]] = field(default_factory=dict)
    versions: dict[VersionId, tuple[int, bool, frozenset[str]]] = field(default_factory=dict)
    schemas: dict[VersionId, Fields] = field(default_factory=dict)
    version_gaps: dict[VersionId, frozenset[str]] = field(default_factory=dict)
    reads: dict[tuple[VersionId, Flow], tuple[str, str, bool, bool]] = field(default_factory=dict)
    read_gaps: dict[tuple[VersionId, Flow], frozenset[str]] = field(default_factory=dict)
    wrote: dict[tuple[Flow, VersionId], bool] = field(default_factory=dict)
    logical: dict[Wire, tuple[str, bool, bool, bool]] = field(default_factory=dict)
    since: dict[Wire, int] = field(default_factory=dict)
    columns: dict[Column, tuple[int | None, int | None]] = field(default_factory=dict)
    conflicts: dict[Name, bool] = field(default_factory=dict)


def differences(reference: Facts, fold: Facts) -> Iterator[str]:
    """What one has and the other doesn't, or has otherwise, a line each."""
    for each in fields(Facts):
        ours: Mapping[Any, Any] = getattr(reference, each.name)
        theirs: Mapping[Any, Any] = getattr(fold, each.name)
        for key in sorted(ours.keys() | theirs.keys(), key=repr):
            if ours.get(key) != theirs.get(key):
                yield f"{each.name} {key}: reference {ours.get(key)}, fold {theirs.get(key)}"
