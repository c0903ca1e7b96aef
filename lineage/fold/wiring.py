"""The logical level: jobs with their flows, and what JobEvents and DatasetEvents declare without a run (R3, R4, R9)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from lineage.dialects import by_name
from lineage.facts.claims import Claims, Source
from lineage.facts.extract import declared_sources, processing_type
from lineage.flows.division import column_claims, divide
from lineage.flows.run import view_run
from lineage.fold.context import Context
from lineage.fold.emission import Emission
from lineage.fold.records import DatasetRecord, JobRecord, JobWire, Wire, WireKind, wire_order
from lineage.fold.store import Table
from lineage.keys import Base, dataset_key, job_key, store_key
from lineage.model import Edge, EdgeKind, Evidence, Flow, Job, Name, NameScope, Owner, Role, RunType

_EVIDENCE = list(Evidence)


class Wiring:
    """Gives the rows of jobs, and of datasets that say themselves what they are made from."""

    def __init__(self, context: Context, emission: Emission) -> None:
        self._context = context
        self._emission = emission

    # -- declarations

    def declare(self, key: bytes) -> None:
        """Divide what the job or dataset with this key declares, and share it."""
        job = self._context.records.job_by_key(key)
        if job is not None:
            self._declare_job(key, job)
        dataset = self._context.records.dataset_by_key(key)
        if dataset is not None:
            self._declare_dataset(key, dataset)

    def _declare_job(self, key: bytes, job: JobRecord) -> None:
        wires: list[JobWire] = []
        columns: dict[Name, list[Source]] = {}
        named: set[Name] = set()
        if job.declared is not None:
            resolve, dialect = self._context.directory.resolve, by_name(job.declared.dialect)
            view = view_run(key, "", job.name, (job.declared,), RunType.BATCH, resolve, dialect)
            named = {*view.inputs, *view.outputs}
            columns = {name: list(output.columns) for name, output in view.outputs.items()}
            own = column_claims({name: output.columns for name, output in view.outputs.items()})
            outputs = [name for name, output in view.outputs.items() if output.is_write]
            division = divide(list(view.inputs), outputs, view.entries, own, {}, self._context.is_named, dialect)
            trains = self._context.trains(view)
            for output, sources in division.flows.items():
                if not sources:
                    wires.append((None, output, (Evidence.DECLARED, True, False, None)))
                for name, evidence in sources.items():
                    role = self._context.role(view, name, trains=trains)
                    wires.append((name, output, (evidence, True, division.undivided, role)))
            for entry in view.entries:
                if entry.target is not None:
                    columns.setdefault(entry.target, []).extend(entry.sources)
        job.needs = self._context.need(key, job.needs, {source for source, _, _ in wires if source})
        self._context.set_columns(job.declared_columns, columns, job.needs)
        told = {self._context.directory.resolve(s.name) for claims in job.tellings for s in _sources(claims)}
        hidden = sorted(told.union(source.name for source in chain(*columns.values())))
        self._context.relink(Table.HIDDEN, key, job.hidden, hidden)
        job.hidden = hidden
        sources_now = sorted(named.union(name for wire in wires for name in wire[:2] if name is not None))
        self._context.relink(Table.SOURCES, key, job.declared_sources, sources_now)
        job.declared_sources = sources_now
        job.declared_wires = sorted(wires, key=repr)
        self._context.records.mark(job)
        self._context.work.wires.add(job.name)

    def _declare_dataset(self, key: bytes, record: DatasetRecord) -> None:
        resolve = self._context.directory.resolve
        told = declared_sources({name: record.sources.value(name) for name in record.sources.told})
        sources = [Source(resolve(s.name), s.field, s.output_field, s.transformations) for s in told or ()]
        public = resolve(record.name)
        self._context.set_columns(record.declared_columns, {public: sources})
        names = sorted({source.name for source in sources} - {public})
        told_earlier = {resolve(read.name) for telling in record.tellings for read in telling.reads or ()} - {public}
        hidden = sorted(told_earlier.union(names))
        self._context.relink(Table.HIDDEN, key, record.hidden, hidden)
        self._context.relink(Table.SOURCES, key, record.declared_sources, names)
        record.hidden, record.declared_sources = hidden, names
        self._context.records.mark(record)
        flow = store_key(Base.FLOW, "dataset", *record.name)
        shown = [name for name in names if self._context.is_named(name)]
        unit = store_key(Base.FLOW, "declared", *record.name)
        if told is None:
            self._emission.give(unit, (), (), ())
            return
        edges = [Edge(EdgeKind.FEEDS, dataset_key(*name), flow) for name in shown]
        edges.append(Edge(EdgeKind.FEEDS, flow, dataset_key(*public)))
        self._emission.give(unit, (Flow(key=flow, owner=None, output=public),), edges, ())

    # -- jobs

    def give_job(self, name: Name) -> None:
        """Compute the row of one job; there is none if nothing names it."""
        record = self._context.records.job(name)
        key = job_key(*name)
        if not (record.runs or record.silent or record.facets.updated is not None):
            self._emission.give(key, (), (), ())
            return
        job = _job(key, record)
        self._emission.give(key, (job,), (), [(NameScope.COMMIT, job.commit, key)] if job.commit else [])

    def give_flows(self, name: Name) -> None:
        """Compute the logical flows of one job."""
        record = self._context.records.job(name)
        key = job_key(*name)
        flows: dict[bytes, Flow] = {}
        edges: dict[tuple[EdgeKind, bytes, bytes], Edge] = {}
        for source, output, edge_kind, stale in self._wires(record):
            flow = store_key(Base.FLOW, "job", *name, *(output or ()))
            if flow not in flows:
                flows[flow] = Flow(key=flow, owner=key, output=output)
                edges[EdgeKind.HAS_FLOW, key, flow] = Edge(EdgeKind.HAS_FLOW, key, flow)
            evidence, certain, undivided, role = edge_kind
            if source is not None:
                into = Edge(
                    EdgeKind.FEEDS, dataset_key(*source), flow, evidence, certain, stale, undivided=undivided, role=role
                )
                edges[into.key] = into
            if output is not None:
                out = Edge(EdgeKind.FEEDS, flow, dataset_key(*output), Evidence.DECLARED, certain, stale)
                known = edges.get(out.key)
                if known is not None:
                    out = Edge(*out.key, certain=known.certain or certain, stale=known.stale and stale)
                edges[out.key] = out
        self._emission.give(store_key(Base.FLOW, "jobs", *name), flows.values(), edges.values(), ())

    def _wires(self, record: JobRecord) -> Iterator[tuple[Name | None, Name | None, WireKind, bool]]:
        """Each wire once: the best evidence, certain if any run that did not fail tells it, stale as R9 has it."""
        declared: dict[Wire, list[WireKind]] = {}
        for source, output, kind in record.declared_wires:
            declared.setdefault((source, output), []).append(kind)
        fresh = self._context.fresh_wires(record)
        for wire in sorted({*record.wires, *declared}, key=wire_order):
            kinds = [*record.wires.get(wire, ()), *declared.get(wire, ())]
            evidence = min((kind[0] for kind in kinds), key=_EVIDENCE.index)
            roles = sorted((kind[3] for kind in kinds if kind[3]), key=list(Role).index)
            merged = (
                evidence,
                any(kind[1] for kind in kinds),
                all(kind[2] for kind in kinds),
                roles[0] if roles else None,
            )
            stale = fresh is not None and wire not in fresh and wire not in declared
            yield (*wire, merged, stale)


def _sources(claims: Claims) -> Iterator[Source]:
    """All that columnLineage and entries name as a source."""
    for write in claims.writes:
        yield from write.columns
    for entry in claims.entries:
        yield from entry.sources


def _job(key: bytes, record: JobRecord) -> Job:
    facets = record.facets.values()
    location = facets.get("sourceCodeLocation", {})
    documentation = facets.get("documentation", {}).get("description")
    return Job(
        key=key,
        namespace=record.name.namespace,
        name=record.name.name,
        is_deployment=processing_type(facets) == "SERVICE",
        owners=owners(facets),
        tags=tags(facets),
        description=documentation if isinstance(documentation, str) else None,
        repository=_text(location.get("repoUrl")) or _text(location.get("url")),
        commit=_text(location.get("version")),
        updated_at=record.facets.updated,
        facets={name: value for name, value in facets.items() if name not in ("ownership", "tags", "documentation")},
    )


def owners(facets: dict[str, object]) -> tuple[Owner, ...]:
    """The owners of an ownership facet, in its order."""
    facet = facets.get("ownership")
    listed = facet.get("owners") if isinstance(facet, dict) else None
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return tuple(Owner(item["name"], _text(item.get("type"))) for item in items if isinstance(item.get("name"), str))


def tags(facets: dict[str, object]) -> tuple[str, ...]:
    """The tags of a tags facet that are of no field: ``key`` or ``key=value``, sorted."""
    return tuple(sorted({text for text, column in tag_items(facets) if column is None}))


def tag_items(facets: dict[str, object]) -> Iterator[tuple[str, str | None]]:
    """All tags with the field they are of."""
    facet = facets.get("tags")
    listed = facet.get("tags") if isinstance(facet, dict) else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("key"), str):
            value = item.get("value")
            yield (
                (f"{item['key']}={value}" if value not in (None, "", "true") else item["key"]),
                _text(item.get("field")),
            )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
