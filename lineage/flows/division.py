"""Which input of a run, or of a job, feeds which output (R4 to R7)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from lineage.dialects import Dialect
from lineage.facts.claims import Entry, Source
from lineage.model import Evidence, Name

ColumnClaims = Mapping[Name, Collection[Name]]
"""By output, the datasets that its columnLineage names, under public names."""


@dataclass(slots=True)
class Division:
    """By output (None: what feeds no output) the inputs that feed it and how that is known.

    ``hidden`` are names that only columnLineage gives and nothing vouches for, by output. ``undivided``: several inputs
    and outputs that nothing divides.
    """

    flows: dict[Name | None, dict[Name, Evidence]] = field(default_factory=dict)
    hidden: dict[Name, list[Name]] = field(default_factory=dict)
    undivided: bool = False


def divide(
    inputs: Collection[Name],
    outputs: Collection[Name],
    entries: Collection[Entry],
    claims: ColumnClaims,
    borrowed: ColumnClaims,
    is_named: Callable[[Name], bool],
    dialect: Dialect,
) -> Division:
    """Divide. ``claims`` are the run's own, ``borrowed`` what other runs of the job claim, if they divide this one
    (R6)."""
    taken_in = {source.name for entry in entries for source in entry.sources}
    every_input = dict.fromkeys((*inputs, *sorted(taken_in)))
    decided = {entry.target for entry in entries if entry.target is not None}
    division = Division()
    for output in outputs:
        if output in decided:
            sources = _by_entries(output, entries, every_input)
            division.flows[output] = dict.fromkeys(sources, Evidence.DECLARED)
    free = [output for output in outputs if output not in decided]
    unnamed = [name for name in every_input if name not in taken_in]
    _by_columns(division, free, unnamed, taken_in, claims, borrowed)
    _add_column_names(division, free, every_input, claims, is_named, dialect)
    for output in free:
        if not division.flows[output]:
            division.flows[output] = dict.fromkeys(sorted(taken_in), Evidence.DECLARED)
    fed = {name for sources in division.flows.values() for name in sources}
    unfed = [name for name in every_input if name not in fed]
    if unfed:
        division.flows[None] = dict.fromkeys(unfed, Evidence.DECLARED)
    told = any(claims.values()) or any(borrowed.values()) or bool(entries)
    division.undivided = not told and len(every_input) > 1 and len(free) > 1
    return division


def _by_entries(output: Name, entries: Collection[Entry], every_input: Collection[Name]) -> list[Name]:
    """R5: exactly the datasets that the output's entries name, and what the event's own job stands for."""
    sources: dict[Name, None] = {}
    job_takes_in = [source.name for entry in entries if entry.target is None for source in entry.sources]
    for entry in entries:
        if entry.target != output:
            continue
        sources.update(dict.fromkeys(source.name for source in entry.sources))
        if entry.own_job and job_takes_in:
            sources.update(dict.fromkeys(job_takes_in))
        elif entry.own_job and not entry.sources:
            sources.update(dict.fromkeys(every_input))
    return list(sources)


def _by_columns(
    division: Division,
    free: Collection[Name],
    unnamed: Collection[Name],
    taken_in: Collection[Name],
    claims: ColumnClaims,
    borrowed: ColumnClaims,
) -> None:
    """R6: an input that some output claims feeds those that claim it and those that tell nothing; else all."""

    def claimed(output: Name) -> set[Name]:
        return {*claims.get(output, ()), *borrowed.get(output, ())}

    by_output = {output: claimed(output) for output in {*claims, *borrowed, *free}}
    claimed_somewhere = set[Name]().union(*by_output.values())
    for output in free:
        mine = by_output[output]
        division.flows[output] = {
            name: Evidence.DECLARED for name in unnamed if name not in claimed_somewhere or name in mine or not mine
        }
        division.flows[output].update({name: Evidence.DECLARED for name in sorted(taken_in) if name in mine})


def _add_column_names(
    division: Division,
    free: Collection[Name],
    every_input: Collection[Name],
    claims: ColumnClaims,
    is_named: Callable[[Name], bool],
    dialect: Dialect,
) -> None:
    """R7: a name that only columnLineage gives is an input once something names or vouches for it."""
    for output in free:
        for name in claims.get(output, ()):
            if name in every_input:
                continue
            if is_named(name) or dialect.vouches(output, name):
                division.flows[output].setdefault(name, Evidence.COLUMN)
            else:
                division.hidden.setdefault(output, []).append(name)


def column_claims(columns: Mapping[Name, tuple[Source, ...]]) -> dict[Name, list[Name]]:
    """By output, the datasets that its columnLineage names, each once; outputs that tell nothing are left out."""
    return {output: list(dict.fromkeys(s.name for s in sources)) for output, sources in columns.items() if sources}
