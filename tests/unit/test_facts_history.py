"""R3: what replaces what, against all tellings laid side by side."""

from __future__ import annotations

from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.facts import history
from lineage.facts.history import History, Span, joined
from lineage.facts.registers import Stamp

Telling = tuple[Stamp, bytes]

stamps = st.tuples(st.integers(0, 12), st.binary(min_size=1, max_size=1))
tellings = st.dictionaries(stamps, st.sampled_from([b"x", b"y", b"z"]), max_size=14).flatmap(
    lambda told: st.permutations(list(told.items()))
)


def spans_laid_out(told: list[Telling], most: int) -> list[tuple[bytes, Span]]:
    """Each content from its first telling to the next content's first, of the last ``most`` that replaced another."""
    grouped = [(content, next(group)[0][0]) for content, group in groupby(sorted(told), key=lambda each: each[1])]
    kept = grouped[-most:]
    ends = [*(start for _, start in kept[1:]), None]
    return [(content, (start, end)) for (content, start), end in zip(kept, ends, strict=True) if start != end]


def of(told: list[Telling]) -> History:
    found, known = History(), list[Telling]()
    for stamp, content in told:
        known.append((stamp, content))
        before = found.spans()
        assert found.tell(stamp, content, lambda: known) or found.spans() == before
    return found


@pytest.mark.parametrize("most", [1, 2, 3, 256])
def test_a_history_is_what_all_tellings_give_in_whatever_order_they_come(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST", most)

    @given(tellings)
    def check(told: list[Telling]) -> None:
        if told:
            assert of(told).spans() == spans_laid_out(told, most)
            assert of(told + told[::2]).spans() == spans_laid_out(told, most)

    check()


def test_a_telling_that_comes_late_inside_a_period_parts_it() -> None:
    told = [((1, b"a"), b"x"), ((3, b"b"), b"x"), ((5, b"c"), b"x"), ((4, b"d"), b"y")]
    assert of(told).spans() == [(b"x", (1, 4)), (b"y", (4, 5)), (b"x", (5, None))]


def test_a_telling_that_says_the_same_again_changes_no_span() -> None:
    told = History()
    assert told.tell((1, b"a"), b"x", list)
    assert not told.tell((9, b"b"), b"x", list)


def test_nothing_told_stands_at_no_time() -> None:
    assert History().spans() == []


spans = st.lists(
    st.tuples(st.integers(0, 9), st.none() | st.integers(1, 12)).filter(
        lambda span: span[1] is None or span[0] < span[1]
    )
)


@given(spans)
def test_joined_spans_cover_the_same_moments_without_touching(told: list[Span]) -> None:
    def covered(spans: list[Span]) -> list[bool]:
        return [any(a <= moment and (b is None or moment < b) for a, b in spans) for moment in range(14)]

    found = joined(told)
    assert covered(found) == covered(told)
    assert all(one[1] is not None and one[1] < other[0] for one, other in pairwise(found))
