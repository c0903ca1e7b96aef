"""The nouns of the graph: nodes and edges as every store holds them, and the change list that brings a store up to
date.

Words are OpenLineage's first, W3C PROV's second (a Version is an Entity, a Run an Activity, READ_BY is ``used``, WROTE
is ``wasGeneratedBy``). Times are UTC microseconds since the epoch. Nodes are immutable; ``key`` is their 16-byte store
key (:mod:`lineage.keys`). Structs rather than dataclasses, as the projector makes some hundred thousand a minute.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lineage.event.model import Name
from lineage.keys import Base
from lineage.word import Word

__all__ = [
    "Binding",
    "Changes",
    "Column",
    "Dataset",
    "Digest",
    "Edge",
    "EdgeKey",
    "EdgeKind",
    "Evidence",
    "Flow",
    "Gap",
    "GapCode",
    "Job",
    "Name",
    "NameKey",
    "NameScope",
    "Node",
    "Owner",
    "Role",
    "Run",
    "RunState",
    "RunType",
    "Schema",
    "Transformation",
    "Version",
    "base_of",
]


class GapCode(Word):
    """What an answer can't be sure of; the codes of the fold's rules."""

    TIME_BINDING = "TIME_BINDING"
    CLOSE = "CLOSE"
    UNCERTAIN = "UNCERTAIN"
    NO_PRODUCER = "NO_PRODUCER"
    NO_CONTENT_HASH = "NO_CONTENT_HASH"
    NO_CODE_VERSION = "NO_CODE_VERSION"
    NO_ROLLOUT = "NO_ROLLOUT"
    ROLLOUT_NOT_ENDED = "ROLLOUT_NOT_ENDED"
    CONTENT_CHANGED_OUTSIDE = "CONTENT_CHANGED_OUTSIDE"
    VERSION_CLAIMED_TWICE = "VERSION_CLAIMED_TWICE"
    WRITER_NOT_ENDED = "WRITER_NOT_ENDED"
    WRITE_MODE_UNKNOWN = "WRITE_MODE_UNKNOWN"
    DROPPED = "DROPPED"
    ALIAS_CONFLICT = "ALIAS_CONFLICT"
    CONFLICTING_RECORDS = "CONFLICTING_RECORDS"
    INFERRED = "INFERRED"
    UNDIVIDED = "UNDIVIDED"
    ERASED = "ERASED"


class Evidence(Word):
    """How an edge is known (R9), the strongest first."""

    DECLARED = "DECLARED"
    COLUMN = "COLUMN"
    INFERRED = "INFERRED"


class Binding(Word):
    """How a read found its version (R13), the strongest first.

    BUILDS_ON is what a write kept of the version before it (R15), RENAME the last version under the old name (R16).
    """

    DECLARED = "DECLARED"
    HASH = "HASH"
    BUILDS_ON = "BUILDS_ON"
    RENAME = "RENAME"
    INFERRED = "INFERRED"
    TIME = "TIME"
    AS_FOUND = "AS_FOUND"


class Role(Word):
    """What an input is to the run that reads it, in the order in which several roles of one hit are told."""

    TRAIN = "TRAIN"
    BASE_MODEL = "BASE_MODEL"
    VALIDATION = "VALIDATION"
    TEST = "TEST"
    REFERENCE = "REFERENCE"
    UPSTREAM = "UPSTREAM"


class RunType(Word):
    """A deployment's runs are SERVICE runs: rollouts."""

    BATCH = "BATCH"
    STREAMING = "STREAMING"
    SERVICE = "SERVICE"


class RunState(Word):
    """The state of a run's last attempt (R14). UNKNOWN: named as a parent, and never heard of itself."""

    UNKNOWN = "UNKNOWN"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    FAIL = "FAIL"


class Digest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A content hash; digests compare only within one (algorithm, scope, method)."""

    algorithm: str
    digest: str
    scope: str
    method: str
    bytes: int | None = None
    rows: int | None = None


class Owner(msgspec.Struct, frozen=True, omit_defaults=True):
    """An owner as the ownership facet tells it."""

    name: str
    type: str | None = None


class Gap(msgspec.Struct, frozen=True, order=True):
    """One thing that is not known, said to a person in ``message``."""

    code: str
    message: str


class Transformation(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one column feeds another, as columnLineage and the lineage facet tell it."""

    type: str
    subtype: str | None = None
    masking: bool | None = None


class Schema(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields of a dataset as they were told at some time: name and type of each in their order, nested ones after
    the field that has them, by their dotted path. ``digest`` (8 bytes) is what versions name it by."""

    digest: bytes
    fields: tuple[tuple[str, str | None], ...]


class Dataset(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="base", tag="DATASET"):
    """A dataset or model under its public name; ``aliases`` are the other names that lead here (R2). ``schemas`` are
    the different ones that were ever told of it, at most the last 64 for each of its names, by digest.
    ``updated_at`` is the minute of the last event that spoke of it."""

    key: bytes
    namespace: str
    name: str
    is_model: bool = False
    aliases: tuple[Name, ...] = ()
    owners: tuple[Owner, ...] = ()
    tags: tuple[str, ...] = ()
    description: str | None = None
    dropped_at: int | None = None
    updated_at: int | None = None
    facets: dict[str, Any] = {}
    gaps: tuple[Gap, ...] = ()
    schemas: tuple[Schema, ...] = ()


class Column(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="base", tag="COLUMN"):
    """A field of a dataset."""

    key: bytes
    namespace: str
    name: str
    column: str
    type: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()


class Job(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="base", tag="JOB"):
    """A transform or, with ``is_deployment``, a deployment. ``updated_at`` is the minute of the last event of it."""

    key: bytes
    namespace: str
    name: str
    is_deployment: bool = False
    owners: tuple[Owner, ...] = ()
    tags: tuple[str, ...] = ()
    description: str | None = None
    repository: str | None = None
    commit: str | None = None
    updated_at: int | None = None
    facets: dict[str, Any] = {}


class Run(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="base", tag="RUN"):
    """One execution of a job; of a deployment, a rollout.

    ``ended_at`` of a rollout that was superseded is the start of the next (R17). ``commit`` and ``repository`` are
    those that this run's own events told (sourceCodeLocation). ``serves`` is what a rollout told of its models: from
    when on, the model's dataset key, and the keys of the versions it serves from then until it tells others of that
    model (R12 b).
    """

    key: bytes
    run_id: str
    job: Name
    type: RunType = RunType.BATCH
    state: RunState = RunState.RUNNING
    started_at: int | None = None
    ended_at: int | None = None
    commit: str | None = None
    repository: str | None = None
    parameters: dict[str, Any] = {}
    metrics: tuple[dict[str, Any], ...] = ()
    environment: dict[str, Any] = {}
    rollout: dict[str, Any] = {}
    error: str | None = None
    tags: tuple[str, ...] = ()
    updated_at: int | None = None
    facets: dict[str, Any] = {}
    gaps: tuple[Gap, ...] = ()
    serves: tuple[tuple[int, bytes, tuple[bytes, ...]], ...] = ()


class Flow(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="base", tag="FLOW"):
    """The part of a run, or of a job, that feeds one output (R4); never shown, it stands for its run or job.

    ``owner`` is the key of that run (version graph) or job (logical graph), None for a flow that only a dataset told
    (R3). ``output`` is the public name of the output, None for what is read and feeds no output.
    """

    key: bytes
    owner: bytes | None
    output: Name | None
    moment: int | None = None


class Version(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="base", tag="VERSION"):
    """One state of a dataset or model, keyed by the run that wrote it (R10).

    ``run`` is the key of that run, None where no recorded run wrote it. ``written_at``: R11; without a writer, when it
    was first seen. ``declared`` and ``digests`` are its names. ``certain`` is false if only a failed run tells it
    (R14). ``schema`` is the digest of the fields that its write told or, without a writer, who told of it last; which
    these are, ``schemas`` of its dataset say.
    """

    key: bytes
    dataset: bytes
    namespace: str
    name: str
    written_at: int
    run: bytes | None = None
    is_model: bool = False
    declared: tuple[str, ...] = ()
    digests: tuple[Digest, ...] = ()
    certain: bool = True
    card: dict[str, Any] = {}
    gaps: tuple[Gap, ...] = ()
    schema: bytes | None = None


Node = Dataset | Column | Job | Run | Flow | Version

_BASES: dict[type, Base] = {
    Dataset: Base.DATASET,
    Column: Base.COLUMN,
    Job: Base.JOB,
    Run: Base.RUN,
    Flow: Base.FLOW,
    Version: Base.VERSION,
}


def base_of(node: Node) -> Base:
    """The base kind under which ``node`` is keyed."""
    return _BASES[type(node)]


class EdgeKind(Word):
    """Every edge points the way data flows; downstream is forward. FEEDS ties the logical level: dataset to job flow,
    job flow to dataset, column to column."""

    READ_BY = "READ_BY"
    WROTE = "WROTE"
    HAS_VERSION = "HAS_VERSION"
    HAS_RUN = "HAS_RUN"
    HAS_FLOW = "HAS_FLOW"
    PARENT_OF = "PARENT_OF"
    FEEDS = "FEEDS"


EdgeKey = tuple[EdgeKind, bytes, bytes]
"""(kind, source key, target key): there is at most one edge of a kind between two nodes."""


class Edge(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One edge. ``certain`` is false if only runs that failed tell it, ``stale`` if the job's last completed run no
    longer told it (R9), ``undivided`` if nothing told which of several inputs feeds which output (R6). ``at`` is when a
    read was made or a write done, not before the run began and the version was there; of FEEDS when it was told first.
    ``until`` is when what told it was replaced (R3): such an edge counts for questions about an earlier moment alone.
    Both in UTC microseconds."""

    kind: EdgeKind
    source: bytes
    target: bytes
    evidence: Evidence = Evidence.DECLARED
    certain: bool = True
    stale: bool = False
    undivided: bool = False
    binding: Binding | None = None
    role: Role | None = None
    at: int | None = None
    until: int | None = None
    transformations: tuple[Transformation, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def key(self) -> EdgeKey:
        """What identifies the edge."""
        return (self.kind, self.source, self.target)


class NameScope(Word):
    """By what else than its key a node is found.

    KEY: the hex of a key that a name, an alias or R10 gave or could have given it. RUN_ID: a run's runId. DIGEST: a
    version's content hash. COMMIT: a run's or a job's commit.
    """

    KEY = "KEY"
    RUN_ID = "RUN_ID"
    DIGEST = "DIGEST"
    COMMIT = "COMMIT"


NameKey = tuple[NameScope, str, bytes]
"""(scope, value, key of the node so named): one value may name several nodes, and one node may have many names."""


class Changes(msgspec.Struct):
    """What the fold gives to every store: keyed upserts and deletes (None), the same list for each.

    Applying a list twice is the same as applying it once. Deleting what is not there is no error.
    """

    nodes: dict[bytes, Node | None] = {}
    edges: dict[EdgeKey, Edge | None] = {}
    names: dict[NameKey, bool] = {}
