"""Decoding: what is JSON, what is not, and that both are said in bounded time."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import NotJSONError
from lineage.event.decoder import MAX_DEPTH, decode, decode_with_warnings

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
# How emitters write: compact as Java does, with spaces as Python does, indented, ASCII only or not.
STYLES = [{"separators": (",", ":")}, {}, {"indent": 2}, {"separators": (",", ":"), "ensure_ascii": False}]


def nested(depth: int, core: str = "", key: str = '{"a":') -> bytes:
    """``depth`` objects within each other."""
    return (key * depth + (core or "[ ]") + "}" * depth).encode()


def refusal(data: bytes) -> NotJSONError:
    with pytest.raises(NotJSONError) as caught:
        decode(data)
    return caught.value


@given(JSON, st.sampled_from(STYLES))
def test_whatever_json_writes_is_read_back(value: object, style: dict[str, object]) -> None:
    data = json.dumps(value, **style).encode()  # type: ignore[arg-type]
    assert decode(data) == value
    assert json.dumps(decode(data)) == json.dumps(value), "types are kept too: 1 is not 1.0, nor True"


SPACE = st.text(st.sampled_from(" \t\n\r"), max_size=2)


def spaced(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects and arrays of ``inner``, keys now and then twice, white space anywhere."""
    key = st.sampled_from(['"a"', '"ab"', '"a b"', '" "', '""', '"\\" "'])
    pair = st.tuples(SPACE, key, SPACE, st.just(":"), SPACE, inner, SPACE).map("".join)
    item = st.tuples(SPACE, inner, SPACE).map("".join)
    return st.one_of(
        st.lists(pair, max_size=4).map(lambda pairs: "{" + ",".join(pairs) + "}"),
        st.lists(item, max_size=3).map(lambda items: "[" + ",".join(items) + "]"),
    )


@given(st.recursive(st.sampled_from(["1", "10", "1.0", "true", "null", '""', '" "', '"a b"', '"ab"']), spaced))
def test_a_lost_key_is_seen_however_the_document_is_spaced(text: str) -> None:
    repeats: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        repeats.extend(["a key"] * (len(pairs) - len(found)))
        return found

    expected = json.loads(text, object_pairs_hook=once)
    try:
        found, warnings = decode_with_warnings(text.encode())
    except NotJSONError:
        assert repeats
        return
    assert warnings == (("DUPLICATE_KEY",) if repeats else ())
    assert repeats or json.dumps(found) == json.dumps(expected)


@given(JSON)
def test_deep_documents_read_as_shallow_ones_do(value: object) -> None:
    core = json.dumps(value, indent=1)
    found = decode(nested(300, core))
    for _ in range(300):
        found = found["a"]
    assert json.dumps(found) == json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "{",
        "[1,]",
        '{"a":1,}',
        "[01]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[-]",
        "1 2",
        "{} x",
        "{'a':1}",
        "{1:2}",
        '{"a"}',
        "tru",
        '"a\nb"',
        '["\\x"]',
        '["\\u00zz"]',
        "// no\n{}",
        "[1}",
        "\x0b{}",
        "\xa0{}",
        "\x00",
        "{}\x00",
        "[0x1]",
        '"',
    ],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    error = refusal(text.encode())
    assert error.code == "NOT_JSON"
    assert error.hint
    refusal(nested(300, text or "]"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1E+400", "1" + "0" * 400 + ".0"])
@pytest.mark.parametrize("spaced", ["[1, {}]", "[1,{}]", '{"a": {} }', '{"a":{}}', "{}"])
@pytest.mark.parametrize("depth", [0, 300])
def test_a_number_that_is_not_finite_is_refused(number: str, spaced: str, depth: int) -> None:
    error = refusal(nested(depth, spaced.replace("{}", number)))
    assert "byte" in error.message or depth
    assert "float" in error.message or number[-3:] in error.message


@pytest.mark.parametrize("text", ["1e308", "1e-999", "0.0e999", '"1e999"', '"3e123,"', "1" + "0" * 400, "-0", "1E05"])
def test_numbers_that_only_look_too_large_are_kept(text: str) -> None:
    assert decode(f"[{text}]".encode()) == [json.loads(text)]


def test_the_place_of_a_number_too_large_is_told() -> None:
    data = b'{"a": ["1e999", 12, 1e400]}'
    assert f"byte {data.index(b'1e400')}" in refusal(data).message


@pytest.mark.parametrize("depth", [0, 300])
@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"a": 1, "a": 2}',
        '{"a":1,"\\u0061":1}',
        '{"\\u00e9":1,"é":1}',
        '[{"b":{"":1,"c":2,"":3}}]',
        '{"\\ud800":1,"\\udfff":1}',
        '{"a":{"b":1},"a":{"b":2}}',
        '{"a":{"b":1},"a":{"b":1.0}}',
        '{"a":{},"b":{},"a":[],"b":{}}',
        '{"a":[{}],"a":[{}]}',
    ],
)
def test_a_key_that_occurs_twice_is_refused_however_it_is_spelled(text: str, depth: int) -> None:
    error = refusal(nested(depth, text))
    assert "key" in error.message
    assert error.hint == "Send each key once."


@pytest.mark.parametrize("depth", [0, 300])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":{"b":1,"c":[2]},"d":0,"a":{"c":[2],"b":1}}', {"a": {"b": 1, "c": [2]}, "d": 0}),
        ('[{"a":{},"\\u0061":{},"a":{}}]', [{"a": {}}]),
        ('{"a":{"b":{},"b":{}},"a":{"b":{}}}', {"a": {"b": {}}}),
    ],
)
def test_an_object_that_is_sent_twice_under_one_key_is_taken_once_and_told(
    text: str, value: object, depth: int
) -> None:
    found, warnings = decode_with_warnings(nested(depth, text))
    for _ in range(depth):
        [found] = found if isinstance(found, list) else found.values()
    assert (found, warnings) == (value, ("DUPLICATE_KEY",))


def test_many_repeated_keys_take_no_more_than_linear_time() -> None:
    text = ",".join(f'"{key}":{{}}' for key in range(50_000))
    start = time.process_time()
    found, warnings = decode_with_warnings(f"{{{text},{text}}}".encode())
    assert (len(found), warnings) == (50_000, ("DUPLICATE_KEY",))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "data", [b'"\xff"', b'["\xed\xa0\x80"]', b'"\xc0\x80"', '{"a":"é"}'.encode("latin-1"), "{}".encode("utf-16")]
)
def test_what_is_no_utf8_is_refused_with_its_place(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError) as place:
        data.decode()
    assert f"byte {place.value.start}:" in refusal(data).message


@pytest.mark.parametrize("data", [b'{"a":1,\n "b":2,\n "c":nope}', b'{"a":1, "c":nope}', b"\xef\xbb\xbf[1, nope]"])
def test_the_byte_at_fault_is_told_on_any_line(data: bytes) -> None:
    place = int(refusal(data).message.split("byte ")[1].split(":")[0])
    assert place in (data.index(b"nope"), data.index(b"nope") + 1)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode_with_warnings(b'\xef\xbb\xbf{"a":1}') == ({"a": 1}, ())


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64 + 1, -(2**63) - 1, 10**40 + 7, 10**4000 + 3])
@pytest.mark.parametrize("depth", [0, 300])
def test_integers_of_any_size_are_exact(number: int, depth: int) -> None:
    found = decode(nested(depth, f"[{number}]"))
    for _ in range(depth):
        found = found["a"]
    assert found == [number]
    assert type(found[0]) is int


@pytest.mark.parametrize("depth", [0, 300])
def test_an_integer_of_absurd_length_is_refused(depth: int) -> None:
    refusal(nested(depth, "9" * 200_000))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"\udc00a"', "\ufffda"),
        (r'"cut \uD83D"', "cut \ufffd"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (r'"\ud83d\u0041"', "\ufffdA"),
        (r'"\ude00\ud83d"', "\ufffd\ufffd"),
        (r'{"k\udabc":"\\\ud800"}', {"k\ufffd": "\\\ufffd"}),
    ],
)
@pytest.mark.parametrize("depth", [0, 300])
def test_lone_surrogates_are_replaced_and_told(text: str, value: object, depth: int) -> None:
    found, warnings = decode_with_warnings(nested(depth, text))
    for _ in range(depth):
        found = found["a"]
    assert (found, warnings) == (value, ("LONE_SURROGATE",))


@pytest.mark.parametrize("text", [r'"\ud83d\ude00"', r'"\\ud800"', r'"\\u0000"', r'"\\\\ud800\u0041"', r'"\u00e9\n\/"'])
def test_escapes_that_are_sound_are_kept_without_a_warning(text: str) -> None:
    assert decode_with_warnings(text.encode()) == (json.loads(text), ())


def test_nul_is_replaced_in_keys_and_values_and_told() -> None:
    assert decode_with_warnings(rb'{"a\u0000":"\u0000b","c":"\udead"}') == (
        {"a\ufffd": "\ufffdb", "c": "\ufffd"},
        ("LONE_SURROGATE", "NUL_CHARACTER"),
    )


@given(st.text(st.sampled_from('\\u0dDcC8aF"n')))
def test_no_string_comes_out_that_a_store_could_not_hold(text: str) -> None:
    try:
        found, warnings = decode_with_warnings(f'["{text}"]'.encode())
    except NotJSONError:
        return
    assert all("\0" not in item for item in found)
    json.dumps(found, ensure_ascii=False).encode()
    plain = [
        item.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
        for item in json.loads(f'["{text}"]')
    ]
    assert found == plain or warnings, "without a warning nothing was replaced"
    assert bool(warnings) == ("\ufffd" in "".join(found))


def test_nesting_is_taken_up_to_the_limit_and_no_further() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b"[ ", b"]")):
        core = b'"[[[[{{{{ \\" [[[["'
        decode(opening * MAX_DEPTH + core + closing * MAX_DEPTH)
        error = refusal(opening * (MAX_DEPTH + 1) + core + closing * (MAX_DEPTH + 1))
        assert str(MAX_DEPTH) in error.message
        assert f"byte {len(opening) * MAX_DEPTH}:" in error.message


def test_depth_does_not_depend_on_the_callers_stack() -> None:
    data = nested(MAX_DEPTH - 1, "[ ]")

    def deeper(levels: int) -> object:
        return deeper(levels - 1) if levels else decode(data)

    assert deeper(600)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10_000_000,
        b'{"a":' * 2_000_000,
        b"[\n" * 5_000_000,
        b'["' + b"a" * 10_000_000,
        b'["' + b'\\"' * 5_000_000,
        b'{"' + b"k" * 5_000_000 + b'":1,"' + b"k" * 5_000_000 + b'":1}',
        b"[" + b"1" * 10_000_000 + b"]",
        b"\n" * 10_000_000 + b"x",
        b"\\" * 10_000_000,
    ],
    ids=["brackets", "objects", "lines", "string", "escapes", "long keys", "digits", "blank", "backslashes"],
)
def test_hostile_bytes_are_refused_in_bounded_time_with_a_short_message(data: bytes) -> None:
    start = time.process_time()
    error = refusal(data)
    assert time.process_time() - start < 10
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    "piece", [rb"\u0000", rb"\ud800", rb"\n", b"3e123,"], ids=["NUL", "surrogate", "escape", "exponent"]
)
def test_ten_megabytes_of_what_needs_care_are_read_in_bounded_time(piece: bytes) -> None:
    count = 10_000_000 // len(piece)
    start = time.process_time()
    (found,) = decode(b'["' + piece * count + b'"]')
    assert time.process_time() - start < 10
    assert len(found) == count * len(json.loads(b'"' + piece + b'"'))
