"""What the README shows is what the demo gives: its answers, its picture, its commands."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from lineage.cli.asking import Place, asking

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, readme_script: ModuleType, require: Callable[..., None]) -> Path:
    """The folder of a demo that has run."""
    require("loopback")
    folder: Path = readme_script.run_demo(tmp_path_factory.mktemp("demo"))
    return folder


@pytest.fixture
def ask(demo: Path) -> Iterator[Any]:
    with asking(Place("", demo / "store")) as made:
        yield made


def comparable(text: str, normalised: Callable[[str], list[str]]) -> list[str]:
    """Of two shortest paths, which one is told hangs on where the files lie; figures of models, on scikit-learn."""
    text = re.sub(r"split/(?:train|test)\.csv(?= @|  )", "split/<part>.csv", text)
    return normalised(re.sub(r"\b0\.\d{3,4}\b(?= \()", "<figure>", text))


@pytest.mark.parametrize("name", ["training-data", "impact"])
def test_the_answers_are_those_of_a_demo_run_now(
    name: str, ask: Any, demo: Path, readme_script: ModuleType, normalised: Callable[[str], list[str]]
) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("git: this is no checkout, so the demo has no commit to tell")
    shown = readme_script.shown(README.read_text(encoding="utf-8"))[name]
    printed = readme_script.answers(ask, demo)[name]
    assert comparable(shown, normalised) == comparable(printed, normalised)


def test_the_picture_is_that_of_a_demo_run_now(ask: Any, demo: Path, readme_script: ModuleType) -> None:
    assert readme_script.PICTURE.read_text(encoding="utf-8") == readme_script.picture(ask, demo)


def test_nothing_in_the_picture_overlaps_or_sticks_out(readme_script: ModuleType) -> None:
    picture = ElementTree.fromstring(readme_script.PICTURE.read_text(encoding="utf-8"))
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    frame, *boxes = [
        tuple(float(rect.attrib[name]) for name in ("x", "y", "width", "height")) for rect in picture.iter(f"{SVG}rect")
    ]
    assert len(boxes) > 10
    for x, y, wide, high in boxes:
        assert frame[0] < x < x + wide < width
        assert frame[1] < y < y + high < height
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            apart_x = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
            assert apart_x or one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1]


def test_answers_are_replaced_whole_and_nothing_else(readme_script: ModuleType) -> None:
    page = "a\n<!-- demo: one -->\n```text\n```\n<!-- end -->\nb\n"
    written = readme_script.replaced(page, {"one": "x\ny\n"})
    assert readme_script.shown(written) == {"one": "x\ny\n"}
    assert readme_script.replaced(written, {"one": ""}) == page


def test_the_commands_are_targets_of_the_makefile(require: Callable[..., None]) -> None:
    require("make")
    for target in re.findall(r"^make (\S+)", README.read_text(encoding="utf-8"), re.MULTILINE):
        command = ["make", "--dry-run", "--directory", str(ROOT), target]
        assert subprocess.run(command, capture_output=True).returncode == 0, target


def test_what_is_said_to_be_installed_can_be(pages: list[Path]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for extra in re.findall(r"pip install '(?:\.|lineage-graph)\[(\w+)\]'", text):
            assert extra in project["optional-dependencies"], f"{page}: {extra}"
    assert "Python 3.11 or newer" in README.read_text(encoding="utf-8")
    assert project["requires-python"] == ">=3.11"


def test_clients_are_pointed_at_it_as_the_how_to_does() -> None:
    how_to = (ROOT / "docs" / "how-to" / "point-a-client.md").read_text(encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    settings = re.findall(r"AIRFLOW__\w+='[^']+'|spark\.openlineage\.transport\.\w+=[^`\s]+", readme)
    assert len(settings) == 3
    assert [setting for setting in settings if setting not in how_to] == []
