"""Lists of :class:`~lineage.predictions.Served` made disjoint: so that no record counts twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lineage.event.model import Name
from lineage.predictions import FOREVER, Served, Told


def disjoint(served: Sequence[Served], since: int | None = None) -> list[Served]:
    """What covers all that any of ``served`` covers from ``since`` on, and no record twice; none is empty."""
    floor = -FOREVER if since is None else since
    spans: dict[tuple[Name, str | None, Told], list[tuple[int, int]]] = {}
    for one in served:
        spans.setdefault((one.deployment, one.run_id, one.told), []).append((max(one.start, floor), one.end))
    return [Served(*told, start, end) for told, found in spans.items() for start, end in _union(found)]


def _union(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same times as ``spans`` in disjoint spans, none empty, ascending."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
