"""What the parts of the fold share: records, names, timelines and the marks of what is still to be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from lineage.flows.run import RunView
from lineage.fold.directory import Directory
from lineage.fold.records import JobRecord, Records
from lineage.fold.store import Table
from lineage.fold.wire import Wire
from lineage.fold.work import Work
from lineage.keys import dataset_key, run_key
from lineage.model import Name, Role, RunType
from lineage.timeline.contents import Content
from lineage.timeline.timeline import Affected, Timeline
from lineage.timeline.touch import Touch

_TOUCH = msgspec.msgpack.Decoder(Touch)
_CONTENTS = msgspec.msgpack.Decoder(dict[str, Content])
_encode = msgspec.msgpack.Encoder().encode


class Context:
    """Shared state of one fold."""

    def __init__(self, records: Records, directory: Directory, work: Work, *, capacity: int = 100_000) -> None:
        self.records = records
        self.directory = directory
        self.work = work
        self._timelines: dict[Name, Timeline] = {}
        self._used: set[Name] = set()
        self._capacity = capacity

    # -- datasets

    def members(self, name: Name) -> tuple[Name, ...]:
        """All names that go under the public ``name``, itself among them."""
        return self.directory.group(name).members.get(name, ())

    def is_model(self, name: Name) -> bool:
        """Whether the dataset under this public name is a model: it says so, or is a folder known for one."""
        return self.directory.is_model(name)

    def is_named(self, name: Name) -> bool:
        """Whether any event names the dataset otherwise than in columnLineage (R7)."""
        for member in self.members(name):
            record = self.records.known_dataset(member)
            if record is not None and record.is_named:
                return True
        return False

    def is_shown(self, name: Name) -> bool:
        """Whether the dataset under this public name is in the graph: an event names it, or flows have it."""
        facts = self.records.facts
        return self.is_named(name) or any(
            True for member in self.members(name) for _ in facts.links(Table.NEEDS, dataset_key(*member))
        )

    def need(self, key: bytes, before: list[Name], names: Iterable[Name]) -> list[Name]:
        """Have the datasets ``names`` in the graph while ``key`` needs them, and no longer for it what else was in
        ``before``; those of ``names`` that nothing names."""
        now = sorted({name for name in names if not self.is_named(name)})
        if now != before:
            for name in {*now, *before}:
                self.records.dataset(name)
                self.records.facts.link(Table.NEEDS, dataset_key(*name), key, b"" if name in now else None)
                self.work.datasets |= {name, self.directory.resolve(name)}
        return now

    # -- timelines

    def timeline(self, name: Name) -> Timeline:
        """The timeline of the dataset under this public name."""
        found = self._timelines.get(name)
        if found is None:
            facts, key = self.records.facts, dataset_key(*name)
            found = self._timelines[name] = Timeline(name)
            found.load(
                (_TOUCH.decode(self.records.unpack(value)) for _, value in facts.links(Table.TIMELINE, key)),
                {teller: _CONTENTS.decode(value) for teller, value in facts.links(Table.CONTENTS, key)},
            )
        self._used.add(name)
        return found

    def replace(self, name: Name, run: bytes, touch: Touch | None) -> None:
        """Tell a timeline what ``run`` does to the dataset, and mark what that affects."""
        timeline = self.timeline(name)
        if timeline.touches.get(run) == touch:
            return
        value = None if touch is None else self.records.pack(touch)
        self.records.facts.link(Table.TIMELINE, dataset_key(*name), run, value)
        dropped = timeline.dropped_at
        self._mark(name, timeline, timeline.replace(run, touch), run)
        if dropped != timeline.dropped_at:
            self.work.datasets.add(name)

    def tell(self, teller: bytes, before: Iterable[Name], told: Mapping[Name, dict[str, Content]]) -> None:
        """Tell timelines what ``teller`` says of the content of declared versions, now and no longer ``before``."""
        for name in sorted({*before, *told}):
            timeline = self.timeline(name)
            contents = told.get(name, {})
            value = _encode(contents) if contents else None
            if self.records.facts.linked(Table.CONTENTS, dataset_key(*name), teller) != value:
                self.records.facts.link(Table.CONTENTS, dataset_key(*name), teller, value)
                self._mark(name, timeline, timeline.tell(teller, contents), teller)

    def _mark(self, name: Name, timeline: Timeline, affected: Affected, run: bytes) -> None:
        self.work.reads |= affected.runs
        self.work.versions.update(dict.fromkeys(affected.versions, name))
        self.work.flows |= affected.renamers - {run}
        for other in affected.runs:
            touch = timeline.touches.get(other)
            if touch is not None and touch.continuous and other != run:
                self.work.flows.add(other)
        self._mark_inferred(affected.runs)
        for table in (Table.TELLERS, Table.SOURCES):
            for key, _ in self.records.facts.links(table, dataset_key(*name)):
                self.work.tellers.add(key)

    def _mark_inferred(self, runs: Iterable[bytes]) -> None:
        """Runs that build on what their siblings read have to follow them (R8)."""
        for run in runs:
            record = self.records.run_by_key(run)
            if record is None or record.family is None:
                continue
            for child, _ in self.records.facts.links(Table.CHILDREN, record.family.encode()):
                other = self.records.run_by_key(child)
                if other is not None and any(sibling == run for sibling, _ in other.infers):
                    self.work.reads.add(child)

    def trim(self) -> None:
        """Let go of the timelines that were longest not asked for, when all hold too much."""
        for name in self._used:
            self._timelines[name] = self._timelines.pop(name)
        self._used.clear()
        held = sum(len(timeline.touches) for timeline in self._timelines.values())
        while held > self._capacity:
            oldest = next(iter(self._timelines))
            held -= len(self._timelines.pop(oldest).touches)

    # -- runs

    def parent_of(self, view: RunView) -> tuple[str, Name]:
        """The parent's runId and job: found by runId alone where one run has it (R1)."""
        assert view.parent is not None
        return self.find_run(view.parent.run_id, view.parent.job)

    def find_run(self, run_id: str, job: Name) -> tuple[str, Name]:
        """The run that a child means by this runId under this job."""
        spoke = [key for key, _ in self.records.facts.links(Table.RUN_IDS, run_id.encode())]
        if len(spoke) == 1 and (record := self.records.run_by_key(spoke[0])) is not None:
            return (run_id, record.job)
        return (run_id, job)

    def has_spoken(self, run_id: str, job: Name) -> bool:
        """Whether the run sent an event of its own."""
        record = self.records.run_by_key(run_key(run_id, *job))
        return record is not None and record.events > 0

    def trains(self, view: RunView) -> bool:
        """Whether the run writes a model, so that its inputs are training data unless told otherwise."""
        return view.type is RunType.BATCH and any(
            output.is_write and self.is_model(name) for name, output in view.outputs.items()
        )

    def role(self, view: RunView, name: Name, *, trains: bool) -> Role | None:
        """The role of an input: as told, else by what the run writes."""
        source = view.inputs.get(name)
        if source is not None and source.role:
            return Role(source.role)
        if not trains:
            return None
        return Role.BASE_MODEL if self.is_model(name) else Role.TRAIN

    # -- what several share

    def fresh_wires(self, job: JobRecord) -> set[Wire] | None:
        """The wires that the job's last completed run told; None if none completed (R9)."""
        last = self.records.run_by_key(job.last_complete[1]) if job.last_complete else None
        return None if last is None else {(source, output) for source, output, _ in last.wires}

    def relink(self, table: Table, key: bytes, before: Iterable[Name], now: Iterable[Name]) -> None:
        """Have ``key`` linked from ``now`` and no longer from what else was in ``before``."""
        keep = set(now)
        for name in set(before) - keep:
            self.records.facts.link(table, dataset_key(*name), key, None)
        for name in keep:
            self.records.facts.link(table, dataset_key(*name), key)
