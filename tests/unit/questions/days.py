"""A pipeline that runs again and again, each output's content following from what went in: for the tests of diffs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from lineage.answer import Thing, label, thing_id
from lineage.answer.difference import Diff, Hunk
from lineage.keys import job_key
from lineage.model import RunState
from lineage.questions.subjects import NodeRef


class Days:
    """Builds on a ``World``. What a run tells goes into the content of what it writes."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self._contents: dict[bytes, str] = {}

    def source(self, dataset: str, at: int, content: str, *, hashed: bool = True) -> bytes:
        """A version of ``dataset`` that no run wrote."""
        return self._version(dataset, at, content, None, hashed)

    def run(self, job: str, at: int, reads: Sequence[bytes], output: str, *, hashed: bool = True, **told: Any) -> bytes:
        """A run of ``job`` that makes a version of ``output``, at ``at + 1``; the key of that version.

        ``content`` in ``told`` says what comes out whatever goes in; ``roles`` by key of what is read."""
        roles, binding, content = told.pop("roles", {}), told.pop("binding", None), told.pop("content", None)
        if job_key("jobs", job) not in self.world.changes.nodes:
            self.world.job(job)
        run = self.world.run(job, f"{job}-{at}", started_at=at, **{"state": RunState.COMPLETE, **told})
        told = {name: told[name] for name in ("commit", "parameters", "environment") if name in told}
        made = json.dumps([job, told, sorted(self._contents[read] for read in reads)], sort_keys=True)
        version = self._version(output, at + 1, content or sha256(made.encode()).hexdigest()[:8], run, hashed)
        flow = self.world.flow(run, output)
        for read in reads:
            self.world.read(read, flow, roles.get(read), at=at, binding=binding)
        self.world.write(flow, version, at=at + 1)
        return version

    def _version(self, dataset: str, at: int, content: str, run: bytes | None, hashed: bool) -> bytes:
        key: bytes = self.world.version(self.world.dataset(dataset), at, content if hashed else None, run=run)
        self._contents[key] = content
        return key

    def day(self, at: int, sources: Mapping[str, bytes], **told: dict[str, Any]) -> bytes:
        """raw → wash → clean → build → features; features and labels → train → churn. The key of the model version."""
        clean = self.run("wash", at, [sources["raw"]], "clean", **told.get("wash", {}))
        features = self.run("build", at + 10, [clean], "features", **told.get("build", {}))
        reads = [features, *(version for name, version in sources.items() if name != "raw")]
        return self.run("train", at + 20, reads, "churn", **told.get("train", {}))


def name(thing: Thing | None) -> str:
    """The label of ``thing`` without its time."""
    assert thing is not None
    return label(thing).partition(" @ ")[0]


def of(view: Any, key: bytes) -> NodeRef:
    """The node ``key`` as a subject."""
    (node,) = view.graph.fetch([key])
    return NodeRef(thing_id(node))


def hunks(view: Any, answer: Diff) -> dict[str, Hunk]:
    """The hunks by the name of their dataset or job."""
    return {name(hunk.b or hunk.a): hunk for hunk in answer.hunks.page(view, 0, 1000)}


def origins(view: Any, answer: Diff) -> list[str]:
    """The names of the hunks where the histories part."""
    return [name(hunk.b or hunk.a) for hunk in answer.origins.page(view, 0, 1000)]


def told(hunk: Hunk) -> list[tuple[str, str, str, object, object]]:
    """(aspect, change, name, a, b) of each difference."""
    return [(d.aspect.value, d.change.value, d.name, d.a, d.b) for d in hunk.differences]
