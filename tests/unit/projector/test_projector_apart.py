"""The fold in a process of its own gives the same graph, whatever becomes of that process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw
import pytest

from lineage.app import open_folder
from lineage.app.lock import FolderLock
from lineage.errors import DataFolderError, UnavailableError
from lineage.fold.store import Table
from lineage.ledger import Submission
from lineage.ledger.sqlite import SQLiteLedger
from lineage.model import Changes
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projection, Projector, check_projection
from lineage.projector.apart import PROGRAM, FactsApart, FoldProcess
from lineage.settings import Settings
from lineage.sqlite import SQLiteStore
from tests.unit.projector.house import Keeping, StoreAround, event, mixed, prediction, rebuilt

_POISONED = Path(__file__).with_name("poisoned_folding.py")


class Apart:
    """A folder whose fold is in a process of its own; ``wrap`` goes around its graph store."""

    def __init__(
        self,
        folder: Path,
        *,
        wrap: Callable[[SQLiteStore], Any] = StoreAround,
        program: Any = PROGRAM,
        records: int = 4,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.ledger = SQLiteLedger(folder / "ledger.sqlite")
        self.process = FoldProcess(folder / "facts.sqlite", program=program)
        self.facts = FactsApart(self.process)
        self.store = SQLiteStore(folder / "graph.sqlite")
        self.predictions = PredictionIndex(folder / "predictions.sqlite")
        self.parts: dict[str, Any] = {
            "ledger": self.ledger,
            "facts": self.facts,
            "store": wrap(self.store),
            "predictions": self.predictions,
            "batch_records": records,
        }
        self.projection = Projection(**self.parts)

    def dump(self) -> list[bytes]:
        with self.store.reader() as reader:
            return list(reader.dump())

    def child(self) -> int:
        """The number of the process that folds."""
        process = self.process._process
        assert process is not None
        return process.pid

    def close(self) -> None:
        for part in (self.facts, self.store, self.predictions, self.ledger):
            part.close()


@contextmanager
def apart(folder: Path, **told: Any) -> Iterator[Apart]:
    made = Apart(folder, **told)
    try:
        yield made
    finally:
        made.close()


def is_right(house: Apart) -> bool:
    expected, records = rebuilt(house.ledger)
    report = check_projection(house.ledger, house.store, house.predictions)
    assert report.sound, report.faults
    assert report.predictions == records
    assert house.facts.watermark() == house.store.watermark() == house.ledger.size()
    return house.dump() == expected


def tries(house: Apart) -> int:
    """Project all, however often that fails; how often it did."""
    for failures in range(10):
        with suppress(UnavailableError, OverflowError):
            house.projection.catch_up()
            return failures
    raise AssertionError("It goes on to fail.")


def test_the_graph_is_that_of_a_rebuild(tmp_path: Path) -> None:
    with apart(tmp_path / "data") as house:
        for seed in (1, 2):
            house.ledger.append(mixed(seed))
            house.projection.catch_up()
            assert is_right(house)
        house.projection.rebuild()
        assert is_right(house)


@pytest.mark.parametrize("renews", [False, True])
def test_a_process_that_is_killed_at_any_message_costs_another_try_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renews: bool
) -> None:
    """Also while a graph that stays is brought up to date by difference."""
    begin, asked, points = FoldProcess.begin, [0], 0

    def killing(at: int, process: FoldProcess, what: str, *told: object) -> None:
        begin(process, what, *told)
        asked[0] += 1
        if asked[0] == at:
            assert process._process is not None
            process._process.kill()

    for at in range(1, 28, 2):
        with apart(tmp_path / f"data {at}", wrap=Keeping) as house:
            house.ledger.append(mixed(7))
            if renews:
                house.projection.step()
                house.parts["store"].outdate()
                house.projection = Projection(**house.parts)
            asked[0] = 0
            monkeypatch.setattr(FoldProcess, "begin", lambda *told, at=at: killing(at, *told))
            failures = tries(house)
            was_killed = asked[0] >= at
            assert failures <= 1
            monkeypatch.undo()
            assert is_right(house)
            points += was_killed
    assert points > 8


def test_a_process_that_is_killed_while_it_serves_is_started_again(tmp_path: Path) -> None:
    with apart(tmp_path / "data") as house:
        projector = Projector(**house.parts)
        projector.start()
        try:
            for number in range(6):
                size = house.ledger.append([Submission("lineage", (event(f"table {number}"),))])[0][0].index + 1
                projector.wake(size)
                until = time.monotonic() + 20
                while not projector.wait_for(size, 5):  # which is told at once that there is trouble
                    assert time.monotonic() < until
                os.kill(house.child(), signal.SIGKILL)
        finally:
            projector.stop()
        house.projection.catch_up()
        assert is_right(house)


def test_a_backlog_of_predictions_ends_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.projection._KEEP_EVENTS", 2)
    with apart(tmp_path / "data", records=1) as house:
        house.ledger.append([Submission("predictions", (prediction(number),)) for number in range(7)])
        house.ledger.append([Submission("lineage", (event(f"table {number}"),)) for number in range(7)])
        house.projection.catch_up()
        assert is_right(house)
        house.projection.step()
        house.projection.rebuild()
        assert is_right(house)


@pytest.mark.parametrize("number", [12, 14])
def test_at_a_damaged_entry_what_stands_before_it_is_shown(tmp_path: Path, number: int) -> None:
    with apart(tmp_path / "data") as house:
        house.ledger.append([Submission("lineage", (event(f"table {each}"),)) for each in range(20)])
    file = apsw.Connection(str(tmp_path / "data" / "ledger.sqlite"))
    file.execute("UPDATE records SET payload = x'00' WHERE place >> 24 = ?", (number,))
    file.close()
    with apart(tmp_path / "data") as house:
        for _ in range(3):
            with pytest.raises(DataFolderError):
                house.projection.catch_up()
        assert house.store.watermark() == number


def test_what_was_begun_is_not_forgotten_by_what_comes_between(tmp_path: Path) -> None:
    with apart(tmp_path / "data") as house:
        house.process.begin("watermark")
        with pytest.raises(RuntimeError, match="Something is begun"):
            house.facts.get(Table.ROWS, b"a key")
        assert house.process.finish() == 0
        with pytest.raises(UnavailableError):
            house.process.finish()


def test_a_rebuild_in_the_middle_of_a_backlog_forgets_what_was_begun(tmp_path: Path) -> None:
    with apart(tmp_path / "data") as house:
        house.ledger.append([Submission("lineage", (event(f"table {number}"),)) for number in range(20)])
        house.projection.step()
        house.projection.rebuild()
        assert is_right(house)


def test_a_process_that_is_started_again_comes_after_the_others_as_the_first_did(tmp_path: Path) -> None:
    with apart(tmp_path / "data") as house:
        for _ in range(2):
            assert house.facts.watermark() == 0
            assert os.getpriority(os.PRIO_PROCESS, house.child()) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
            os.kill(house.child(), signal.SIGKILL)
            with pytest.raises(UnavailableError):
                house.facts.watermark()


def test_a_projector_ends_though_the_process_that_folds_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.projector.thread._LAST_SECONDS", 0.2)
    with apart(tmp_path / "data") as house:
        assert house.facts.watermark() == 0
        os.kill(house.child(), signal.SIGSTOP)
        projector = Projector(**{**house.parts, "store": house.store})
        projector.start()
        begun = time.monotonic()
        projector.stop(0.2)
        assert time.monotonic() - begun < 5


def test_the_next_batch_is_folded_while_one_is_written(tmp_path: Path) -> None:
    begun: list[bool] = []

    class Watched(StoreAround):
        def apply(self, changes: Changes, watermark: int) -> None:
            begun.append(house.process._is_begun)
            self.real.apply(changes, watermark)

    with apart(tmp_path / "data", wrap=Watched) as house:
        house.ledger.append([Submission("lineage", (event(f"table {number}"),)) for number in range(19)])
        house.projection.catch_up()
        assert begun == [True, True, True, False, False]
        assert is_right(house)


def test_what_was_begun_is_in_the_graph_before_the_facts_are_kept(tmp_path: Path) -> None:
    with apart(tmp_path / "data") as house:
        house.ledger.append([Submission("lineage", (event(f"table {number}"),)) for number in range(20)])
        house.projection.step()
        assert house.projection.reached == 4
        house.projection.keep()
        assert house.projection.reached == house.store.watermark() == house.facts.watermark() == 8
        house.projection.catch_up()
        assert is_right(house)


@pytest.mark.parametrize("error", [UnavailableError("away"), OverflowError("no room")])
def test_a_store_that_fails_while_the_next_batch_is_folded_costs_nothing(tmp_path: Path, error: Exception) -> None:
    class Failing(StoreAround):
        left = 3

        def apply(self, changes: Changes, watermark: int) -> None:
            if watermark > 4 and self.left:
                self.left -= 1
                raise error
            self.real.apply(changes, watermark)

    with apart(tmp_path / "data", wrap=Failing) as house:
        house.ledger.append(mixed(8))
        assert 0 < tries(house) <= 3
        assert is_right(house)


def test_records_that_cant_be_parsed_or_folded_cost_their_neighbours_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with apart(tmp_path / "data", program=(str(_POISONED),), records=500) as house:
        bad = event("bad", "poison")
        house.ledger.append([Submission("lineage", (event("a"), b'{"no": "event"}', bad, event("b")))])
        house.ledger.append([Submission("predictions", (b"[]", prediction(1)))])
        house.ledger.append([Submission("lineage", (event("c"),))])
        house.projection.catch_up()
        assert house.projection.skipped == 3
        assert {b'"name":"a"', b'"name":"b"', b'"name":"c"'} <= {
            part for line in house.dump() for part in line.split(b",") if part.startswith(b'"name"')
        }
        assert house.store.watermark() == house.facts.watermark() == 3
    assert "Record 2 of entry 0 can't be folded and is passed over" in caplog.text
    assert "in absorb" in caplog.text
    assert "Record 1 of entry 0 is passed over" in capfd.readouterr().err


def test_a_call_that_is_broken_off_leaves_no_answer_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with apart(tmp_path / "data") as house:
        assert house.facts.watermark() == 0
        with monkeypatch.context() as patch:
            patch.setattr("lineage.projector.apart.receive", _interrupted)
            with pytest.raises(KeyboardInterrupt):
                house.facts.get(Table.ROWS, b"a key")
        assert house.facts.watermark() == 0
        assert house.process.starts == 2


def _interrupted(_stream: object) -> Any:
    raise KeyboardInterrupt


def test_signals_to_all_processes_are_for_the_one_that_serves(tmp_path: Path) -> None:
    with apart(tmp_path / "data") as house:
        assert house.facts.watermark() == 0
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(house.child(), number)
        house.ledger.append(mixed(9))
        house.projection.catch_up()
        assert house.process.starts == 1
        assert is_right(house)


def test_a_damaged_file_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "facts.sqlite").write_bytes(b"no database" * 1000)
    process = FoldProcess(tmp_path / "facts.sqlite")
    try:
        with pytest.raises(DataFolderError, match=r"facts\.sqlite is damaged or no file of ours"):
            FactsApart(process).watermark()
    finally:
        process.close()


def test_an_error_comes_whole_and_one_that_can_not_be_sent_as_what_it_says(tmp_path: Path) -> None:
    with apart(tmp_path / "data", program=(str(_POISONED),)) as house:
        with pytest.raises(DataFolderError) as met:
            house.facts.get(Table.ROWS, b"damaged")
        assert (met.value.message, met.value.hint, met.value.field) == ("It is damaged.", "Mend it.", "/key")
        with pytest.raises(RuntimeError, match="of a kind of its own"):
            house.facts.get(Table.ROWS, b"unsent")
        assert house.facts.watermark() == 0
        assert house.process.starts == 1


def test_a_folder_has_the_fold_apart_until_it_is_closed(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", fold_apart=True)
    with open_folder(settings) as folder:
        assert folder.projector is not None
        folder.ledger.append([Submission("lineage", (event("a"),))])
        folder.projector.catch_up()
        assert folder.check().sound
        (child,) = _children()
        held = {os.path.realpath(each) for each in Path(f"/proc/{child}/fd").iterdir()}
        assert str(settings.data / "lock") in held
    assert not _children()
    (settings.data / "facts.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(DataFolderError, match=r"facts\.sqlite is damaged"):
        open_folder(settings)
    assert not _children()


def _children() -> list[str]:
    told = [each.read_text().split() for each in Path("/proc/self/task").glob("*/children")]
    return [child for children in told for child in children if _folds(child)]


def _folds(child: str) -> bool:
    return b"lineage.projector.folding" in Path(f"/proc/{child}/cmdline").read_bytes()


def test_who_can_not_wait_longer_is_told_what_still_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.app.lock._LAST_SECONDS", 0.2)
    held = FolderLock(tmp_path)
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / "lock").write_text(f"{ended.pid}\n")
    with pytest.raises(DataFolderError, match=f"What process {ended.pid} has left behind still writes"):
        FolderLock(tmp_path)
    held.close()


@pytest.mark.parametrize("waits", [True, False])
def test_who_opens_a_folder_waits_for_what_folds_for_a_process_that_was_killed(tmp_path: Path, waits: bool) -> None:
    """Also while the parent of that one has not asked for its end."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdin is not None
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    with pytest.raises(DataFolderError, match=f"in use by process {owner.pid}"):
        FolderLock(tmp_path)
    os.kill(child, signal.SIGSTOP)
    owner.kill()
    os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)
    if waits:
        owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    threading.Timer(0.5, lambda: os.kill(child, signal.SIGCONT)).start()
    begun = time.monotonic()
    FolderLock(tmp_path).close()
    assert 0.4 < time.monotonic() - begun < 8
    owner.wait()


_OWNER = """
import sys
from pathlib import Path
from lineage.app import open_folder
from lineage.app.lock import FolderLock
from lineage.projector.apart import FactsApart, FoldProcess

folder = Path(sys.argv[1])
process = FoldProcess(folder / "facts.sqlite", FolderLock(folder).file)
FactsApart(process).watermark()
print(process._process.pid, flush=True)
sys.stdin.read()
"""
