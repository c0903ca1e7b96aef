"""Hunks in the making, and the judgement of what in them follows from what.

Code, parameters, environment, wiring (INPUT, PRODUCER, ROLE) and content explain what differs downstream; METRIC, CARD
and BINDING tell of a difference, and explain none. What has no counterpart came with the INPUT or PRODUCER that leads
to it, and is derived from that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace

from lineage.answer import Kind
from lineage.answer.difference import Aspect, Content, Difference
from lineage.questions.partings import Rank, Units, origins

_SOFT = frozenset({Aspect.METRIC, Aspect.CARD, Aspect.BINDING})
_WIRING = frozenset({Aspect.PRODUCER, Aspect.INPUT, Aspect.ROLE})
_OF_VERSIONS = frozenset({Aspect.DATA, Aspect.SCHEMA, Aspect.CARD})
_NEVER = 1 << 63


@dataclass(slots=True)
class Draft:
    """Two counterparts (keys of versions or runs), or one without, also where nothing differs.

    ``start``: the node that its path begins from, of side b if ``start_in_b``. ``units``: which of the units it stands
    for. ``alike``: two versions of the same content and columns. Judged: ``origin`` and ``absorbed``.
    """

    a: bytes | None
    b: bytes | None
    kind: Kind
    distance: int
    at: int | None
    start: bytes
    start_in_b: bool
    units: list[int] = field(default_factory=list)
    differences: tuple[Difference, ...] = ()
    alike: bool = False
    origin: bool = False
    absorbed: bool = False

    @property
    def has_both(self) -> bool:
        """Whether each side has it."""
        return self.a is not None and self.b is not None

    @property
    def sure(self) -> bool:
        """Whether more differs than unknown content."""
        return any(each.content is not Content.UNKNOWN for each in self.differences)

    @property
    def rank(self) -> tuple[int, str, bytes, bytes]:
        """Its place among hunks: the same whichever side is a."""
        keys = [key for key in (self.a, self.b) if key is not None]
        return self.distance, self.kind.value, min(keys), max(keys)

    @property
    def rank_among_origins(self) -> Rank:
        """The sure before the others, the absorbed last, by (time, distance, kind, keys)."""
        return self.absorbed, not self.sure, _NEVER if self.at is None else self.at, self.rank

    def tell(self, found: Sequence[Difference]) -> None:
        """Add differences, each once."""
        told = {_identity(each): each for each in (*self.differences, *found)}
        self.differences = tuple(told[key] for key in sorted(told))


_ASPECTS = {aspect: rank for rank, aspect in enumerate(Aspect)}


def _identity(told: Difference) -> tuple[int, str, str, str, str]:
    return _ASPECTS[told.aspect], told.name, told.change.value, repr(told.a), repr(told.b)


def judge(drafts: Sequence[Draft], units: Units) -> None:
    """Say of each of ``drafts`` whether the histories part there and whether it is absorbed, and of its differences
    which are derived.

    A run that explains anything stands as one: so what one of its outputs owes to another is no reason of its own."""
    of_unit = {unit: draft for draft in drafts for unit in draft.units}
    known = {unit for unit, draft in of_unit.items() if _explains(draft, units)}
    unknown = {unit for unit, draft in of_unit.items() if _may_explain(draft)}
    several = units.merged({id(of_unit[unit]): of_unit[unit].units for unit in sorted(known)}.values())

    def rank(unit: int) -> Rank:
        return of_unit[unit].rank_among_origins

    known = {of_unit[unit].units[0] for unit in known}
    after_known = _explained(several, known, rank)
    after_any = _explained(several, known | unknown, rank)
    absorbed = units.absorbed()
    for draft in drafts:
        follows = not after_known.isdisjoint(draft.units)
        follows_any = follows or not after_any.isdisjoint(draft.units)
        alone = not draft.has_both and units.seeds.isdisjoint(draft.units)
        explained = {aspect for aspect in Aspect if alone or _follows(aspect, follows, draft)}
        draft.differences = tuple(
            replace(each, derived=each.aspect in explained or (each.content is Content.UNKNOWN and follows_any))
            for each in draft.differences
        )
        draft.absorbed = absorbed.issuperset(draft.units)
        apart = any(not each.derived for each in draft.differences)
        draft.origin = apart and not (follows if draft.sure else follows_any)


def _explains(draft: Draft, units: Units) -> bool:
    if not draft.has_both and units.seeds.isdisjoint(draft.units):
        return False
    return any(each.aspect not in _SOFT and each.content is not Content.UNKNOWN for each in draft.differences)


def _may_explain(draft: Draft) -> bool:
    return any(each.content is Content.UNKNOWN for each in draft.differences)


def _explained(units: Units, differing: Set[int], rank: Callable[[int], Rank]) -> set[int]:
    return units.downstream(differing) - origins(units, differing, rank)


def _follows(aspect: Aspect, follows: bool, draft: Draft) -> bool:
    """Whether a difference of ``aspect`` is explained: by what differs upstream, or by what else ``draft`` holds."""
    if aspect is Aspect.METRIC:
        return follows or any(each.aspect not in _SOFT for each in draft.differences)
    if aspect in _OF_VERSIONS:
        return follows or any(each.aspect in _WIRING for each in draft.differences)
    return False
