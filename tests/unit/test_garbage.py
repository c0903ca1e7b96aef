"""The collector of cycles is asked seldom, and still collects."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from lineage import garbage


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


class _Knot:
    def __init__(self) -> None:
        self.me = self


def test_what_is_loaded_is_passed_over_and_cycles_made_later_are_collected() -> None:
    garbage.collect_seldom()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] >= 50_000
    knot = weakref.ref(_Knot())
    kept = [_Knot() for _ in range(gc.get_threshold()[0] + 1)]
    assert knot() is None
    del kept
