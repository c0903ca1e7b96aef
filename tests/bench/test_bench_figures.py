"""Figures end up in the JSON file, each benchmark's beside those of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_reach import CReach, Wiring, compiler, wiring_of
from figures import Curve, Figure, Options, Report, percentile, read_figures, read_options, shown
from ground_truth import GroundTruth
from world import Shape, make_world


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = Options(quick=True, json=tmp_path / "made" / "figures.json", worlds=tmp_path)
    for name, found in (("one", 1.0), ("two", 2.0), ("one", 3.0)):
        report = Report(name, "Title", options)
        report.add(Figure("what", found, "ms", 2.0, "least"))
        report.curves.append(Curve("curve", "Curve", "x", "y", {"line": [(1.0, 2.0)]}))
        report.end()
    assert options.json is not None
    sections = read_figures(options.json)["sections"]
    assert {name: section["figures"][0]["found"] for name, section in sections.items()} == {"one": 3.0, "two": 2.0}
    assert sections["one"]["quick"]
    assert sections["one"]["curves"][0]["lines"] == {"line": [[1.0, 2.0]]}
    assert "Title (quick)" in capsys.readouterr().out


def test_a_ratio_is_to_the_floor_and_there_is_none_without() -> None:
    assert Figure("what", 3.0, "ms", 2.0, "least").ratio == 1.5
    assert Figure("what", 3.0, "ms").ratio is None


def test_numbers_show_three_digits_that_count() -> None:
    assert [shown(value) for value in (0.012345, 1.2345, 12.345, 123.45, 12345.6)] == [
        "0.0123",
        "1.23",
        "12.3",
        "123",
        "12,346",
    ]


def test_a_percentile_is_a_value_that_was_found() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([3.0, 1.0, 2.0], 99) == 3.0


def test_quick_is_an_option_of_each_benchmark() -> None:
    assert read_options("about", ["--quick"]).quick
    assert not read_options("about", []).quick


def test_the_floor_reaches_what_plain_search_does(tmp_path: Path) -> None:
    if compiler() is None:
        pytest.skip("cc: there is no C compiler on the PATH")
    world = make_world(Shape(500, inputs=4.0, days=0))
    truth, wiring = GroundTruth(world), wiring_of(world)
    is_flow = (np.arange(wiring.nodes) >= wiring.datasets).astype(np.uint8)
    c = CReach(wiring, is_flow, tmp_path)
    for dataset in range(0, 500, 7):
        expected = {place for place in truth.places(dataset) if place != (("dataset", dataset, 0), -1)}
        assert c.reach(dataset) - 1 == len(expected), dataset


def test_random_numbers_leave_the_graph_as_it_is() -> None:
    wiring = Wiring(4, 2, np.array([0, 2], np.int32), np.array([2, 1], np.int32))
    mixed, numbers = wiring.shuffled(1)
    assert sorted(numbers.tolist()) == [0, 1, 2, 3]
    assert [(numbers[0], numbers[2]), (numbers[2], numbers[1])] == list(zip(mixed.sources, mixed.targets, strict=True))
