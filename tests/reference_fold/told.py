"""What DatasetEvents and JobEvents tell without a run: rule R3."""

from __future__ import annotations

from dataclasses import dataclass

from reference_fold.division import feeds_of_declaration, writes_of
from reference_fold.facts import NO_RUN, Facts, Flow, VersionId
from reference_fold.reads import Found, Look, Met, Timeline, agreeing, keyed_by, undeclared
from reference_fold.versions import Written, digests_of
from reference_fold.world import World, claims_of

from lineage.event.model import EventKind, Name
from lineage.facts.claims import Claims
from lineage.facts.extract import dataset_telling
from lineage.model import Digest

Rank = tuple[int, str, Name]


@dataclass(frozen=True)
class Said:
    """A version as it is told: by what was declared, or by its content hashes."""

    dataset: Name
    version: str | None
    digests: tuple[Digest, ...]


@dataclass(frozen=True)
class Telling:
    """That ``output`` was made from ``sources``; None if that is not told."""

    time: int
    output: Said
    sources: tuple[Said, ...] | None


def tellings_of(world: World) -> list[Telling]:
    """What all DatasetEvents and JobEvents tell of versions."""
    found = []
    for event in world.events:
        if event.dataset is not None and (told := dataset_telling(event)):
            names = None if told.reads is None else [world.names.of(read.name) for read in told.reads]
            sources = None if names is None else tuple(Said(name, None, ()) for name in names if name in world.known)
            output = Said(world.names.of(event.dataset.name), told.version, told.digests)
            found.append(Telling(event.time, output, sources))
        elif event.kind is EventKind.JOB:
            found += _told_by_job(claims_of(event, world.names), world)
    return found


def _told_by_job(claims: Claims, world: World) -> list[Telling]:
    found = []
    feeds = feeds_of_declaration(claims, world)
    for output in feeds.outputs:
        writes = [write for _, write in writes_of([claims], output)]
        versions = [write.version for write in writes if write.version]
        digests = digests_of([write.digests for write in writes])
        if versions or digests:
            said = Said(output, versions[-1] if versions else None, digests)
            sources = tuple(_input_said(claims, name) for name in feeds.of[output])
            found.append(Telling(claims.time, said, sources))
    return found


def _input_said(claims: Claims, name: Name) -> Said:
    reads = [read for read in claims.reads if read.name == name]
    stamped = {(write.name, write.version) for write in claims.writes}
    versions = [read.version for read in reads if read.version and (name, read.version) not in stamped]
    return Said(name, versions[0] if versions else None, digests_of([read.digests for read in reads]))


class Tellings:
    """Binds what is told to the versions that runs wrote, and ties them."""

    def __init__(self, facts: Facts, line: Timeline) -> None:
        self._facts = facts
        self._line = line
        self._made: dict[VersionId, int] = {}

    def add(self, tellings: list[Telling]) -> None:
        """Versions first, as their ties go by when each was first seen."""
        for telling in tellings:
            for said in (telling.output, *(telling.sources or ())):
                if met := self._met(said, telling.time):
                    self._note(met, said.version, telling.time)
                    if said is telling.output:
                        made = self._made.setdefault(id_of(met.version), telling.time)
                        self._made[id_of(met.version)] = min(made, telling.time)
        for telling in tellings:
            output = self._met(telling.output, telling.time)
            if output is not None and telling.sources is not None:
                self._tie(output, telling)

    def _met(self, said: Said, time: int) -> Met | None:
        line = self._line.of(said.dataset)
        if said.version is not None:
            named = [version for version in line if version.declared == said.version]
            return Met(named[0] if named else (said.dataset, "declared", said.version), time, "DECLARED")
        if not said.digests:
            return None
        agree = [version for version in line if version.written <= time and agreeing(version.digests, said.digests)]
        return Met(agree[-1] if agree else keyed_by(said.dataset, said.digests), time, "HASH")

    def _note(self, met: Met, version: str | None, time: int) -> None:
        if isinstance(met.version, Written):
            return
        seen, _, names = self._facts.versions.get(met.version, (time, True, frozenset[str]()))
        told = {version} if version and met.version[1] == "declared" else set()
        self._facts.versions[met.version] = (min(seen, time), True, names | told)
        self._facts.version_gaps[met.version] = frozenset()

    def _tie(self, output: Met, telling: Telling) -> None:
        output_id = id_of(output.version)
        flow: Flow = (NO_RUN, output_id, None)
        self._facts.wrote[flow, output_id] = True
        limit, _ = self._rank(output.version)
        for said in telling.sources or ():
            met = self._met(said, telling.time) or self._as_of(said.dataset, output.version)
            if met is None or met.version == output.version:
                continue
            if not isinstance(met.version, Written):
                self._note(met, said.version, met.time)
            if met.binding == "AS_FOUND" or self._rank(met.version)[0] <= limit:
                self._facts.reads.setdefault((id_of(met.version), flow), (met.binding, "DECLARED", True, False))
                self._facts.read_gaps.setdefault((id_of(met.version), flow), frozenset(met.gaps))

    def _rank(self, version: Written | Found) -> tuple[Rank, int]:
        """A version without a writer ranks by when it was first told how it was made, else by when it was seen."""
        if isinstance(version, Written):
            return version.rank, version.written
        seen = self._made.get(version, self._facts.versions[version][0])
        return (seen, "", Name("", "")), seen

    def _as_of(self, dataset: Name, made: Written | Found) -> Met | None:
        """R13 as of the writing of the version that was ``made``."""
        limit, time = self._rank(made)
        run = made.run if isinstance(made, Written) else None
        look = Look(dataset, time, (), limit, run, run.id if run else made)
        return next(iter(undeclared(self._line, look)[0]), None)


def id_of(version: Written | Found) -> VersionId:
    """What identifies a version (R10)."""
    if isinstance(version, Written):
        return (version.dataset, "run", version.run.id, version.moment)
    return version
