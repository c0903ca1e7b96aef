"""Run the demo, and write what the README shows of it: both answers, and ``docs/demo.svg``.

    python docs/readme.py

An answer stands in the README as ``lineage`` prints it into a pipe, between the lines ``<!-- demo: NAME -->`` and
``<!-- end -->``; nothing in it is edited but the folder's name. ``tests/docs`` holds all of it against a demo of
its own.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from picture import Ask, draw, read_graph

from lineage.cli.asking import Place, asking
from lineage.cli.screen import Screen
from lineage.cli.show_impact import show_impact
from lineage.cli.show_training import show_training

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "demo.svg"

SHOWN_FOLDER = "/home/you/lineage/demo-data/1"
"""What the README calls the folder of the demo's run."""

_NAMESPACE, _DEPLOYMENT, _PREDICTION = "clinic", "progression-scoring", "request-2-0150"


def run_demo(folder: Path) -> Path:
    """Run ``lineage demo`` with its files in ``folder``; the folder of that run."""
    command = [sys.executable, "-m", "lineage.cli", "demo", "--folder", str(folder), "--port", "0", "--exit"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)  # noqa: S603
    return max((each for each in folder.iterdir() if each.name.isdigit()), key=lambda each: int(each.name))


def answers(ask: Ask, run: Path) -> dict[str, str]:
    """Both answers as printed, by the name under which the README has them."""
    of = {"prediction": {"deployment": {"namespace": _NAMESPACE, "name": _DEPLOYMENT}, "id": _PREDICTION}}
    changed = {"namespace": "file", "name": str(run / "files" / "raw" / "labs.csv")}
    return {
        "training-data": _printed(show_training, ask("TrainingData", {"of": of})["trainingData"], run),
        "impact": _printed(show_impact, ask("Impact", {"of": {"dataset": changed}})["impact"], run),
    }


def picture(ask: Ask, run: Path) -> str:
    """The SVG of the graph downstream of both raw files."""
    raw = [{"namespace": "file", "name": str(run / "files" / "raw" / name)} for name in ("labs.csv", "patients.csv")]
    return draw(read_graph(ask, raw[0], raw[1:]))


def shown(readme: str) -> dict[str, str]:
    """The answers that ``readme`` shows, by name."""
    return dict(_BLOCK.findall(readme))


def replaced(readme: str, new: dict[str, str]) -> str:
    """``readme`` with the answers in ``new``."""
    return _BLOCK.sub(lambda found: _block(found.group(1), new[found.group(1)]), readme)


_BLOCK = re.compile(r"<!-- demo: (\S+) -->\n```text\n(.*?)```\n<!-- end -->", re.DOTALL)


def _block(name: str, text: str) -> str:
    return f"<!-- demo: {name} -->\n```text\n{text}```\n<!-- end -->"


def _printed(show: Callable[[Screen, dict[str, Any]], None], answer: dict[str, Any], run: Path) -> str:
    stream = io.StringIO()
    show(Screen(stream, terminal=False), answer)
    return stream.getvalue().strip("\n").replace(str(run), SHOWN_FOLDER) + "\n"


def main() -> None:
    """Write README and picture anew."""
    with tempfile.TemporaryDirectory() as folder:
        run = run_demo(Path(folder))
        with asking(Place("", run / "store")) as ask:
            PICTURE.write_text(picture(ask, run), encoding="utf-8")
            README.write_text(replaced(README.read_text(encoding="utf-8"), answers(ask, run)), encoding="utf-8")


if __name__ == "__main__":
    main()
