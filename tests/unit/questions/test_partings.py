"""Which units explain which: small graphs of units by hand."""

from __future__ import annotations

from lineage.questions.partings import Rank, Units, origins


def rank(unit: int) -> Rank:
    return False, False, unit, (0, "", b"", b"")


def test_what_follows_stops_at_the_same_content() -> None:
    chain = Units([set(), {0}, {1}, {2}], alike={1}, seeds={3})
    assert chain.downstream([0]) == {1}
    assert chain.downstream([2]) == {3}
    assert chain.absorbed() == {0}


def test_a_way_past_the_same_content_absorbs_nothing() -> None:
    diamond = Units([set(), {0}, {0}, {1, 2}], alike={1}, seeds={3})
    assert diamond.absorbed() == set()
    assert origins(diamond, {0, 3}, rank) == {0}


def test_of_units_that_lead_to_each_other_the_first_is_the_origin() -> None:
    circle = Units([{1}, {0}, {0}], alike=set(), seeds={2})
    assert origins(circle, {0, 1, 2}, rank) == {0}
    assert origins(circle, {1, 2}, rank) == {1}
