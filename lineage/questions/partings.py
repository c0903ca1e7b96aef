"""Where two histories part: which differences explain which, and which can't explain anything.

A unit is two counterparts, or a node without one. What differs in a unit by itself explains what differs downstream of
it; two versions of the same content stop that, as nothing gets past them. Content that is only unknown explains
nothing, but where nothing else differs upstream it may be where the histories part. Each function is one or two
breadth-first passes over the units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

Rank = tuple[bool, bool, int, tuple[int, str, bytes, bytes]]
"""What comes first: see :attr:`lineage.questions.drafts.Draft.rank_among_origins`."""


@dataclass(frozen=True)
class Units:
    """``before``: the units that lead to each, which are numbered by their place; ``alike``: those of two versions with
    the same content; ``seeds``: those of the subjects."""

    before: Sequence[Set[int]]
    alike: Set[int]
    seeds: Set[int]

    @cached_property
    def after(self) -> Mapping[int, Set[int]]:
        """The units that each leads to."""
        after: dict[int, set[int]] = defaultdict(set)
        for unit, sources in enumerate(self.before):
            for source in sources:
                after[source].add(unit)
        return after

    def merged(self, groups: Iterable[Sequence[int]]) -> Units:
        """The same with the first of each group in place of all of it."""
        first = {unit: group[0] for group in groups for unit in group}
        before: list[set[int]] = [set() for _ in self.before]
        for unit, sources in enumerate(self.before):
            stands = first.get(unit, unit)
            before[stands] |= {first.get(source, source) for source in sources} - {stands}
        return Units(before, self.alike, self.seeds)

    def downstream(self, of: Iterable[int], but: Set[int] = frozenset()) -> set[int]:
        """What units of ``of`` lead to; ``but`` is not gone through."""
        found: set[int] = set()
        frontier = [unit for unit in of if unit not in self.alike]
        while frontier:
            fresh = {after for unit in frontier for after in self.after.get(unit, ())} - found - but
            found |= fresh
            frontier = [unit for unit in fresh if unit not in self.alike]
        return found

    def absorbed(self) -> set[int]:
        """The units from which no way leads to a subject but through versions of the same content."""
        found = set(self.seeds)
        frontier = [unit for unit in found if unit not in self.alike]
        while frontier:
            fresh = {before for unit in frontier for before in self.before[unit]} - found
            found |= fresh
            frontier = [unit for unit in fresh if unit not in self.alike]
        return set(range(len(self.before))) - found


def origins(units: Units, differing: Set[int], rank: Callable[[int], Rank]) -> set[int]:
    """Those of ``differing`` that no other of them leads to. Where two histories made the same things in another order,
    units may lead to each other: then the first of them by ``rank`` counts."""
    found = set(differing) - units.downstream(differing)
    covered = found | units.downstream(found)
    for unit in sorted(set(differing) - covered, key=rank):
        if unit not in covered:
            found.add(unit)
            covered |= {unit} | units.downstream([unit], but=covered)
    return found
