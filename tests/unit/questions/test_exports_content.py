"""Content hashes of versions in GraphML."""

from __future__ import annotations

import io
from typing import Any

import networkx
from msgspec.structs import replace

from lineage.answer import thing_id
from lineage.exports.graphml import to_graphml
from lineage.model import Digest, Version
from lineage.questions.impact import impact
from lineage.questions.provenance import provenance
from lineage.questions.subjects import DatasetRef, VersionRef


def test_versions_have_their_content_hashes_and_nothing_else_has(pipeline: Any) -> None:
    world = pipeline.world
    digests = (Digest("sha256", "0f" * 32, "FULL", "file"), Digest("sha256", "1e" * 32, "SAMPLE", "table"))
    world.put(replace(world.changes.nodes[pipeline.raw1], digests=digests))
    view = world.view()
    for answer in (provenance(view, VersionRef("db", "churn")), impact(view, VersionRef("db", "raw"))):
        graph = networkx.read_graphml(io.BytesIO(to_graphml(view, answer).encode()), force_multigraph=True)
        told = {key: hashes for key, hashes in graph.nodes(data="content_hashes") if hashes is not None}
        versions = {thing_id(node): node for node in world.changes.nodes.values() if isinstance(node, Version)}
        hashed = {key for key, node in versions.items() if node.digests}
        assert set(told) == hashed & set(graph)
        assert told[thing_id(world.changes.nodes[pipeline.raw1])] == (
            f"sha256:{'0f' * 32} (FULL, file); sha256:{'1e' * 32} (SAMPLE, table)"
        )


def test_a_logical_answer_has_none(pipeline: Any) -> None:
    world = pipeline.world
    world.changes.nodes = {key: node for key, node in world.changes.nodes.items() if not isinstance(node, Version)}
    view = world.view()
    assert "content_hashes" not in to_graphml(view, provenance(view, DatasetRef("db", "churn")))
