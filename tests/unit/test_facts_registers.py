"""Facets of datasets and jobs: last writer wins, in whatever order the writers come."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lineage.facts.registers import Register
from lineage.facts.storable import storable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TOLD = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["schema", "tags", "owner"]), JSON | st.just({"_deleted": True}), max_size=3),
        st.integers(0, 3),
    ),
    max_size=6,
).map(lambda told: [(facets, (time, bytes([place]))) for place, (facets, time) in enumerate(told)])


@given(told=TOLD, data=st.data())
def test_a_register_holds_what_was_told_last_in_whatever_order_it_comes(told: Any, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations([*told, *told]))
    register = Register(told={})
    for facets, stamp in shuffled:
        register.merge(facets, stamp)
    last: dict[str, Any] = {}
    for facets, _ in sorted(told, key=lambda each: each[1]):
        last.update(facets)
    held = msgspec.msgpack.decode(msgspec.msgpack.encode(register), type=Register)
    assert held == register
    assert held.values() == {
        name: storable(value)
        for name, value in sorted(last.items())
        if isinstance(value, dict) and value and value.get("_deleted") is not True
    }
    assert register.updated == max((stamp[0] for _, stamp in told), default=None)


def test_a_register_says_what_changed() -> None:
    register = Register(told={})
    assert register.merge({"schema": {"a": 1}, "tags": {}}, (2, b"b")) == {"schema", "tags"}
    assert register.merge({"schema": {"a": 1}}, (3, b"a")) == set()
    assert register.merge({"schema": {"a": 2}}, (1, b"z")) == set()
    assert register.merge({"schema": {"a": 2**70}}, (3, b"b")) == {"schema"}
    assert register.value("schema") == {"a": str(2**70)}
    assert register.merge({"schema": {"_deleted": True}}, (4, b"")) == {"schema"}
    assert register.value("schema") == register.value("never told") == {}
