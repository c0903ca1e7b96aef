"""What replaces what: tellings of one thing, of which each stands until the next (R3).

A history is a function of the set of all that was told: order and repetition change nothing. It holds what changed, not
each telling: tellings of one content that follow each other are one period.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

import msgspec

from lineage.facts.registers import Stamp

MOST = 256
"""Periods that are told apart; what was told before the last ones is let go.

More of them only come, never fewer, so that what was let go can't be wanted again. The one before them is kept for its
end.
"""

Span = tuple[int, int | None]
"""From when on, and until when (None: still), in UTC microseconds; the end is outside."""


class Period(msgspec.Struct, array_like=True):
    """Tellings of one content with none of another between them: the stamps of the first and of the last."""

    first: Stamp
    last: Stamp
    content: bytes


class History(msgspec.Struct, array_like=True):
    """The periods of one thing, in their order."""

    periods: list[Period] = []

    def tell(self, stamp: Stamp, content: bytes, told: Callable[[], Iterable[tuple[Stamp, bytes]]]) -> bool:
        """Take one telling of ``content``; whether that changes any span. ``told`` gives every (stamp, content): only a
        late telling inside a period asks for them."""
        periods = self.periods
        if len(periods) > MOST and stamp <= periods[0].last:
            return False
        place = bisect_right(periods, stamp, key=_first)
        before = periods[place - 1] if place else None
        after = periods[place] if place < len(periods) else None
        if before is not None and before.content == content:
            before.last = max(before.last, stamp)
            return False
        if before is not None and stamp < before.last:
            inside = sorted(each for each, of in told() if of == before.content and before.first <= each <= before.last)
            cut = bisect_right(inside, stamp)
            later = Period(inside[cut], before.last, before.content)
            before.last = inside[cut - 1]
            periods[place:place] = [Period(stamp, stamp, content), later]
        elif after is not None and after.content == content:
            after.first = stamp
        else:
            periods.insert(place, Period(stamp, stamp, content))
        del periods[: -(MOST + 1)]
        return True

    def contents(self) -> set[bytes]:
        """All contents that any period has."""
        return {period.content for period in self.periods}

    def spans(self) -> list[tuple[bytes, Span]]:
        """Each content with when it stood, in the order of time; what was replaced at once never did."""
        kept = self.periods[-MOST:]
        ends = [*(period.first[0] for period in kept[1:]), None]
        spans = ((period.content, (period.first[0], end)) for period, end in zip(kept, ends, strict=False))
        return [(content, span) for content, span in spans if span[0] != span[1]]


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same moments in as few spans as there can be, in the order of time."""
    found: list[Span] = []
    for start, end in sorted(spans, key=lambda span: span[0]):
        before, until = found[-1] if found else (start, start - 1)
        if until is None:
            break
        if until < start:
            found.append((start, end))
        else:
            found[-1] = (before, None if end is None else max(until, end))
    return found


def _first(period: Period) -> Stamp:
    return period.first
