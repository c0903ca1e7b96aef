"""The prediction recorder against servers that behave and misbehave, without a network."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from lineage_ingest.emit import DeliveryError, Model, PredictionRecorder, hash_value
from lineage_ingest.emit.prediction_sender import parse_retry_after
from lineage_ingest.emit.recorder import backoff

URL = "http://lineage.test/base"
DEPLOYMENT = ("ml", "scoring")
OK = {"status": "success", "failed_events": []}

Answer = Callable[[int, list[dict[str, Any]]], httpx.Response]


class Server:
    """Answers each request by its number, from 0, and keeps what was sent and what was taken."""

    def __init__(self, answer: Answer = lambda number, records: httpx.Response(200, json=OK)) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        number = len(self.requests)
        self.requests.append(request)
        self.bodies.append(request.content)
        return self.answer(number, json.loads(request.content))

    @property
    def sizes(self) -> list[int]:
        return [len(json.loads(body)) for body in self.bodies]

    def recorder(self, **options: Any) -> PredictionRecorder:
        options = {"interval": 0.01, "timeout": 1.0} | options
        return PredictionRecorder(URL, DEPLOYMENT, transport=httpx.MockTransport(self), **options)


def fails_once(status: int, **headers: str) -> Answer:
    return lambda number, records: (
        httpx.Response(status, headers=headers) if number == 0 else httpx.Response(200, json=OK)
    )


def test_record_goes_out_as_the_contract_says() -> None:
    server = Server()
    model = Model("ml", "model", version="2")
    at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with server.recorder(run="01a1fdfe-dda3-7a46-931e-b0b9c1d57493", model=model, api_key="key") as recorder:
        assert recorder.record("p1", input={"x": 1}, output=b"yes", at=at) == "p1"
    [request] = server.requests
    assert str(request.url) == f"{URL}/api/v1/predictions"
    assert request.headers["Authorization"] == "Bearer key"
    assert json.loads(request.content) == [
        {
            "id": "p1",
            "time": "2026-05-01T12:00:00.000000Z",
            "deployment": {"namespace": "ml", "name": "scoring"},
            "run": "01a1fdfe-dda3-7a46-931e-b0b9c1d57493",
            "model": {"namespace": "ml", "name": "model", "version": "2"},
            "inputHash": hash_value({"x": 1}),
            "outputHash": hash_value(b"yes"),
        }
    ]


def test_records_leave_in_full_batches_and_closing_sends_the_rest() -> None:
    server = Server()
    with server.recorder(batch=10, interval=60) as recorder:
        for _ in range(25):
            recorder.record()
    assert server.sizes == [10, 10, 5]
    assert (recorder.counts.sent, recorder.counts.pending) == (25, 0)


def test_lonely_record_leaves_after_the_interval() -> None:
    server = Server()
    with server.recorder(batch=10, interval=0.05) as recorder:
        recorder.record()
        deadline = time.monotonic() + 5
        while not recorder.counts.sent and time.monotonic() < deadline:
            time.sleep(0.005)
        assert server.sizes == [1]


def test_flush_waits_until_all_is_sent() -> None:
    server = Server()
    with server.recorder(batch=10, interval=60) as recorder:
        for _ in range(3):
            recorder.record()
        assert recorder.flush(5)
        assert recorder.counts.sent == 3


@pytest.mark.parametrize("status", [500, 502, 503, 408, 429])
def test_same_bytes_are_sent_again_when_the_server_is_busy(status: int) -> None:
    server = Server(fails_once(status, **{"Retry-After": "0"}))
    with server.recorder() as recorder:
        recorder.record("p1")
        assert recorder.flush(5)
    assert len(server.bodies) == 2
    assert server.bodies[0] == server.bodies[1]
    assert (recorder.counts.sent, recorder.counts.refused, recorder.counts.dropped) == (1, 0, 0)


def test_retry_after_is_waited_for() -> None:
    moments: list[float] = []

    def answer(number: int, records: list[dict[str, Any]]) -> httpx.Response:
        moments.append(time.monotonic())
        return fails_once(503, **{"Retry-After": "0.3"})(number, records)

    with Server(answer).recorder() as recorder:
        recorder.record()
        assert recorder.flush(5)
    assert moments[1] - moments[0] >= 0.3


def test_network_errors_are_tried_again() -> None:
    def answer(number: int, records: list[dict[str, Any]]) -> httpx.Response:
        if number == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=OK)

    with Server(answer).recorder() as recorder:
        recorder.record()
        assert recorder.flush(5)


@pytest.mark.parametrize("status", [302, 400, 401, 422])
def test_what_the_server_refuses_is_counted_and_not_sent_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    server = Server(lambda number, records: httpx.Response(status, text="because"))
    with caplog.at_level(logging.ERROR), server.recorder() as recorder:
        recorder.record()
    assert len(server.requests) == 1
    assert recorder.counts.refused == 1
    assert "because" in caplog.text


def test_batch_that_is_too_large_is_halved_until_it_fits() -> None:
    server = Server(lambda number, records: httpx.Response(413 if len(records) > 2 else 200, json=OK))
    with server.recorder(batch=8, interval=60) as recorder:
        for _ in range(8):
            recorder.record()
    assert recorder.counts.sent == 8
    assert server.sizes == [8, 4, 2, 2, 4, 2, 2]


def test_neighbours_of_a_refused_record_are_taken_and_the_retriable_comes_again() -> None:
    failed = [
        {"index": 0, "reason": "no deployment", "retriable": False},
        {"index": 2, "reason": "busy", "retriable": True},
    ]

    def answer(number: int, records: list[dict[str, Any]]) -> httpx.Response:
        return httpx.Response(200, json=OK | {"failed_events": failed if number == 0 else []})

    server = Server(answer)
    with server.recorder(batch=3, interval=60) as recorder:
        for name in ("a", "b", "c"):
            recorder.record(name)
        assert recorder.flush(5)
    assert [record["id"] for record in json.loads(server.bodies[1])] == ["c"]
    assert (recorder.counts.sent, recorder.counts.refused) == (2, 1)


def test_answer_that_is_no_json_counts_as_taken() -> None:
    with Server(lambda number, records: httpx.Response(200, text="fine")).recorder() as recorder:
        recorder.record()
    assert recorder.counts.sent == 1


def test_full_queue_drops_and_says_so_but_never_blocks_or_raises(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(lambda number, records: httpx.Response(503, headers={"Retry-After": "60"}))
    recorder = server.recorder(capacity=10, batch=5)
    with caplog.at_level(logging.WARNING):
        for _ in range(25):
            recorder.record()
        counts = recorder.counts
        assert (counts.recorded, counts.dropped, counts.pending) == (25, 15, 10)
        began = time.monotonic()
        recorder.close(timeout=0.2)
        assert time.monotonic() - began < 3
    counts = recorder.counts
    assert counts.recorded == counts.dropped == 25
    assert "the queue is full" in caplog.text
    assert "25 did not reach the server" in caplog.text


def test_strict_recorder_raises_when_something_is_lost() -> None:
    recorder = Server(lambda number, records: httpx.Response(422)).recorder(
        capacity=1, batch=5, interval=60, strict=True
    )
    recorder.record()
    with pytest.raises(DeliveryError, match="queue is full"):
        recorder.record()
    with pytest.raises(DeliveryError, match="1 were refused and 1 did not reach"):
        recorder.close()
    with pytest.raises(DeliveryError, match="closed"):
        recorder.record()


def test_value_without_a_hash_is_recorded_without_it(caplog: pytest.LogCaptureFixture) -> None:
    server = Server()
    with caplog.at_level(logging.WARNING), server.recorder() as recorder:
        recorder.record("p", input=object(), output=[1])
    [record] = json.loads(server.bodies[0])
    assert "inputHash" not in record
    assert record["outputHash"] == hash_value([1])
    assert "without a hash" in caplog.text


def test_predictions_of_many_threads_all_arrive_once() -> None:
    server = Server()
    with server.recorder(batch=50) as recorder:
        threads = [threading.Thread(target=lambda: [recorder.record() for _ in range(200)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ids = [record["id"] for body in server.bodies for record in json.loads(body)]
    assert len(ids) == len(set(ids)) == recorder.counts.sent == 800


def test_recorder_starts_anew_in_a_forked_process(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    recorder = server.recorder(interval=60)
    here = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: here + 1)
    recorder.record("of the child")
    assert recorder.flush(5)
    recorder.close()
    assert recorder.counts.sent == 1


def test_failure_that_nobody_foresaw_costs_one_batch(caplog: pytest.LogCaptureFixture) -> None:
    def answer(number: int, records: list[dict[str, Any]]) -> httpx.Response:
        if number == 0:
            raise RuntimeError("a defect")
        return httpx.Response(200, json=OK)

    with caplog.at_level(logging.ERROR), Server(answer).recorder() as recorder:
        recorder.record()
        assert recorder.flush(5)
        recorder.record()
        assert recorder.flush(5)
    assert (recorder.counts.sent, recorder.counts.dropped) == (1, 1)
    assert "a defect" in caplog.text


def test_closing_twice_or_unused_is_fine() -> None:
    server = Server()
    recorder = server.recorder()
    recorder.close()
    recorder.close()
    assert server.requests == []


@pytest.mark.parametrize("url", ["lineage.test", "ftp://lineage.test", ""])
def test_address_that_is_no_url_is_said_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https URL"):
        PredictionRecorder(url, DEPLOYMENT)


def test_retry_after_is_read_in_both_forms() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert parse_retry_after("2") == 2
    assert parse_retry_after("-5") == 0
    assert parse_retry_after("100000") == 60
    assert 25 < (parse_retry_after(soon) or 0) <= 30
    assert parse_retry_after("soon") is None
    assert parse_retry_after(None) is None


def test_backoff_grows_to_its_limit_and_jitters() -> None:
    assert all(0.125 <= backoff(1) <= 0.25 for _ in range(50))
    assert all(15 <= backoff(failures) <= 30 for failures in range(8, 100))
