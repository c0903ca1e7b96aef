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
from lineage.predictions import FOREVER, Count, Prediction, Served, Told
from lineage.predictions.reader import SQLitePredictionReader
from lineage.predictions.sqlite import PredictionIndex
from tests.covering import covers

HOUR = 3_600_000_000
FRAUD, CHURN = Name("prod", "fraud"), Name("prod", "churn")
MODEL, OTHER = Name("models", "a"), Name("models", "b")
HASH = "sha256:" + "0f" * 32


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PredictionIndex]:
    made = PredictionIndex(tmp_path / "predictions.sqlite")
    yield made
    made.close()


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
models = st.none() | st.sampled_from([MODEL, OTHER])
versions = st.none() | st.sampled_from(["1", "2"])
predictions = st.builds(
    Prediction,
    st.integers(0, 3),
    st.integers(0, 3),
    names,
    st.sampled_from(["a", "'; --", "00ff", "00FF"]),
    edge_times | st.integers(-2 * HOUR, 3 * HOUR),
    st.none() | run_ids,
    models,
    versions,
    st.none() | st.sampled_from([HASH, "odd"]),
    st.none() | st.sampled_from([HASH, "odd"]),
)
record_lists = st.lists(predictions, max_size=16, unique_by=lambda record: (record.index, record.position))
windows = st.builds(
    Served,
    names,
    st.none() | run_ids,
    st.builds(Told, models, versions),
    st.just(-FOREVER) | edge_times,
    st.just(FOREVER) | edge_times,
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
@given(record_lists, st.lists(st.tuples(st.none() | run_ids, edge_times, edge_times), max_size=4))
def test_told_is_what_a_scan_gives(records: list[Prediction], asked: list[tuple[str | None, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = PredictionIndex(Path(folder) / "predictions.sqlite")
        index.apply(records, 4)
        for run_id, start, end in [*asked, (None, -FOREVER, FOREVER)]:
            times: dict[Told, list[int]] = {}
            for one in records:
                if (one.deployment, one.run_id) == (FRAUD, run_id):
                    times.setdefault(Told(one.model, one.model_version), []).append(one.time)
            expected = {told for told, found in times.items() if max(found) >= start and min(found) < end}
            assert index.told(FRAUD, run_id, start, end) == expected
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
    served = [Served(FRAUD, None, Told(), 0)]
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
        Served(FRAUD, None, Told(), 0, 3 * HOUR),
        Served(FRAUD, None, Told(), HOUR, 4 * HOUR + 1),
        Served(FRAUD, None, Told(MODEL), 0),
    ]
    assert index.count(served) == Count(9, 0, 4 * HOUR)
    assert index.count([]) == Count(0, None, None)


def test_a_version_told_is_counted_apart_from_others_and_from_none(index: PredictionIndex) -> None:
    told = [Told(), Told(MODEL), Told(MODEL, "1"), Told(MODEL, "2"), Told(OTHER, "1")]
    index.apply([Prediction(0, i, FRAUD, str(i), i, None, *each) for i, each in enumerate(map(parts, told))], 1)
    assert [index.count([Served(FRAUD, None, each)]) for each in told] == [Count(1, i, i) for i in range(5)]
    assert index.count([Served(FRAUD, None, Told(OTHER, "2"))]) == Count(0, None, None)
    assert index.told(FRAUD, None) == frozenset(told)


def parts(told: Told) -> tuple[Name | None, str | None]:
    return told.model, told.version


def test_a_count_reads_no_whole_hour_and_tellings_are_found_without_their_hours(tmp_path: Path) -> None:
    index = PredictionIndex(tmp_path / "predictions.sqlite")
    times = [hour * HOUR + i for hour in range(4) for i in range(5_000 if hour in (1, 2) else 3)]
    times += [hour * HOUR for hour in range(100, 3_000)]
    index.apply([Prediction(0, i, FRAUD, str(i), time, None, MODEL, "1") for i, time in enumerate(times)], 1)
    index.apply([Prediction(1, 0, FRAUD, "last", 0, None, MODEL, "2")], 2)
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    with index._database.reading() as connection:
        reader = SQLitePredictionReader(connection)
        connection.set_progress_handler(step, 1)
        assert reader.count([Served(FRAUD, None, Told(MODEL, "1"), 1, 3 * HOUR + 1)]).count == 2 + 10_000 + 1
        assert reader.told(FRAUD, None) == {Told(MODEL, "1"), Told(MODEL, "2")}
        connection.set_progress_handler(None)
    index.close()
    assert steps < 1_000


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
