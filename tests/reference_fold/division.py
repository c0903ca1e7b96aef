"""Which input feeds which output of one run, or of one declaration: rules R4 to R7, and R16's DROP."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_fold.world import Run, World

from lineage.dialects import by_name
from lineage.event.model import Name
from lineage.facts.claims import Claims, Entry, Write

Inputs = dict[Name, str]
"""What feeds one output: each input with its evidence."""


@dataclass(frozen=True)
class Feeds:
    """For each output, None standing for none: what feeds it. ``undivided``: several of both, and nothing divides."""

    of: dict[Name | None, Inputs]
    declared: set[Name]
    undivided: bool

    @property
    def outputs(self) -> list[Name]:
        """The outputs themselves."""
        return [output for output in self.of if output is not None]

    @property
    def evidence(self) -> Inputs:
        """Everything that is read, for whichever output, with the best evidence."""
        every = {name: evidence for inputs in self.of.values() for name, evidence in inputs.items()}
        return every | dict.fromkeys(self.declared & every.keys(), "DECLARED")


@dataclass
class Told:
    """What several claims tell, taken together; a DROP is no output."""

    inputs: set[Name] = field(default_factory=set)
    outputs: set[Name] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    columns: dict[Name, set[Name]] = field(default_factory=dict)


def writes_of(claims: list[Claims], output: Name) -> list[tuple[Claims, Write]]:
    """Each place that names ``output``; where only ``lineage`` entries do, each event that has any."""
    places = [(each, write) for each in claims for write in each.writes if write.name == output]
    return places or [(each, Write(output)) for each in claims if each.entries]


def outputs_named(claims: list[Claims]) -> set[Name]:
    """All names of outputs, dropped ones too."""
    written = {write.name for each in claims for write in each.writes}
    return written | {entry.target for each in claims for entry in each.entries if entry.target is not None}


def lifecycle_of(claims: list[Claims], output: Name) -> str | None:
    """The lifecycle change of ``output`` told last."""
    told = [write.lifecycle for _, write in writes_of(claims, output) if write.lifecycle]
    return told[-1] if told else None


def told_by(claims: list[Claims], *, streams: bool = False) -> Told:
    """Inputs, outputs and entries as unions over ``claims``; each output's columnLineage as told last."""
    told = Told()
    for each in claims:
        told.inputs |= {read.name for read in each.reads}
        if streams:
            told.inputs |= {line.name for line in each.traffic or () if line.percent > 0}
        told.entries += each.entries
    for output in outputs_named(claims):
        columns = [write.columns for _, write in writes_of(claims, output) if write.columns]
        if lifecycle_of(claims, output) != "DROP":
            told.outputs.add(output)
        if columns:
            told.columns[output] = {column.name for column in columns[-1]}
    return told


def feeds_of_run(run: Run, world: World) -> Feeds:
    """The flows of ``run``; its job's other runs divide it while it has no COMPLETE or tells nothing (R6)."""
    told = told_by(run.claims, streams=run.streams)
    borrowed: dict[Name, set[Name]] = {}
    completed = any(each.type == "COMPLETE" for each in run.claims)
    if not completed or not told.columns:
        for other in world.runs.values():
            if other.id[1] == run.id[1] and other is not run:
                for output, names in told_by(other.claims).columns.items():
                    borrowed.setdefault(output, set()).update(names)
    return divided(told, borrowed, world, run.claims[-1].dialect)


def feeds_of_declaration(claims: Claims, world: World) -> Feeds:
    """The flows that a JobEvent declares (R3)."""
    return divided(told_by([claims]), {}, world, claims.dialect)


def divided(told: Told, borrowed: dict[Name, set[Name]], world: World, dialect: str | None) -> Feeds:
    """Each output's inputs, by the ``lineage`` facet (R5), else by columnLineage (R6), else all of them."""
    of_outputs = {output: told.columns.get(output, set()) | borrowed.get(output, set()) for output in told.outputs}
    dropped = {output: names for output, names in told.columns.items() if output not in told.outputs}
    claims = of_outputs | dropped
    named = {source.name for entry in told.entries for source in entry.sources}
    declared = told.inputs | named
    decided = {output for output in told.outputs if any(entry.target == output for entry in told.entries)}
    feeds: dict[Name | None, Inputs] = {output: _by_entries(told, output, declared) for output in decided}
    for output in told.outputs - decided:
        inputs = _by_columns(told.inputs - named, claims, output)
        inputs |= dict.fromkeys(named & claims[output], "DECLARED")
        for name in told.columns.get(output, set()) - declared:
            if name in world.known or by_name(dialect).vouches(output, name):
                inputs[name] = "COLUMN"
        feeds[output] = inputs or _by_columns(named, claims, output)
    unfed = declared - {name for inputs in feeds.values() for name in inputs}
    if unfed:
        feeds[None] = dict.fromkeys(unfed, "DECLARED")
    divides = bool(told.entries) or any(claims.values())
    return Feeds(feeds, declared, not divides and len(declared) > 1 and len(told.outputs) > 1)


def _by_columns(inputs: set[Name], claims: dict[Name, set[Name]], output: Name) -> Inputs:
    """R6: what somebody claims feeds those that claim it and those that tell nothing; the rest feeds all."""
    claimed = {name for names in claims.values() for name in names}
    mine = claims[output]
    return {name: "DECLARED" for name in inputs if name in mine or name not in claimed or not mine}


def _by_entries(told: Told, output: Name, declared: set[Name]) -> Inputs:
    """R5: exactly what the entries for ``output`` name, and what the event's own job stands for."""
    of_job = {source.name for entry in told.entries if entry.target is None for source in entry.sources}
    fed: set[Name] = set()
    for entry in told.entries:
        if entry.target == output:
            fed |= {source.name for source in entry.sources}
            if entry.own_job and of_job:
                fed |= of_job
            elif entry.own_job and not entry.sources:
                fed |= declared
    return dict.fromkeys(fed, "DECLARED")
