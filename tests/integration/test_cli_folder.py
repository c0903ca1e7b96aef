"""Commands on a data folder and against a server: records in, what was refused, keys, check and repair."""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from lineage.cli.program import run
from lineage.cli.sending import BATCH_RECORDS
from lineage_ingest.demo.server import DemoServer, Place, find_place

Told = pytest.CaptureFixture[str]

READS_AND_WRITES = 40


def event(number: int) -> dict[str, Any]:
    """Run ``number`` of a chain: it reads table ``number`` and writes the next."""
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-05-01T10:{number // 60 % 60:02}:{number % 60:02}Z",
        "run": {"runId": f"01900000-0000-7000-8000-{number:012}"},
        "job": {"namespace": "chain", "name": f"step-{number}"},
        "inputs": [{"namespace": "db", "name": f"table-{number}"}],
        "outputs": [{"namespace": "db", "name": f"table-{number + 1}"}],
        "producer": "https://example.org/chain",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }


def prediction(number: int) -> dict[str, Any]:
    deployment = {"namespace": "chain", "name": "serving"}
    return {"id": f"p{number}", "time": "2026-05-01T12:00:00Z", "deployment": deployment}


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    return written(tmp_path / "chain.ndjson", [event(number) for number in range(READS_AND_WRITES)])


@pytest.fixture
def folder(tmp_path: Path, chain: Path, capsys: Told) -> Path:
    """A data folder that holds the chain."""
    data = tmp_path / "data"
    assert run(["ingest", str(chain), "--data", str(data)]) == 0
    assert f"{READS_AND_WRITES} new, 0 known before, 0 refused." in capsys.readouterr().out
    return data


@pytest.fixture
def serve(tmp_path: Path, require: Callable[..., None]) -> Iterator[Callable[[], tuple[Place, Path]]]:
    """Starts a server on a fresh folder; gives where it listens, and its data folder."""
    require("loopback")
    servers: list[DemoServer] = []

    def start() -> tuple[Place, Path]:
        own = tmp_path / f"server-{len(servers)}"
        own.mkdir()
        place = find_place(0)
        server = DemoServer(place, own)
        servers.append(server.__enter__())
        server.wait_until_ready()
        return place, own / "store"

    yield start
    for server in servers:
        server.stop()


def reached(data: str, *place: str) -> int:
    """How many things the whole chain affects."""
    command = [sys.executable, "-m", "lineage.cli", "impact", "dataset", "db", "table-0", "--json", data, *place]
    told = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    return int(json.loads(told)["impact"]["potential"]["totalCount"])


# -- records in


@pytest.mark.parametrize("layout", ["ndjson", "array", "indented", "gzip"])
def test_every_layout_of_a_file_goes_in(tmp_path: Path, layout: str, capsys: Told) -> None:
    events = [event(number) for number in range(3)]
    file = tmp_path / "events"
    text = {
        "array": json.dumps(events),
        "indented": json.dumps(events, indent=2),
    }.get(layout, "".join(f"{json.dumps(each)}\n" for each in events))
    file.write_bytes(gzip.compress(text.encode()) if layout == "gzip" else text.encode())
    assert run(["ingest", str(file), "--data", str(tmp_path / "data")]) == 0
    assert "3 new" in capsys.readouterr().out


def test_a_file_sent_again_changes_nothing(folder: Path, chain: Path, capsys: Told) -> None:
    assert run(["ingest", str(chain), "--data", str(folder)]) == 0
    assert f"0 new, {READS_AND_WRITES} known before, 0 refused." in capsys.readouterr().out


def test_what_is_refused_is_told_with_its_line_costs_its_neighbours_nothing_and_is_kept(
    tmp_path: Path, capsys: Told
) -> None:
    file, data = tmp_path / "mixed", str(tmp_path / "data")
    bad = event(1) | {"run": {"runId": "not-a-uuid"}}
    lines = [json.dumps(event(0)), json.dumps(bad), "{", json.dumps(event(2))]
    file.write_text("\n".join(lines))
    assert run(["ingest", str(file), "--data", data]) == 1
    said = capsys.readouterr().out
    assert "2 new, 0 known before, 2 refused." in said
    assert "  2: " in said
    assert "  3: " in said
    assert run(["rejected", "--data", data, "--bodies"]) == 0
    shown = capsys.readouterr().out
    assert "/run/runId" in shown
    assert "not-a-uuid" in shown
    assert run(["rejected", "--data", data, "--json", "--first", "1"]) == 0
    (newest,) = json.loads(capsys.readouterr().out)
    assert (newest["code"], newest["element"], newest["body"]) == ("NOT_JSON", 3, "{")


def test_predictions_go_in_and_answer_questions(tmp_path: Path, capsys: Told) -> None:
    data = ("--data", str(tmp_path / "data"))
    file = written(tmp_path / "predictions", [prediction(number) for number in range(BATCH_RECORDS + 5)])
    assert run(["ingest", "--kind", "predictions", str(file), *data]) == 0
    assert "505 new" in capsys.readouterr().out
    words = ("training-data", "--deployment", "chain", "serving", "--prediction", "p504")
    assert run([*words, *data]) == 0
    assert "Score 0.00" in capsys.readouterr().out


def test_a_server_takes_a_file_as_a_folder_does(
    serve: Callable[[], tuple[Place, Path]], folder: Path, chain: Path, capsys: Told
) -> None:
    place, _ = serve()
    assert run(["ingest", str(chain), "--url", place.url]) == 0
    assert f"{READS_AND_WRITES} new, 0 known before, 0 refused." in capsys.readouterr().out
    assert run(["ingest", str(chain), "--url", place.url]) == 0
    assert f"0 new, {READS_AND_WRITES} known before" in capsys.readouterr().out
    assert reached("--url", place.url) == reached("--data", str(folder)) == 2 * READS_AND_WRITES
    file = written(chain.parent / "bad", [event(99), {"eventTime": 7}])
    assert run(["ingest", str(file), "--url", place.url]) == 1
    said = capsys.readouterr().out
    assert "1 new, 0 known before, 1 refused." in said
    assert "  2: " in said


def test_standard_input_is_read(tmp_path: Path, chain: Path) -> None:
    command = [sys.executable, "-m", "lineage.cli", "ingest", "-", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, input=chain.read_bytes(), capture_output=True, timeout=60)
    assert done.stdout == b"standard input: 40 new, 0 known before, 0 refused.\n"
    assert done.stderr == b""


def test_a_missing_file_is_a_sentence(tmp_path: Path, capsys: Told) -> None:
    assert run(["ingest", str(tmp_path / "none"), "--data", str(tmp_path / "data")]) == 1
    assert capsys.readouterr().err == f"lineage: {tmp_path / 'none'}: No such file or directory.\n"


# -- check and repair


def test_a_whole_folder_is_found_whole(folder: Path, capsys: Told) -> None:
    assert run(["fsck", "--data", str(folder)]) == 0
    assert "No fault" in capsys.readouterr().out
    assert run(["fsck", "--data", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sound"], told["entries"], told["faults"]) == (True, 1, [])
    assert len(told["root"]) == 64


def test_a_graph_that_lacks_something_is_found_and_mended(folder: Path, capsys: Told) -> None:
    graph = apsw.Connection(str(folder / "graph.sqlite"))
    graph.execute("DELETE FROM edge WHERE (source, kind, target) IN (SELECT source, kind, target FROM edge LIMIT 1)")
    graph.close()
    assert run(["fsck", "--data", str(folder)]) == 1
    assert "FAULT: The graph lacks" in capsys.readouterr().out
    assert run(["rebuild", "--data", str(folder)]) == 0
    assert "Rebuilt from 1 ledger entries." in capsys.readouterr().out
    assert run(["fsck", "--data", str(folder)]) == 0


def test_beside_a_server_a_folder_is_read_and_not_written(
    serve: Callable[[], tuple[Place, Path]], chain: Path, capsys: Told
) -> None:
    place, data = serve()
    assert run(["ingest", str(chain), "--url", place.url]) == 0
    assert reached("--url", place.url) == 2 * READS_AND_WRITES
    assert run(["fsck", "--data", str(data)]) == 0
    capsys.readouterr()
    for words in (["rebuild"], ["ingest", str(chain)]):
        assert run([*words, "--data", str(data)]) == 1
        assert "in use by process" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["rebuild", "fsck"])
def test_no_folder_is_made_by_what_only_looks(command: str, tmp_path: Path, capsys: Told) -> None:
    assert run([command, "--data", str(tmp_path / "none")]) == 1
    assert "holds no ledger" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("command", "bar"), [("rebuild", b"rebuild"), ("fsck", b"fold"), ("ingest", b"chain.ndjson")])
def test_a_person_sees_a_progress_bar(folder: Path, chain: Path, command: str, bar: bytes) -> None:
    words = [command, "--data", str(folder), *([str(chain)] if command == "ingest" else [])]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [sys.executable, "-m", "lineage.cli", *words], stdout=subprocess.PIPE, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        seen = b"".join(iter(lambda: _read(ours), b""))
        os.close(ours)
        assert process.wait(60) == 0
        assert process.stdout is not None
        assert b"\x1b" not in process.stdout.read()
    assert bar in seen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # what a terminal answers once nobody writes to it any more
        return b""


# -- keys


def test_a_key_opens_a_server_until_it_is_revoked(
    serve: Callable[[], tuple[Place, Path]], chain: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, data = serve()
    assert run(["keys", "list", "--data", str(data)]) == 0
    assert "no keys" in capsys.readouterr().out
    assert run(["keys", "new", "my-pipeline", "--data", str(data)]) == 0
    token = capsys.readouterr().out.strip()
    send = ["ingest", str(chain), "--url", place.url]
    assert eventually(lambda: run(send) == 1)
    assert "API key" in capsys.readouterr().err
    monkeypatch.setenv("LINEAGE_API_KEY", token)
    assert run(send) == 0
    assert run(["keys", "revoke", "my-pipeline", "--data", str(data)]) == 0
    assert run(["keys", "list", "--data", str(data), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out.partition("\n[")[2].join(["[", ""]))
    assert [(key["name"], key["revoked"] is not None) for key in listed] == [("my-pipeline", True)]
    assert eventually(lambda: run(send) == 1)
    assert run(["keys", "revoke", "my-pipeline", "--data", str(data)]) == 3


def eventually(holds: Callable[[], bool]) -> bool:
    """A server sees a changed key file within a quarter of a second."""
    deadline = time.monotonic() + 5
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
