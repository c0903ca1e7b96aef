"""The prediction index against the obvious definitions."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.errors import BadInputError, DataFolderError, UnavailableError
from lineage.event.model import Name
from lineage.predictions import Count, Prediction, Served
from lineage.predictions.sqlite import PredictionIndex

HOUR = 3_600_000_000
FRAUD, CHURN = Name("prod", "fraud"), Name("prod", "churn")
MODEL, OTHER = Name("models", "a"), Name("models", "b")
HASH = "sha256:" + "0f" * 32


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PredictionIndex]:
    made = PredictionIndex(tmp_path / "predictions.sqlite")
    yield made
    made.close()


def covers(served: Served, record: Prediction) -> bool:
    """The definition in ``Served``."""
    named = record.run_id == served.run_id
    inside = served.start <= record.time and (served.end is None or record.time < served.end)
    return (
        (named or record.run_id is None)
        and record.deployment == served.deployment
        and (inside or (named and served.whole))
        and (record.model is None or record.model in served.models)
    )


def slow_count(records: Sequence[Prediction], served: Sequence[Served], since: int | None) -> Count:
    times = [
        record.time
        for record in records
        if any(covers(one, record) for one in served) and (since is None or record.time >= since)
    ]
    return Count(len(times), min(times, default=None), max(times, default=None))


def in_order(records: Sequence[Prediction]) -> list[Prediction]:
    return sorted(records, key=lambda record: (record.time, record.index, record.position))


edge_times = st.builds(lambda hour, off: hour * HOUR + off, st.integers(-2, 3), st.sampled_from([-1, 0, 1, HOUR // 2]))
names = st.sampled_from([FRAUD, CHURN])
run_ids = st.sampled_from(["r1", "01890000-0000-7000-8000-000000000000"])
predictions = st.builds(
    Prediction,
    st.integers(0, 3),
    st.integers(0, 3),
    names,
    st.sampled_from(["a", "'; --", "00ff", "00FF"]),
    edge_times | st.integers(-2 * HOUR, 3 * HOUR),
    st.none() | run_ids,
    st.none() | st.sampled_from([MODEL, OTHER]),
    st.none() | st.sampled_from(["1", "2"]),
    st.none() | st.sampled_from([HASH, "odd"]),
    st.none() | st.sampled_from([HASH, "odd"]),
)
record_lists = st.lists(predictions, max_size=16, unique_by=lambda record: (record.index, record.position))
windows = st.builds(
    Served,
    names,
    run_ids,
    edge_times,
    st.none() | edge_times,
    st.frozensets(st.sampled_from([MODEL, OTHER])),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(record_lists, st.lists(st.tuples(st.lists(windows, max_size=4), st.none() | edge_times), max_size=4))
def test_count_is_what_a_scan_gives(
    records: list[Prediction], questions: list[tuple[list[Served], int | None]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = PredictionIndex(Path(folder) / "predictions.sqlite")
        index.apply(records, 4)
        for served, since in questions:
            assert index.count(served, since=since) == slow_count(records, served, since)
        index.close()


@settings(max_examples=100, deadline=None)
@given(record_lists, st.integers(0, 16), edge_times, edge_times, st.integers(0, 5))
def test_find_and_samples_are_what_a_scan_gives(
    records: list[Prediction], cut: int, start: int, end: int, limit: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = PredictionIndex(Path(folder) / "predictions.sqlite")
        index.apply(records[cut:], 4)
        index.apply(records, 4)
        for record in [*records, Prediction(0, 0, FRAUD, "absent", 0)]:
            same = [one for one in records if (one.deployment, one.id) == (record.deployment, record.id)]
            assert index.find(record.deployment, record.id) == in_order(same)
        inside = [one for one in records if one.deployment == FRAUD and start <= one.time < end]
        assert index.samples(FRAUD, start, end, limit) == in_order(inside)[:limit]
        index.close()


def test_records_that_come_again_count_once(index: PredictionIndex) -> None:
    records = [Prediction(0, i, FRAUD, f"p{i}", i) for i in range(5)]
    served = [Served(FRAUD, "r", 0, None, frozenset())]
    index.apply(records[2:] + records[2:], 1)
    index.apply(records, 1)
    index.apply(records, 2)
    assert index.count(served) == Count(5, 0, 4)
    assert [record.id for record in index.samples(FRAUD, 0, HOUR, 10)] == ["p0", "p1", "p2", "p3", "p4"]
    assert index.watermark() == 2


def test_record_is_given_back_as_told(index: PredictionIndex) -> None:
    full = Prediction(7, 3, FRAUD, "x" * 1000 + "\u2028'", -1, "r1", MODEL, "v1", HASH, "not a hash")
    index.apply([full], 8)
    assert index.find(FRAUD, full.id) == [full]
    assert index.find(CHURN, full.id) == []
    assert index.find(Name("never", "seen"), full.id) == []


def test_overlapping_windows_count_a_record_once(index: PredictionIndex) -> None:
    index.apply([Prediction(0, i, FRAUD, str(i), i * HOUR // 2) for i in range(10)], 1)
    served = [
        Served(FRAUD, "r1", 0, 3 * HOUR, frozenset()),
        Served(FRAUD, "r2", HOUR, 4 * HOUR + 1, frozenset({MODEL})),
    ]
    assert index.count(served) == Count(9, 0, 4 * HOUR)
    assert index.count([]) == Count(0, None, None)


def test_reader_sees_one_state(index: PredictionIndex) -> None:
    index.apply([Prediction(0, 0, FRAUD, "a", 0)], 1)
    with index.reader() as before:
        index.apply([Prediction(1, 0, FRAUD, "a", 0)], 2)
        assert len(before.find(FRAUD, "a")) == 1
        assert before.ledger_size == 1
    assert len(index.find(FRAUD, "a")) == 2


def test_reads_from_many_threads(index: PredictionIndex) -> None:
    index.apply([Prediction(0, i, FRAUD, f"p{i}", i) for i in range(100)], 1)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.extend(len(index.find(FRAUD, f"p{i}")) for i in range(100)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 400


def test_many_segments_are_all_probed(index: PredictionIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.predictions.writer.SEGMENT_RECORDS", 4)
    monkeypatch.setattr("lineage.predictions.reader.SEGMENT_RECORDS", 4)
    for i in range(10):
        index.apply([Prediction(i, j, FRAUD, f"p{j}", i) for j in range(3)], i + 1)
    assert [record.index for record in index.find(FRAUD, "p1")] == list(range(10))


def test_failed_write_leaves_nothing(index: PredictionIndex) -> None:
    index.apply([Prediction(0, 0, FRAUD, "a", 0)], 1)
    good = Prediction(1, 0, CHURN, "b", 0, "r9", OTHER)
    with pytest.raises(BadInputError):
        index.apply([good, replace(good, position=1 << 22)], 2)
    assert index.watermark() == 1
    assert index.find(CHURN, "b") == []
    index.apply([good], 2)
    assert index.find(CHURN, "b") == [good]


def test_clear_and_reopen(tmp_path: Path) -> None:
    path = tmp_path / "predictions.sqlite"
    record = Prediction(0, 0, FRAUD, "a", 0)
    index = PredictionIndex(path)
    index.apply([record], 1)
    index.close()
    with pytest.raises(UnavailableError):
        index.apply([record], 1)
    index = PredictionIndex(path)
    assert index.find(FRAUD, "a") == [record]
    index.clear()
    assert (index.watermark(), index.find(FRAUD, "a")) == (0, [])
    index.close()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(DataFolderError):
        PredictionIndex(path)
