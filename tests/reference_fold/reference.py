"""The graph that a set of events means, by the numbered rules, all at once: slow, and meant to be obvious.

Written from the rules alone, so that two people read them. Dialects, claims and names are the product's own; folders
that are one model, writes nested in writes and writes that only statistics prove are the dialects' tests' concern, and
so are roles, columns, owners and what else only describes.

Readings, where the rules leave something open:

- R1: a run doesn't end before it starts. R2: a dataset is a MODEL if any of its names was last told to be one; what
  columnLineage and ``lineage`` facets name counts as read where one run reads one name and writes the other.
- R5: where only entries name an output, the events with entries are those that name it. R6: a run's columnLineage of
  an output is the one told last; it divides also where it is that of a DROP.
- R8: nothing is inferred from what was itself inferred; parent and child are marked alike.
- R11: a version is new if it isn't the one told last. R12 (e): all claimants carry the gap; (f) keeps to one life of
  the dataset. Where (f) makes a version the reader's own, it counts as not told.
- R12 (b): ``traffic`` of 0 percent tells nothing, and that of a batch run neither.
- R13: any comparable hash that is the same agrees. A STREAMING or SERVICE run's undeclared read at START meets what
  ranks below its START; what an output's flows met too late for its last moment stands in (run, none). Reads of an
  uncertain version carry UNCERTAIN, however they are bound; AS_FOUND may be CLOSE too.
- R15: ALTER keeps. What a STREAMING or SERVICE run reads it reads by R13 alone, and it never builds on its own.
- R16: a RENAME of what nobody wrote takes along what it found. R17: no ``traffic`` lines are 100 percent.
- R3: of a version without a writer, the time at which it was told how it was made, else first seen, is its rank.
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_fold.division import Feeds, Inputs, feeds_of_declaration, feeds_of_run, writes_of
from reference_fold.facts import Facts, Flow, VersionId
from reference_fold.reads import Met, Timeline, builds_on, met_before, met_by, taken_along
from reference_fold.standing import Teller, columns_of, declared_by_datasets, declared_by_jobs, spans_of
from reference_fold.told import Tellings, id_of, tellings_of
from reference_fold.versions import (
    Moments,
    Written,
    declared_reads,
    endings_of,
    give_names,
    note_contents,
    renamed_from,
    versions_of,
    without_repeated_renames,
)
from reference_fold.world import Run, World, world_of

from lineage.event.model import Event, Name
from lineage.facts.schema import Fields
from lineage.keys import run_key

STRENGTH = ("DECLARED", "HASH", "BUILDS_ON", "RENAME", "INFERRED", "TIME", "AS_FOUND")
EVIDENCE = ("DECLARED", "COLUMN", "INFERRED")
MOST_ROUNDS = 60


def facts_of(events: Iterable[Event]) -> Facts:
    """The whole graph of ``events``."""
    world = world_of(events)
    feeds = {run: feeds_of_run(run, world) for run in world.runs.values()}
    graph = _Graph(world, feeds, settled(world, feeds))
    graph.add_writes()
    graph.add_loose_reads()
    graph.add_nodes()
    graph.add_logical()
    Tellings(graph.facts, graph.line).add(tellings_of(world))
    return graph.facts


def settled(world: World, feeds: dict[Run, Feeds]) -> Timeline:
    """The timeline whose moments (R11) are those that its own reads give."""
    moments: Moments = {}
    endings = endings_of(world)
    for _ in range(MOST_ROUNDS):
        versions = versions_of(feeds, moments)
        declared = declared_reads(world)
        kept = without_repeated_renames(versions, endings)
        give_names(kept, declared, endings)
        note_contents(kept, declared)
        void = [version for version in versions if version not in kept]
        line = Timeline(kept, endings, declared, world.models, void)
        streams = {run: fed for run, fed in feeds.items() if run.streams}
        found = {
            (run, output): moments_of(line, run, output, fed) for run, fed in streams.items() for output in fed.outputs
        }
        if found == moments:
            return line
        moments = found
    raise AssertionError("the moments of the streams do not settle")


def moments_of(line: Timeline, run: Run, output: Name, feeds: Feeds) -> list[int]:
    """When a STREAMING or SERVICE run writes ``output`` (R11)."""
    met = [each for name in feeds.evidence for each in met_before(line, run, name)]
    moments, last_told = [run.start], None
    for claims, write in writes_of(run.claims, output):
        is_new = write.version is not None and write.version != last_told
        last_told = write.version or last_told
        since = [
            each
            for each in met
            if isinstance(each.version, Written)
            and moments[-1] < each.version.written <= claims.time
            and each.time <= claims.time
            and each.comes_before((claims.time, *run.id))
        ]
        if claims.time > moments[-1] and (is_new or since):
            moments.append(claims.time)
    return moments


class _Graph:
    """The facts while they are gathered."""

    def __init__(self, world: World, feeds: dict[Run, Feeds], line: Timeline) -> None:
        self.facts = Facts(conflicts=dict.fromkeys(world.names.conflicts & world.known, True))
        self._world = world
        self._feeds = feeds
        self._met: dict[tuple[VersionId, Flow], list[tuple[Met, str]]] = {}
        self._seen_with: dict[VersionId, list[tuple[int, bytes, Fields]]] = {}
        self.line = line

    # -- flows that write

    def add_writes(self) -> None:
        """Each version with what its flow reads, what it builds on, and what a RENAME took along."""
        for version in self.line.versions:
            flow: Flow = (version.run.id, version.dataset, version.moment)
            self.facts.wrote[flow, id_of(version)] = version.certain
            self._read_all(version, flow)
            feeds = self._feeds[version.run]
            kept, evidence = builds_on(self.line, version, reads=version.dataset in feeds.evidence)
            if kept:
                self._read(version.run, flow, kept, feeds.evidence.get(version.dataset, evidence))
            if (old := renamed_from(version.run, version.dataset)) is not None:
                self._read(version.run, flow, taken_along(self.line, version, old), "DECLARED")
        for version in self.line.void:
            self._read_all(version, (version.run.id, version.dataset, version.moment))

    def _read_all(self, version: Written, flow: Flow) -> None:
        run = version.run
        for name, evidence in self._feeds[run].of[version.dataset].items():
            met, gaps = met_by(self.line, run, name, writing=True)
            run.gaps |= gaps
            for each in met:
                if each.comes_before(version.rank) and (version.moment is None or each.time <= version.moment):
                    self._read(run, flow, each, evidence)
        for each in self._of_siblings(run):
            if each.version is not version and each.comes_before(version.rank):
                self._read(run, flow, each, "INFERRED")

    def _of_siblings(self, run: Run) -> list[Met]:
        """R8: what one process's other runs read before is in what this one writes."""
        return [
            Met(met.version, run.start, "INFERRED", {"INFERRED"})
            for name, sibling in self._inferred(run)
            for met in met_by(self.line, sibling, name, writing=False)[0]
        ]

    def _inferred(self, run: Run) -> list[tuple[Name, Run]]:
        mine = self._feeds[run].evidence
        found = []
        for sibling, feeds in self._feeds.items() if run.in_one_process else ():
            if not sibling.in_one_process or sibling.parent != run.parent or sibling.start >= run.start:
                continue
            for name in feeds.evidence:
                of_loaded_model = name in self.line.models and not feeds.outputs
                if name not in mine and (not mine or of_loaded_model):
                    found.append((name, sibling))
        return found

    # -- flows that don't

    def add_loose_reads(self) -> None:
        """What is read and feeds no output, or is met after an output's last moment (R4, R13)."""
        for run, feeds in self._feeds.items():
            for output, inputs in feeds.of.items():
                if output is None or run.streams:
                    self._add_loose(run, output, inputs)

    def _add_loose(self, run: Run, output: Name | None, inputs: Inputs) -> None:
        moments = [
            v.moment for v in self.line.versions if v.run is run and v.dataset == output and v.moment is not None
        ]
        last = max(moments, default=None)
        for name, evidence in inputs.items():
            met, gaps = met_by(self.line, run, name, writing=False)
            run.gaps |= gaps
            for each in met:
                if last is None or each.time > last or not each.comes_before((last, *run.id)):
                    self._read(run, (run.id, None, None), each, evidence)

    def _read(self, run: Run, flow: Flow, met: Met, evidence: str) -> None:
        key = (id_of(met.version), flow)
        known = self._met.setdefault(key, [])
        known.append((met, evidence))
        best = min((each for each, _ in known), key=lambda each: (STRENGTH.index(each.binding), each.time))
        evidence = min((each for _, each in known), key=EVIDENCE.index)
        self.facts.reads[key] = (best.binding, evidence, not run.failed, self._feeds[run].undivided)
        self.facts.read_gaps[key] = frozenset(best.gaps)
        if not isinstance(met.version, Written):
            names = frozenset([str(met.version[2])] if met.version[1] == "declared" else [])
            seen = min(met.time, self.facts.versions.get(key[0], (met.time,))[0])
            self.facts.versions[key[0]] = (seen, True, names)
            self.facts.version_gaps[key[0]] = frozenset()
            told = self._seen_with.setdefault(key[0], [])
            told.append((met.time, run_key(run.id[0], *run.id[1]), self._world.schema_read(run, met.version[0])))

    # -- nodes and the logical level

    def add_nodes(self) -> None:
        """Runs and written versions."""
        for run in self._world.runs.values():
            self.facts.runs[run.id] = (run.type, run.state, run.start, run.end, frozenset(run.gaps))
        for version in self.line.versions:
            names = frozenset([version.declared] if version.declared else [])
            self.facts.versions[id_of(version)] = (version.written, version.certain, names)
            self.facts.version_gaps[id_of(version)] = frozenset(version.gaps)
            self._add_schema(id_of(version), self._schemas_told(version))
        for found, seen in self._seen_with.items():
            self._add_schema(found, [schema for _, _, schema in sorted(seen)])

    def _add_schema(self, version: VersionId, told: list[Fields]) -> None:
        """The one told last."""
        if any(told):
            self.facts.schemas[version] = [fields for fields in told if fields][-1]

    def _schemas_told(self, version: Written) -> list[Fields]:
        """What the run tells of what it writes; while it goes on, until it writes the next version."""
        moments = [v.moment for v in self.line.of(version.dataset) if v.run is version.run and v.moment is not None]
        later = min(
            (moment for moment in moments if version.moment is not None and moment > version.moment), default=None
        )
        return [
            self._world.fields(write.schema)
            for claims, write in writes_of(version.run.claims, version.dataset)
            if later is None or claims.time < later
        ]

    def add_logical(self) -> None:
        """Jobs' flows: the union over their runs and the JobEvent that stands, with R9's attributes; those of datasets
        that say themselves what they are made from; and columns. What was replaced has its end."""
        told: dict[tuple[Name | None, Name | None, Name | None], list[Teller]] = {}
        for run, feeds in self._feeds.items():
            for output, inputs in feeds.of.items():
                ties: dict[Name | None, str] = {name: "INFERRED" for name, _ in self._inferred(run) if output}
                if output and (old := renamed_from(run, output)) is not None:
                    ties[old] = "DECLARED"
                for name, evidence in {**ties, **(inputs or {None: "DECLARED"})}.items():
                    undivided = feeds.undivided and name in inputs
                    told.setdefault((name, run.id[1], output), []).append(
                        Teller(run, evidence, undivided, (run.start, None))
                    )
        for job, claims, span in declared_by_jobs(self._world):
            feeds = feeds_of_declaration(claims, self._world)
            for output, inputs in feeds.of.items():
                for name, evidence in (inputs or {None: "DECLARED"}).items():
                    told.setdefault((name, job, output), []).append(Teller(None, evidence, feeds.undivided, span))
        for (name, job, output), tellers in told.items():
            self._add_wire(name, job, output, tellers)
        for dataset, tellers_of in self._told_by_datasets().items():
            for name, tellers in tellers_of.items():
                self._add_wire(name, None, self._world.names.of(dataset), tellers)
        self.facts.columns = dict(columns_of(self._world, self._feeds))

    def _told_by_datasets(self) -> dict[Name, dict[Name | None, list[Teller]]]:
        found: dict[Name, dict[Name | None, list[Teller]]] = {}
        for dataset, sources, span in declared_by_datasets(self._world):
            names = {source.name for source in sources} & self._world.known
            for name in {None, *names} - {self._world.names.of(dataset)}:
                teller = Teller(None, "DECLARED", False, span)
                found.setdefault(dataset, {}).setdefault(name, []).append(teller)
        return found

    def _add_wire(self, name: Name | None, job: Name | None, output: Name | None, tellers: list[Teller]) -> None:
        for (start, end), last in spans_of(tellers):
            wire = (name, job, output, end)
            if name is not None:
                self.facts.logical[wire] = self._attributes(job, [(t.run, t.evidence, t.undivided) for t in last])
                self.facts.since[wire] = min(start, self.facts.since.get(wire, start))
            if output is not None:
                out = (None, job, output, end)
                self.facts.since[out] = min(start, self.facts.since.get(out, start))

    def _attributes(
        self, job: Name | None, tellers: list[tuple[Run | None, str, bool]]
    ) -> tuple[str, bool, bool, bool]:
        completed = [run for run in self._world.runs.values() if run.id[1] == job and run.state == "COMPLETE"]
        last = max(completed, key=lambda run: run.rank, default=None)
        runs = [run for run, _, _ in tellers]
        return (
            min((evidence for _, evidence, _ in tellers), key=EVIDENCE.index),
            any(run is None or not run.failed for run in runs),
            last is not None and last not in runs and None not in runs,
            all(undivided for _, _, undivided in tellers),
        )
