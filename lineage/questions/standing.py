"""What still stands: the latest certain version of a dataset, and what is served now.

A version is *standing* if it is the latest certain version of its dataset, by (written, key), or a live rollout serves
it now; a rollout is while it is live. A version that a change reached is *remediated* if a later certain version of its
dataset is known which the change did not reach: judged by the dataset's latest. Where a run wrote the version, the
later one must be on record too, by who made it or as a declared version: a content that somebody found later may be the
same, or made from it.
"""

from __future__ import annotations

from collections.abc import Iterable

from lineage.model import EdgeKind, Run, Version
from lineage.questions.resolution import versions_of
from lineage.questions.rollouts import is_live, model_reads, serving
from lineage.questions.spread import edges_of, owners_of, things
from lineage.store import Direction, GraphReader
from lineage.topology import latest_certain, version_rank


def latest_versions(graph: GraphReader, datasets: Iterable[bytes]) -> dict[bytes, Version]:
    """The latest certain version of each dataset that has one."""
    return latest_certain(versions_of(graph, datasets))


def is_replaced(version: Version, latest: Version | None) -> bool:
    """Whether ``latest`` came after ``version``."""
    return latest is not None and version_rank(latest) > version_rank(version)


def is_on_record(graph: GraphReader, version: Version) -> bool:
    """Whether ``version`` is more than a content that was found: a run wrote it, somebody declared it, or told what it
    was made from."""
    if version.run is not None or version.declared:
        return True
    return bool(graph.neighbours([version.key], [EdgeKind.WROTE], Direction.UPSTREAM))


def served_now(graph: GraphReader, rollouts: Iterable[bytes]) -> set[bytes]:
    """The keys of the model versions that live ones among ``rollouts`` serve now."""
    live = {key: run for key, run in things(graph, rollouts).items() if isinstance(run, Run) and is_live(run)}
    found = model_reads(graph, live)
    return {read.version.key for key, reads in found.items() for read in serving(reads, live[key], None, None)}


def readers_of(graph: GraphReader, versions: Iterable[bytes]) -> set[bytes]:
    """The keys of the runs that read any of ``versions``."""
    flows = {edge.target for edge in edges_of(graph, versions, [EdgeKind.READ_BY], Direction.DOWNSTREAM)}
    return set(owners_of(graph, sorted(flows)).values())
