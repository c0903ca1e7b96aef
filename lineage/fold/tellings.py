"""Versions that events without a run tell of: DatasetEvents and JobEvents (R3, R10)."""

from __future__ import annotations

from collections.abc import Iterator

from lineage.dialects import by_name
from lineage.facts.claims import Claims, Read, Telling
from lineage.flows.division import column_claims, divide
from lineage.flows.run import Rank, merge_digests, view_run
from lineage.fold.context import Context
from lineage.fold.emission import Emission
from lineage.fold.records import DatasetRecord, JobRecord
from lineage.fold.references import Reference, References
from lineage.fold.store import Table
from lineage.keys import Base, run_key, store_key
from lineage.model import Edge, EdgeKind, Evidence, Flow, Name, RunType
from lineage.timeline.binding import Met, as_of, telling_meets
from lineage.timeline.contents import Content
from lineage.timeline.touch import Told


class Tellings:
    """Binds what datasets and jobs tell of versions, and ties those that they say were made from others."""

    def __init__(self, context: Context, references: References, emission: Emission) -> None:
        self._context = context
        self._references = references
        self._emission = emission

    def bind(self, key: bytes) -> None:
        """Compute everything that the dataset or job with this key tells of versions."""
        dataset = self._context.records.dataset_by_key(key)
        if dataset is not None:
            public = self._context.directory.resolve(dataset.name)
            self._bind(key, dataset, [(public, telling) for telling in dataset.tellings])
        job = self._context.records.job_by_key(key)
        if job is not None:
            self._bind(key, job, [told for claims in job.tellings for told in self._told_by(key, job.name, claims)])

    def _told_by(self, key: bytes, name: Name, claims: Claims) -> Iterator[tuple[Name, Telling]]:
        """A JobEvent's outputs, each with the inputs that feed it."""
        dialect = by_name(claims.dialect)
        view = view_run(key, "", name, (claims,), RunType.BATCH, self._context.directory.resolve, dialect)
        own = column_claims({output: told.columns for output, told in view.outputs.items()})
        outputs = [output for output, told in view.outputs.items() if told.is_write]
        division = divide(list(view.inputs), outputs, view.entries, own, {}, self._context.is_named, dialect)
        for output in outputs:
            told = view.outputs[output]
            version = next((each.version for each in reversed(told.told) if each.version), None)
            if version is None and not told.digests:
                continue
            reads = []
            for source in division.flows.get(output, {}):
                given = view.inputs[source].told if source in view.inputs else []
                versions = given[0].versions if given else ()
                reads.append(Read(source, versions[0] if versions else None, given[0].digests if given else ()))
            yield (
                output,
                Telling(claims.time, claims.hash, version, told.digests, told.card, tuple(reads), told.schema),
            )

    def _bind(self, key: bytes, record: DatasetRecord | JobRecord, told: list[tuple[Name, Telling]]) -> None:
        references: dict[bytes, Reference] = {}
        ties: dict[bytes, tuple[Met, Name, Telling]] = {}
        for public, telling in sorted(told, key=lambda item: (item[1].time, item[1].hash)):
            met = self._refer(key, public, telling.version, telling, references)
            if met is not None and telling.reads is not None:
                ties[met.version] = (met, public, telling)
        for _, _, telling in ties.values():
            for read in telling.reads or ():
                if read.version or read.digests:
                    source = Telling(telling.time, telling.hash, read.version, read.digests)
                    public = self._context.directory.resolve(read.name)
                    self._refer(key, public, read.version, source, references, made=False)
        flows = [self._flow(key, *tie, references) for tie in ties.values()]
        contents: dict[Name, dict[str, Content]] = {}
        for public, telling in sorted(told, key=lambda item: (item[1].time, item[1].hash)):
            if telling.version and telling.digests:
                known = contents.setdefault(public, {}).get(telling.version, (telling.time, ()))
                merged = merge_digests(known[1], telling.digests)
                contents[public][telling.version] = (known[0], merged)
        self._context.tell(key, record.told_of, contents)
        sources = {self._context.directory.resolve(read.name) for _, telling in told for read in telling.reads or ()}
        publics = sorted(sources.union(reference.dataset for reference in references.values()))
        self._context.relink(Table.TELLERS, key, record.told_of, publics)
        record.told_of = publics
        self._references.set(key, record.references, references, is_run=False)
        self._context.records.mark(record)
        self._give(key, flows)

    def _refer(
        self,
        key: bytes,
        public: Name,
        version: str | None,
        telling: Telling,
        references: dict[bytes, Reference],
        *,
        made: bool = True,
    ) -> Met | None:
        told = Told(telling.time, (version,) if version else (), telling.digests)
        met = telling_meets(self._context.timeline(public), told)
        if met is not None:
            new = met.unwritten
            declared, digest = (new.declared, new.digest) if new else (None, None)
            reference = Reference(
                public, telling.time, declared, digest, telling.digests, telling.card, made, telling.schema
            )
            before = references.get(met.version)
            references[met.version] = _merged(before, reference) if before else reference
        return met

    # -- ties

    def _flow(
        self, key: bytes, met: Met, public: Name, telling: Telling, references: dict[bytes, Reference]
    ) -> tuple[Flow, list[Edge]]:
        """The flow that made one version, and its edges. Adds to ``references`` versions that are known only by it."""
        flow = store_key(Base.FLOW, "telling", key.hex(), met.version.hex())
        bound, at = self._rank(key, met, references)
        edges = [Edge(EdgeKind.WROTE, flow, met.version, at=at)]
        for read in telling.reads or ():
            name = self._context.directory.resolve(read.name)
            if not self._context.is_named(name):
                continue
            for source in self._sources(key, name, read, met, telling, (at, bound)):
                if not self._may_read(key, source, bound, references):
                    continue
                if source.unwritten is not None and source.version not in references:
                    references[source.version] = Reference(name, at)
                edges.append(
                    Edge(
                        EdgeKind.READ_BY,
                        source.version,
                        flow,
                        Evidence.DECLARED,
                        binding=source.binding,
                        at=max(at, self._rank(key, source, references)[1]),
                        gaps=source.gaps,
                    )
                )
        return Flow(key=flow, owner=None, output=public), edges

    def _sources(
        self, key: bytes, name: Name, read: Read, made: Met, telling: Telling, written: tuple[int, Rank]
    ) -> list[Met]:
        """What a version was made from: as told, else by R13 as of the version's writing."""
        timeline = self._context.timeline(name)
        if read.version or read.digests:
            told = Told(telling.time, (read.version,) if read.version else (), read.digests)
            met = telling_meets(timeline, told)
            return [met] if met else []
        at, bound = written
        writer = bound.run_id, Name(bound.namespace, bound.name)
        if made.rank is None:
            writer = "", Name("telling", made.version.hex())
        return as_of(timeline, run_key(writer[0], *writer[1]), writer, at, bound)

    def _give(self, key: bytes, flows: list[tuple[Flow, list[Edge]]]) -> None:
        nodes: dict[bytes, Flow] = {}
        edges: dict[tuple[EdgeKind, bytes, bytes], Edge] = {}
        for flow, its_edges in flows:
            nodes.setdefault(flow.key, flow)
            for edge in its_edges:
                edges.setdefault(edge.key, edge)
        unit = store_key(Base.FLOW, "tellings", key.hex())
        self._emission.give(unit, nodes.values(), edges.values(), ())

    def _may_read(self, key: bytes, source: Met, bound: Rank, references: dict[bytes, Reference]) -> bool:
        """Whether ``source`` comes before what is made from it; what nothing makes always does."""
        if source.unwritten is not None and not any(told.made for told in self._told(key, source, references)):
            return True
        return self._rank(key, source, references)[0] < bound

    def _rank(self, key: bytes, met: Met, references: dict[bytes, Reference]) -> tuple[Rank, int]:
        """A version's place in the order that keeps the graph without a cycle. Without a writer it is when it was first
        seen, before all runs of that moment, as these may have read it; of two such, what is then made comes last."""
        if met.rank is not None:
            return met.rank, met.written or met.at
        told = self._told(key, met, references)
        first = min((reference.at for reference in told), default=met.at)
        made = any(reference.made for reference in told if reference.at == first)
        return Rank(first, "", "made" if made else "", met.version.hex()), first

    def _told(self, key: bytes, met: Met, references: dict[bytes, Reference]) -> list[Reference]:
        """What is told of a version, by ``key`` what ``references`` has."""
        others = [reference for teller, reference in self._references.of(met.version) if teller != key]
        return [*others, *([references[met.version]] if met.version in references else [])]


def _merged(one: Reference, other: Reference) -> Reference:
    before, later = sorted((one, other), key=lambda reference: reference.at)
    digests = {(d.algorithm, d.scope, d.method): d for d in (*before.digests, *later.digests)}
    return Reference(
        before.dataset,
        before.at,
        before.declared,
        before.digest,
        tuple(digests.values()),
        later.card or before.card,
        before.made or (later.made and later.at == before.at),
        later.schema or before.schema,
    )
