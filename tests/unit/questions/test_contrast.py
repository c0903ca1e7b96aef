"""When two values and two contents are the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.answer.difference import Content
from lineage.model import Digest, Version
from lineage.questions.contrast import alike, contents, flat

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(JSON, JSON)
def test_json_without_fractions_is_alike_where_its_canonical_text_is(a: object, b: object) -> None:
    assert alike(a, b) is (json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True))


@pytest.mark.parametrize(("a", "b", "same"), [(1, 1.0, True), (1, True, False), (0, False, False), ([1], [1.0], True)])
def test_numbers_compare_by_value_and_never_with_truth(a: object, b: object, same: bool) -> None:
    assert alike(a, b) is same


def test_entries_within_objects_are_named_by_their_path() -> None:
    assert flat({"a": {"b": 1, "c": {}}, "d": []}, "x.") == {"x.a.b": 1, "x.a.c": {}, "x.d": []}


def digest(text: str, scope: str = "FULL", method: str = "file", algorithm: str = "sha256") -> Digest:
    return Digest(algorithm, text, scope, method)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([digest("x")], [digest("x")], Content.SAME),
        ([digest("x")], [digest("y")], Content.OTHER),
        ([digest("x")], [digest("x", method="table")], Content.UNKNOWN),
        ([digest("x")], [digest("x", algorithm="md5")], Content.UNKNOWN),
        ([digest("x")], [], Content.UNKNOWN),
        ([digest("x"), digest("t", method="table")], [digest("y"), digest("t", method="table")], Content.SAME),
        ([digest("x"), digest("s", "SAMPLE")], [digest("y"), digest("s", "SAMPLE")], Content.OTHER),
        ([digest("x"), digest("s", "SAMPLE")], [digest("s", "SAMPLE")], Content.SAME),
    ],
)
def test_the_widest_scope_that_compares_decides(a: list[Digest], b: list[Digest], expected: Content) -> None:
    one, other = (Version(b"", b"", "n", "d", 0, digests=tuple(digests)) for digests in (a, b))
    assert contents(one, other)[0] is contents(other, one)[0] is expected
