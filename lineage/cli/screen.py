"""Where answers are written: tables with lines and colour on a terminal, plain aligned text into a pipe or file."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_WIDE = 10_000
"""Columns of a plain screen: nothing is ever wrapped or cut in a pipe."""

TREE = "what"
"""The name of the column that holds a tree, or else the name of a thing."""

_UNDERLINED = box.Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
_NO_STYLES: Mapping[str, str] = {}


class Screen:
    """Writes lines and tables to ``stream``, by default standard output. Never interprets what it is given: names from
    outside can't hold markup, colours or control sequences that mean anything here."""

    def __init__(self, stream: TextIO | None = None, *, terminal: bool | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty() if terminal is None else terminal
        self._console = Console(file=self._stream, highlight=False, force_terminal=self._terminal or None)

    @property
    def terminal(self) -> bool:
        """Whether a person is looking."""
        return self._terminal

    def line(self, text: str = "", style: str = "") -> None:
        """One line of text; what is longer than the terminal is left to the terminal, so that it can be copied."""
        if self._terminal:
            self._console.print(Text(printable(text), style=style), soft_wrap=True)
        else:
            self._stream.write(f"{printable(text)}\n")

    def heading(self, text: str) -> None:
        """A line that stands above what follows."""
        self.line()
        self.line(text, "bold")

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        right: Sequence[str] = (),
        styles: Mapping[str, str] = _NO_STYLES,
    ) -> None:
        """A table; the columns named in ``right`` are numbers, and a cell that says a word of ``styles`` has its
        style. What stands in the column TREE stays on its line."""
        table = Table(
            box=_UNDERLINED if self._terminal else None,
            show_edge=False,
            padding=(0, 1, 0, 0) if self._terminal else (0, 1),
            pad_edge=False,
            header_style="bold",
        )
        for name in columns:
            table.add_column(Text(name), justify="right" if name in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(name, _shown(value), styles) for name, value in zip(columns, row, strict=True)))
        if self._terminal:
            self._console.print(Padding(table, (0, 0, 0, 2)))
            return
        written = io.StringIO()
        Console(file=written, width=_WIDE, highlight=False, color_system=None).print(table)
        self._stream.write("".join(f"  {line.rstrip()}\n" for line in written.getvalue().splitlines()))

    def dense(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        right: Sequence[str] = (),
        usual: Collection[str] = (),
        styles: Mapping[str, str] = _NO_STYLES,
    ) -> None:
        """A table that, where columns are counted, leaves out those that hold nothing, or nothing but one of ``usual``
        in every row."""
        held = [tuple(row) for row in rows]
        kept = [place for place in range(len(columns)) if not self._terminal or _says(held, place, usual)]
        shown = [[row[place] for place in kept] for row in held]
        self.table([columns[place] for place in kept], shown, right, styles)

    def pairs(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names and values, below each other; those without a value are left out."""
        held = [(name, _shown(value)) for name, value in pairs if value not in (None, "")]
        width = max((len(name) for name, _ in held), default=0)
        for name, value in held:
            self.line(f"  {name:<{width}}  {value}")


def write_json(value: Any) -> None:
    """``value`` as JSON on standard output."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    sys.stdout.write(f"{text}\n")


def printable(text: str) -> str:
    """``text`` with each control character and lone surrogate as its escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cell(column: str, text: str, styles: Mapping[str, str]) -> Text:
    cell = Text(printable(text), style=styles.get(text, ""))
    if column == TREE:
        cell.no_wrap, cell.overflow = True, "ellipsis"
    return cell


def _says(rows: Sequence[Sequence[object]], place: int, usual: Collection[str]) -> bool:
    return not {_shown(row[place]) for row in rows} <= {"", *usual}


def _shown(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case int():
            return f"{cell:,}"
        case _:
            return str(cell)
