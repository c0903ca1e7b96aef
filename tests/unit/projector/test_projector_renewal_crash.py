"""A renewal that ends at any moment, or whose store is away at any, comes to the graph of a rebuild all the same."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.errors import BusyError, UnavailableError
from lineage.event.parser import parse_event
from lineage.fold.fold import Fold, MemoryFacts
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import Ledger
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.projector import Projection, check_projection
from lineage.store import GraphReader
from tests.conformance.sides import EntryList, PredictionList
from tests.conformance.tellings import FEATURES, Teller
from tests.unit.projector.house import Counted, Crash, Fuse, House, Keeping, StoreAround, mixed, rebuilt, stale


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineage.projector.spool._ROWS", 40)
    monkeypatch.setattr("lineage.projector.renewal._LINES", 10)
    monkeypatch.setattr("lineage.projector.projection._KEEP_EVENTS", 5)
    monkeypatch.setattr("lineage.projector.batches._BATCH_BYTES", 1)


def _crashes(folder: Path, template: Path, after: bool) -> Iterator[House]:
    """A house for each crash point of the renewal of ``template``'s graph, opened again after the crash."""
    for point in itertools.count(1):
        shutil.copytree(template, folder)
        fuse = Fuse(point, after=after)

        def keeping(real: Any, fuse: Fuse = fuse) -> Any:
            return fuse.around(Keeping(real))

        with House(folder, store=keeping, facts=fuse.around, predictions=fuse.around) as house:
            ours = Projection(**house.parts, scratch=folder)
            try:
                ours.catch_up()
            except Crash:
                left = shutil.copytree(folder, folder.with_name("left"))
            else:
                return
            finally:
                ours.close()
        with House(left, store=Keeping) as again:
            yield again
        for each in (folder, left):
            shutil.rmtree(each)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("after", [False, True])
def test_after_a_crash_at_any_commit_the_graph_is_that_of_a_rebuild(tmp_path: Path, after: bool) -> None:
    template = tmp_path / "template"
    with House(template) as house:
        house.ledger.append(mixed(3))
        house.projection.catch_up()
        stale(house)
        expected, records = rebuilt(house.ledger)
    points = 0
    for again in _crashes(tmp_path / "data", template, after):
        ours = Projection(**again.parts, scratch=again.folder)
        assert not (again.folder / "renewal").exists()
        ours.catch_up()
        assert again.dump() == expected
        report = check_projection(again.ledger, again.store, again.predictions)
        assert (report.faults, report.predictions) == ((), records)
        assert again.facts.watermark() == again.store.watermark() == again.ledger.size()
        points += 1
    assert points > 20


@pytest.mark.usefixtures("small_pieces")
def test_a_store_that_is_away_again_and_again_costs_other_tries_and_no_other_fold(tmp_path: Path) -> None:
    random, failures, cleared = Random(1), [], []

    class Failing(Keeping):
        def apply(self, changes: Changes, watermark: int) -> None:
            when = random.choice(["before", "after", "never"])
            if when == "before":
                failures.append(watermark)
                raise UnavailableError("The store is away.")
            super().apply(changes, watermark)
            if when == "after":
                failures.append(watermark)
                raise UnavailableError("The answer was lost.")

    class Counting(StoreAround):
        def clear(self) -> None:
            cleared.append(True)
            self.real.clear()

    with House(tmp_path / "data") as house:
        house.ledger.append(mixed(3))
        house.projection.catch_up()
        stale(house)
    with House(tmp_path / "data", store=Failing, facts=Counting) as house:
        ours = Projection(**house.parts, scratch=house.folder)
        while ours.reached < house.ledger.size():
            try:
                ours.step()
                ours.keep()
            except UnavailableError:
                continue
        assert house.dump() == rebuilt(house.ledger)[0]
        assert check_projection(house.ledger, house.store, house.predictions).sound
    assert len(failures) > 10
    assert len(cleared) == 1


@pytest.mark.parametrize("call", range(2, 14))
def test_an_error_while_it_is_folded_loses_nothing_that_was(tmp_path: Path, call: int) -> None:
    calls = itertools.count(1)

    class Ledger(StoreAround):
        def size(self) -> int:
            if next(calls) == call:
                raise BusyError("The ledger is busy.")
            return cast(int, self.real.size())

    with House(tmp_path / "data", store=Keeping) as house:
        house.ledger.append(mixed(3))
        stale(house)
        ours = Projection(**{**house.parts, "ledger": Ledger(cast(Any, house.ledger))}, batch_records=1)
        with pytest.raises(BusyError):
            ours.catch_up()
        ours.catch_up()
        assert house.dump() == rebuilt(house.ledger)[0]
        house.ledger.append(mixed(4))
        ours.catch_up()
        assert house.dump() == rebuilt(house.ledger)[0], "the facts are whole too"


class Breaking(Keeping):
    """Its views break off after as many lines as ``breaks`` says."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.breaks: Iterator[int] = iter(())

    @contextmanager
    def reader(self) -> Iterator[Any]:
        store = self

        class Broken(StoreAround):
            def dump(self) -> Iterator[bytes]:
                last = next(store.breaks, None)
                for number, line in enumerate(cast(GraphReader, self.real).dump()):
                    if number == last:
                        raise UnavailableError("The connection broke.")
                    yield line

        with super().reader() as reader:
            yield Broken(cast(Any, reader))


@pytest.mark.usefixtures("small_pieces")
def test_a_view_that_breaks_off_begins_the_comparison_again(tmp_path: Path) -> None:
    with House(tmp_path / "data", store=Breaking) as house:
        house.ledger.append(mixed(3))
        house.projection.catch_up()
        stale(house)
        ours = Projection(**house.parts, scratch=house.folder)
        house.parts["store"].breaks = iter([0, 25, 3])
        tries = 0
        while ours.reached < house.ledger.size():
            try:
                ours.step()
            except UnavailableError:
                tries += 1
        assert tries == 3
        assert house.dump() == rebuilt(house.ledger)[0]


# -- any graph, any events, two crashes anywhere


class Staying(MemoryStore):
    """As Keeping, in memory."""

    def outdate(self) -> bool:
        self.apply(Changes(), 0)
        return True


_events = st.lists(st.binary(min_size=64, max_size=64), max_size=8)
_crash = st.tuples(st.integers(1, 25), st.booleans())


def _entries(teller: Teller, told: Sequence[bytes]) -> EntryList:
    entries = EntryList()
    for data in told:
        entries.add("lineage", [teller.event(data)])
    return entries


def _projected(entries: EntryList, parts: dict[str, Any], wrap: Callable[[Any], Any] = lambda part: part) -> None:
    around = {name: wrap(part) for name, part in parts.items()}
    made = Projection(cast(Ledger, entries), **around, batch_records=3)
    try:
        made.catch_up()
    finally:
        made.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    features=st.sets(st.sampled_from(FEATURES)),
    shared=_events,
    before=_events,
    now=_events,
    watermark=st.integers(0, 20),
    keeps_facts=st.booleans(),
    crashes=st.lists(_crash, max_size=2),
)
def test_any_stale_graph_becomes_that_of_the_ledger(
    features: set[str],
    shared: list[bytes],
    before: list[bytes],
    now: list[bytes],
    watermark: int,
    keeps_facts: bool,
    crashes: list[tuple[int, bool]],
) -> None:
    teller = Teller(frozenset(features))
    entries = _entries(teller, [*shared, *now])
    store, facts, predictions = Staying(), SQLiteFacts(None), PredictionList()
    if keeps_facts:
        _projected(entries, {"facts": facts, "store": MemoryStore(), "predictions": predictions})
        watermark = min(watermark, entries.size() - 1)
    _projected(
        _entries(teller, [*before, *shared]), {"facts": SQLiteFacts(None), "store": store, "predictions": Counted()}
    )
    store.apply(Changes(), max(watermark, 0))
    parts = {"facts": facts, "store": store, "predictions": predictions}
    for point, after in crashes:
        try:
            _projected(entries, parts, Fuse(point, after=after).around)
        except Crash:
            facts.rollback()
    _projected(entries, parts)
    expected = MemoryStore()
    taken = [(index, 0, parse_event(teller.event(data))) for index, data in enumerate([*shared, *now])]
    expected.apply(Fold(MemoryFacts()).take(taken), len(taken))
    with store.reader() as one, expected.reader() as other:
        assert list(one.dump()) == list(other.dump())
    assert store.watermark() == predictions.watermark() == facts.watermark() == entries.size()
