"""``lineage fsck`` and ``lineage rebuild``: is all as the ledger says, and making it so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lineage.cli.failure import Exit
from lineage.cli.options import DEFAULT_DATA, Adopt, AsJSON, Folder, Store
from lineage.errors import BadInputError, DataFolderError

if TYPE_CHECKING:
    from lineage.cli.screen import Screen
    from lineage.ledger import KeptRoot, Ledger
    from lineage.projector import CheckReport

_ROOT_BYTES = 32
_TELL_EVERY = 1000


_RESTORE = (
    "The ledger is at fault, and all else is made from it: restore the ledger from a backup, into another folder. Keep "
    "this folder as it is; what it holds can't be had again."
)
_REBUILD = "The ledger is whole. What is wrong beside it is made anew by `lineage rebuild`."


def fsck(
    data: Folder = DEFAULT_DATA,
    store: Store = None,
    root: Annotated[
        str | None, typer.Option(metavar="HEX", help="A Merkle root that was kept elsewhere, to compare with.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="How many entries that root is over; all by default.")
    ] = None,
    json: AsJSON = False,
) -> None:
    """Recompute the ledger's Merkle tree, make the graph anew beside, and compare; also while a server runs.

    Exits with 1 if there is a fault. Nothing in the folder is written. By itself it finds what no longer fits together;
    that the ledger was rewritten as a whole, or a leaf changed that nothing stored depends on, only a root shows that
    was kept elsewhere.
    """
    from lineage import garbage
    from lineage.app import open_folder
    from lineage.cli.progress import Steps
    from lineage.cli.screen import Screen, write_json
    from lineage.settings import read_settings

    kept = _kept_root(root, size)
    _require_ledger(data, "to check")
    garbage.collect_seldom()
    settings = read_settings({"data": data, "store": store})
    with open_folder(settings, read_only=True, even_damaged=True) as folder, Steps() as steps:
        report = folder.check(steps.report, kept=kept)
    if json:
        write_json(_described(report))
    else:
        _show(Screen(), report, kept)
    if not report.sound:
        raise typer.Exit(Exit.ERROR)


def rebuild(data: Folder = DEFAULT_DATA, store: Store = None, adopt: Adopt = False) -> None:
    """Make everything anew that is made from the ledger: facts, graph and predictions. No server may run meanwhile.

    Of a ledger that can't be read to its end nothing is made, and what is there stays. A graph in Neo4j stays where it
    is right, and what differs is mended.
    """
    from lineage import garbage
    from lineage.cli.folder import open_to_write
    from lineage.cli.progress import Steps
    from lineage.cli.screen import Screen

    _require_ledger(data, "to rebuild from")
    garbage.collect_seldom()
    with open_to_write(data, store, adopt=adopt) as folder, Steps() as steps:
        projector = folder.projector
        assert projector is not None
        _read_through(folder.ledger, steps.of("read"))
        projector.rebuild(steps.of("rebuild"))
        screen = Screen()
        screen.line(f"Rebuilt from {projector.reached:,} ledger entries.")
        if projector.skipped:
            screen.line(f"{projector.skipped:,} records could not be read, and are left out.", "yellow")


def _require_ledger(data: Path, why: str) -> None:
    if not (data / "ledger.sqlite").is_file():
        raise DataFolderError(f"{data} holds no ledger {why}.", hint="Name another folder: --data DIR.")


def _kept_root(root: str | None, size: int | None) -> KeptRoot | None:
    from lineage.ledger import KeptRoot

    if root is None:
        if size is not None:
            raise BadInputError("--size says what --root is over, and there is no --root.", field="root")
        return None
    try:
        kept = bytes.fromhex(root)
    except ValueError:
        kept = b""
    if len(kept) != _ROOT_BYTES:
        raise BadInputError(f"{root!r} is no Merkle root.", hint="64 hexadecimal digits.", field="root")
    return KeptRoot(kept, size)


def _read_through(ledger: Ledger, advance: Callable[[int, int], None]) -> None:
    """Raises DataFolderError at the first entry that can't be read."""
    size = ledger.size()
    for entry in ledger.entries():
        if entry.index % _TELL_EVERY == 0:
            advance(entry.index, size)
    advance(size, size)


def _show(screen: Screen, report: CheckReport, kept: KeptRoot | None) -> None:
    root = "" if report.root is None else f", Merkle root {report.root.hex()}"
    lines = "not compared" if report.lines is None else f"{report.lines:,} lines"
    predictions = "not compared" if report.predictions is None else f"{report.predictions:,}"
    screen.pairs(
        [
            ("ledger", f"{report.entries:,} entries{root}"),
            ("graph", f"{lines}, as of {report.graph_size:,} entries"),
            ("predictions", f"{predictions}, as of {report.predictions_size:,} entries"),
            ("skipped", f"{report.skipped:,} records that can't be read" if report.skipped else ""),
        ]
    )
    if kept is not None and report.ledger_sound:
        over = "all entries" if kept.size is None else f"the first {kept.size:,} entries"
        screen.line(f"The root that was kept is that of {over}.", "green")
    if report.sound:
        screen.line("No fault: the ledger is whole, and the graph is what it says.", "green")
        return
    for fault in report.faults:
        screen.line(f"FAULT: {fault}", "red")
    if kept is not None and not report.ledger_sound:
        screen.line("First see that --root, --size and --data belong together.")
    screen.line(_REBUILD if report.ledger_sound else _RESTORE)


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
