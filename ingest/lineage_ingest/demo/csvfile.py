"""CSV files (RFC 4180) as the demo's steps hand them to each other: a header, then rows of text."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class CSVFile:
    """The content of one file: the columns in their order, and rows that each have a value for every column."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def read(cls, path: Path) -> CSVFile:
        """The file at ``path``."""
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = tuple(reader)
            return cls(tuple(reader.fieldnames or ()), rows)

    def write(self, path: Path) -> None:
        """Replace the file at ``path``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def matrix(self, columns: Iterable[str]) -> NDArray[np.float64]:
        """The values of some columns as numbers, shape (rows, columns)."""
        names = tuple(columns)
        return np.array([[float(row[name]) for name in names] for row in self.rows], dtype=np.float64)

    def where(self, keep: Callable[[Row], bool]) -> CSVFile:
        """Only the rows that ``keep`` holds for."""
        return CSVFile(self.columns, tuple(row for row in self.rows if keep(row)))
