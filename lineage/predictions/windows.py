"""What a list of :class:`~lineage.predictions.Served` covers, as disjoint windows: so that no record counts twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lineage.event.model import Name
from lineage.predictions import Served

FOREVER = 1 << 62
"""Later than any time (microseconds), and earlier if negated."""


@dataclass(frozen=True, slots=True)
class Window:
    """Times in ``[start, end)``, of the records of ``deployment`` that told ``run_id`` and ``model`` (None: none)."""

    start: int
    end: int
    deployment: Name
    run_id: str | None
    model: Name | None


def windows_of(served: Sequence[Served], since: int | None) -> list[Window]:
    """The windows that together cover what any of ``served`` covers from ``since`` on; no two share a record."""
    floor = -FOREVER if since is None else since
    spans: dict[tuple[Name, str | None, Name | None], list[tuple[int, int]]] = {}
    for one in served:
        inside = max(one.start, floor), FOREVER if one.end is None else one.end
        named = (floor, FOREVER) if one.whole else inside
        for model in (None, *one.models):
            spans.setdefault((one.deployment, None, model), []).append(inside)
            spans.setdefault((one.deployment, one.run_id, model), []).append(named)
    return [
        Window(start, end, deployment, run_id, model)
        for (deployment, run_id, model), found in spans.items()
        for start, end in _union(found)
    ]


def _union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same times as ``spans`` in disjoint spans, none empty, ascending."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
