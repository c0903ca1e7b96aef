"""The nouns of answers: what every question gives back.

An answer holds keys, kinds and distances, so that one of half a million hits stays cheap. What must look at nodes is
asked for with a :class:`View`: a page of hits (:class:`Pages`), the summary, the gaps. The view may be the one that the
answer was made with, or a later one; nodes that are gone by then are left out of a page. Flows never appear in an
answer: a flow stands for its job (logical level) or its run (version level). All times are UTC microseconds since the
epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from lineage.answer.thing import GraphThing, Thing, kind_of, label, minute, name_of, namespace_of, thing_id
from lineage.kind import Kind
from lineage.model import Binding, EdgeKind, Evidence, Name, Owner, Role, Run, Transformation, Version
from lineage.predictions import Count, Prediction, PredictionReader
from lineage.store import GraphReader

__all__ = [
    "Answer",
    "AnswerGap",
    "Assessment",
    "Certainty",
    "Consequence",
    "Cut",
    "GraphThing",
    "HitDetails",
    "Impact",
    "ImpactHit",
    "Kind",
    "Link",
    "Pages",
    "Path",
    "Provenance",
    "ProvenanceHit",
    "Route",
    "Search",
    "ServedModel",
    "Summary",
    "Thing",
    "TrainingData",
    "TrainingHit",
    "View",
    "kind_of",
    "label",
    "minute",
    "name_of",
    "namespace_of",
    "thing_id",
]


@dataclass(frozen=True, slots=True)
class View:
    """What a question is asked of: one consistent graph, the predictions, and by how many ledger entries the graph is
    behind the ledger's head. To be used by one thread."""

    graph: GraphReader
    predictions: PredictionReader
    behind: int = 0


T_co = TypeVar("T_co", covariant=True)


class Pages(Protocol[T_co]):
    """A list that is materialised page by page, in its fixed order."""

    @property
    def total(self) -> int:
        """The exact number of items (of a cut answer: of those found)."""

    def page(self, view: View, start: int, stop: int) -> Sequence[T_co]:
        """Items ``start`` (from 0) up to but without ``stop``; fewer at the end, or where nodes are gone since."""


class Consequence(StrEnum):
    """What to do about a hit; the table is in :mod:`lineage.questions.consequence`."""

    RETRAIN = "RETRAIN"
    REVALIDATE = "REVALIDATE"
    REDEPLOY = "REDEPLOY"
    RESCORE = "RESCORE"
    REBUILD = "REBUILD"
    NONE = "NONE"


class Certainty(StrEnum):
    """EXACT: the record, or the only rollout that was live, settles what served. CANDIDATES: one of those given."""

    EXACT = "EXACT"
    CANDIDATES = "CANDIDATES"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an answer stops short: ``reason`` NODES (``limit`` nodes were found) or TIME (``limit`` None). What was
    found is true; ``next`` is the distance from which on hits may be missing."""

    reason: str
    limit: int | None
    next: int


@dataclass(frozen=True, slots=True)
class AnswerGap:
    """One thing that the answer can't be sure of, said to a person, and what it is about. ``kind`` is a gap code of
    :class:`lineage.model.GapCode`, as text. A read's gap is about the version that was read."""

    kind: str
    message: str
    node: Thing | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """``gaps`` by (code, distance, key, message), each once; ``score`` is the share of the answer's versions and
    reads that carry no gap. An answer that holds neither scores 1.0, or 0.0 if it has gaps all the same."""

    gaps: Pages[AnswerGap]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What every answer says of itself.

    ``ledger_index``: the index of the last ledger entry that it reflects, -1 if the ledger was empty. ``recorded_at``:
    when that entry was received, None if not known. ``behind``: how many entries the ledger had beyond it.
    ``left_out``: how many hits filters keep from being listed. ``assess``
    gives gaps and score; of an impact, those of its nearest 10,000 nodes of the actual radius.
    """

    cut: Cut | None
    ledger_index: int
    recorded_at: int | None = None
    behind: int
    left_out: int = 0
    assess: Callable[[View], Assessment]

    @property
    def complete(self) -> bool:
        """Whether nothing was cut."""
        return self.cut is None


class HitDetails(Protocol):
    """What is looked up for a whole page of an impact, with the first of its hits that is asked for it."""

    def owners(self, node: Any) -> tuple[Owner, ...]:
        """Who answers for a hit."""

    def via(self, node: Any) -> Thing | None:
        """What is next before it."""

    def is_standing(self, node: Any) -> bool:
        """Whether it still stands."""

    def is_remediated(self, node: Any) -> bool:
        """Whether it was replaced."""

    def consequence(self, node: Any) -> Consequence:
        """What to do about it."""

    def transformation(self, node: Any) -> str | None:
        """How a column's value goes into it."""


@dataclass(frozen=True, slots=True)
class ImpactHit:
    """One node of a radius. ``distance``: jobs (potential) or runs (actual) crossed, a job or run itself counted.

    ``via``: the hit or subject next before it on a shortest path, of least (distance, key). ``stale`` (potential):
    every path to it has a stale edge (R9). ``standing`` and ``remediated`` (actual): see
    :mod:`lineage.questions.impact`. The properties are to be read while the page's view is open.
    """

    node: Thing
    kind: Kind
    distance: int
    evidence: Evidence
    certain: bool
    stale: bool
    details: HitDetails = field(repr=False, compare=False)

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Who answers for it."""
        return self.details.owners(self.node)

    @property
    def via(self) -> Thing | None:
        """What is next before it."""
        return self.details.via(self.node)

    @property
    def standing(self) -> bool:
        """Whether it is the latest certain version, or served now."""
        return self.details.is_standing(self.node)

    @property
    def remediated(self) -> bool:
        """Whether it was replaced by one that doesn't descend from the change."""
        return self.details.is_remediated(self.node)

    @property
    def consequence(self) -> Consequence:
        """What to do about it."""
        return self.details.consequence(self.node)

    @property
    def transformation(self) -> str | None:
        """Of a column hit by a column: DIRECT if some path to it is, at each step; else INDIRECT."""
        return self.details.transformation(self.node)


@dataclass(frozen=True, slots=True)
class Summary:
    """How many hits of one kind either radius has, and how many of the actual ones are standing."""

    kind: Kind
    potential: int
    actual: int
    standing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact(Answer):
    """What a change affects. ``subjects`` (by key) are what was referred to; they are no hits. Hits in the order
    (distance, kind, key); ``summary`` has the kinds that occur, in Kind's order; ``predictions`` counts those that
    what changed had a part in (from ``since`` on)."""

    subjects: Pages[Thing]
    potential: Pages[ImpactHit]
    actual: Pages[ImpactHit]
    summary: Callable[[View], tuple[Summary, ...]]
    predictions: Callable[[View], Count]


@dataclass(frozen=True, slots=True)
class Link:
    """An edge between two things, the way data flows. READ_BY: version → run. WROTE: run → version. FEEDS (logical
    level): dataset → job, job → dataset, column → column; also what a flow ties that belongs to no run or job (R3):
    version → version, dataset → dataset. Where several flows of a run tie the same two, the
    strongest evidence, the weakest binding, the first role, and certain if one of them is. ``transformations``: how a
    column goes into another."""

    source: Thing
    target: Thing
    kind: EdgeKind
    evidence: Evidence
    certain: bool
    binding: Binding | None
    role: Role | None
    transformations: tuple[Transformation, ...] = ()


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model version, the rollouts of the answer that served it (by start, then key), and the run that trained it
    (None: unknown)."""

    version: Version
    served_by: tuple[Run, ...]
    trained_by: Run | None


@dataclass(frozen=True, slots=True)
class TrainingHit:
    """A version that a model was made from. ``distance``: runs crossed from the model version, 1 for what its
    training run read. ``role``: the first of its reads' roles, UPSTREAM beyond the training run. ``binding``: the
    weakest among the answer's reads of it, None if it has none."""

    version: Version
    role: Role
    distance: int
    binding: Binding | None
    evidence: Evidence
    certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData(Answer):
    """What trained what served. ``records``: the prediction records found (none for a window or a model); ``models``
    by key; ``datasets`` in the order (distance, key); ``links`` as in a provenance, those to
    the rollouts among them."""

    certainty: Certainty
    records: tuple[Prediction, ...]
    models: tuple[ServedModel, ...]
    datasets: Pages[TrainingHit]
    links: Pages[Link]


@dataclass(frozen=True, slots=True)
class ProvenanceHit:
    """A node upstream of the subject. ``distance``: runs (logical level: jobs) crossed, a run itself counted."""

    node: Thing
    kind: Kind
    distance: int
    evidence: Evidence
    certain: bool
    transformation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance(Answer):
    """All that the subject came from. ``nodes`` in the order (distance, kind, key), without ``subjects`` (by key),
    what the links end in; ``links`` in the order (kind, source, target)."""

    subjects: Pages[Thing]
    nodes: Pages[ProvenanceHit]
    links: Pages[Link]


@dataclass(frozen=True, slots=True)
class Route:
    """One shortest path, from the source's node to the target's: ``links[i]`` leads from ``nodes[i]`` to ``nodes[i +
    1]``."""

    nodes: tuple[Thing, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Path(Answer):
    """How the target came from the source: as wired (``potential``) and as run (``actual``); None where there is no
    path."""

    potential: Route | None
    actual: Route | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Answer):
    """What a text names, best first. ``by_alias``: of the hits that it names by an alias alone, that alias, by key."""

    hits: tuple[GraphThing, ...]
    by_alias: Mapping[bytes, Name]
