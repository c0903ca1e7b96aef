"""The examples of the tutorial and of the how-tos, run as a reader would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
USES = {"run", "server", "output", "sketch"}
CODE = {"shell", "python", "graphql"}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_what_a_page_says_happens(page: Path, reader: Any) -> None:
    reader.read(page)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_block_of_code_says_whether_it_is_run(page: Path, blocks: Callable[[Path], list[Any]]) -> None:
    for block in blocks(page):
        unknown = [flag for flag in block.flags if flag not in USES and "=" not in flag]
        assert not unknown, f"{block.place} has {unknown}"
        assert block.flags or block.language not in CODE, f"{block.place} says not whether it is run"


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_block_of_data_can_be_read(page: Path, blocks: Callable[[Path], list[Any]]) -> None:
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.text)
        elif block.language in ("yaml", "yml"):
            assert isinstance(yaml.safe_load(block.text), dict), block.place


def test_ids_times_and_widths_may_differ_and_nothing_else(normalised: Callable[[str], list[str]]) -> None:
    one = "run 01a1fe9d-b226-739e-8a68-bdd666ea891e   at 2026-11-21 14:58\nb\n"
    other = "b\nrun 00000000-0000-7000-8000-000000000000 at 2027-01-01 00:00:01\n"
    assert normalised(one) == normalised(other)
    assert normalised("run 01a1fe9d") == normalised("run 01a1fe9d-b226") == normalised("run 01a1feff-c793-7d5c")
    assert normalised("score 0.83") != normalised("score 0.84")
    assert normalised("a\nb") != normalised("a")
