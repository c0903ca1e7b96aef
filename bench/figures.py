"""What a benchmark has found: figures beside floors and goals, curves, a table on the terminal, a section of JSON.

A *floor* is what the same work costs at least, measured in the same run; the ratio to it holds where absolute times
drift from one machine to the next. ``docs/benchmarks.py`` makes the documents of the JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

_WIDTH = 150


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured, in ``unit``. ``floor`` in the same unit is what ``floor_is`` took; ``goal`` as a person would
    say it."""

    what: str
    found: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        """``found`` by ``floor``."""
        return None if not self.floor else self.found / self.floor


@dataclass(frozen=True, slots=True)
class Curve:
    """How something grows: a picture of several ``lines``, each of points (x, y)."""

    name: str
    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Options:
    """How a benchmark was called: ``quick`` runs take under a minute, ``json`` is where the figures go, and ``worlds``
    where made worlds are kept for the next benchmark."""

    quick: bool
    json: Path | None
    worlds: Path


@dataclass(slots=True)
class Report:
    """Figures of one benchmark as they come. ``name`` is its section in the JSON."""

    name: str
    title: str
    options: Options
    figures: list[Figure] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def add(self, figure: Figure) -> None:
        """Take a figure, and say it at once."""
        self.figures.append(figure)
        against = f", {figure.ratio:.2f} × {figure.floor_is}" if figure.ratio is not None else ""
        progress(f"{figure.what}: {shown(figure.found)} {figure.unit}{against}")

    def end(self) -> None:
        """Print the table, and write the section into the JSON file beside those that are there."""
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(self._table())
        for note in self.notes:
            print(note)
        if self.options.json is not None:
            known = read_figures(self.options.json)
            known["machine"] = machine()
            known.setdefault("sections", {})[self.name] = self._section()
            text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
            self.options.json.parent.mkdir(parents=True, exist_ok=True)
            self.options.json.write_text(text, encoding="utf-8")

    def _section(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "quick": self.options.quick,
            "seconds": round(time.monotonic() - self.begun),
            "notes": self.notes,
            "figures": [asdict(figure) for figure in self.figures],
            "curves": [asdict(curve) for curve in self.curves],
        }

    def _table(self) -> Table:
        table = Table(title=self.title + (" (quick)" if self.options.quick else ""))
        for heading in ("what", "found", "floor", "ratio", "goal"):
            table.add_column(heading, justify="left" if heading in ("what", "goal") else "right")
        for figure in self.figures:
            table.add_row(*cells(asdict(figure)))
        return table


def cells(figure: dict[str, Any]) -> tuple[str, str, str, str, str]:
    """A figure as a row: what, found, floor, ratio, goal."""
    found, floor, unit = figure["found"], figure["floor"], figure["unit"]
    least = "" if not floor else f"{shown(floor)} {unit} ({figure['floor_is']})"
    ratio = f"{found / floor:.2f}" if floor else ""
    return figure["what"], f"{shown(found)} {unit}".strip(), least, ratio, figure["goal"]


def shown(value: float) -> str:
    """A number with three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def read_figures(path: Path) -> dict[str, Any]:
    """All that is in a JSON file of figures; nothing if it isn't there."""
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known


def machine() -> dict[str, Any]:
    """What the figures were found on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
    }


def read_options(about: str | None, arguments: Sequence[str] | None = None) -> Options:
    """The options on the command line."""
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller worlds, under a minute")
    parser.add_argument("--json", type=Path, help="file into which the figures go")
    kept = Path(tempfile.gettempdir()) / "lineage-bench-worlds"
    parser.add_argument("--worlds", type=Path, default=kept, help=f"folder of made worlds (default: {kept})")
    told = parser.parse_args(arguments)
    return Options(told.quick, told.json, told.worlds)


def progress(text: str) -> None:
    """Say how far it is, on stderr."""
    print(f"  {text}", file=sys.stderr, flush=True)


def seconds(call: Callable[[], object], times: int = 5, within: float = 5.0) -> float:
    """The median of so many calls after one that isn't counted; fewer, at least one, if they take longer than
    ``within``."""
    call()
    taken: list[float] = []
    begun = time.perf_counter()
    while len(taken) < times and (not taken or time.perf_counter() - begun < within):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return median(taken)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many of a hundred don't exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]
