"""What a run does to each dataset, told to the timelines (R11 to R17)."""

from __future__ import annotations

from itertools import groupby, pairwise
from operator import attrgetter

import msgspec

from lineage.flows.division import Division
from lineage.flows.run import Input, Output, RunView, ToldWrite, batch_reads, merge_digests
from lineage.fold.context import Context
from lineage.fold.records import RunRecord
from lineage.model import Name
from lineage.timeline.binding import Met, meets_before
from lineage.timeline.touch import End, Mode, Told, Touch, TouchWrite, WriteId

_MODES = {"OVERWRITE": Mode.REPLACES, "TRUNCATE": Mode.REPLACES, "RENAME": Mode.REPLACES, "ALTER": Mode.KEEPS}


class Touches:
    """Computes the touches of runs, and keeps the timelines in step."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def touch(self, record: RunRecord, view: RunView, division: Division) -> None:
        """Tell every timeline concerned what the run does to its dataset, and no longer what it did before."""
        touches = self._reading_touches(view, division)
        if view.is_continuous or [name for name, output in view.outputs.items() if self.old_name(name, output)]:
            self._touch_first(view, touches)
        mets = self._continuous_mets(view, touches) if view.is_continuous else []
        for name, output in view.outputs.items():
            if output.is_write and self._renames(view, name, output):
                touch = touches.get(name) or self._bare_touch(view)
                touches[name] = msgspec.structs.replace(touch, writes=self._writes(view, name, output, mets))
        for name in dict.fromkeys((*record.touched, *touches)):
            self._context.replace(name, view.key, touches.get(name))
        record.touched = list(touches)
        if view.is_continuous and self._continuous_mets(view, touches) != mets:
            self._context.work.flows.add(view.key)

    def _touch_first(self, view: RunView, touches: dict[Name, Touch]) -> None:
        """Tell what the run reads and ends before what it writes is computed, as that depends on it."""
        for name, touch in touches.items():
            before = self._context.timeline(name).touches.get(view.key)
            kept = before.writes if before and name in view.outputs else ()
            self._context.replace(name, view.key, msgspec.structs.replace(touch, writes=kept))

    def _bare_touch(self, view: RunView) -> Touch:
        parent = self._context.parent_of(view) if view.parent else None
        return Touch(
            run=view.key,
            run_id=view.run_id,
            job=view.job,
            start=view.start,
            end=view.effective_end,
            continuous=view.is_continuous,
            parent=parent,
            nests=view.dialect.nests_writes,
        )

    def _reading_touches(self, view: RunView, division: Division) -> dict[Name, Touch]:
        bare = self._bare_touch(view)
        touches: dict[Name, Touch] = {}
        for name in dict.fromkeys(name for sources in division.flows.values() for name in sources):
            told = _told(view, view.inputs.get(name))
            touches[name] = msgspec.structs.replace(bare, reads=told)
        for name, output in view.outputs.items():
            at = view.effective_end if view.effective_end is not None else output.told[-1].at
            at = max(at, view.start)
            if output.lifecycle == "DROP" and not view.failed:
                touch = touches.get(name, bare)
                touches[name] = msgspec.structs.replace(touch, ends=(*touch.ends, End(at)))
            elif (old := self.old_name(name, output)) is not None:
                touch = touches.get(old, bare)
                ends = touch.ends if view.failed else (*touch.ends, End(at, name))
                touches[old] = msgspec.structs.replace(touch, ends=ends, renames_at=at)
        return touches

    def old_name(self, name: Name, output: Output) -> Name | None:
        """The name that a RENAME to ``name`` took it from; None for any other output."""
        if output.lifecycle != "RENAME" or output.previous is None:
            return None
        old = self._context.directory.resolve(output.previous)
        return old if old != name else None

    def _renames(self, view: RunView, name: Name, output: Output) -> bool:
        """Whether this is a write: a RENAME is one once per pair and life (R16)."""
        old = self.old_name(name, output)
        if old is None:
            return True
        timeline = self._context.timeline(old)
        touch = timeline.touches.get(view.key)
        ends = [end for end in touch.ends if end.to == name] if touch else []
        return all(timeline.renamed_first(view.key, end) for end in ends)

    def _continuous_mets(self, view: RunView, touches: dict[Name, Touch]) -> list[Met]:
        found: list[Met] = []
        for name, touch in touches.items():
            if touch.reads is not None:
                found += meets_before(self._context.timeline(name), touch, is_model=self._context.is_model(name))
        return found

    def _writes(self, view: RunView, name: Name, output: Output, mets: list[Met]) -> tuple[TouchWrite, ...]:
        mode = _mode(output)
        if view.is_continuous:
            return tuple(
                TouchWrite(
                    id=(view.run_id, *view.job, at),
                    written=at,
                    rank=view.rank(at),
                    declared=version,
                    digests=merge_digests((), digests),
                    certain=not view.failed,
                    mode=mode,
                    card=output.card,
                    schema=schema,
                )
                for at, version, digests, schema in moments(view, output, mets)
            )
        last = max(told.at for told in output.told)
        return (
            TouchWrite(
                id=self._batch_id(view, output),
                written=max(last if view.end is None else view.end, view.start),
                rank=view.rank(),
                declared=next((told.version for told in reversed(output.told) if told.version), None),
                digests=output.digests,
                certain=is_certain(view, output),
                ended=view.end is not None,
                mode=mode,
                card=output.card,
                schema=None if output.part_of_model else output.schema,
            ),
        )

    def _batch_id(self, view: RunView, output: Output) -> WriteId:
        """The version's key: the run; of parts of a model, the process that saved them all."""
        if output.part_of_model and view.parent and view.parent.single_process:
            run_id, job = self._context.parent_of(view)
            return (run_id, *job, None)
        return (view.run_id, *view.job, None)


def is_certain(view: RunView, output: Output) -> bool:
    """R14, and a dialect's doubt about a write that nothing proves."""
    unproven = output.unproven and bool(output.told) and {"START", "COMPLETE"} <= view.types
    return not view.failed and not unproven


def moments(view: RunView, output: Output, mets: list[Met]) -> list[ToldWrite]:
    """When a continuous run writes ``output`` (R11), each with the version and the content hashes told of it, and with
    the schema that it has since it was last told. What is told at one time is of one write."""
    found = [ToldWrite(view.start, None)]
    last_told: str | None = None
    for time, together in groupby(output.told, attrgetter("at")):
        at, version, digests, schema = found[-1]
        tellings = list(together)
        told = [telling.version for telling in tellings if telling.version is not None]
        is_new = any(each != before for before, each in pairwise([last_told, *told]))
        last_told = told[-1] if told else last_told
        schema = next((telling.schema for telling in reversed(tellings) if telling.schema), schema)
        hashes = tuple(digest for telling in tellings for digest in telling.digests)
        if time > at and (is_new or _is_fresh(view, mets, at, time)):
            found.append(ToldWrite(time, told[-1] if told else None, hashes, schema))
        else:
            found[-1] = ToldWrite(at, told[-1] if told else version, (*digests, *hashes), schema)
    return found


def _is_fresh(view: RunView, mets: list[Met], since: int, until: int) -> bool:
    """Whether the run has read, until then, what was written after ``since``."""
    return any(
        met.written is not None
        and met.rank is not None
        and since < met.written <= until
        and met.at <= until
        and met.rank < view.rank(until)
        for met in mets
    )


def _mode(output: Output) -> Mode:
    if output.part_of_model:
        return Mode.REPLACES
    if output.lifecycle in _MODES:
        return _MODES[output.lifecycle]
    if output.appends:
        return Mode.KEEPS
    return Mode.CREATES if output.lifecycle == "CREATE" else Mode.SILENT


def _told(view: RunView, source: Input | None) -> tuple[Told, ...]:
    if source is None or not source.told:
        return ()
    if view.is_continuous:
        return tuple(Told(*told) for told in source.told)
    told = batch_reads(source)
    return (Told(view.start, told.versions, told.digests),) if told else ()
