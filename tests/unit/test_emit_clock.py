"""The time that events carry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lineage_ingest.emit.clock import Clock, format_time


def test_clock_never_gives_one_moment_twice_nor_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([5_000_000_000, 5_000_000_000, 4_000_000_000, 6_000_000_000])
    monkeypatch.setattr("lineage_ingest.emit.clock.time.time_ns", lambda: next(moments))
    clock = Clock()
    assert [clock.now().microsecond for _ in range(4)] == [0, 1, 2, 0]


def test_clock_follows_one_that_was_far_off(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([3_600_000_000_000, 1_000_000_000])
    monkeypatch.setattr("lineage_ingest.emit.clock.time.time_ns", lambda: next(moments))
    clock = Clock()
    assert [clock.now().hour, clock.now().hour] == [1, 0]


def test_time_is_told_in_utc_with_six_digits_and_only_with_a_zone() -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(noon) == "2026-05-01T10:00:00.000000Z"
    assert datetime.fromisoformat(format_time(noon)) == noon.astimezone(UTC)
    with pytest.raises(ValueError, match="has no zone"):
        format_time(datetime(2026, 5, 1))
