"""Canonical JSON against an independent implementation of RFC 8785, and the hashes of predictions."""

from __future__ import annotations

import hashlib
import math
import sys

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lineage_ingest.emit import canonical_json, hash_value
from lineage_ingest.emit.canonical import format_number, plain

SAFE = 2**53 - 1
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_is_what_rfc_8785_says(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (9.5e-7, "9.5e-7"),
        (1e-6, "0.000001"),
        (5e-324, "5e-324"),
        (sys.float_info.max, "1.7976931348623157e+308"),
        (-333333333.3333333, "-333333333.3333333"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(value: float, text: str) -> None:
    assert format_number(value) == text


def test_keys_are_sorted_by_utf16_units_not_by_code_points() -> None:
    value = {"\ue000": 1, "\U0001f600": 2}
    assert canonical_json(value) == rfc8785.dumps(value) == '{"\U0001f600":2,"\ue000":1}'.encode()


def test_integers_past_what_a_double_holds_are_written_in_full() -> None:
    assert canonical_json([2**53 + 1, -(2**64)]) == b"[9007199254740993,-18446744073709551616]"


def test_numpy_values_and_tuples_hash_as_what_they_hold() -> None:
    assert hash_value({"x": np.array([1.5, 2.0]), "n": np.int64(3)}) == hash_value({"n": 3, "x": (1.5, 2)})


def test_bytes_are_hashed_as_they_are() -> None:
    expected = "sha256:" + hashlib.sha256(b"\x00image").hexdigest()
    assert [hash_value(kind(b"\x00image")) for kind in (bytes, bytearray, memoryview)] == [expected] * 3


@pytest.mark.parametrize("value", [math.nan, [math.inf], {"a": "\ud800"}])
def test_what_is_no_json_value_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"no JSON number|surrogates"):
        hash_value(value)


@pytest.mark.parametrize("value", [{1: "a"}, {"a": object()}, {1, 2}])
def test_what_json_has_no_form_for_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        hash_value(value)


def test_parameters_become_plain_json() -> None:
    told = plain({"a": (1, np.float32(0.5)), 2: math.nan, "none": None, "what": complex(1, 2)})
    assert told == {"a": [1, 0.5], "2": "nan", "none": None, "what": "(1+2j)"}
