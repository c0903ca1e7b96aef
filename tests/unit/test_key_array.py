"""Keys as an array sort as the bytes do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lineage.key_array import order_of, pack, unpack

_HALF = st.sampled_from([bytes(8), b"\xff" * 8, bytes(7) + b"\1", b"\1" + bytes(7)])
_KEYS = st.lists(st.tuples(_HALF, _HALF).map(b"".join), max_size=12)


@given(_KEYS)
def test_rows_in_the_order_of_their_keys(keys: list[bytes]) -> None:
    """Also where keys have a half in common, which those of a graph hardly ever have."""
    order = order_of(pack(keys))
    assert sorted(order) == list(range(len(keys)))
    assert unpack(pack(keys)[order]) == sorted(keys)
