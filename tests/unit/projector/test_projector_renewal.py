"""A graph that stays while it is outdated is made that of a rebuild by difference."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from lineage.errors import DataFolderError, UnavailableError
from lineage.event.parser import parse_event
from lineage.keys import dataset_key
from lineage.model import Changes, NameScope
from lineage.projector import Projection, check_projection
from lineage.projector.seal import Seals
from lineage.projector.spool import Fetch, Spool
from tests.unit.projector.house import House, Keeping, event, mixed, rebuilt, stale

NOBODY = NameScope.COMMIT, "nobody", dataset_key("no", "body")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "data", store=Keeping) as made:
        yield made


def projection(house: House, **told: Any) -> Projection:
    return Projection(**house.parts, scratch=house.folder, **told)


def is_sound(house: House) -> bool:
    assert house.dump() == rebuilt(house.ledger)[0]
    report = check_projection(house.ledger, house.store, house.predictions)
    assert report.faults == ()
    assert report.predictions == rebuilt(house.ledger)[1]
    return True


def test_a_rebuild_of_a_right_graph_writes_nothing(house: House) -> None:
    house.ledger.append(mixed(8))
    ours = projection(house)
    ours.catch_up()
    told: list[tuple[int, int]] = []
    house.parts["store"].applied.clear()
    ours.rebuild(lambda done, of: told.append((done, of)))
    size = house.ledger.size()
    assert house.parts["store"].applied == [(0, size)]
    assert is_sound(house)
    assert told[-1] == (size, size)
    assert any(of > size for _, of in told), "the comparison tells how far it is"
    assert all(done <= of for done, of in told)
    assert not [path for path in house.folder.iterdir() if path.is_dir()]


def test_only_what_differs_is_written(house: House) -> None:
    house.ledger.append(mixed(8))
    ours = projection(house)
    ours.catch_up()
    db = apsw.Connection(str(house.folder / "graph.sqlite"))
    db.execute("DELETE FROM edge WHERE (source, kind, target) IN (SELECT source, kind, target FROM edge LIMIT 2)")
    db.execute("DELETE FROM name WHERE (value, scope, node) IN (SELECT value, scope, node FROM name LIMIT 1)")
    db.close()
    house.store.apply(Changes(names={NOBODY: True}), house.ledger.size())
    house.parts["store"].applied.clear()
    ours.rebuild()
    assert is_sound(house)
    assert sum(rows for rows, _ in house.parts["store"].applied) == 4


@pytest.mark.parametrize("why", ["no facts", "other facts", "behind", "other rules", "unfinished", "another store"])
def test_every_reason_to_begin_anew_ends_in_the_graph_of_a_rebuild(
    house: House, why: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.ledger.append(mixed(8))
    size = house.ledger.size()
    kind = "one"
    if why not in ("no facts", "unfinished"):
        projection(house, kind=kind).catch_up()
    stale(house, facts=house.facts if why == "other facts" else None)
    if why == "behind":
        house.store.apply(Changes(), size - 1)
    elif why == "unfinished":
        Seals(house.ledger, house.facts, kind).put(0)
        house.facts.commit(0)
        house.store.apply(Changes(), 0)
    elif why != "other facts":
        house.store.apply(Changes(), size)
    if why == "other rules":
        monkeypatch.setattr("lineage.projector.seal.RULES", 77)
    if why == "another store":
        kind = "another"
    applied = house.parts["store"].applied
    applied.clear()
    ours = projection(house, kind=kind)
    ours.catch_up()
    assert applied[-1] == (0, size)
    assert sum(rows for rows, _ in applied) > 100
    assert {watermark for _, watermark in applied[:-1]} == {0}
    assert is_sound(house)
    house.append(event("after"))
    ours.catch_up()
    assert is_sound(house)
    assert house.facts.watermark() == house.store.watermark() == size + 1
    assert ("built anew" in caplog.text) == (why != "unfinished")


def test_a_graph_that_is_right_is_not_renewed_without_need(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(4):
        house.append(event(f"d{number}"))
        projection(house, kind="one").catch_up()
    assert [watermark for _, watermark in house.parts["store"].applied] == [1, 2, 3, 4]
    assert "anew" not in caplog.text


def test_a_graph_of_entries_that_a_restored_ledger_never_had_is_noticed_however_late(house: House) -> None:
    # The ledger is restored with the facts, the database is not; it is away at first, and intake goes on.
    house.append(event("a"))
    projection(house).catch_up()
    stale(house)
    house.store.apply(Changes(), 3)
    ours = projection(house)
    house.append(*(event(name) for name in "bcde"))
    ours.catch_up()
    assert is_sound(house)


def test_facts_that_hold_more_than_they_say_are_not_built_on(house: House) -> None:
    # So a process leaves them that ended while it folded the first batch apart.
    house.append(event("a"))
    house.projection._fold.take([(0, 0, parse_event(event("a")))])
    house.projection._commit(0)
    house.store.apply(Changes(names={NOBODY: True}), 0)
    projection(house).catch_up()
    assert is_sound(house)


def test_an_empty_graph_is_filled_the_ordinary_way(house: House) -> None:
    house.ledger.append(mixed(8))
    projection(house, batch_records=1).catch_up()
    size = house.ledger.size()
    assert [watermark for _, watermark in house.parts["store"].applied] == list(range(1, size + 1))
    assert size > 4


def test_a_graph_of_names_alone_is_not_empty(house: House) -> None:
    house.store.apply(Changes(names={NOBODY: True}), 0)
    house.append(event("a"))
    projection(house).catch_up()
    assert is_sound(house)


def test_of_an_empty_ledger_nothing_stays(house: House) -> None:
    stale(house)
    house.store.apply(Changes(), 0)
    ours = projection(house)
    ours.catch_up()
    assert house.dump() == []
    house.append(event("a"))
    ours.catch_up()
    assert is_sound(house)


def test_what_comes_while_a_graph_is_renewed_is_projected_after_it(house: House) -> None:
    house.ledger.append(mixed(8))
    ours = projection(house)
    ours.catch_up()
    stale(house)
    more = iter([event("x"), event("y"), event("z")])
    ours.rebuild(lambda done, of: house.append(*itertools.islice(more, 1)))
    assert ours.reached == house.store.watermark() == house.ledger.size()
    assert is_sound(house)


def test_much_that_comes_while_it_is_folded_is_folded_beside_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.renewal._LEFT", 3)
    house.append(event("a"))
    stale(house)
    ours = projection(house)
    house.parts["store"].applied.clear()
    assert ours.step()
    house.append(*(event(name) for name in "bcdefg"))
    ours.catch_up()
    assert [watermark for _, watermark in house.parts["store"].applied if watermark] == [7]
    assert is_sound(house)


def test_facts_are_kept_while_they_are_folded_beside(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.batches._BATCH_BYTES", 1)
    house.ledger.append(mixed(8))
    stale(house)
    ours = projection(house)
    ours.step()
    ours.step()
    ours.keep()
    assert (house.facts.watermark(), house.store.watermark()) == (2, 0)


def test_differences_that_can_not_be_read_for_a_moment_are_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineage.projector.spool._ROWS", 20)
    house.ledger.append(mixed(8))
    stale(house)
    ours, changes, calls = projection(house), Spool.changes, []

    def failing(self: Spool, fetch: Fetch) -> Iterator[Changes]:
        calls.append(fetch)
        lists = changes(self, fetch)
        yield next(lists)
        if len(calls) == 1:
            raise UnavailableError("The disk refuses.")
        yield from lists

    monkeypatch.setattr(Spool, "changes", failing)
    with pytest.raises(UnavailableError):
        ours.catch_up()
    assert house.store.watermark() == 0
    ours.catch_up()
    assert is_sound(house)


@pytest.mark.parametrize("damaged", [0, 2])
def test_before_a_damaged_entry_the_graph_is_made_right(house: House, damaged: int) -> None:
    stale(house)
    house.append(event("a"), event("b"), event("c"))
    db = apsw.Connection(str(house.folder / "ledger.sqlite"))
    db.execute("UPDATE records SET payload = x'00' WHERE place >> 24 = ?", (damaged,))
    db.close()
    ours = projection(house)
    for _ in range(2):
        with pytest.raises(DataFolderError, match=f"Record 0 of entry {damaged}"):
            ours.catch_up()
        assert ours.reached == house.store.watermark() == damaged
    with House(house.folder.with_name("good")) as good:
        good.append(*(event(name) for name in "ab"[:damaged]))
        good.projection.catch_up()
        assert house.dump() == good.dump()


def test_a_graph_that_can_not_be_read_is_emptied_and_filled(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.ledger.append(mixed(8))
    ours = projection(house)
    ours.catch_up()
    db = apsw.Connection(str(house.folder / "graph.sqlite"))
    db.execute("UPDATE node SET body = x'ff' WHERE id IN (SELECT id FROM node WHERE body IS NOT NULL LIMIT 1)")
    db.close()
    cleared = []

    def clear() -> None:
        cleared.append(house.parts["store"].views)
        house.store.clear()

    house.parts["store"].clear = clear
    ours.rebuild()
    assert cleared == [0]
    assert is_sound(house)
    assert "The graph can't be read, and is emptied." in caplog.text


def test_a_renewal_that_is_given_up_leaves_no_file_and_begins_again(house: House) -> None:
    house.ledger.append(mixed(8))
    stale(house)
    ours = projection(house)
    for _ in range(2):
        assert ours.step()
    assert (house.folder / "renewal" / "graph.sqlite").exists()
    ours.close()
    assert not (house.folder / "renewal").exists()
    assert house.store.watermark() == 0
    ours.catch_up()
    assert is_sound(house)


def test_what_a_crash_left_of_a_renewal_is_removed_at_the_next_start(house: House) -> None:
    (house.folder / "renewal").mkdir()
    (house.folder / "renewal" / "graph.sqlite").write_bytes(b"half")
    projection(house)
    assert not (house.folder / "renewal").exists()


def test_a_renewal_can_do_without_a_folder_of_its_own(house: House, tmp_path: Path) -> None:
    house.append(event("a"))
    stale(house)
    Projection(**house.parts).catch_up()
    assert is_sound(house)
    assert not [path for path in house.folder.iterdir() if path.is_dir()]
