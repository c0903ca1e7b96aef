"""Which input feeds which output of one run, or of one declaration: rules R4 to R7."""

from __future__ import annotations

from dataclasses import dataclass, field

from reference_fold.world import Run, World

from lineage.dialects import by_name
from lineage.event.model import Name
from lineage.facts.claims import Claims, Entry

Feeds = dict[Name | None, dict[Name, str]]
"""For each output, None standing for none: the inputs that feed it, each with its evidence."""


@dataclass
class Told:
    """What the events of one run tell, taken together."""

    inputs: set[Name] = field(default_factory=set)
    outputs: set[Name] = field(default_factory=set)
    entries: list[Entry] = field(default_factory=list)
    columns: dict[Name, set[Name]] = field(default_factory=dict)
    vouched: set[Name] = field(default_factory=set)


def lifecycle_of(claims: list[Claims], output: Name) -> str | None:
    """The lifecycle change of ``output`` told last."""
    told = [w.lifecycle for each in claims for w in each.writes if w.name == output and w.lifecycle]
    return told[-1] if told else None


def told_by(claims: list[Claims]) -> Told:
    """Inputs, outputs, entries and column claims, each the union over ``claims``; a DROP is no output (R16)."""
    told = Told()
    for each in claims:
        told.inputs |= {read.name for read in each.reads}
        told.inputs |= {line.name for line in each.traffic or ()}
        told.entries += each.entries
        for write in each.writes:
            if lifecycle_of(claims, write.name) == "DROP":
                continue
            told.outputs.add(write.name)
            told.columns.setdefault(write.name, set()).update(column.name for column in write.columns)
            vouches = by_name(each.dialect).vouches
            told.vouched |= {column.name for column in write.columns if vouches(write.name, column.name)}
    return told


def feeds_of_run(run: Run, world: World) -> Feeds:
    """The flows of ``run``; its job's other runs divide it while it has no COMPLETE or tells nothing (R6)."""
    told = told_by(run.claims)
    borrowed: dict[Name, set[Name]] = {}
    completed = any(each.type == "COMPLETE" for each in run.claims)
    if not completed or not any(told.columns.values()):
        for other in world.runs.values():
            if other.id[1] == run.id[1] and other is not run:
                for output, names in told_by(other.claims).columns.items():
                    borrowed.setdefault(output, set()).update(names)
    return divided(told, borrowed, world.known)


def divided(told: Told, borrowed: dict[Name, set[Name]], known: set[Name]) -> Feeds:
    """Each output's inputs, by the ``lineage`` facet (R5), else by columnLineage (R6), else all of them."""
    decided = {entry.target for entry in told.entries} & told.outputs
    free = told.outputs - decided
    named = {source.name for entry in told.entries for source in entry.sources}
    own = {name for output in free for name in told.columns.get(output, ())}
    visible = {name for name in own if name in known or name in told.vouched}
    claims = {output: told.columns.get(output, set()) | borrowed.get(output, set()) for output in told.outputs}
    claimed = {name for names in claims.values() for name in names}
    feeds: dict[Name | None, set[Name]] = {output: _decided_by(told, output) for output in decided}
    inputs = told.inputs | named | visible
    for output in free:
        silent = not claims[output]
        fed = {name for name in inputs if name in claims[output]}
        fed |= {name for name in told.inputs - named if name not in claimed or silent}
        feeds[output] = fed or {name for name in named if name not in claimed or silent}
    feeding = {name for fed in feeds.values() for name in fed}
    if inputs - feeding:
        feeds[None] = inputs - feeding
    declared = told.inputs | named
    return {
        output: {name: "DECLARED" if name in declared else "COLUMN" for name in fed} for output, fed in feeds.items()
    }


def _decided_by(told: Told, output: Name) -> set[Name]:
    of_job = [entry for entry in told.entries if entry.target is None]
    fed: set[Name] = set()
    for entry in told.entries:
        if entry.target != output:
            continue
        fed |= {source.name for source in entry.sources}
        if entry.own_job and of_job:
            fed |= {source.name for each in of_job for source in each.sources}
        elif entry.own_job and not entry.sources:
            fed |= told.inputs
    return fed
