"""Events in over HTTP, both questions answered by GraphQL: the whole way, in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineage.access import KeyRing
from lineage.app import open_folder
from lineage.settings import Settings
from lineage_ingest.intake import RejectedLog
from tests.integration.server_process import ServerProcess, environment

OURS = {"_producer": "urn:tests", "_schemaURL": "urn:schema"}
MODEL = {"datasetType": {**OURS, "datasetType": "MODEL"}}
SERVICE = {"jobType": {**OURS, "processingType": "SERVICE", "integration": "TESTS"}}
TRAINING_DATA = """query ($of: ServedInput!) { trainingData(of: $of) {
    complete ledgerIndex behind certainty
    models { version { version } servedBy { runId } trainedBy { runId codeVersion parameters } }
    datasets(first: 100) { nodes { role distance version { dataset { name } contentHashes { digest } } } } } }"""
IMPACT = """query ($of: SubjectInput!) { impact(of: $of) {
    complete ledgerIndex behind summary { kind potential actual standing } predictions { count firstAt lastAt }
    actual(first: 100) { nodes { consequence node { kind label } } } } }"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data") as started:
        yield started


def run_event(number: int, event_type: str, minute: int, job: str, **members: Any) -> bytes:
    run_facets, job_facets = members.pop("run_facets", {}), members.pop("job_facets", {})
    return json.dumps(
        {
            "eventTime": f"2026-05-01T10:{minute:02d}:00Z",
            "eventType": event_type,
            "producer": "urn:tests",
            "schemaURL": "urn:schema",
            "run": {"runId": run_id(number), "facets": run_facets},
            "job": {"namespace": "jobs", "name": job, "facets": job_facets},
            **members,
        }
    ).encode()


def run_id(number: int) -> str:
    return f"01890000-0000-7000-8000-{number:012d}"


def dataset(name: str, digest: str | None = None, **facets: Any) -> dict[str, Any]:
    if digest is not None:
        told = {"algorithm": "sha256", "digest": digest * 64, "scope": "FULL", "method": "file"}
        facets["lineageGraph_contentHash"] = {**OURS, "digests": [told]}
    return {"namespace": "db", "name": name, "facets": facets}


def pipeline() -> list[bytes]:
    """raw -> clean -> features -> churn (a model), which a deployment then serves."""
    version = {"version": {**OURS, "datasetVersion": "7"}}
    code = {**OURS, "type": "git", "url": "https://example.org/code", "version": "c0ffee"}
    parameters = {**OURS, "parameters": [{"key": "depth", "name": "depth", "value": "6"}]}
    model = dataset("churn", **MODEL, **version)
    return [
        run_event(1, "COMPLETE", 1, "clean", inputs=[dataset("raw", "a")], outputs=[dataset("clean", "b")]),
        run_event(2, "COMPLETE", 2, "join", inputs=[dataset("clean")], outputs=[dataset("features", "c")]),
        run_event(3, "START", 3, "train", inputs=[dataset("features")], outputs=[]),
        run_event(
            3, "COMPLETE", 4, "train", inputs=[dataset("features")], outputs=[model],
            run_facets={"executionParameters": parameters}, job_facets={"sourceCodeLocation": code},
        ),
        run_event(4, "START", 5, "scorer", inputs=[model], outputs=[dataset("log")], job_facets=SERVICE),
    ]  # fmt: skip


def prediction(number: int) -> dict[str, Any]:
    deployment = {"namespace": "jobs", "name": "scorer"}
    return {"id": f"p{number}", "time": f"2026-05-01T10:{number:02d}:30Z", "deployment": deployment}


def test_both_questions_see_what_was_acknowledged(server: ServerProcess) -> None:
    for event in pipeline():
        assert server.post("/api/v1/lineage", event).status_code == 201
    told = json.dumps([prediction(number) for number in range(10, 20)]).encode()
    answer = server.post("/api/v1/predictions", told)
    assert answer.status_code == 200
    assert {receipt["index"] for receipt in answer.json()["receipts"]} == {5}

    of: dict[str, Any] = {"prediction": {"deployment": {"namespace": "jobs", "name": "scorer"}, "id": "p12"}}
    found = server.ask(TRAINING_DATA, {"of": of})["data"]["trainingData"]
    assert (found["complete"], found["ledgerIndex"], found["behind"], found["certainty"]) == (True, 5, 0, "EXACT")
    assert found["models"][0]["version"] == {"version": "7"}
    assert [each["runId"] for each in found["models"][0]["servedBy"]] == [run_id(4)]
    assert found["models"][0]["trainedBy"]["runId"] == run_id(3)
    assert found["models"][0]["trainedBy"]["codeVersion"] == "c0ffee"
    assert found["models"][0]["trainedBy"]["parameters"] == {"depth": "6"}
    versions = [(each["version"]["dataset"]["name"], each["role"]) for each in found["datasets"]["nodes"]]
    assert versions == [("features", "TRAIN"), ("clean", "UPSTREAM"), ("raw", "UPSTREAM")]
    digests = [each["version"]["contentHashes"] for each in found["datasets"]["nodes"]]
    assert digests == [[{"digest": letter * 64}] for letter in "cba"]

    hit = server.ask(IMPACT, {"of": {"content": {"digest": "a" * 64}}})["data"]["impact"]
    assert (hit["complete"], hit["ledgerIndex"], hit["behind"]) == (True, 5, 0)
    assert hit["predictions"]["count"] == 10
    consequences = {(each["node"]["kind"], each["consequence"]) for each in hit["actual"]["nodes"]}
    assert {("RUN", "RETRAIN"), ("ROLLOUT", "REDEPLOY")} <= consequences


def test_every_receipt_shows_its_effect_at_once(server: ServerProcess) -> None:
    for number in range(40):
        event = run_event(number, "COMPLETE", number, "chain", inputs=[dataset("d0")], outputs=[dataset(f"d{number}")])
        receipt = server.post("/api/v1/lineage", event).json()
        found = server.ask(IMPACT, {"of": {"dataset": {"namespace": "db", "name": f"d{number}"}}})
        assert found["data"]["impact"]["ledgerIndex"] >= receipt["index"]


def test_a_repeated_event_gives_the_first_receipt(server: ServerProcess) -> None:
    event = pipeline()[0]
    first, again = (server.post("/api/v1/lineage", event) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "duplicate": True}


def test_readiness_metrics_and_addresses_are_there(server: ServerProcess) -> None:
    for event in pipeline():
        server.post("/api/v1/lineage", event)
    server.ask(IMPACT, {"of": {"dataset": {"namespace": "db", "name": "raw"}}})
    assert server.client.get("/healthz").status_code == 200
    assert server.client.get("/readyz").json() == {
        "ready": True,
        "ledger": {"writable": True, "fault": None},
        "projection": {"lag": 0, "behind": 0, "seconds": 0.0, "waits": None},
    }
    assert server.metric("lineage_ledger_entries") == 5
    assert server.metric("lineage_projection_lag_entries") == 0
    assert server.metric("lineage_projection_lag_seconds") == 0
    assert server.metric("lineage_projection_skipped") == 0
    assert server.metric("lineage_graph_store_up") == 1
    assert server.metric('lineage_records_accepted_total{kind="lineage"}') == 5
    addresses = server.client.get("/").json()
    assert addresses["graphql"] == "/graphql"
    assert "<a href" in server.client.get("/", headers={"accept": "text/html"}).text
    for address in ("docs", "openapi", "ready", "metrics"):
        assert server.client.get(addresses[address]).status_code == 200
    assert {"/api/v1/lineage", "/graphql"} <= server.client.get("/openapi.json").json()["paths"].keys()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("POST", "/api/v1/lineages", 404, "NOT_FOUND"),
        ("GET", "/docs/oauth2-redirect", 404, "NOT_FOUND"),
        ("DELETE", "/", 405, "REFUSED"),
        ("PUT", "/graphql", 405, "REFUSED"),
        ("GET", "/api/v1/lineage", 405, "REFUSED"),
    ],
)
def test_an_address_that_is_not_there_is_a_problem_as_all_others_are(
    server: ServerProcess, method: str, path: str, status: int, code: str
) -> None:
    answer = server.client.request(method, path)
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["type"] == f"urn:lineage-graph:problem:{code}"
    assert told["title"]
    assert (path if status == 404 else method) in told["detail"]
    assert ("allow" in answer.headers) == (status == 405)


def test_pages_whose_scripts_come_from_elsewhere_say_so(server: ServerProcess) -> None:
    for path, instead in (("/docs", "/openapi.json"), ("/graphql", "POST")):
        page = server.client.get(path, headers={"accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        shown = re.sub(r"<(script|style|head)\b.*?</\1>|<[^>]*>", "", page.text, flags=re.DOTALL)
        assert "public CDN" in shown
        assert instead in shown


def test_what_comes_without_a_key_is_found_among_what_was_refused(server: ServerProcess) -> None:
    KeyRing(server.data / "keys.json").new("airflow")
    time.sleep(0.3)
    assert server.post("/api/v1/lineage", pipeline()[0]).status_code == 401
    server.stop()
    (kept,) = RejectedLog(server.data / "rejected.sqlite").list()
    assert (kept.code, kept.target, kept.body) == ("UNAUTHENTICATED", "/api/v1/lineage", b"")


def test_a_setting_that_is_not_usable_is_said(tmp_path: Path) -> None:
    environs = environment(tmp_path / "other", {"store": "access"})
    second = subprocess.run([sys.executable, "-m", "lineage.app"], env=environs, capture_output=True, text=True)
    assert second.returncode == 1
    assert second.stderr.startswith('The setting store must be one of sqlite, neo4j, memory, but is "access".')


def test_a_second_server_on_the_folder_is_refused(server: ServerProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "lineage.app"], env=environment(server.data, {}), capture_output=True, text=True
    )
    assert second.returncode == 1
    assert f"is in use by process {server.process.pid}." in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_said(server: ServerProcess, tmp_path: Path) -> None:
    environs = environment(tmp_path / "other", {"port": str(server.port)})
    second = subprocess.run([sys.executable, "-m", "lineage.app"], env=environs, capture_output=True, text=True)
    assert second.returncode == 1
    assert f"Can't listen on 127.0.0.1, port {server.port}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_folder_is_read_beside_its_server(server: ServerProcess) -> None:
    for event in pipeline():
        server.post("/api/v1/lineage", event)
    server.ask(IMPACT, {"of": {"dataset": {"namespace": "db", "name": "raw"}}})
    with open_folder(Settings(data=server.data), read_only=True) as folder:
        assert folder.ledger.size() == 5
        assert folder.store.watermark() == 5
        report = folder.check()
    assert report.sound, report.faults
    assert report.graph_size == 5
    assert report.lines > 20


def test_a_stop_under_load_loses_nothing_and_leaves_all_projected(server: ServerProcess) -> None:
    receipts: list[dict[str, Any]] = []

    def send(sender: int) -> None:
        with httpx.Client(base_url=server.url) as client:
            for number in range(10_000):
                event = run_event(sender * 10_000 + number, "COMPLETE", 1, f"job{sender}", outputs=[dataset("d")])
                try:
                    answer = client.post("/api/v1/lineage", content=event)
                except httpx.TransportError:
                    return
                if answer.status_code == 503:
                    return
                assert answer.status_code == 201
                receipts.append(answer.json())

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for sender in senders:
        sender.start()
    senders[0].join(1)
    assert server.stop() == 0
    for sender in senders:
        sender.join()
    assert len(receipts) > 10
    assert "Traceback" not in server.logged()
    assert not [file.name for file in server.data.iterdir() if file.name.endswith("-wal") and file.stat().st_size]
    with open_folder(Settings(data=server.data), read_only=True) as folder:
        held = folder.ledger.size()
        assert folder.store.watermark() == held > max(receipt["index"] for receipt in receipts)
        assert folder.check().sound


def test_the_store_memory_is_made_from_the_ledger_at_each_start(tmp_path: Path) -> None:
    question = {"of": {"dataset": {"namespace": "db", "name": "raw"}}}
    answers = []
    with ServerProcess(tmp_path / "data", store="memory") as server:
        for event in pipeline():
            server.post("/api/v1/lineage", event)
        answers.append(server.ask(IMPACT, question)["data"])
        assert server.stop() == 0
    for store in ("memory", "sqlite"):
        with ServerProcess(tmp_path / "data", store=store) as server:
            answers.append(server.ask(IMPACT, question)["data"])
            assert server.stop() == 0
    assert answers[0]["impact"]["ledgerIndex"] == 4
    assert answers[0] == answers[1] == answers[2]
