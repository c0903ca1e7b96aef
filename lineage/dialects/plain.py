"""Producers of which nothing special is known: an event means what it says. Base of all other dialects."""

from __future__ import annotations

from lineage.event.model import Event, Name
from lineage.facts.claims import Claims


class Plain:
    """No quirks."""

    name: str = "plain"
    nests_writes: bool = False

    def meant(self, event: Event) -> Event:
        """The event as it came."""
        return event

    def claims(self, event: Event, claims: Claims) -> Claims:
        """The claims as they are; their ``dialect`` stays None."""
        return claims

    def model_roots(self, event: Event) -> tuple[Name, ...]:
        """None: a model says so itself (datasetType)."""
        return ()

    def never_ran(self, types: frozenset[str], instants: frozenset[tuple[str, int]]) -> bool:
        """Never: what starts has run."""
        return False

    def vouches(self, output: Name, source: Name) -> bool:
        """Never: what only columnLineage names waits for an event that names it otherwise."""
        return False
