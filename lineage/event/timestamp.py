"""Times as text: RFC 3339, and what producers send in its place, as UTC microseconds since the epoch.

Read besides RFC 3339: a space or ``t`` for ``T``, no seconds (as Java leaves out zeros), a comma before the fraction,
nanoseconds (cut to microseconds), ``+0200`` and ``+02``, a space before the offset, no zone at all (taken as UTC, and
said), a zone's name in brackets after the offset (RFC 9557; the offset counts, never the name) and second 60 (a leap
second; as POSIX has it, the second after). Hours go from 0 to 23: ISO 8601's hour 24 is refused.

>>> parse_time("2026-05-01T12:00:00+02:00")
(1777629600000000, True)
>>> format_time(1777629600000000)
'2026-05-01T10:00:00.000000Z'
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from lineage.errors import BadInputError

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?"
    r"(?: ?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?))?"
    r"(?:\[[^\[\]]{1,64}\]){0,8}",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_FIRST = -62_135_596_800_000_000
_LAST = 253_402_300_799_999_999
EXPECTED_TIME = "a date and time as RFC 3339 has them, such as 2026-05-01T10:00:00Z"


def parse_time(text: str) -> tuple[int, bool]:
    """Read a time: UTC microseconds since the epoch, and whether the text said its zone.

    Without a zone UTC is assumed. Fractions beyond the sixth digit are cut. Years 1 to 9999, in UTC.
    Raises BadInputError for anything else, dates alone included.
    """
    # The common form, YYYY-MM-DDTHH:MM:SS[.fraction]Z; the guard keeps out the other forms of ISO 8601 that would pass.
    if text[-1:] == "Z" and text[7:8] == "-" and text[10:11] == "T" and text[16:17] == ":" and text[19:20] in ".Z":
        try:
            moment = datetime.fromisoformat(text[:-1])
        except ValueError:
            return _parse_any(text)
        # Python reads hour 24 from 3.14 on, as the next midnight.
        if moment.tzinfo is None and text[11:13] != "24":
            return (moment - _EPOCH) // _MICROSECOND, True
    return _parse_any(text)


def _parse_any(text: str) -> tuple[int, bool]:
    match = _TIME.fullmatch(text)
    if match is None:
        raise _unreadable(text)
    year, month, day, hour, minute, second, fraction, utc, sign, offset_hours, offset_minutes = match.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 60:
        raise _unreadable(text)
    if sign is not None:
        minutes -= _offset(sign, int(offset_hours), int(offset_minutes or 0), text)
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        raise _unreadable(text) from None
    micros = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000
    if fraction is not None:
        micros += int(fraction[:6].ljust(6, "0"))
    if not _FIRST <= micros <= _LAST:
        raise _unreadable(text)
    return micros, utc is not None or sign is not None


def format_time(micros: int) -> str:
    """Write UTC microseconds since the epoch as RFC 3339 with six digits and ``Z``, so that texts sort as times do.

    Raises BadInputError outside the years 1 to 9999.
    """
    if not _FIRST <= micros <= _LAST:
        raise BadInputError(f"{micros} microseconds since 1970 is outside the years 1 to 9999.")
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds") + "Z"


def _offset(sign: str, hours: int, minutes: int, text: str) -> int:
    if hours > 23 or minutes > 59:
        raise _unreadable(text)
    offset = hours * 60 + minutes
    return -offset if sign == "-" else offset


def _unreadable(text: str) -> BadInputError:
    shown = text if len(text) <= 80 else text[:80] + "…"
    return BadInputError(f'"{shown}" is no time.', hint=f"Expected {EXPECTED_TIME}.")
