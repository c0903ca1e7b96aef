"""What stands on nodes and relationships: what a person reads in Neo4j Browser, and the exact record as ``body``.

Times are datetimes where a calendar has them (years 1 to 9999); what a query compares stands beside in microseconds.
The driver takes some 90 µs for each datetime, as long as for everything else in a row forty times, so that rows have
seconds and nanoseconds, and Cypher makes a datetime of them (:func:`with_times`).
An index takes no value of more than 8 kB, so a name of more than 4,000 bytes stands in ``longName`` instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from lineage.body import decode_edge_body, decode_node, encode_edge_body, encode_node
from lineage.keys import Base
from lineage.kind import KIND_CODES, kind_of_node
from lineage.label import labels_of
from lineage.model import (
    Binding,
    Column,
    Dataset,
    Edge,
    EdgeKind,
    Evidence,
    Flow,
    Job,
    NameKey,
    NameScope,
    Node,
    Role,
    Run,
    Version,
)

Properties = dict[str, Any]

LONGEST = 4_000
"""Bytes of a text that an index may hold."""

FLOW = "FLOW"
"""What ``kind`` says of a flow, which is no kind of thing that answers show."""

OF_FLOW = 16
"""Added to the code of a flow's owner."""

OF_NOBODY = OF_FLOW + KIND_CODES[None]

LABELS: Mapping[str, tuple[str, str | None]] = {
    "DATASET": ("Dataset", None),
    "MODEL": ("Dataset", "Model"),
    "COLUMN": ("Column", None),
    "JOB": ("Job", None),
    "DEPLOYMENT": ("Job", "Deployment"),
    "RUN": ("Run", None),
    "ROLLOUT": ("Run", "Rollout"),
    FLOW: ("Flow", None),
    "VERSION": ("Version", None),
}
"""By ``kind``: the label of its base kind, and its own where it has one."""

SUBLABELS: Mapping[str, str] = {"Dataset": "Model", "Job": "Deployment", "Run": "Rollout"}

BASES: Mapping[str, Base] = {kind: Base[label.upper()] for kind, (label, _) in LABELS.items()}

TIMES: Mapping[str, tuple[str, ...]] = {
    "DATASET": ("updatedAt", "droppedAt"),
    "MODEL": ("updatedAt", "droppedAt"),
    "JOB": ("updatedAt",),
    "DEPLOYMENT": ("updatedAt",),
    "RUN": ("startedAt", "endedAt"),
    "ROLLOUT": ("startedAt", "endedAt"),
    FLOW: ("moment",),
    "VERSION": ("writtenAt",),
}
"""By ``kind``: which properties are times."""

EDGE_TIMES = ("at", "until")

_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


def kind_of(node: Node) -> str:
    """What ``kind`` says of it."""
    kind = kind_of_node(node)
    return FLOW if kind is None else kind.value


def flow_code(owner: Node) -> int:
    """The code of the flows of ``owner``."""
    return OF_FLOW + KIND_CODES[kind_of_node(owner)]


def time_of(micros: int | None) -> list[int] | None:
    """The moment as seconds since 1970 and nanoseconds, None where no calendar has it."""
    if micros is None or not _FIRST <= micros <= _LAST:
        return None
    seconds, rest = divmod(micros, 1_000_000)
    return [seconds, rest * 1_000]


def with_times(row: str, times: Iterable[str]) -> str:
    """The map that is called ``row`` in Cypher, with datetimes for what :func:`time_of` gave."""
    made = [
        f"{name}: CASE WHEN {row}.{name} IS NULL THEN null "
        f"ELSE datetime({{epochSeconds: {row}.{name}[0], nanosecond: {row}.{name}[1]}}) END"
        for name in times
    ]
    return f"{row} {{{', '.join(['.*', *made])}}}" if made else row


def name_key(name: NameKey) -> str:
    """The key of the node that stands for a name: of any length, in 32 characters."""
    scope, value, _ = name
    return name_value_key(scope, value)


def name_value_key(scope: NameScope, value: str) -> str:
    """As :func:`name_key`, of scope and value."""
    return sha256(f"{scope.value}:{value}".encode()).hexdigest()[:32]


def node_properties(node: Node, of_flow: int = OF_NOBODY) -> Properties:
    """All that stands on the node; what is None is left out by the store. ``code`` is that of the kind that answers
    show, and of a flow ``of_flow``, its owner's :func:`flow_code` as far as the writer knows it."""
    owner = node.owner if isinstance(node, Flow) else None
    code = of_flow if isinstance(node, Flow) else KIND_CODES[kind_of_node(node)]
    told: Properties = {
        "key": node.key.hex(),
        "kind": kind_of(node),
        "found": found_bytes(node.key, owner, code),
        "code": code,
        "body": encode_node(node),
    }
    told.update(_TOLD[type(node)](node))
    if labels := labels_of(node):
        told.update(search_properties(labels[0].namespace if labels[0].by_namespace else None, labels[0].name))
    return told


def found_bytes(key: bytes, owner: bytes | None, code: int) -> bytes:
    """What a traversal returns of a node, as one property in bytes is read fastest: its key, of a flow its owner's if
    it has one, and its code."""
    return key + (owner or b"") + code.to_bytes()


def search_properties(namespace: str | None, name: str) -> Properties:
    """What search looks at: both casefolded, the length that hits stand by, and whether one of them is ``long``."""
    told: Properties = {"length": len(name), **_bounded("folded", name.casefold())}
    if namespace is not None:
        told.update(_bounded("foldedNamespace", namespace.casefold()))
    if "longFolded" in told or "longFoldedNamespace" in told:
        told["long"] = True
    return told


def alias_rows(node: Dataset) -> list[Properties]:
    """The other names of a dataset, each as what stands on its own node."""
    return [
        {
            "key": sha256(f"{node.key.hex()}:{len(namespace)}:{namespace}{name}".encode()).hexdigest()[:32],
            "of": node.key.hex(),
            "namespace": namespace,
            **_bounded("name", name),
            **search_properties(namespace, name),
        }
        for namespace, name, _ in labels_of(node)[1:]
    ]


def node_of(key: str, kind: str, body: bytes) -> Node:
    """The node with these properties."""
    return decode_node(bytes.fromhex(key), BASES[kind], bytes(body))


def edge_properties(edge: Edge) -> Properties:
    """All that stands on the relationship."""
    told = {
        "evidence": edge.evidence.value,
        "certain": None if edge.certain else False,
        "stale": edge.stale or None,
        "undivided": edge.undivided or None,
        "binding": edge.binding.value if edge.binding else None,
        "role": edge.role.value if edge.role else None,
        "at": time_of(edge.at),
        "until": time_of(edge.until),
        "atMicros": edge.at,
        "untilMicros": edge.until,
        "body": encode_edge_body(edge),
    }
    return {name: value for name, value in told.items() if value is not None}


EDGE_COLUMNS = (
    "type(r), a.key, b.key, r.evidence, r.certain, r.stale, r.undivided, r.binding, r.role, r.atMicros, "
    "r.untilMicros, r.body"
)
"""What :func:`edge_of` takes, of a relationship ``r`` from ``a`` to ``b``."""


def edge_of(
    kind: str,
    source: str,
    target: str,
    evidence: str,
    certain: bool | None,
    stale: bool | None,
    undivided: bool | None,
    binding: str | None,
    role: str | None,
    at: int | None,
    until: int | None,
    body: bytes | None,
) -> Edge:
    """The edge of a row of :data:`EDGE_COLUMNS`."""
    transformations, gaps = decode_edge_body(body)
    return Edge(
        EdgeKind[kind],
        bytes.fromhex(source),
        bytes.fromhex(target),
        evidence=Evidence[evidence],
        certain=certain is not False,
        stale=bool(stale),
        undivided=bool(undivided),
        binding=Binding[binding] if binding else None,
        role=Role[role] if role else None,
        at=at,
        until=until,
        transformations=transformations,
        gaps=gaps,
    )


def is_weak(edge: Edge) -> bool:
    """Whether a path over it may be less than declared, certain and fresh."""
    return edge.evidence is not Evidence.DECLARED or not edge.certain or edge.stale


def _bounded(name: str, text: str) -> Properties:
    """``text`` under ``name``, or under another if it is too long for an index."""
    if len(text) <= LONGEST // 4 or len(text.encode()) <= LONGEST:
        return {name: text}
    return {f"long{name[0].upper()}{name[1:]}": text}


def _dataset(node: Dataset) -> Properties:
    return {
        "namespace": node.namespace,
        **_bounded("name", node.name),
        "tags": list(node.tags),
        "owners": [owner.name for owner in node.owners],
        "description": node.description,
        "updatedAt": time_of(node.updated_at),
        "droppedAt": time_of(node.dropped_at),
    }


def _column(node: Column) -> Properties:
    return {
        "namespace": node.namespace,
        **_bounded("name", node.name),
        **_bounded("column", node.column),
        "type": node.type,
        "description": node.description,
        "tags": list(node.tags),
    }


def _job(node: Job) -> Properties:
    return {
        "namespace": node.namespace,
        **_bounded("name", node.name),
        "tags": list(node.tags),
        "owners": [owner.name for owner in node.owners],
        "description": node.description,
        "repository": node.repository,
        "commit": node.commit,
        "updatedAt": time_of(node.updated_at),
    }


def _run(node: Run) -> Properties:
    return {
        **_bounded("runId", node.run_id),
        "namespace": node.job.namespace,
        **_bounded("name", node.job.name),
        "type": node.type.value,
        "state": node.state.value,
        "startedAt": time_of(node.started_at),
        "endedAt": time_of(node.ended_at),
        "repository": node.repository,
        "commit": node.commit,
        "error": node.error,
        "tags": list(node.tags),
    }


def _flow(node: Flow) -> Properties:
    output = node.output
    return {
        "owner": node.owner.hex() if node.owner else None,
        "namespace": output.namespace if output else None,
        **(_bounded("name", output.name) if output else {}),
        "moment": time_of(node.moment),
    }


def _version(node: Version) -> Properties:
    return {
        "dataset": node.dataset.hex(),
        "namespace": node.namespace,
        **_bounded("name", node.name),
        "run": node.run.hex() if node.run else None,
        "writtenAt": time_of(node.written_at),
        "writtenMicros": node.written_at,
        "declared": list(node.declared),
        "digests": [f"{digest.algorithm}:{digest.digest}" for digest in node.digests],
        "certain": node.certain,
    }


_TOLD: Mapping[type, Callable[[Any], Properties]] = {
    Dataset: _dataset,
    Column: _column,
    Job: _job,
    Run: _run,
    Flow: _flow,
    Version: _version,
}
