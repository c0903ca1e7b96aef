"""Random change lists over few nodes and many edges, so that paths are long and all that can change does."""

from __future__ import annotations

from random import Random

from lineage.keys import Base
from lineage.model import (
    Changes,
    Dataset,
    Edge,
    EdgeKey,
    EdgeKind,
    Evidence,
    Flow,
    Node,
    Run,
    RunType,
    Version,
    base_of,
)
from lineage.store import Direction, EdgeFilter, Level
from tests.conformance.graphs import EDGE_KEYS, NODES

KEYS = [*(node.key for node in NODES), b"?" * 16, b"k" * 16, b"d" * 16, bytes(16)]

_OF = {base: [node.key for node in NODES if base_of(node) is base] for base in Base}
_TRAVERSED = {EdgeKind.FEEDS, EdgeKind.READ_BY, EdgeKind.WROTE}
_DENSE = [key for key in EDGE_KEYS if key[0] in _TRAVERSED]
_OTHERS = [key for key in EDGE_KEYS if key[0] not in _TRAVERSED]


def random_node(random: Random, node: Node) -> Node:
    """One with the key of ``node``."""
    match node:
        case Flow():
            return Flow(node.key, random.choice([None, b"k" * 16, *_OF[Base.JOB], *_OF[Base.RUN]]), None)
        case Version():
            of = random.choice([*_OF[Base.DATASET][:2], b"d" * 16])
            return Version(node.key, of, "db", "orders", random.randrange(5), certain=random.random() < 0.7)
        case Dataset():
            return Dataset(node.key, "db", "orders", random.random() < 0.5)
        case Run():
            return Run(node.key, node.run_id, node.job, random.choice(list(RunType)))
        case _:
            return node


def random_edge(random: Random, key: EdgeKey) -> Edge:
    """One with that key."""
    return Edge(
        *key,
        evidence=random.choice([Evidence.DECLARED, *Evidence]),
        certain=random.random() < 0.7,
        stale=random.random() < 0.3,
        at=random.choice([None, *range(5)]),
        until=random.choice([None] * 6 + [1, 2, 5]),
    )


def random_changes(random: Random, *, first: bool = False) -> Changes:
    """A list that puts and deletes some nodes and edges; the ``first`` puts every node."""
    list_ = Changes({}, {}, {})
    for node in NODES if first else random.sample(NODES, random.randrange(5)):
        gone = not first and random.random() < 0.25
        list_.nodes[node.key] = None if gone else random_node(random, node)
    density = random.choice([0.0, 0.1, 0.3])
    for key in EDGE_KEYS:
        if random.random() < density:
            list_.edges[key] = None if random.random() < 0.3 else random_edge(random, key)
    return list_


def random_filter(random: Random) -> EdgeFilter:
    """Any filter, the widest more often."""
    if random.random() < 0.4:
        return EdgeFilter(as_of=random.choice([None, *range(6)]))
    evidence, as_of = random.choice(list(Evidence)), random.choice([None, *range(-1, 6)])
    return EdgeFilter(evidence, random.random() < 0.3, random.random() < 0.3, as_of)


def random_question(random: Random) -> tuple[Level, list[bytes], Direction, EdgeFilter]:
    """What ``reach`` is asked."""
    seeds = random.choices(KEYS, k=random.choice([0, 1, 1, 1, 2, 3]))
    return random.choice(list(Level)), seeds, random.choice(list(Direction)), random_filter(random)
