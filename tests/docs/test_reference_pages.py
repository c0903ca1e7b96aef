"""The reference pages are what the code tells."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from lineage.cli.program import COMMANDS, KEY_COMMANDS
from lineage.settings import describe

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # as dataclasses want it
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "settings.md"])
def test_a_page_is_as_it_would_be_written_now(generate: ModuleType, name: str) -> None:
    page = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert page == generate.PAGES[name](), f"docs/reference/{name} is stale: run `make docs`."


def test_all_pages_are_held_against_the_code(generate: ModuleType) -> None:
    assert set(generate.PAGES) == {"cli.md", "settings.md"}


def test_every_command_and_setting_has_its_place(generate: ModuleType) -> None:
    page = generate.cli_page()
    for name in (*COMMANDS, *(f"keys {name}" for name in KEY_COMMANDS)):
        assert f"## lineage {name}\n" in page
    for each in describe():
        assert f"| `{each.environment}` |" in generate.settings_page()


def test_every_parameter_of_a_command_is_explained(generate: ModuleType) -> None:
    for command in (*COMMANDS.values(), *KEY_COMMANDS.values()):
        for parameter in generate._parameters(command):
            assert parameter.help, (command, parameter.form)
            assert parameter.form.startswith("--") or parameter.is_argument
