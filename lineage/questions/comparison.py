"""Two histories compared: what was found, what of it can't be sure, and how much was the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lineage.answer import Cut, Kind, label
from lineage.answer.difference import Compared, Content
from lineage.model import Dataset, Edge, EdgeKey, GapCode, Version
from lineage.questions.alignment import Alignment, align
from lineage.questions.assessment import Concluded, Holding
from lineage.questions.drafts import Draft
from lineage.questions.histories import History, closure_of
from lineage.questions.hunk_pages import Paths, paths_of
from lineage.questions.hunks import Subjects, hunks_of
from lineage.questions.spread import things
from lineage.questions.states import State
from lineage.store import EdgeFilter, GraphReader, Limits


@dataclass(frozen=True, slots=True)
class Comparison:
    """Sides ``a`` and ``b``, and all counterparts that are not the same thing."""

    a: History
    b: History
    alignment: Alignment
    drafts: Sequence[Draft]

    @property
    def cut(self) -> Cut | None:
        """Where either side stops short."""
        cuts = [side.closure.cut for side in (self.a, self.b) if side.closure.cut is not None]
        if not cuts:
            return None if self.alignment.whole else Cut("TIME", None, 0)
        return Cut(cuts[0].reason, cuts[0].limit, min(cut.next for cut in cuts))

    def counts(self) -> tuple[Compared, ...]:
        """Of versions and of runs."""
        one, other = self.a.closure, self.b.closure
        versions = [draft for draft in self.drafts if draft.kind is Kind.VERSION]
        runs = [draft for draft in self.drafts if draft.kind is not Kind.VERSION]
        return (
            _compared(Kind.VERSION, len(one.versions & other.versions), versions),
            _compared(Kind.RUN, len(one.runs & other.runs), runs),
        )

    def holding(self) -> Holding:
        """What was compared, and what it was made of."""
        distances: dict[bytes, int] = {}
        edges: dict[EdgeKey, Edge] = {}
        for side in (self.a, self.b):
            for key in sorted(side.own):
                edges.update((edge.key, edge) for edge in side.into(key))
                sources = [edge.source for edge in side.into(key) if side.version(edge.source) is not None]
                distances.update((source, side.closure.distances[source]) for source in sources)
        for draft in self.drafts:
            distances.update((key, draft.distance) for key in (draft.a, draft.b) if key is not None)
        runs = {key for draft in self.drafts if draft.kind is Kind.RUN for key in (draft.a, draft.b) if key}
        return Holding(distances, tuple(edges.values()), trained_by=frozenset(runs), found=tuple(self._not_compared()))

    def _not_compared(self) -> Iterator[Concluded]:
        """Pairs of versions whose content hashes are there, and don't compare."""
        for draft in self.drafts:
            one, other = self.a.version(draft.a or b""), self.b.version(draft.b or b"")
            unknown = any(each.content is Content.UNKNOWN for each in draft.differences)
            if unknown and one is not None and other is not None and one.digests and other.digests:
                message = f"The content hashes of {label(one)} and {label(other)} are of different kinds."
                # About the same one whichever way they are compared: the score hangs on it.
                yield Concluded(GapCode.NO_CONTENT_HASH.value, draft.distance, min(one.key, other.key), message)

    def paths(self, one: State, other: State) -> tuple[Paths, Paths]:
        """The ways to what each side alone has."""
        return paths_of(self.a, one.seeds), paths_of(self.b, other.seeds)


def compare(graph: GraphReader, one: State, other: State, edges: EdgeFilter, limits: Limits) -> Comparison:
    """The histories of two states, compared; nothing is loaded of what both have in common."""
    closures = [closure_of(graph, state.seeds, edges, limits) for state in (one, other)]
    a, b = History(graph, closures[0], closures[1], edges), History(graph, closures[1], closures[0], edges)
    alignment = align(a, b, (one.seeds, other.seeds), limits.deadline)
    subjects = Subjects((frozenset(one.seeds), frozenset(other.seeds)), (one.runs, other.runs))
    return Comparison(a, b, alignment, hunks_of(a, b, alignment, subjects, _datasets(graph, a, b, alignment)))


def _datasets(graph: GraphReader, a: History, b: History, alignment: Alignment) -> Mapping[bytes, Dataset]:
    """The datasets of which the columns of two versions are to be compared."""
    pairs = ((a.version(one), b.version(other)) for one, other in alignment.pairs)
    wanted = {version.dataset for pair in pairs if _have_columns(*pair) for version in pair if version is not None}
    return {key: node for key, node in things(graph, sorted(wanted)).items() if isinstance(node, Dataset)}


def _have_columns(one: Version | None, other: Version | None) -> bool:
    if one is None or other is None or one.schema is None or other.schema is None:
        return False
    return one.schema != other.schema


def _compared(kind: Kind, same: int, drafts: Sequence[Draft]) -> Compared:
    both = [draft for draft in drafts if draft.a is not None and draft.b is not None]
    return Compared(
        kind,
        same,
        alike=sum(not draft.differences for draft in both if draft.a != draft.b),
        changed=sum(draft.sure for draft in both),
        unknown=sum(bool(draft.differences) and not draft.sure for draft in both),
        added=sum(draft.a is None for draft in drafts),
        removed=sum(draft.b is None for draft in drafts),
    )
