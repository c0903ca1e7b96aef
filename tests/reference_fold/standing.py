"""When ties of the logical level stood: what runs tell stands from their start on, what is declared without a run until
it is replaced (R3).

Every moment at which anything begins or ends is looked at for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reference_fold.division import Feeds, feeds_of_declaration, outputs_named, writes_of
from reference_fold.facts import Column
from reference_fold.world import Run, World

from lineage.event.model import Name
from lineage.facts.claims import Claims, Source
from lineage.facts.extract import DECLARED_SOURCES, declared_sources

Span = tuple[int, int | None]


@dataclass(frozen=True)
class Teller:
    """Who tells a tie, how, and when that stands; ``run`` None: a declaration."""

    run: Run | None
    evidence: str
    undivided: bool
    span: Span

    def stands(self, moment: int) -> bool:
        """Whether it holds at that moment."""
        start, end = self.span
        return start <= moment and (end is None or moment < end)


def declared_by_jobs(world: World) -> Iterator[tuple[Name, Claims, Span]]:
    """Each JobEvent, from its time until that of the job's next one."""
    for job, declarations in world.declarations.items():
        ends = [*(claims.time for claims in declarations[1:]), None]
        for claims, end in zip(declarations, ends, strict=True):
            yield job, claims, (claims.time, end)


def declared_by_datasets(world: World) -> Iterator[tuple[Name, tuple[Source, ...], Span]]:
    """What each dataset says that it is made from after each of its events, each facet as told last."""
    told: dict[Name, list[tuple[int, dict[str, object]]]] = {}
    for event in world.events:
        if event.dataset is not None:
            states = told.setdefault(event.dataset.name, [])
            facets = {name: event.dataset.facets[name] for name in DECLARED_SOURCES if name in event.dataset.facets}
            states.append((event.time, (states[-1][1] if states else {}) | facets))
    for dataset, states in told.items():
        ends = [*(time for time, _ in states[1:]), None]
        for (time, facets), end in zip(states, ends, strict=True):
            sources = declared_sources(facets)
            if sources is not None:
                yield dataset, tuple(_under_public_name(source, world) for source in sources), (time, end)


def spans_of(tellers: list[Teller]) -> Iterator[tuple[Span, list[Teller]]]:
    """Each time for which anybody told it without a break, with those that told it last then."""
    ends = {teller.span[1] for teller in tellers} - {None}
    moments = sorted({teller.span[0] for teller in tellers} | {end for end in ends if end is not None})
    since: int | None = None
    last: list[Teller] = []
    for moment in moments:
        standing = [teller for teller in tellers if teller.stands(moment)]
        if since is None and standing:
            since = moment
        elif since is not None and not standing:
            yield (since, moment), last
            since = None
        last = standing
    if since is not None:
        yield (since, None), last


def columns_of(world: World, feeds: dict[Run, Feeds]) -> dict[Column, Span]:
    """Which column feeds which, from the first that tells it until the last."""
    spans: dict[Column, list[Span]] = {}
    for run, fed in feeds.items():
        shown = world.known | {name for inputs in fed.of.values() for name in inputs}
        _add(spans, _told_of_columns(run.claims), shown, (run.start, None))
    for _, claims, span in declared_by_jobs(world):
        _add(spans, _told_of_columns([claims]), world.known | _vouched(claims, world), span)
    for dataset, sources, span in declared_by_datasets(world):
        _add(spans, [(world.names.of(dataset), sources)], world.known, span)
    ends = {column: {end for _, end in each} for column, each in spans.items()}
    return {column: (min(start for start, _ in each), _last(ends[column])) for column, each in spans.items()}


def _last(ends: set[int | None]) -> int | None:
    told = [end for end in ends if end is not None]
    return max(told) if len(told) == len(ends) else None


def _told_of_columns(claims: list[Claims]) -> Iterator[tuple[Name, tuple[Source, ...]]]:
    for output in outputs_named(claims):
        told = [write.columns for _, write in writes_of(claims, output) if write.columns]
        entries = [source for each in claims for e in each.entries if e.target == output for source in e.sources]
        yield output, (*(told[-1] if told else ()), *entries)


def _add(
    spans: dict[Column, list[Span]], told: Iterable[tuple[Name, tuple[Source, ...]]], shown: set[Name], span: Span
) -> None:
    for output, sources in told:
        feeding = [source for source in sources if source.field and source.name in shown]
        fields = {source.output_field for source in feeding if source.output_field}
        for source in feeding:
            for field in [source.output_field] if source.output_field else fields:
                if span[0] != span[1]:
                    spans.setdefault((source.name, source.field or "", output, field), []).append(span)


def _vouched(claims: Claims, world: World) -> set[Name]:
    return {name for inputs in feeds_of_declaration(claims, world).of.values() for name in inputs}


def _under_public_name(source: Source, world: World) -> Source:
    return Source(world.names.of(source.name), source.field, source.output_field, source.transformations)
