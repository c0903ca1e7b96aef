"""The folder graphql/ must never shadow graphql-core (``import graphql``), from wherever Python is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW = "import graphql; print(graphql.__file__)"
TEST = "import graphql\n\ndef test_it():\n    assert 'site-packages' in graphql.__file__\n"


def test_folder_is_no_package() -> None:
    assert not (ROOT / "graphql" / "__init__.py").exists()
    assert not (ROOT / "tests" / "graphql").exists()


def test_import_is_graphql_core_here() -> None:
    import graphql

    assert Path(graphql.__file__).is_file()
    assert ROOT / "graphql" not in Path(graphql.__file__).parents
    assert graphql.version


@pytest.mark.parametrize("way", ["-c", "-m"])
def test_import_is_graphql_core_from_the_root(way: str) -> None:
    arguments = ["-c", SHOW] if way == "-c" else ["-m", "lineage_graphql.export"]
    told = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    if way == "-c":
        assert not told.stdout.startswith(str(ROOT / "graphql"))
        assert told.stdout.strip() != "None"
    else:
        assert "type Query" in told.stdout


@pytest.mark.parametrize(
    "start", [["-m", "pytest"], [str(Path(sys.executable).with_name("pytest"))]], ids=["-m", "bare"]
)
def test_import_is_graphql_core_under_pytest(start: list[str], tmp_path: Path) -> None:
    test = tmp_path / "test_shadow.py"
    test.write_text(TEST)
    command = [sys.executable, *start] if start[0] == "-m" else start
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml")]
    told = subprocess.run([*command, *options, str(test)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
