"""The collector of cycles is asked seldom, and still collects."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from lineage.app import collector


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


class _Knot:
    def __init__(self) -> None:
        self.me = self


def test_what_is_loaded_is_passed_over() -> None:
    collector.relax()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] >= 50_000


def test_cycles_made_later_are_collected() -> None:
    collector.relax()
    knot = weakref.ref(_Knot())
    kept = [_Knot() for _ in range(gc.get_threshold()[0] + 1)]
    assert knot() is None
    del kept
