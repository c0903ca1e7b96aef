"""What is still to be computed anew."""

from __future__ import annotations

from dataclasses import dataclass, field

from lineage.model import Name


@dataclass(slots=True)
class Work:
    """Marks, by what has to be done; a mark set twice is done once.

    ``flows``: runs whose flows and touches are to be computed, ``reads``: runs whose rows are. ``declared``: datasets
    and jobs (by key) whose own declarations are to be divided, ``tellers``: those whose told versions are to be bound.
    ``datasets``, ``jobs``, ``columns``: nodes; ``seen``: datasets that were only named once more; ``wires``: jobs whose
    logical flows are to be given; ``kinds``: datasets that may have become a model, or none, or go by other names;
    ``versions``: by key, with the public name of the dataset.
    """

    flows: set[bytes] = field(default_factory=set)
    reads: set[bytes] = field(default_factory=set)
    declared: set[bytes] = field(default_factory=set)
    tellers: set[bytes] = field(default_factory=set)
    datasets: set[Name] = field(default_factory=set)
    seen: set[Name] = field(default_factory=set)
    jobs: set[Name] = field(default_factory=set)
    wires: set[Name] = field(default_factory=set)
    kinds: set[Name] = field(default_factory=set)
    columns: set[tuple[Name, str]] = field(default_factory=set)
    versions: dict[bytes, Name] = field(default_factory=dict)
