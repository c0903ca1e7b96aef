"""``lineage fsck`` and ``lineage rebuild``: is all as the ledger says, and making it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from lineage.cli.failure import Exit
from lineage.cli.options import DEFAULT_DATA, AsJSON, Folder
from lineage.errors import DataFolderError

if TYPE_CHECKING:
    from lineage.cli.screen import Screen
    from lineage.projector import CheckReport


def fsck(data: Folder = DEFAULT_DATA, json: AsJSON = False) -> None:
    """Recompute the ledger's Merkle tree, make the graph anew beside, and compare; also while a server runs.

    Exits with 1 if there is a fault. Nothing in the folder is written.
    """
    from lineage.app import garbage
    from lineage.cli.folder import open_read_only
    from lineage.cli.progress import Steps
    from lineage.cli.screen import Screen, write_json

    garbage.collect_seldom()
    with open_read_only(data) as folder, Steps() as steps:
        report = folder.check(steps.report)
    if json:
        write_json(_described(report))
    else:
        _show(Screen(), report)
    if not report.sound:
        raise typer.Exit(Exit.ERROR)


def rebuild(data: Folder = DEFAULT_DATA) -> None:
    """Make everything anew that is made from the ledger: facts, graph and predictions. No server may run meanwhile."""
    from lineage.app import garbage
    from lineage.cli.folder import open_to_write
    from lineage.cli.progress import Steps
    from lineage.cli.screen import Screen

    if not (data / "ledger.sqlite").is_file():
        raise DataFolderError(f"{data} holds no ledger to rebuild from.", hint="Name another folder: --data DIR.")
    garbage.collect_seldom()
    with open_to_write(data) as folder, Steps() as steps:
        projector = folder.projector
        assert projector is not None
        projector.rebuild(steps.of("rebuild"))
        screen = Screen()
        screen.line(f"Rebuilt from {projector.reached:,} ledger entries.")
        if projector.skipped:
            screen.line(f"{projector.skipped:,} records could not be read, and are left out.", "yellow")


def _show(screen: Screen, report: CheckReport) -> None:
    root = "none" if report.root is None else report.root.hex()
    screen.pairs(
        [
            ("ledger", f"{report.entries:,} entries, Merkle root {root}"),
            ("graph", f"{report.lines:,} lines, as of {report.graph_size:,} entries"),
            ("predictions", f"{report.predictions:,}, as of {report.predictions_size:,} entries"),
            ("skipped", f"{report.skipped:,} records that can't be read" if report.skipped else ""),
        ]
    )
    if report.sound:
        screen.line("No fault: the ledger is whole, and the graph is what it says.", "green")
        return
    for fault in report.faults:
        screen.line(f"FAULT: {fault}", "red")
    screen.line("What is wrong beside the ledger is made anew by `lineage rebuild`.")


def _described(report: CheckReport) -> dict[str, object]:
    return {
        "sound": report.sound,
        "entries": report.entries,
        "root": None if report.root is None else report.root.hex(),
        "graph": {"entries": report.graph_size, "lines": report.lines},
        "predictions": {"entries": report.predictions_size, "count": report.predictions},
        "skipped": report.skipped,
        "faults": list(report.faults),
    }
