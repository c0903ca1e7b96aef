"""Times as text: what is read, what is refused, and that writing and reading agree."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineage.errors import BadInputError
from lineage.event.timestamp import format_time, parse_time

TEN = 1_777_629_600_000_000
"""2026-05-01T10:00:00Z."""
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-05-01T10:00:00Z", TEN),
        ("2026-05-01t10:00:00z", TEN),
        ("2026-05-01 10:00:00Z", TEN),
        ("2026-05-01T10:00Z", TEN),
        ("2026-05-01T10:00:00.5Z", TEN + 500_000),
        ("2026-05-01T10:00:00,5Z", TEN + 500_000),
        ("2026-05-01T10:00:00.123Z", TEN + 123_000),
        ("2026-05-01T10:00:00.123456Z", TEN + 123_456),
        ("2026-05-01T10:00:00.123456789Z", TEN + 123_456),
        ("2026-05-01T10:00:00.999999999z", TEN + 999_999),
        ("2026-05-01T12:00:00+02:00", TEN),
        ("2026-05-01T12:00:00+0200", TEN),
        ("2026-05-01T12:00:00+02", TEN),
        ("2026-05-01 12:00:00 +0200", TEN),
        ("2026-05-01T04:30:00.000001-05:30", TEN + 1),
        ("2026-05-01T11:00:00+01:00[Europe/London]", TEN),
        ("2026-05-01T10:00:00Z[Europe/London]", TEN),
        ("2026-05-01T10:00Z[UTC]", TEN),
        ("2026-05-01T10:00:00Z[Europe/London][u-ca=gregory]", TEN),
        ("2026-05-01T09:59:60Z", TEN),
        ("2016-12-31T23:59:60.5Z", 1_483_228_800_500_000),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0001-01-01T00:00:00Z", FIRST),
        ("9999-12-31T23:59:59.999999Z", LAST),
    ],
)
def test_the_forms_that_producers_send_are_read(text: str, micros: int) -> None:
    assert parse_time(text) == (micros, True)


@pytest.mark.parametrize(
    "text", ["2026-05-01T10:00:00", "2026-05-01 10:00:00.000000000", "2026-05-01T10:00:00[Europe/London]"]
)
def test_a_time_with_no_zone_is_taken_as_utc_and_told(text: str) -> None:
    assert parse_time(text) == (TEN, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "now",
        "2026-05-01",
        "2026-05-01Z",
        "1777629600",
        "2026-13-01T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-W18-5T10:00:00Z",
        "2026-05-01T25:00:00Z",
        "2026-05-01T24:00:00Z",
        "2026-05-01T24:00:00+02:00",
        "2026-05-01T24:00",
        "2026-05-01T24:00:01Z",
        "2026-05-01T24:01:00Z",
        "2026-05-01T10:60:00Z",
        "2026-05-01T10:00:61Z",
        "2026-05-01T10:00:00+24:00",
        "2026-05-01T10:00:00+02:60",
        "2026-05-01T10:00:00+2",
        "2026-05-01T10:00:00.Z",
        "20260501T100000Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T24:00:00Z",
        " 2026-05-01T10:00:00Z",
        "2026-05-01T10:00:00Z ",
        "2026-05-01T10:00+02Z",
        "2026-05-01T10:00:00+02:00Z",
        "2026-05-01T10:00:00ZZ",
        "2026-05-01T10:00:00:0Z",
        "2026-05-01T100000Z",
        "2026-05-01T10Z",
        "٢٠٢٦-05-01T10:00:00Z",
        "2026-05-01T10:00:00Z[" + "x" * 100 + "]",
        "2026-05-01T10:00:00Z\n",
        "2026-05-01T10:00:00Z" * 10000,
    ],
)
def test_what_is_no_time_is_refused_with_a_short_message(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_time(text)
    assert "RFC 3339" in caught.value.hint
    assert len(str(caught.value)) < 300


@given(st.datetimes(), st.integers(-23 * 60, 23 * 60), st.sampled_from("T "))
def test_any_moment_at_any_offset_is_read_as_python_reads_it(moment: datetime, minutes: int, separator: str) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    text = local.isoformat(separator)
    if FIRST <= expected <= LAST:
        assert parse_time(text) == (expected, True)
    else:
        with pytest.raises(BadInputError):
            parse_time(text)


@given(st.integers(FIRST, LAST))
@example(FIRST)
@example(LAST)
def test_what_is_written_is_read_back(micros: int) -> None:
    text = format_time(micros)
    assert parse_time(text) == (micros, True)
    assert len(text) == 27


@given(st.integers(FIRST, LAST), st.integers(FIRST, LAST))
def test_texts_sort_as_their_times_do(one: int, other: int) -> None:
    assert (format_time(one) < format_time(other)) == (one < other)


@pytest.mark.parametrize("micros", [FIRST - 1, LAST + 1, 10**30])
def test_a_time_out_of_range_is_not_written(micros: int) -> None:
    with pytest.raises(BadInputError):
        format_time(micros)


def outcome(text: str) -> tuple[int, bool] | None:
    try:
        return parse_time(text)
    except BadInputError:
        return None


@given(st.data(), st.sampled_from(["2026-05-01T10:00:00", "2026-05-01T10:00:00.123", "2026-05-01T23:59:59.123456"]))
def test_the_common_form_is_judged_as_all_others_are(data: st.DataObject, text: str) -> None:
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 1))
        text = text[:at] + data.draw(st.text("0123456789-+:.,TWZ ", max_size=2)) + text[at + cut :]
    assert outcome(text + "Z") == outcome(text + "z")
