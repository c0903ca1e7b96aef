"""``docs/benchmarks.md`` shows the figures that stand beside it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def benchmarks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_benchmarks", DOCS / "benchmarks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_the_one_that_its_figures_make(benchmarks: ModuleType) -> None:
    figures = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    stale = "docs/benchmarks.md is stale: run `python docs/benchmarks.py`."
    assert (DOCS / "benchmarks.md").read_text(encoding="utf-8") == benchmarks.page(figures), stale


def test_every_curve_has_its_picture(benchmarks: ModuleType) -> None:
    figures = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    drawn = {curve["name"] for section in figures["sections"].values() for curve in section["curves"]}
    assert drawn == {picture.stem for picture in (DOCS / "benchmarks").glob("*.png")}


def test_a_figure_stands_beside_its_floor_and_goal(benchmarks: ModuleType) -> None:
    figure = {"what": "w", "found": 30.0, "unit": "ms", "floor": 12.0, "floor_is": "C", "goal": "≤ 3"}
    section = {"title": "T", "quick": False, "notes": [], "figures": [figure], "curves": []}
    machine = {"cores": 2, "memory_gb": 8, "system": "Linux", "python": "3.11"}
    written = benchmarks.page({"machine": machine, "sections": {"one": section}})
    assert "| w | 30 ms | 12 ms (C) | 2.50 | ≤ 3 |" in written
    assert "quick" not in written
