"""A damaged ledger on the command line: a sentence, faults, and advice that loses nothing."""

from __future__ import annotations

import json
from pathlib import Path

import apsw
import pytest

from lineage.cli.program import run

Told = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, capsys: Told) -> Path:
    """A data folder of three entries."""
    data = tmp_path / "data"
    for number in range(3):
        event = {
            "eventType": "COMPLETE",
            "eventTime": f"2026-05-01T10:00:0{number}Z",
            "run": {"runId": f"01900000-0000-7000-8000-{number:012}"},
            "job": {"namespace": "chain", "name": f"step-{number}"},
            "outputs": [{"namespace": "db", "name": f"table-{number}"}],
            "producer": "urn:tests",
            "schemaURL": "urn:schema",
        }
        file = tmp_path / "event.json"
        file.write_text(json.dumps(event))
        assert run(["ingest", str(file), "--data", str(data)]) == 0
    capsys.readouterr()
    return data


def damage(folder: Path, statements: str) -> None:
    db = apsw.Connection(str(folder / "ledger.sqlite"))
    db.execute(statements)
    db.close()


PAYLOADS = "UPDATE records SET payload = substr(payload, 1, 20) WHERE place >> 24 IN (0, 2)"
DICTIONARY = "UPDATE dictionaries SET zipped = substr(zipped, 1, 2000)"
OTHER = "UPDATE records SET payload = (SELECT payload FROM records WHERE place >> 24 = 1) WHERE place >> 24 = 0"


def fsck(folder: Path, capsys: Told, *words: str) -> tuple[int, list[str], str]:
    """Exit code, faults and all that was said."""
    code = run(["fsck", "--data", str(folder), *words])
    told = capsys.readouterr()
    assert told.err == ""
    return code, [line for line in told.out.splitlines() if line.startswith("FAULT: ")], told.out


@pytest.mark.parametrize("store", ["sqlite", "memory"])
@pytest.mark.parametrize(
    ("statements", "faults"), [(PAYLOADS, 2), (DICTIONARY, 4), (OTHER, 1)], ids=["payloads", "dictionary", "other"]
)
def test_fsck_tells_every_fault_of_the_ledger_and_advises_a_backup(
    folder: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch, statements: str, faults: int, store: str
) -> None:
    monkeypatch.setenv("LINEAGE_STORE", store)
    damage(folder, statements)
    code, found, said = fsck(folder, capsys)
    assert (code, len(found)) == (1, faults)
    assert "Entry 0: record 0" in said
    assert "not compared" in said
    assert "backup" in said
    assert "rebuild" not in said
    assert "none" not in said
    code = run(["fsck", "--data", str(folder), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (code, told["sound"], told["root"], told["graph"]["lines"]) == (1, False, None, None)


@pytest.mark.parametrize("statements", [PAYLOADS, DICTIONARY, OTHER], ids=["payloads", "dictionary", "other"])
def test_rebuild_refuses_a_damaged_ledger_and_leaves_the_graph(folder: Path, capsys: Told, statements: str) -> None:
    damage(folder, statements)
    assert run(["rebuild", "--data", str(folder)]) == 1
    told = capsys.readouterr()
    assert "in ledger.sqlite is damaged." in told.err
    assert "backup" in told.err
    graph = apsw.Connection(str(folder / "graph.sqlite"))
    assert graph.execute("SELECT count(*) FROM node").get > 3
    graph.close()


@pytest.mark.parametrize("words", [["search", "table"], ["serve", "--port", "0"]], ids=" ".join)
def test_what_opens_a_ledger_that_can_not_be_read_says_so(folder: Path, capsys: Told, words: list[str]) -> None:
    damage(folder, DICTIONARY)
    assert run([*words, "--data", str(folder)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("lineage: Dictionary 1, which payloads are compressed with, in ledger.sqlite is damaged.\n")
    assert "fault of Lineage" not in told


def test_a_search_that_reads_the_ledger_names_the_damaged_record(
    folder: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGE_STORE", "memory")
    damage(folder, PAYLOADS)
    assert run(["search", "table", "--data", str(folder)]) == 1
    assert "Record 0 of entry 0 in ledger.sqlite is damaged." in capsys.readouterr().err


def test_a_ledger_that_lost_entries_is_not_to_be_rebuilt_from(folder: Path, capsys: Told) -> None:
    damage(folder, "DROP TRIGGER leaves_stay; DELETE FROM leaves WHERE idx = 2")
    code, found, said = fsck(folder, capsys)
    assert (code, found[0]) == (1, "FAULT: The graph reflects 3 entries; the ledger has 2.")
    assert "backup" in said
    assert "rebuild" not in said
    assert "Merkle root none" not in said


def test_a_kept_root_is_compared(folder: Path, capsys: Told) -> None:
    run(["fsck", "--data", str(folder), "--json"])
    root = json.loads(capsys.readouterr().out)["root"]
    code, _, said = fsck(folder, capsys, "--root", root)
    assert code == 0
    assert "The root that was kept is that of all entries." in said
    assert fsck(folder, capsys, "--root", root, "--size", "3")[0] == 0
    code, (fault,), said = fsck(folder, capsys, "--root", root, "--size", "2")
    assert code == 1
    assert "not the one that was kept" in fault
    assert "--root, --size and --data belong together" in said
    damage(folder, "UPDATE envelopes SET nonce = zeroblob(32) WHERE idx = 1")
    assert fsck(folder, capsys)[0] == 0
    assert fsck(folder, capsys, "--root", root)[0] == 1


@pytest.mark.parametrize("words", [["--root", "xyz"], ["--root", "abcd"], ["--size", "3"]], ids=" ".join)
def test_a_root_that_is_none_is_wrong_usage(folder: Path, capsys: Told, words: list[str]) -> None:
    assert run(["fsck", "--data", str(folder), *words]) == 2
    assert "root" in capsys.readouterr().err
