"""Pages of hunks, and the ways from the subjects to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lineage.answer import View
from lineage.answer.difference import Hunk
from lineage.questions.drafts import Draft
from lineage.questions.histories import History
from lineage.questions.spread import things


@dataclass(frozen=True, slots=True)
class Paths:
    """Of one side: ``ways`` from each node that it alone has to the next towards a subject, and the version or run that
    each stands for."""

    ways: Mapping[bytes, bytes]
    things: Mapping[bytes, bytes]

    def to(self, node: bytes) -> list[bytes]:
        """The keys of the things on the way from a subject to ``node``, without the latter's."""
        path = []
        while (after := self.ways.get(node)) is not None:
            node = after
            if node in self.things:
                path.append(self.things[node])
        return path[::-1]


def paths_of(history: History, seeds: Mapping[bytes, bytes]) -> Paths:
    """The shortest ways in ``history`` to ``seeds``, each with what it stands for."""
    ways = history.ways(seeds)
    stood = {key: key for key in ways if history.version(key) is not None}
    runs = ((key, history.run(key)) for key in ways)
    return Paths(ways, {**stood, **{key: run.key for key, run in runs if run is not None}, **seeds})


@dataclass(frozen=True, slots=True)
class HunkPages:
    """``Pages[Hunk]``; ``paths`` of sides a and b."""

    drafts: Sequence[Draft]
    paths: tuple[Paths, Paths]

    @property
    def total(self) -> int:
        """The number of hunks."""
        return len(self.drafts)

    def page(self, view: View, start: int, stop: int) -> list[Hunk]:
        """Hunks ``start`` up to but without ``stop``."""
        drafts = self.drafts[max(start, 0) : max(stop, 0)]
        paths = [self.paths[draft.start_in_b].to(draft.start) for draft in drafts]
        sides = [key for draft in drafts for key in (draft.a, draft.b) if key is not None]
        nodes = things(view.graph, [*sides, *(key for path in paths for key in path)])
        return [
            Hunk(
                a=nodes.get(draft.a or b""),
                b=nodes.get(draft.b or b""),
                kind=draft.kind,
                distance=draft.distance,
                at=draft.at,
                path=tuple(nodes[key] for key in path if key in nodes),
                differences=draft.differences,
                origin=draft.origin,
                sure=draft.sure,
                absorbed=draft.absorbed,
            )
            for draft, path in zip(drafts, paths, strict=True)
            if all(key in nodes for key in (draft.a, draft.b) if key is not None)
        ]
