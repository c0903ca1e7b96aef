"""Progress bars, on standard error and for people only: a pipe sees nothing of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


def file_progress() -> Progress:
    """A bar for each file, in bytes; the field ``kept`` of a task is how many records were taken."""
    return _progress(DownloadColumn(), TextColumn("{task.fields[kept]:,} records"))


class Steps:
    """A bar for each of several steps, which come one after the other. A context manager."""

    def __init__(self) -> None:
        self._progress = _progress(MofNCompleteColumn())
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def report(self, step: str, done: int, of: int) -> None:
        """``done`` things ``of`` so many (0: nobody knows) are done in ``step``."""
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step)
        self._progress.update(self._tasks[step], completed=done, total=of or None)

    def of(self, step: str) -> Callable[[int, int], None]:
        """What tells how far ``step`` is."""
        return lambda done, of: self.report(step, done, of)


def _progress(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
