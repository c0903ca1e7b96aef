"""Small graphs for the conformance suite: one of each noun, hostile texts, and strategies for change lists."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st

from lineage.key_array import unpack
from lineage.keys import Base, column_key, dataset_key, job_key, run_key, store_key
from lineage.model import (
    Binding,
    Changes,
    Column,
    Dataset,
    Digest,
    Edge,
    EdgeKey,
    EdgeKind,
    Evidence,
    Flow,
    Gap,
    Job,
    Name,
    NameKey,
    NameScope,
    Node,
    Owner,
    Role,
    Run,
    RunState,
    Transformation,
    Version,
    base_of,
)
from lineage.store import Direction, EdgeFilter, GraphReader, GraphStore, Level, Reach

HOSTILE = [
    "",
    "%",
    "_",
    "'; DROP TABLE node; --",
    'MATCH (n) DETACH DELETE n //"`',
    "Straße ÀÉ İ ﬁ 日本 🦜",
    "a.b:c/d\\e",
    "line\nfeed\ttab\x01\x1f\x7f\u2028",
    "x" * 100_000,
    "$node ?1 :name @p {}",
    "deadbeef",
    "DEADBEEF",
    "sha256:" + "0f" * 32,
    "0" * 31,
]


def dataset(name: str, namespace: str = "db") -> Dataset:
    return Dataset(dataset_key(namespace, name), namespace, name)


def column(name: str, of: str = "orders", namespace: str = "db") -> Column:
    return Column(column_key(namespace, of, name), namespace, of, name)


def job(name: str, namespace: str = "airflow") -> Job:
    return Job(job_key(namespace, name), namespace, name)


def run(run_id: str, of: str = "etl") -> Run:
    return Run(run_key(run_id, "airflow", of), run_id, Name("airflow", of))


def flow(name: str) -> Flow:
    return Flow(store_key(Base.FLOW, name), None, Name("db", name))


def version(name: str, at: int = 0) -> Version:
    return Version(store_key(Base.VERSION, name), dataset_key("db", "orders"), "db", "orders", at)


def changes(nodes: Iterable[Node] = (), edges: Iterable[Edge] = (), names: Iterable[NameKey] = ()) -> Changes:
    return Changes(
        nodes={node.key: node for node in nodes},
        edges={edge.key: edge for edge in edges},
        names=dict.fromkeys(names, True),
    )


def read_by(source: Node, target: Node) -> Edge:
    return Edge(EdgeKind.READ_BY, source.key, target.key)


def wrote(source: Node, target: Node) -> Edge:
    return Edge(EdgeKind.WROTE, source.key, target.key)


def feeds(source: Node, target: Node) -> Edge:
    return Edge(EdgeKind.FEEDS, source.key, target.key)


def reached(
    reader: GraphReader, level: Level, seeds: Sequence[Node], direction: Direction = Direction.DOWNSTREAM
) -> dict[bytes, int]:
    reach = reader.reach(level, [seed.key for seed in seeds], direction)
    assert reach.cut is None
    return distances(reach)


def distances(reach: Reach) -> dict[bytes, int]:
    """The distance of each node found; none is found twice."""
    found = dict(zip(unpack(reach.keys), reach.distances.tolist(), strict=True))
    assert len(found) == len(reach)
    return found


def rows(reach: Reach) -> list[tuple[bytes, bytes, int, int, int, bool, bool]]:
    """All that is said of each node found, in the order of keys."""
    columns = (reach.kinds, reach.distances, reach.evidence, reach.certain, reach.stale)
    dtypes = [np.dtype(kind) for kind in (np.uint8, np.int32, np.uint8, np.bool_, np.bool_)]
    assert [column.dtype for column in columns] == dtypes
    told = (column.tolist() for column in columns)
    return sorted(zip(unpack(reach.keys), unpack(reach.things), *told, strict=True))


def ladder(store: GraphStore, rungs: int) -> list[Version]:
    """A chain of diamonds: 2 ** rungs paths from the first version to the last."""
    versions = [version(f"v{i}") for i in range(rungs + 1)]
    list_ = changes(versions)
    for i in range(rungs):
        for side in "lr":
            f = flow(f"{side}{i}")
            list_.nodes[f.key] = f
            for edge in (read_by(versions[i], f), wrote(f, versions[i + 1])):
                list_.edges[edge.key] = edge
    store.apply(list_, 1)
    return versions


NODES: list[Node] = [
    *(dataset(f"d{i}") for i in range(3)),
    *(column(f"c{i}") for i in range(3)),
    *(job(f"j{i}") for i in range(2)),
    *(run(f"r{i}") for i in range(2)),
    *(flow(f"f{i}") for i in range(4)),
    *(version(f"v{i}") for i in range(4)),
]

_KEYS = {base: [node.key for node in NODES if base_of(node) is base] for base in Base}

ENDS = {
    EdgeKind.READ_BY: [(Base.VERSION, Base.FLOW)],
    EdgeKind.WROTE: [(Base.FLOW, Base.VERSION)],
    EdgeKind.HAS_VERSION: [(Base.DATASET, Base.VERSION)],
    EdgeKind.HAS_RUN: [(Base.JOB, Base.RUN)],
    EdgeKind.HAS_FLOW: [(Base.JOB, Base.FLOW), (Base.RUN, Base.FLOW)],
    EdgeKind.PARENT_OF: [(Base.RUN, Base.RUN)],
    EdgeKind.FEEDS: [(Base.DATASET, Base.FLOW), (Base.FLOW, Base.DATASET), (Base.COLUMN, Base.COLUMN)],
}

EDGE_KEYS: list[EdgeKey] = [
    (kind, source.key, target.key)
    for kind, ends in ENDS.items()
    for source in NODES
    for target in NODES
    if (base_of(source), base_of(target)) in ends
]

texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8))
times = st.integers(-(2**62), 2**62)
moments = st.integers(0, 6) | times
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
objects = st.dictionaries(texts, json_values, max_size=2)
gaps = st.lists(st.builds(Gap, texts, texts), max_size=2).map(tuple)
owners = st.lists(st.builds(Owner, texts, st.none() | texts), max_size=2).map(tuple)
text_tuples = st.lists(texts, max_size=2).map(tuple)
digests = st.lists(st.builds(Digest, texts, texts, texts, texts, st.none() | times), max_size=2).map(tuple)


@st.composite
def nodes(draw: st.DrawFn, key: bytes, base: Base) -> Node:
    """A node of ``base`` with random properties under a given key."""
    maybe_time, maybe_text, name = st.none() | times, st.none() | texts, Name(draw(texts), draw(texts))
    if base is Base.DATASET:
        return Dataset(key, *name, draw(st.booleans()), (name,), draw(owners), draw(text_tuples), facets=draw(objects))
    if base is Base.COLUMN:
        return Column(key, *name, draw(texts), draw(maybe_text), tags=draw(text_tuples))
    if base is Base.JOB:
        return Job(key, *name, draw(st.booleans()), commit=draw(maybe_text), updated_at=draw(maybe_time))
    if base is Base.RUN:
        state, parameters = draw(st.sampled_from(RunState)), draw(objects)
        return Run(
            key, draw(texts), name, state=state, parameters=parameters, metrics=(draw(objects),), gaps=draw(gaps)
        )
    if base is Base.FLOW:
        owner = draw(st.sampled_from([None, b"k" * 16, *_KEYS[Base.JOB], *_KEYS[Base.RUN]]))
        return Flow(key, owner, draw(st.sampled_from([None, name])), draw(maybe_time))
    of, written = draw(st.sampled_from([b"d" * 16, *_KEYS[Base.DATASET]])), draw(moments)
    return Version(key, of, *name, written, digests=draw(digests), certain=draw(st.booleans()), card=draw(objects))


@st.composite
def edges(draw: st.DrawFn, key: EdgeKey) -> Edge:
    """An edge with random properties under a given key."""
    transformations = st.lists(
        st.builds(Transformation, texts, st.none() | texts, st.none() | st.booleans()), max_size=2
    )
    return Edge(
        *key,
        evidence=draw(st.sampled_from(Evidence)),
        certain=draw(st.booleans()),
        stale=draw(st.booleans()),
        undivided=draw(st.booleans()),
        binding=draw(st.sampled_from([None, *Binding])),
        role=draw(st.sampled_from([None, *Role])),
        at=draw(st.none() | moments),
        until=draw(st.none() | moments),
        transformations=tuple(draw(transformations)),
        gaps=draw(gaps),
    )


name_keys = st.tuples(
    st.sampled_from(NameScope), st.sampled_from(HOSTILE), st.sampled_from([node.key for node in NODES])
)


@st.composite
def change_lists(draw: st.DrawFn) -> Changes:
    """Some upserts and deletes of nodes, edges and names of one small universe."""
    list_ = Changes(nodes={}, edges={}, names=draw(st.dictionaries(name_keys, st.booleans(), max_size=4)))
    for node in draw(st.lists(st.sampled_from(NODES), max_size=8, unique_by=lambda node: node.key)):
        list_.nodes[node.key] = draw(st.none() | nodes(node.key, base_of(node)))
    for key in draw(st.lists(st.sampled_from(EDGE_KEYS), max_size=12, unique=True)):
        list_.edges[key] = draw(st.none() | edges(key))
    return list_


def slow_reach(
    nodes: dict[bytes, Node],
    edges: Iterable[Edge],
    level: Level,
    seeds: list[bytes],
    direction: Direction,
    admitted: EdgeFilter,
) -> dict[bytes, int]:
    """Distance of all that is reached, by Dijkstra's algorithm over a plain list of edges: the obvious definition."""
    usable = [edge for edge in edges if edge.kind in level.edge_kinds and admitted.admits(edge)]
    pairs = [(e.source, e.target) if direction is Direction.DOWNSTREAM else (e.target, e.source) for e in usable]
    queue = [(1 if base_of(nodes[key]) is Base.FLOW else 0, key) for key in seeds if key in nodes]
    done: dict[bytes, int] = {}
    while queue:
        distance, key = heapq.heappop(queue)
        if key in done:
            continue
        done[key] = distance
        for source, target in pairs:
            if source == key and target in nodes:
                columns = isinstance(nodes[source], Column) and isinstance(nodes[target], Column)
                cost = 1 if columns or isinstance(nodes[target], Flow) else 0
                heapq.heappush(queue, (distance + cost, target))
    return {key: distance for key, distance in done.items() if key not in seeds}
