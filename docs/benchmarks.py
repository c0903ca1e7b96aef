"""Makes ``docs/benchmarks.md`` and its pictures of the figures in ``docs/benchmarks.json``.

    python docs/benchmarks.py

``make bench`` writes the figures first. The page needs nothing but this file; the pictures need matplotlib. A test
holds the page against the figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
FIGURES = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"
PICTURES = DOCS / "benchmarks"

_NOTE = "<!-- Written by docs/benchmarks.py (`make bench`); changes here are lost. -->"
_INTRODUCTION = """\
What `make bench` found. A **floor** is what the same work takes at least, measured in the same run; the **ratio** is
what was found by it, and holds where absolute times drift from one machine to the next. Goals in time are for a machine
whose null durable server does 9,000 events a second, and scale with it. The worlds are made by `bench/world.py`:
layered pipelines with hubs, diamonds, versions, models and deployments, the same each time."""
_QUICK = "These are the figures of a quick run, on worlds that are far smaller than those that the goals are for."

Figures = dict[str, Any]


def page(figures: Figures) -> str:
    """The page that shows ``figures``."""
    return "\n".join([*_lines(figures), ""])


def draw(figures: Figures, folder: Path) -> None:
    """Write a picture of each curve into ``folder``."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    for section in figures["sections"].values():
        for curve in section["curves"]:
            picture, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
            for name, points in curve["lines"].items():
                axes.plot([x for x, _ in points], [y for _, y in points], marker="o", label=name)
            axes.set(xscale="log", yscale="log", title=curve["title"], xlabel=curve["x"], ylabel=curve["y"])
            axes.grid(which="both", alpha=0.2)
            axes.legend()
            picture.savefig(folder / f"{curve['name']}.png", dpi=110, metadata={"Software": None})
            pyplot.close(picture)


def _lines(figures: Figures) -> Iterator[str]:
    machine = figures["machine"]
    yield from ("# Benchmarks", "", _NOTE, "", _INTRODUCTION, "")
    made_of = f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}"
    yield f"Machine: {made_of}."
    for name in sorted(figures["sections"]):
        yield from _section(figures["sections"][name])


def _section(section: Figures) -> Iterator[str]:
    yield from ("", f"## {section['title']}", "")
    if section["quick"]:
        yield from (_QUICK, "")
    yield "| what | found | floor | ratio | goal |"
    yield "|---|--:|--:|--:|---|"
    for figure in section["figures"]:
        yield f"| {' | '.join(_cells(figure))} |"
    for note in section["notes"]:
        yield from ("", note)
    for curve in section["curves"]:
        yield from ("", f"![{curve['title']}]({PICTURES.name}/{curve['name']}.png)")


def _cells(figure: Figures) -> tuple[str, ...]:
    found, floor, unit = figure["found"], figure["floor"], figure["unit"]
    least = f"{shown(floor)} {unit} ({figure['floor_is']})" if floor else ""
    ratio = f"{found / floor:.2f}" if floor else ""
    return figure["what"], f"{shown(found)} {unit}", least, ratio, figure["goal"]


def shown(value: float) -> str:
    """A number with three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main() -> None:
    """Write page and pictures anew."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    PAGE.write_text(page(figures), encoding="utf-8")
    draw(figures, PICTURES)


if __name__ == "__main__":
    main()
