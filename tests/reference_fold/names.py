"""Which names mean one dataset (R2), which are known as a dataset's (R7), and claims under public names."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from lineage.event.model import Event, EventDataset, EventKind, Name
from lineage.facts.claims import Claims, Entry, Source, Write
from lineage.facts.extract import declared_sources, run_claims, symlinks

MOST_NAMES = 32
Link = tuple[Name, Name]


@dataclass(frozen=True)
class Names:
    """``public`` has the names that a symlink leads elsewhere; ``conflicts`` those of groups that are left unjoined."""

    public: dict[Name, Name]
    conflicts: set[Name]

    def of(self, name: Name) -> Name:
        """The public name."""
        return self.public.get(name, name)


def datasets_of(event: Event) -> list[EventDataset]:
    """Every dataset that ``event`` describes, in the order of their position."""
    return [*event.inputs, *event.outputs, *([event.dataset] if event.dataset else [])]


def names_of(events: list[Event]) -> Names:
    """The public names after all of ``events``, which are in their order (R0)."""
    carried: dict[Name, tuple[Name, ...]] = {}
    for event in events:
        for dataset in datasets_of(event):
            if "symlinks" in dataset.facets:
                carried[dataset.name] = symlinks(dataset.facets["symlinks"])
    links = {(each, carrier) for carrier, identifiers in carried.items() for each in identifiers if each != carrier}
    names = Names({}, set())
    for group in _groups(links):
        inside = {link for link in links if link[0] in group}
        if _is_conflict(group, inside, events):
            names.conflicts.update(group)
        else:
            names.public.update({name: _end_of(name, dict(inside)) for name in group})
    return names


def _groups(links: set[Link]) -> list[set[Name]]:
    groups: list[set[Name]] = []
    for one, other in links:
        touched = [group for group in groups if one in group or other in group]
        groups = [group for group in groups if group not in touched] + [{one, other}.union(*touched)]
    return groups


def _is_conflict(group: set[Name], links: set[Link], events: list[Event]) -> bool:
    carried_twice = len({identifier for identifier, _ in links}) < len(links)
    runs = [event for event in events if event.kind is EventKind.RUN]
    reads = {(e.run_id, e.job, name) for e in runs for name in _read_by(e) & group}
    writes = {(e.run_id, e.job, d.name) for e in runs for d in e.outputs if d.name in group}
    in_one_run = any(read[:2] == write[:2] and read[2] != write[2] for read in reads for write in writes)
    return carried_twice or len(group) > MOST_NAMES or in_one_run


def _read_by(event: Event) -> set[Name]:
    """Everything that ``event`` says is read: inputs, and what columnLineage and ``lineage`` facets name."""
    claims = run_claims(event, 0, 0)
    of_facets = [each for write in claims.writes for each in write.columns]
    of_facets += [each for entry in claims.entries for each in entry.sources]
    return {read.name for read in claims.reads} | {source.name for source in of_facets}


def _end_of(name: Name, carrier: dict[Name, Name]) -> Name:
    seen: list[Name] = []
    while name in carrier and name not in seen:
        seen.append(name)
        name = carrier[name]
    return min(seen[seen.index(name) :]) if name in seen else name


def known_names(events: list[Event], told: list[Claims], names: Names) -> set[Name]:
    """Names that an event uses as input, output or dataset, or in a ``lineage`` facet (R7)."""
    known = {names.of(dataset.name) for event in events for dataset in datasets_of(event)}
    for claims in told:
        for entry in claims.entries:
            known |= {source.name for source in entry.sources} | ({entry.target} if entry.target else set())
    for event in events:
        if event.dataset is not None:
            sources = declared_sources({"lineage": event.dataset.facets.get("lineage")})
            known |= {names.of(source.name) for source in sources or ()}
    return known


def under_public_names(claims: Claims, names: Names) -> Claims:
    """``claims`` with every dataset under its public name."""

    def sources(each: tuple[Source, ...]) -> tuple[Source, ...]:
        return tuple(msgspec.structs.replace(source, name=names.of(source.name)) for source in each)

    def write(each: Write) -> Write:
        previous = names.of(each.previous) if each.previous else None
        return msgspec.structs.replace(each, name=names.of(each.name), previous=previous, columns=sources(each.columns))

    def entry(each: Entry) -> Entry:
        target = names.of(each.target) if each.target else None
        return msgspec.structs.replace(each, target=target, sources=sources(each.sources))

    return msgspec.structs.replace(
        claims,
        reads=tuple(msgspec.structs.replace(read, name=names.of(read.name)) for read in claims.reads),
        writes=tuple(write(each) for each in claims.writes),
        entries=tuple(entry(each) for each in claims.entries),
        traffic=claims.traffic
        and tuple(msgspec.structs.replace(line, name=names.of(line.name)) for line in claims.traffic),
    )
