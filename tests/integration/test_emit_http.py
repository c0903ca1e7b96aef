"""Emitters against a real HTTP server on loopback, and what a broken or absent one does to a pipeline."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lineage_ingest.emit import (
    Dataset,
    DeliveryError,
    Emitter,
    PredictionRecorder,
    emit_dataset,
    file_transport,
    hash_file,
)
from lineage_ingest.emit.delivery import Delivery, http_transport


class Receiver:
    """A server that records requests, and answers with the scripted statuses first, then 201."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.script: list[tuple[int, dict[str, str]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.requests.append((self.path, dict(self.headers), body))
                status, headers = receiver.script.pop(0) if receiver.script else (201, {})
                self.send_response(status)
                for name, value in {**headers, "Content-Length": "2", "Connection": "close"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler

    @property
    def types(self) -> list[str]:
        return [body["eventType"] for _, _, body in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENLINEAGE_URL", "OPENLINEAGE_API_KEY", "OPENLINEAGE_NAMESPACE", "OPENLINEAGE_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def nowhere() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_run_arrives_with_its_key_below_the_path_of_the_url(receiver: Receiver) -> None:
    with Emitter(f"{receiver.url}/base", api_key="secret", strict=True) as emitter, emitter.run("job"):
        pass
    assert receiver.types == ["START", "COMPLETE"]
    path, headers, _ = receiver.requests[0]
    assert (path, headers["Authorization"]) == ("/base/api/v1/lineage", "Bearer secret")


def test_environment_names_server_key_and_namespace(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", receiver.url)
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "secret")
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "prod")
    with Emitter() as emitter, emitter.run("job"):
        pass
    path, headers, body = receiver.requests[0]
    assert (path, headers["Authorization"]) == ("/api/v1/lineage", "Bearer secret")
    assert body["job"]["namespace"] == "prod"


def test_absent_server_neither_breaks_nor_holds_up_the_pipeline(nowhere: str, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    with caplog.at_level(logging.WARNING), Emitter(nowhere, retries=0) as emitter:
        for _ in range(50):
            with emitter.run("job"):
                pass
    assert time.monotonic() - began < 5
    assert (emitter.counts.sent, emitter.counts.lost) == (0, 100)
    assert "is away" in caplog.text
    assert "is lost" in caplog.text


def test_absent_server_is_an_error_for_the_strict(nowhere: str) -> None:
    with Emitter(nowhere, retries=0, strict=True) as emitter:
        with pytest.raises(DeliveryError, match="not delivered"):
            emitter.run("job").start()
        assert emitter.counts.lost == 1


def test_error_of_the_pipeline_is_not_hidden_by_one_of_lineage(receiver: Receiver) -> None:
    receiver.script = [(201, {}), (422, {})]
    with (
        Emitter(receiver.url, retries=0, strict=True) as emitter,
        pytest.raises(ZeroDivisionError) as raised,
        emitter.run("job"),
    ):
        _ = 1 / 0
    assert "lineage of this run is incomplete" in raised.value.__notes__[0]


def test_what_a_busy_server_could_not_take_arrives_later(receiver: Receiver) -> None:
    receiver.script = [(503, {})]
    with Emitter(receiver.url, retries=0) as emitter:
        with emitter.run("job"):
            pass
        assert emitter.counts.kept == 2
        assert emitter.flush()
        assert emitter.counts.sent == 2
    assert receiver.types == ["START", "START", "COMPLETE"]


def test_server_that_is_back_gets_what_was_kept_before_the_next_event(receiver: Receiver) -> None:
    receiver.script = [(503, {})]
    delivery = Delivery(http_transport(receiver.url, retries=0), pause=0)
    with Emitter(receiver.url) as emitter:
        emitter._delivery = delivery
        with emitter.run("job"):
            pass
    assert receiver.types == ["START", "START", "COMPLETE"]


def test_503_is_tried_again_after_the_time_that_the_server_names(receiver: Receiver) -> None:
    receiver.script = [(503, {"Retry-After": "1"})]
    began = time.monotonic()
    with Emitter(receiver.url, strict=True) as emitter:
        emitter.run("job").start()
    assert time.monotonic() - began >= 1
    assert receiver.types == ["START", "START"]


def test_refused_event_is_lost_alone(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.script = [(422, {})]
    with caplog.at_level(logging.ERROR), Emitter(receiver.url) as emitter, emitter.run("job"):
        pass
    assert (emitter.counts.sent, emitter.counts.lost) == (1, 1)
    assert "422" in caplog.text


@pytest.mark.parametrize("status", [301, 302, 303])
def test_redirect_that_would_lose_the_event_is_an_error(receiver: Receiver, status: int) -> None:
    receiver.script = [(status, {"Location": f"{receiver.url}/elsewhere"})]
    with Emitter(receiver.url, strict=True) as emitter, pytest.raises(DeliveryError, match="would be lost"):
        emitter.run("job").start()


def test_redirect_that_keeps_the_event_is_followed(receiver: Receiver) -> None:
    receiver.script = [(307, {"Location": f"{receiver.url}/elsewhere"})]
    with Emitter(receiver.url, strict=True) as emitter:
        emitter.run("job").start()
    assert [path for path, _, _ in receiver.requests] == ["/api/v1/lineage", "/elsewhere"]


def test_dataset_told_from_the_shell_arrives_or_raises(receiver: Receiver, nowhere: str, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("1\n")
    told = emit_dataset(Dataset.file(tmp_path / "raw.csv"), url=receiver.url)
    [(_, _, body)] = receiver.requests
    [digest] = body["dataset"]["facets"]["lineageGraph_contentHash"]["digests"]
    assert digest["digest"] == told.digests[0].digest == hash_file(tmp_path / "raw.csv").digest
    receiver.script = [(400, {})]
    with pytest.raises(DeliveryError):
        emit_dataset(Dataset.file(tmp_path / "raw.csv"), url=receiver.url)


def test_predictions_arrive_after_the_server_was_busy_and_cut_the_line(receiver: Receiver) -> None:
    receiver.script = [(503, {"Retry-After": "0"}), (500, {})]
    with PredictionRecorder(receiver.url, ("ml", "scoring"), batch=20, interval=0.01) as recorder:
        ids = [recorder.record(input={"n": n}) for n in range(100)]
        assert recorder.flush(10)
    assert recorder.counts.sent == 100
    arrived = [record["id"] for path, _, body in receiver.requests for record in body]
    assert set(arrived) == set(ids)
    assert {path for path, _, _ in receiver.requests} == {"/api/v1/predictions"}


def test_predictions_to_an_absent_server_are_dropped_in_time(nowhere: str, caplog: pytest.LogCaptureFixture) -> None:
    recorder = PredictionRecorder(nowhere, ("ml", "scoring"), interval=0.01)
    began = time.monotonic()
    for _ in range(10):
        recorder.record()
    with caplog.at_level(logging.ERROR):
        recorder.close(timeout=0.3)
    assert time.monotonic() - began < 3
    assert recorder.counts.dropped == 10
    assert "did not reach the server" in caplog.text


def test_emitter_records_predictions_for_its_own_server(receiver: Receiver) -> None:
    with Emitter(receiver.url, api_key="secret", namespace="ml") as emitter:
        deployment = emitter.deployment("scoring")
        rollout = deployment.rollout([])
        with emitter.recorder(deployment, run=rollout) as recorder:
            recorder.record("p")
    [(path, headers, [record])] = receiver.requests
    assert (path, headers["Authorization"]) == ("/api/v1/predictions", "Bearer secret")
    assert (record["run"], record["deployment"]) == (rollout.run_id, {"namespace": "ml", "name": "scoring"})


def test_events_can_go_to_a_file_one_a_line(tmp_path: Path) -> None:
    with Emitter(transport=file_transport(tmp_path / "events.ndjson"), strict=True) as emitter:
        with emitter.run("job"):
            pass
        with pytest.raises(ValueError, match="over HTTP"):
            emitter.recorder(emitter.deployment("scoring"))
    lines = (tmp_path / "events.ndjson").read_text().splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START", "COMPLETE"]
