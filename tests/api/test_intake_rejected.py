"""What was refused is kept, bounded, and can be read while the server runs."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lineage_ingest.intake import RejectedLog, Rejection

Make = Callable[..., bytes]
ONE = Rejection(1, "NOT_JSON", "Not JSON.", None, None, "/api/v1/lineage", None, None, 3, b"abc")


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    log = RejectedLog(tmp_path / "rejected.sqlite")
    assert log.list() == ()
    log.flush()
    log.close()
    assert not (tmp_path / "rejected.sqlite").exists()


def test_the_newest_come_first(tmp_path: Path) -> None:
    log = RejectedLog(tmp_path / "rejected.sqlite")
    for number in range(5):
        log.add(replace(ONE, time=number))
    log.flush()
    assert [kept.time for kept in log.list(3)] == [4, 3, 2]
    assert log.list(1) == (replace(ONE, time=4),)
    log.close()


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 40), max_size=30), records=st.integers(1, 8), total=st.integers(1, 100))
def test_it_holds_the_newest_within_both_bounds(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], records: int, total: int
) -> None:
    log = RejectedLog(
        tmp_path_factory.mktemp("log") / "rejected.sqlite", records=records, total_bytes=total, body_bytes=25
    )
    kept: list[int] = []
    for number, size in enumerate(sizes):
        log.add(replace(ONE, time=number, size=size, body=bytes(size)))
        log.flush()
        kept.append(min(size, 25, total))
        while len(kept) > records or sum(kept) > total:
            kept.pop(0)
    listed = log.list(1000)
    log.close()
    assert [len(row.body) for row in listed] == kept[::-1]
    assert all(row.cut is (len(row.body) < row.size) for row in listed)


def test_more_than_can_be_written_are_counted_and_never_waited_for(tmp_path: Path) -> None:
    log = RejectedLog(tmp_path / "missing" / "rejected.sqlite", records=10)
    for _ in range(50):
        log.add(ONE)
    log.flush()
    assert log.dropped == 50
    log.close()


def test_text_that_no_utf8_holds_is_kept_escaped(tmp_path: Path) -> None:
    log = RejectedLog(tmp_path / "rejected.sqlite")
    log.add(replace(ONE, reason="cut \ud83d here", field="/a\udc80"))
    log.flush()
    assert [(kept.reason, kept.field) for kept in log.list()] == [(r"cut \ud83d here", r"/a\udc80")]
    log.close()


def test_another_process_reads_while_it_is_written(tmp_path: Path) -> None:
    log = RejectedLog(tmp_path / "rejected.sqlite")
    log.add(ONE)
    log.flush()
    stop = threading.Event()

    def keep_writing() -> None:
        while not stop.wait(0.001):
            log.add(ONE)

    writing = threading.Thread(target=keep_writing)
    writing.start()
    script = (
        "import sys; from pathlib import Path; from lineage_ingest.intake.rejected import RejectedLog;"
        "print(RejectedLog(Path(sys.argv[1])).list(1)[0].code)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "rejected.sqlite")]
    try:
        assert subprocess.check_output(command, text=True).strip() == "NOT_JSON"
    finally:
        stop.set()
        writing.join()
        log.close()


def test_a_refused_body_is_kept_with_its_reason(client: TestClient, house: Any, event: Make) -> None:
    content = event(run={"runId": "x"})
    answer = client.post("/api/v1/lineage", content=content, headers={"content-type": "application/json"})
    house.rejected.flush()
    (kept,) = house.rejected.list()
    assert kept.body == content
    assert (kept.code, kept.field, kept.reason) == ("INVALID_EVENT", "/run/runId", answer.json()["detail"])
    assert (kept.target, kept.content_type, kept.element) == ("/api/v1/lineage", "application/json", None)
    assert kept.time > 1_700_000_000_000_000


def test_a_long_body_is_cut_and_its_size_told(client: TestClient, house: Any) -> None:
    client.post("/api/v1/lineage", content=b"x" * 50_000)
    house.rejected.flush()
    (kept,) = house.rejected.list()
    assert (kept.body, kept.size, kept.cut) == (b"x" * 1000, 50_000, True)


def test_refused_elements_of_a_batch_are_kept_each(client: TestClient, house: Any, event: Make) -> None:
    client.post("/api/v1/lineage/batch", content=b"[" + event() + b", {}, 5]")
    house.rejected.flush()
    kept = house.rejected.list()
    assert [(row.element, row.body) for row in kept] == [(2, b"5"), (1, b"{}")]


def test_one_bad_batch_does_not_push_out_all_that_was_kept(client: TestClient, house: Any) -> None:
    client.post("/api/v1/lineage", content=b"{")
    client.post("/api/v1/lineage/batch", content=b"[" + b",".join([b"{}"] * 200) + b"]")
    house.rejected.flush()
    kept = house.rejected.list(1000)
    assert len(kept) == 101
    assert kept[-1].body == b"{"


def test_what_was_taken_is_not_kept_as_refused(client: TestClient, house: Any, event: Make) -> None:
    client.post("/api/v1/lineage", content=event())
    client.get("/api/v1/lineage")
    house.rejected.flush()
    assert house.rejected.list() == ()
