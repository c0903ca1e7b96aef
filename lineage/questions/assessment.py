"""What an answer can't be sure of: the gaps of its nodes and edges, those concluded from what is missing, and the
score.

Concluded: NO_CONTENT_HASH (a version without digests), NO_CODE_VERSION (a training run without commit), NO_PRODUCER (a
version whose sources were asked for, and no known run wrote it), UNDIVIDED and INFERRED (an edge that says so), and
what a question itself found (NO_ROLLOUT, CONFLICTING_RECORDS). A dataset's own gaps come with its versions. An edge's
gap is about the version, dataset or column that is read or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from lineage.answer import AnswerGap, Assessment, GraphThing, View, label
from lineage.model import Dataset, Edge, EdgeKind, Evidence, Gap, GapCode, Run, Version
from lineage.questions.spread import fetched, things
from lineage.store import GraphReader


class Concluded(NamedTuple):
    """A gap by the key of what it is about (None: the answer as a whole), in the order of answers."""

    code: str
    distance: int
    key: bytes | None
    message: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What an answer holds: the ``distances`` of its nodes, its edges, the nodes that were ``asked`` about (that no
    known run wrote one is a gap), which runs trained its models, and the gaps that the question ``found`` itself."""

    distances: Mapping[bytes, int]
    edges: Sequence[Edge]
    asked: Set[bytes] = frozenset()
    trained_by: frozenset[bytes] = frozenset()
    found: tuple[Concluded, ...] = ()


def assess(view: View, holding: Holding) -> Assessment:
    """The gaps of what ``holding`` holds, and the share of its versions and reads that carry none."""
    gaps, whole, of_whole = set(holding.found), 0, 0
    of_found = {gap.key for gap in holding.found}
    said = {edge.source for edge in holding.edges if any(gap.code == GapCode.NO_PRODUCER for gap in edge.gaps)}
    homes: dict[bytes, int] = {}
    for node, distance in _nodes(view.graph, holding.distances):
        own = list(_of_node(node, holding, said))
        gaps.update(Concluded(gap.code, distance, node.key, gap.message) for gap in own)
        if isinstance(node, Version):
            whole, of_whole = whole + (not own and node.key not in of_found), of_whole + 1
            homes[node.dataset] = min(distance, homes.get(node.dataset, distance))
    for node, distance in _nodes(view.graph, {key: at for key, at in homes.items() if key not in holding.distances}):
        gaps.update(Concluded(gap.code, distance, node.key, gap.message) for gap in _told(node))
    for edge in holding.edges:
        if own := _of_edge(edge):
            key = edge.target if edge.kind is EdgeKind.WROTE or edge.source not in holding.distances else edge.source
            gaps.update(Concluded(gap.code, holding.distances.get(key, 0), key, gap.message) for gap in own)
        if edge.kind is EdgeKind.READ_BY:
            whole, of_whole = whole + (not own), of_whole + 1
    score = whole / of_whole if of_whole else float(not gaps)
    return Assessment(GapPages(tuple(sorted(gaps, key=_order))), score)


def _order(gap: Concluded) -> tuple[str, int, bytes, str]:
    return gap.code, gap.distance, gap.key or b"", gap.message


def _nodes(graph: GraphReader, distances: Mapping[bytes, int]) -> Iterator[tuple[GraphThing, int]]:
    for nodes in fetched(graph, distances):
        for node in nodes:
            if isinstance(node, Dataset | Run | Version):
                yield node, distances[node.key]


def _told(node: GraphThing) -> tuple[Gap, ...]:
    return node.gaps if isinstance(node, Dataset | Run | Version) else ()


def _of_node(node: GraphThing, holding: Holding, said: Set[bytes]) -> Iterable[Gap]:
    """``said`` are the versions of which a read says already that nobody is known to have written them."""
    yield from _told(node)
    if isinstance(node, Version) and node.run is None and node.key in holding.asked and node.key not in said:
        yield Gap(GapCode.NO_PRODUCER.value, f"No recorded run wrote {label(node)}.")
    if isinstance(node, Version) and not node.digests:
        yield Gap(GapCode.NO_CONTENT_HASH.value, f"No content hash of {label(node)} was told.")
    if isinstance(node, Run) and node.key in holding.trained_by and node.commit is None:
        yield Gap(GapCode.NO_CODE_VERSION.value, f"{label(node)} told no code version.")


def _of_edge(edge: Edge) -> list[Gap]:
    gaps = list(edge.gaps)
    if edge.undivided:
        gaps.append(Gap(GapCode.UNDIVIDED.value, "Nothing told which of several inputs feeds which output."))
    if edge.evidence is Evidence.INFERRED:
        gaps.append(Gap(GapCode.INFERRED.value, "No event states this; it was inferred."))
    return gaps


@dataclass(frozen=True, slots=True)
class GapPages:
    """``Pages[AnswerGap]``."""

    gaps: Sequence[Concluded]

    @property
    def total(self) -> int:
        """The number of gaps."""
        return len(self.gaps)

    def page(self, view: View, start: int, stop: int) -> list[AnswerGap]:
        """Gaps ``start`` up to but without ``stop``."""
        gaps = self.gaps[max(start, 0) : max(stop, 0)]
        nodes = things(view.graph, (gap.key for gap in gaps if gap.key is not None))
        return [AnswerGap(gap.code, gap.message, nodes.get(gap.key) if gap.key else None) for gap in gaps]
