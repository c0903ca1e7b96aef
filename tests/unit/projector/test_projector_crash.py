"""After a crash or an error at any commit the projection is that of a rebuild."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lineage.errors import UnavailableError
from lineage.ledger.sqlite import SQLiteLedger
from lineage.projector import check_projection
from tests.unit.projector.house import (
    Fuse,
    House,
    crash_points,
    mixed,
    rebuilt,
)


@pytest.mark.parametrize("after", [False, True])
def test_after_a_crash_at_any_commit_the_graph_is_that_of_a_rebuild(tmp_path: Path, after: bool) -> None:
    template = tmp_path / "template"
    with House(template) as house:
        house.ledger.append(mixed(1))
        expected, records = rebuilt(house.ledger)
    points = 0
    for again in crash_points(tmp_path / "data", template, after):
        again.projection.catch_up()
        assert again.dump() == expected
        report = check_projection(again.ledger, again.store, again.predictions)
        assert report.sound, report.faults
        assert (again.facts.watermark(), report.predictions) == (again.ledger.size(), records)
        points += 1
    assert points > 15


@pytest.mark.parametrize("after", [False, True])
def test_after_a_crash_at_any_commit_of_a_rebuild_too(tmp_path: Path, after: bool) -> None:
    template = tmp_path / "template"
    with House(template) as house:
        house.ledger.append(mixed(3))
        house.projection.catch_up()
        expected = house.dump()
        other = SQLiteLedger(tmp_path / "other.sqlite")
        other.append(mixed(4))
        other.close()
    shutil.copy(tmp_path / "other.sqlite", template / "ledger.sqlite")
    for again in crash_points(tmp_path / "data", template, after):
        again.projection.catch_up()
        assert again.dump() == rebuilt(again.ledger)[0] != expected
        report = check_projection(again.ledger, again.store, again.predictions)
        assert report.sound, report.faults


@pytest.mark.parametrize("part", ["store", "facts", "predictions"])
def test_an_error_at_any_write_costs_nothing_but_another_try(tmp_path: Path, part: str) -> None:
    class Failing:
        def __init__(self, real: Any) -> None:
            self.real, self.random = real, Random(1)

        def __getattr__(self, name: str) -> Any:
            return self.failing(name) if name in Fuse.WRITES else getattr(self.real, name)

        def failing(self, name: str) -> Callable[..., Any]:
            def call(*arguments: Any) -> Any:
                if self.random.random() < 0.4:
                    raise UnavailableError("away")
                return getattr(self.real, name)(*arguments)

            return call

    failures = 0
    with House(tmp_path / "data", **{part: Failing}) as house:
        house.ledger.append(mixed(5))
        while house.projection.reached < house.ledger.size() or house.facts.watermark() < house.ledger.size():
            try:
                house.projection.step(house.projection.reached + 3)
                house.projection.keep()
            except UnavailableError:
                failures += 1
        assert failures > 0
        assert house.projection.skipped == 0
        assert check_projection(house.ledger, house.store, house.predictions).sound
