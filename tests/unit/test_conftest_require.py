"""``LINEAGE_REQUIRE`` turns what a machine lacks into failures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
LACKING = """
import pytest

@pytest.fixture(autouse=True)
def lacking(monkeypatch, request):
    conftest = next(p for p in request.config.pluginmanager.get_plugins() if hasattr(p, "CAPABILITIES"))
    monkeypatch.setitem(conftest.CAPABILITIES, "java", lambda: "there is none")

def test_needs_java(require):
    require("java")

def test_skips_itself():
    pytest.skip("for a reason of its own")

def test_is_fine():
    pass
"""


def outcomes(folder: Path, required: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_lacking.py").write_text(LACKING)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(folder)]
    environment = {**os.environ, "LINEAGE_REQUIRE": required, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("required", "summary"),
    [("", "1 passed, 2 skipped"), ("java", "1 failed, 1 passed, 1 skipped"), ("all", "2 failed, 1 passed")],
)
def test_skips_become_failures_where_they_are_required(tmp_path: Path, required: str, summary: str) -> None:
    code, said = outcomes(tmp_path, required)
    assert summary in said
    assert (code != 0) == ("failed" in summary)


def test_a_skip_says_by_name_what_is_lacking(tmp_path: Path) -> None:
    assert "java: there is none" in outcomes(tmp_path, "")[1]


def test_a_file_that_skips_itself_whole_fails_too(tmp_path: Path) -> None:
    (tmp_path / "test_whole.py").write_text("import pytest\npytest.skip('not here', allow_module_level=True)\n")
    assert outcomes(tmp_path, "")[0] == 0
    code, said = outcomes(tmp_path, "all")
    assert code != 0
    assert "not here" in said
