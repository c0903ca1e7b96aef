"""Which datasets the claims of one event name, and as what."""

from __future__ import annotations

from collections.abc import Iterator

from lineage.facts.claims import Claims
from lineage.model import Name


def names_in(claims: Claims) -> Iterator[Name]:
    """Every name of a dataset, some more than once."""
    yield from named(claims)
    for write in claims.writes:
        if write.previous is not None:
            yield write.previous
        yield from (source.name for source in write.columns)


def named_aside(claims: Claims) -> set[Name]:
    """What only columnLineage names, or a RENAME as the name before."""
    names = {write.previous for write in claims.writes if write.previous is not None}
    for write in claims.writes:
        if write.columns:
            names.update([source.name for source in write.columns])
    return names


def named(claims: Claims) -> Iterator[Name]:
    """What is named otherwise than in columnLineage, or as the name before a RENAME (R7); some more than once."""
    yield from (read.name for read in claims.reads)
    yield from (write.name for write in claims.writes)
    yield from named_by_facets(claims)


def named_by_facets(claims: Claims) -> Iterator[Name]:
    """What the ``lineage`` facet and a rollout's traffic name."""
    for entry in claims.entries:
        yield from (source.name for source in entry.sources)
        if entry.target is not None:
            yield entry.target
    yield from (line.name for line in claims.traffic or ())


def read_by_facets(claims: Claims) -> Iterator[Name]:
    """What a run reads as its facets tell, whether or not it is among the inputs."""
    for sources in (*[entry.sources for entry in claims.entries], *[write.columns for write in claims.writes]):
        if sources:
            yield from dict.fromkeys([source.name for source in sources])
    for line in claims.traffic or ():
        yield line.name
