"""The nouns of the answer to "it worked on Tuesday; what changed?": where two histories differ.

Side *a* is the earlier or first, *b* the later or second. A history is all that a subject came from, the subject among
it: versions and runs. What stands in both histories is the same and is counted only; all else is aligned with what it
is in the other history (:mod:`lineage.questions.alignment`) and stands in a :class:`Hunk` if something differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lineage.answer import Answer, Pages
from lineage.answer.thing import Thing
from lineage.kind import Kind

__all__ = ["Aspect", "Change", "Compared", "Content", "Diff", "Difference", "Hunk", "Told"]


class Aspect(StrEnum):
    """In what two things differ, in the order in which a hunk tells it.

    DATA: another version, of other or unknown content. SCHEMA: a column. CARD: an entry of the model card. PRODUCER: a
    job that wrote the one version and not the other. RUN: a run that only one history has. CODE: commit, repository.
    PARAMETER, ENVIRONMENT, METRIC: one entry. INPUT: a dataset, or one version more of it, that only one run read (or,
    where no run is known, only one version was made from). ROLE, BINDING: those of a read.
    """

    DATA = "DATA"
    SCHEMA = "SCHEMA"
    CARD = "CARD"
    PRODUCER = "PRODUCER"
    RUN = "RUN"
    CODE = "CODE"
    PARAMETER = "PARAMETER"
    ENVIRONMENT = "ENVIRONMENT"
    METRIC = "METRIC"
    INPUT = "INPUT"
    ROLE = "ROLE"
    BINDING = "BINDING"


class Change(StrEnum):
    """ADDED: only b has it. REMOVED: only a has it."""

    CHANGED = "CHANGED"
    ADDED = "ADDED"
    REMOVED = "REMOVED"


class Content(StrEnum):
    """What the content hashes of two versions say: digests compare only within one (algorithm, scope, method), and of
    the scopes that compare the widest decides. UNKNOWN: none compare."""

    SAME = "SAME"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of two things. ``name`` says of what: a parameter (``train.depth``), a package
    (``packages.numpy``), a column, a metric (``auc (TEST)``), the dataset that is read, the job that wrote. ``a`` and
    ``b`` are the values as JSON has them, None where there is none; of DATA the digests that were compared, as
    ``sha256:…``. ``content`` is told of DATA alone. ``derived``: something upstream differs that explains it; code,
    parameters, environment and wiring are never derived."""

    aspect: Aspect
    change: Change
    name: str
    a: object = None
    b: object = None
    content: Content | None = None
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Hunk:
    """Two versions or two runs that are each other's counterpart, and what differs between them; None where one history
    has no counterpart.

    ``distance``: runs crossed from the subject, a run itself counted, the lesser of both sides; 0 for the subjects.
    ``at``: when the later of the two was written or started (UTC microseconds). ``path``: a shortest way there from the
    subject (b's, or a's if only a has it), the subject first, the hunk's own thing left out. ``origin``: here the
    histories part, as nothing upstream of it differs. ``sure``: more differs than unknown content. ``absorbed``: on
    every way from here to the subject stands a version that has the same content on both sides.
    """

    a: Thing | None
    b: Thing | None
    kind: Kind
    distance: int
    at: int | None
    path: tuple[Thing, ...]
    differences: tuple[Difference, ...]
    origin: bool
    sure: bool
    absorbed: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """How many versions or runs were compared. ``same``: the very same in both histories. ``alike``: another, of which
    nothing told differs (of a version: the same content). ``changed``; ``unknown``: versions of which only that is
    known that they are others; ``added`` and ``removed``: without a counterpart."""

    kind: Kind
    same: int
    alike: int
    changed: int
    unknown: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Told:
    """How many differences of one aspect there are, and how many of them are derived."""

    aspect: Aspect
    count: int
    derived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff(Answer):
    """What differs between two histories. ``a`` and ``b``: the subjects. ``compared`` of versions and of runs;
    ``summary`` has the aspects that occur, in Aspect's order. ``hunks`` in the order (distance, kind, keys);
    ``origins``: those where the histories part: the sure before the others, the absorbed last, by (time, distance).

    Of a cut answer each hunk is true; what only one side has is told only where the other side was not cut; what is
    upstream of an origin may not have been seen.
    """

    a: Pages[Thing]
    b: Pages[Thing]
    compared: tuple[Compared, ...]
    summary: tuple[Told, ...]
    origins: Pages[Hunk]
    hunks: Pages[Hunk]
