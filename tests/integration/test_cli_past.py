"""``--at-index``: the command line asks about the past, of a folder or of a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineage.cli.failure import Exit
from lineage.cli.program import run
from tests.unit.past.test_past_cost import entries

Told = pytest.CaptureFixture[str]
ASKED = {
    "impact": ("impact", "dataset", "db", "p0.t0"),
    "provenance": ("provenance", "version", "db", "p0.t3"),
    "path": ("path", "p0.t0", "p0.t2"),
    "search": ("search", "p0"),
}
THEN = 20


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The data folder of all entries, and one of those up to THEN."""
    folder = tmp_path_factory.mktemp("past")
    records = [record for entry in entries(1).entries() for record in entry.records if record is not None]
    made = []
    for name, count in (("now", len(records)), ("then", THEN + 1)):
        for number in range(count):
            (folder / f"{number}.json").write_bytes(records[number])
        files = [str(folder / f"{number}.json") for number in range(count)]
        assert run(["ingest", *files, "--data", str(folder / name)]) == 0
        made.append(folder / name)
    return made[0], made[1]


def asked(words: tuple[str, ...], data: Path, capsys: Told, *more: str) -> dict[str, Any]:
    code = run([*words, "--json", "--data", str(data), *more])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {"exit": code, **told}


@pytest.mark.parametrize("question", ASKED)
def test_a_command_answers_as_it_did_then(question: str, folders: tuple[Path, Path], capsys: Told) -> None:
    capsys.readouterr()
    now, then = folders
    past = asked(ASKED[question], now, capsys, "--at-index", str(THEN))
    assert _same(past) == _same(asked(ASKED[question], then, capsys))
    assert past[question].get("ledgerIndex", THEN) == THEN
    assert _same(past) != _same(asked(ASKED[question], now, capsys))


def _same(value: Any) -> Any:
    if isinstance(value, list):
        return [_same(each) for each in value]
    if isinstance(value, dict):
        return {key: _same(each) for key, each in value.items() if key not in ("endCursor", "recordedAt")}
    return value


def test_an_index_past_the_end_is_an_error(folders: tuple[Path, Path], capsys: Told) -> None:
    capsys.readouterr()
    code = run([*ASKED["impact"], "--data", str(folders[0]), "--at-index", "1000"])
    told = capsys.readouterr()
    assert code == Exit.ERROR
    assert "has no entry 1000 yet" in told.err
    assert told.out == ""


def test_a_pipe_sees_no_progress(folders: tuple[Path, Path], capsys: Told) -> None:
    capsys.readouterr()
    assert run([*ASKED["search"], "--json", "--data", str(folders[0]), "--at-index", "3"]) == 0
    assert capsys.readouterr().err == ""


def test_a_server_answers_as_the_folder_does(
    folders: tuple[Path, Path], capsys: Told, require: Callable[..., None]
) -> None:
    require("loopback")
    from lineage_ingest.demo.server import DemoServer, find_place

    place, served = find_place(0), folders[0].parent / "served"
    served.mkdir()
    with DemoServer(place, served) as server:
        server.wait_until_ready()
        files = [str(file) for file in sorted(folders[0].parent.glob("*.json"), key=lambda file: int(file.stem))]
        capsys.readouterr()
        assert run(["ingest", *files, "--url", place.url]) == 0
        capsys.readouterr()
        code = run([*ASKED["impact"], "--json", "--url", place.url, "--at-index", str(THEN)])
        told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert _same(told["impact"]) == _same(asked(ASKED["impact"], folders[0], capsys, "--at-index", str(THEN))["impact"])
