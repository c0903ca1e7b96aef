"""The rows of a run: its node, its parents, and what its flows read and wrote."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lineage.facts.extract import ENVIRONMENT, METRICS, ROLLOUT
from lineage.flows.run import RunView
from lineage.fold.context import Context
from lineage.fold.emission import Emission
from lineage.fold.reads import Reads
from lineage.fold.records import RunRecord
from lineage.fold.references import References
from lineage.fold.runs import Runs
from lineage.fold.store import Table
from lineage.fold.wiring import tags
from lineage.keys import job_key, run_key
from lineage.model import (
    Edge,
    EdgeKind,
    Gap,
    GapCode,
    Name,
    NameScope,
    Run,
    RunState,
)


class RunRows:
    """Gives the rows of runs."""

    def __init__(self, context: Context, runs: Runs, references: References, emission: Emission) -> None:
        self._context = context
        self._runs = runs
        self._references = references
        self._emission = emission

    def give(self, key: bytes) -> None:
        """Compute the rows of one run, also of one that never spoke and is only named."""
        found = self._runs.view(key)
        if found is None:
            self._give_silent(key)
            return
        record = self._context.records.run_by_key(key)
        assert record is not None
        self._note_silent(key, is_silent=False)
        view, division = found
        rows = Reads(self._context, self._runs, view, division, record)
        rows.compute()
        parent = self._tie_parents(key, record, view)
        if parent is not None:
            rows.edges[EdgeKind.PARENT_OF, parent, key] = Edge(EdgeKind.PARENT_OF, parent, key)
        self._emission.give(key, (run_node(self._context, view, rows), *rows.flows), rows.edges.values(), rows.names)
        self._references.set(key, record.references, rows.references, is_run=True)
        self._context.records.mark(record)

    def _give_silent(self, key: bytes) -> None:
        named = [value for _, value in self._context.records.facts.links(Table.SILENT, key)]
        if not named:
            self._note_silent(key, is_silent=False)
            self._emission.give(key, (), (), ())
            return
        run_id, namespace, name = msgspec.msgpack.decode(min(named), type=tuple[str, str, str])
        job = Name(namespace, name)
        self._context.records.run(run_id, job)
        self._note_silent(key, is_silent=True)
        node = Run(key=key, run_id=run_id, job=job, state=RunState.UNKNOWN)
        edge = Edge(EdgeKind.HAS_RUN, job_key(*job), key)
        self._emission.give(key, (node,), (edge,), ((NameScope.RUN_ID, run_id, key),))

    def _note_silent(self, key: bytes, *, is_silent: bool) -> None:
        """Count the run among the silent ones of its job, or no longer: a job is there while any of its runs is."""
        record = self._context.records.run_by_key(key)
        if record is None or record.is_silent == is_silent:
            return
        record.is_silent = is_silent
        job = self._context.records.job(record.job)
        job.silent_runs += 1 if is_silent else -1
        self._context.records.mark(record)
        self._context.records.mark(job)
        self._context.work.jobs.add(record.job)

    def _tie_parents(self, key: bytes, record: RunRecord, view: RunView) -> bytes | None:
        """The parent's key; has nodes for parents and roots that never speak."""
        silent: list[bytes] = []
        parent: bytes | None = None
        for run_id, job in self._named_runs(view):
            found_id, found_job = self._context.find_run(run_id, job)
            found = run_key(found_id, *found_job)
            if found == key:
                continue
            parent = found if parent is None and view.parent and run_id == view.parent.run_id else parent
            if not self._context.has_spoken(found_id, found_job):
                silent.append(found)
                if found not in record.silent_parents:
                    value = msgspec.msgpack.encode((found_id, *found_job))
                    self._context.records.facts.link(Table.SILENT, found, key, value)
        for other in set(record.silent_parents) - set(silent):
            self._context.records.facts.link(Table.SILENT, other, key, None)
        self._context.work.reads |= set(record.silent_parents) ^ set(silent)
        record.silent_parents = silent
        return parent

    def _named_runs(self, view: RunView) -> Iterator[tuple[str, Name]]:
        if view.parent:
            yield view.parent.run_id, view.parent.job
            if view.parent.root:
                yield view.parent.root


def run_node(context: Context, view: RunView, reads: Reads) -> Run:
    """The node of a run that spoke."""
    facets = view.facets
    gaps = dict(reads.gaps)
    if view.end is None and view.superseded_at is not None:
        gaps[
            Gap(GapCode.ROLLOUT_NOT_ENDED.value, "No event ended this rollout; the next one is taken for its end.")
        ] = None
    conflict = sorted(_conflicts(context, view))
    return Run(
        key=view.key,
        run_id=view.run_id,
        job=view.job,
        type=view.type,
        state=view.state,
        started_at=view.start,
        ended_at=view.effective_end,
        commit=view.commit,
        repository=view.repository,
        parameters=_parameters(facets.get("executionParameters")),
        metrics=_metrics(facets.get(METRICS)),
        environment=_plain(facets.get(ENVIRONMENT)),
        rollout=_plain(facets.get(ROLLOUT)),
        error=_message(facets.get("errorMessage")),
        tags=tags(facets),
        updated_at=view.updated,
        facets={
            name: facets[name]
            for name in ("externalQuery", "jobDependencies", "nominalTime", "processing_engine")
            if name in facets
        },
        gaps=(*sorted(gaps), *conflict),
        serves=tuple((*place, tuple(sorted(versions))) for place, versions in sorted(reads.serves.items())),
    )


def _conflicts(context: Context, view: RunView) -> set[Gap]:
    names = {*view.inputs, *view.outputs}
    groups = (context.directory.group(name) for name in names)
    return {Gap(GapCode.ALIAS_CONFLICT.value, group.conflict) for group in groups if group.conflict}


def _parameters(facet: object) -> dict[str, object]:
    listed = facet.get("parameters") if isinstance(facet, dict) else None
    items = listed if isinstance(listed, list) else ()
    return {str(i["key"]): i.get("value") for i in items if isinstance(i, dict) and "key" in i}


def _metrics(facet: object) -> tuple[dict[str, object], ...]:
    listed = facet.get("metrics") if isinstance(facet, dict) else None
    return tuple(item for item in listed if isinstance(item, dict)) if isinstance(listed, list) else ()


def _plain(facet: object) -> dict[str, object]:
    return {k: v for k, v in facet.items() if not k.startswith("_")} if isinstance(facet, dict) else {}


def _message(facet: object) -> str | None:
    message = facet.get("message") if isinstance(facet, dict) else None
    return message if isinstance(message, str) else None
