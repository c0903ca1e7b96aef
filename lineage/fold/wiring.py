"""The logical level: jobs with their flows, and what JobEvents and DatasetEvents declare without a run (R3, R4, R9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from lineage.dialects import by_name
from lineage.facts.claims import Claims, Source
from lineage.facts.extract import processing_type
from lineage.facts.history import Span, joined
from lineage.flows.division import column_claims, divide
from lineage.flows.run import view_run
from lineage.fold.column_lineage import ColumnTellers
from lineage.fold.context import Context
from lineage.fold.declarations import sources_by_span
from lineage.fold.emission import Emission
from lineage.fold.records import DatasetRecord, JobRecord
from lineage.fold.store import Table
from lineage.fold.wire import JobWire, ToldColumns, Wire, WireKind, wire_order
from lineage.keys import Base, dataset_key, job_key, store_key
from lineage.model import Edge, EdgeKey, EdgeKind, Evidence, Flow, Job, Name, NameScope, Owner, Role, RunType

_EVIDENCE = list(Evidence)


class Wiring:
    """Gives the rows of jobs, and of datasets that say themselves what they are made from."""

    def __init__(self, context: Context, emission: Emission) -> None:
        self._context = context
        self._emission = emission
        self._columns = ColumnTellers(context)

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
        divided = {content: self._divide(key, job, claims) for content, claims in job.declared.items()}
        wires = {content: wires for content, (wires, _, _) in divided.items()}
        every_wire = [wire for each in wires.values() for wire in each]
        job.needs = self._context.need(key, job.needs, {source for source, _, _ in every_wire if source})
        told = [
            (self._columns.told(divided[content][1], job.needs), span) for content, span in job.declarations.spans()
        ]
        job.declared_columns = self._tell_columns(key + b"declared", job.declared_columns, told)
        sources = {self._context.directory.resolve(s.name) for claims in job.tellings for s in _sources(claims)}
        for _, columns, _ in divided.values():
            sources.update(source.name for source in chain(*columns.values()))
        job.hidden = self._link(Table.HIDDEN, key, job.hidden, sources)
        named = {name for _, _, names in divided.values() for name in names}
        named.update(name for wire in every_wire for name in wire[:2] if name is not None)
        job.declared_sources = self._link(Table.SOURCES, key, job.declared_sources, named)
        job.declared_wires = {content: sorted(wires[content], key=repr) for content in sorted(wires)}
        self._context.records.mark(job)
        self._context.work.wires.add(job.name)

    def _divide(
        self, key: bytes, job: JobRecord, claims: Claims
    ) -> tuple[list[JobWire], dict[Name, list[Source]], set[Name]]:
        """The wires that a JobEvent tells, what it tells of columns, and all names that it has."""
        wires: list[JobWire] = []
        resolve, dialect = self._context.directory.resolve, by_name(claims.dialect)
        view = view_run(key, "", job.name, (claims,), RunType.BATCH, resolve, dialect)
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
        return wires, columns, {*view.inputs, *view.outputs}

    def _declare_dataset(self, key: bytes, record: DatasetRecord) -> None:
        resolve = self._context.directory.resolve
        public = resolve(record.name)
        told = [
            ([Source(resolve(s.name), s.field, s.output_field, s.transformations) for s in sources], span)
            for sources, span in sources_by_span(record)
        ]
        columns = [(self._columns.told({public: sources}), span) for sources, span in told]
        record.declared_columns = self._tell_columns(key, record.declared_columns, columns)
        names = {source.name for sources, _ in told for source in sources} - {public}
        told_earlier = {resolve(read.name) for telling in record.tellings for read in telling.reads or ()} - {public}
        record.hidden = self._link(Table.HIDDEN, key, record.hidden, told_earlier | names)
        record.declared_sources = self._link(Table.SOURCES, key, record.declared_sources, names)
        self._context.records.mark(record)
        flows = _Flows(None, ("dataset", *record.name))
        for name in [None, *sorted(names)]:
            if name is None or self._context.is_named(name):
                for span in joined(span for sources, span in told if name is None or name in {s.name for s in sources}):
                    flows.add(name, public, span, _TOLD, stale=False)
        self._emission.give(store_key(Base.FLOW, "declared", *record.name), *flows.rows(), ())

    def _tell_columns(
        self, teller: bytes, before: dict[ToldColumns, Span], told: list[tuple[dict[ToldColumns, list[Source]], Span]]
    ) -> dict[ToldColumns, Span]:
        """Have ``teller`` tell column lineage from its first until its last time: an edge between columns has one span,
        whatever is between."""
        now: dict[ToldColumns, Span] = {}
        sources: dict[ToldColumns, list[Source]] = {}
        for columns, (start, end) in told:
            now.update({each: (now.get(each, (start, end))[0], end) for each in columns})
            sources.update(columns)
        self._columns.replace(teller, before, now, sources)
        return now

    def _link(self, table: Table, key: bytes, before: list[Name], names: set[Name]) -> list[Name]:
        now = sorted(names)
        self._context.relink(table, key, before, now)
        return now

    # -- jobs

    def give_job(self, name: Name) -> None:
        """Compute the row of one job; there is none if nothing names it."""
        record = self._context.records.job(name)
        key = job_key(*name)
        if not (record.runs or record.silent_runs or record.facets.updated is not None):
            self._emission.give(key, (), (), ())
            return
        job = _job(key, record)
        self._emission.give(key, (job,), (), [(NameScope.COMMIT, job.commit, key)] if job.commit else [])

    def give_flows(self, name: Name) -> None:
        """Compute the logical flows of one job."""
        flows = _Flows(job_key(*name), ("job", *name))
        for (source, output), span, kind, stale in self._wires(self._context.records.job(name)):
            flows.add(source, output, span, kind, stale=stale)
        self._emission.give(store_key(Base.FLOW, "jobs", *name), *flows.rows(), ())

    def _wires(self, record: JobRecord) -> Iterator[tuple[Wire, Span, WireKind, bool]]:
        """Each wire once for each time that it stood, by those that told it last then: the best evidence, certain if
        any run that did not fail tells it, stale as R9 has it."""
        declared: dict[Wire, list[tuple[Span, WireKind]]] = {}
        for content, span in record.declarations.spans():
            for source, output, kind in record.declared_wires[content]:
                declared.setdefault((source, output), []).append((span, kind))
        fresh = self._context.fresh_wires(record)
        for wire in sorted({*record.wires, *declared}, key=wire_order):
            told, tellings = record.wires.get(wire), declared.get(wire, [])
            of_runs: list[Span] = [(told.at, None)] if told else []
            for start, end in joined([*of_runs, *(span for span, _ in tellings)]):
                kinds = [kind for (_, until), kind in tellings if until == end]
                stands = told is not None and end is None
                stale = stands and fresh is not None and wire not in fresh and not kinds
                yield wire, (start, end), _merged([*kinds, *(told.kinds if told and stands else ())]), stale


class _Flows:
    """The flows of one job, or of one dataset without a job (``owner`` None), as they are added wire by wire.

    What was replaced at one moment stands in flows of its own, so that a path through a flow is one of one time.
    """

    def __init__(self, owner: bytes | None, parts: tuple[str, ...]) -> None:
        self._owner = owner
        self._parts = parts
        self._flows: dict[bytes, Flow] = {}
        self._edges: dict[EdgeKey, Edge] = {}

    def add(self, source: Name | None, output: Name | None, span: Span, kind: WireKind, *, stale: bool) -> None:
        """Add one wire with when it stood."""
        evidence, certain, undivided, role = kind
        at, until = span
        flow = self._flow(output, until)
        if source is not None:
            key = dataset_key(*source)
            self._put(Edge(EdgeKind.FEEDS, key, flow, evidence, certain, stale, undivided, None, role, at, until))
        if output is not None:
            out = (EdgeKind.FEEDS, flow, dataset_key(*output))
            known = self._edges.get(out)
            if known is not None and known.at is not None:
                certain, stale, at = known.certain or certain, known.stale and stale, min(known.at, at)
            self._put(Edge(*out, certain=certain, stale=stale, at=at, until=until))

    def rows(self) -> tuple[Iterable[Flow], Iterable[Edge]]:
        """All flows and edges."""
        return self._flows.values(), self._edges.values()

    def _flow(self, output: Name | None, until: int | None) -> bytes:
        replaced = () if until is None else (str(until),)
        flow = store_key(Base.FLOW, *self._parts, *self._parts_of(output), *replaced)
        if flow not in self._flows:
            self._flows[flow] = Flow(key=flow, owner=self._owner, output=output)
            if self._owner is not None:
                self._put(Edge(EdgeKind.HAS_FLOW, self._owner, flow))
        return flow

    def _parts_of(self, output: Name | None) -> tuple[str, ...]:
        """A dataset's own flow feeds nothing else."""
        return () if self._owner is None or output is None else output

    def _put(self, edge: Edge) -> None:
        self._edges[edge.key] = edge


_TOLD: WireKind = (Evidence.DECLARED, True, False, None)


def _merged(kinds: list[WireKind]) -> WireKind:
    roles = sorted((kind[3] for kind in kinds if kind[3]), key=list(Role).index)
    return (
        min((kind[0] for kind in kinds), key=_EVIDENCE.index),
        any(kind[1] for kind in kinds),
        all(kind[2] for kind in kinds),
        roles[0] if roles else None,
    )


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
        updated_at=record.facets.minute,
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
