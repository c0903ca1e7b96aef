"""Batches: each record's exact bytes, and what one broken record costs its neighbours."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import NotJSONError
from lineage.event.batch import split_array, split_lines
from lineage.event.decoder import decode

SPACE = st.text(st.sampled_from(" \t\r\n"), max_size=3)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ELEMENT = st.builds(
    lambda value, indent, ascii_only: json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    ),
    VALUE,
    st.sampled_from([None, 1]),
    st.booleans(),
)
# Broken on their own, yet their end can be seen.
BROKEN = [
    b"NaN",
    b'{"a":1,"a":2}',
    b'{"a":}',
    b"[1}",
    b'{"a"]',
    b"nope",
    b"1 2",
    b'"\xff"',
    b'"a\nb"',
    b'["\\x"]',
    b"[[1],{]]",
]
BROKEN += [b"\xff\xfe", b"'a'", b"{,}", b'{"]":NaN}', b"[" * 100_000 + b"]" * 100_000]


def joined(elements: list[bytes], spaces: list[str]) -> bytes:
    padded = [
        spaces[i % len(spaces)].encode() + element + spaces[(i + 1) % len(spaces)].encode()
        for i, element in enumerate(elements)
    ]
    return b"[" + b",".join(padded) + b"]"


@given(st.lists(ELEMENT), st.lists(SPACE, min_size=1), SPACE)
def test_elements_come_back_byte_for_byte(elements: list[bytes], spaces: list[str], around: str) -> None:
    body = around.encode() + joined(elements, spaces) + around.encode()
    assert split_array(body) == elements
    assert split_array(b"\xef\xbb\xbf" + body) == elements


@given(st.lists(ELEMENT | st.sampled_from(BROKEN), min_size=1), st.lists(SPACE, min_size=1))
def test_a_broken_element_costs_its_neighbours_nothing(elements: list[bytes], spaces: list[str]) -> None:
    assert split_array(joined(elements, spaces)) == elements


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_element_is_refused_when_it_is_decoded(broken: bytes) -> None:
    first, refused, last = split_array(b'[{"a":1},' + broken + b',{"a":2}]')
    assert (decode(first), decode(last)) == ({"a": 1}, {"a": 2})
    with pytest.raises(NotJSONError):
        decode(refused)


@pytest.mark.parametrize(
    ("body", "elements"),
    [
        (b"[]", []),
        (b" [ \n ] ", []),
        (b"[1,]", [b"1", b""]),
        (b"[,]", [b"", b""]),
        (b"[1,,2]", [b"1", b"", b"2"]),
        (b'["],[", "\\"]", "\\\\"]', [b'"],["', b'"\\"]"', b'"\\\\"']),
        (b'[{"a":[1}},NaN]', [b'{"a":[1}}', b"NaN"]),
    ],
)
def test_odd_arrays_come_apart_where_their_commas_are(body: bytes, elements: list[bytes]) -> None:
    assert split_array(body) == elements


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b'{"a":1}',
        b"1",
        b"[",
        b"[1",
        b"[[1]",
        b"[1]]",
        b"[1}",
        b'["a]',
        b'["a\\"]',
        b"[1] x",
        b"[1][2]",
        b'[{"a":1}},{}]',
        b"]",
        b"\xef\xbb\xbf",
        b"nope",
        b'{"a":1}\n{"a":2}',
    ],
)
def test_an_array_whose_elements_cannot_be_told_apart_is_refused(body: bytes) -> None:
    with pytest.raises(NotJSONError) as caught:
        split_array(body)
    assert caught.value.hint


@given(st.lists(ELEMENT), st.sampled_from(["\n", "\r\n", "\n\n", " \n\t\r\n"]), st.booleans())
def test_lines_come_back_byte_for_byte(elements: list[bytes], ending: str, ended: bool) -> None:
    lines = [element.replace(b"\n", b"") for element in elements]
    body = ending.encode().join(lines) + (ending.encode() if ended else b"")
    assert split_lines(body) == [line for line in lines if line]
    assert split_lines(b"\xef\xbb\xbf" + body) == split_lines(body)


def test_a_broken_line_costs_its_neighbours_nothing() -> None:
    assert split_lines(b'{"a":1}\n{"a":"\n[\x0b\n  {"a": 2}\r\n') == [b'{"a":1}', b'{"a":"', b"[\x0b", b'{"a": 2}']


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 5000000,
        b'[{"a":' * 800000,
        b"[\n" * 2500000,
        b'["' + b"a" * 5000000,
        b'["' + b'\\"' * 2500000,
        b'["' * 2500000,
        b"[" + b"[]" * 2500000,
        b"[" + b"," * 5000000,
    ],
    ids=["brackets", "objects", "lines", "string", "escapes", "strings", "pairs", "commas"],
)
def test_hostile_arrays_are_refused_in_bounded_time(body: bytes) -> None:
    start = time.process_time()
    with pytest.raises(NotJSONError):
        split_array(body)
    assert time.process_time() - start < 10


def test_a_nesting_bomb_among_others_is_split_and_refused_alone() -> None:
    bomb = b"[" * 1_000_000 + b"]" * 1_000_000
    assert split_array(b'[{"a":1},' + bomb + b',{"a":2}]') == [b'{"a":1}', bomb, b'{"a":2}']
    with pytest.raises(NotJSONError, match="levels"):
        decode(bomb)
