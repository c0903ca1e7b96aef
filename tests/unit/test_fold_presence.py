"""Which places may hold something: never a false no, seldom a false yes."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from lineage.fold.presence import Presence

PLACES = st.lists(st.tuples(st.integers(1, 40), st.binary(max_size=20)), max_size=40)


@given(told=PLACES, learnt=PLACES)
def test_what_was_added_is_there(told: list[tuple[int, bytes]], learnt: list[tuple[int, bytes]]) -> None:
    presence = Presence()
    presence.add(told)
    for table, key in learnt:
        presence.add_tails(table, key[-8:].rjust(8, b"\0"))
    assert all(presence.may_hold(table, key) for table, key in told + learnt)


def test_little_else_is_told_to_be_there_however_much_is_added() -> None:
    presence = Presence()
    keys = [sha256(b"%d" % number).digest()[:16] for number in range(300_000)]
    presence.add((number % 20, key) for number, key in enumerate(keys))
    assert all(presence.may_hold(number % 20, key) for number, key in enumerate(keys))
    others = [sha256(b"other %d" % number).digest()[:16] for number in range(20_000)]
    assert sum(presence.may_hold(1, other) for other in others) < 0.15 * len(others)


def test_keys_that_are_text_are_told_apart() -> None:
    presence = Presence()
    told = [sha256(b"%d" % number).hexdigest()[:32].encode() for number in range(20_000)]
    presence.add((13, key) for key in told[:10_000])
    assert sum(presence.may_hold(13, key) for key in told[10_000:]) < 0.15 * 10_000
