"""``lineage ingest``: records from files to a server, or into a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lineage.cli.failure import Exit
from lineage.cli.options import DEFAULT_URL, URL, APIKey, RecordKind

if TYPE_CHECKING:
    from rich.progress import Progress

    from lineage.cli.screen import Screen
    from lineage.cli.sending import Sent, Sink

SHOWN = 20
"""How many refusals are shown, of each file."""


def ingest(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="NDJSON, JSON or a JSON array, plain or gzip; `-` is standard input."),
    ],
    kind: Annotated[RecordKind, typer.Option(help="What the records are.")] = RecordKind.LINEAGE,
    url: URL = DEFAULT_URL,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Write into this data folder; no server may run on it.")
    ] = None,
    api_key: APIKey = None,
) -> None:
    """Send records from files to a server, or write them into a data folder.

    Sending a file again changes nothing: a record that is in the ledger is known as a duplicate.
    """
    from lineage.cli.progress import file_progress
    from lineage.cli.screen import Screen

    screen = Screen()
    refused = False
    with _sink(url, data, api_key) as sink, file_progress() as progress:
        for file in files:
            sent = _ingest(sink, kind, file, progress)
            _show(screen, file, sent)
            refused = refused or bool(sent.refused)
    if refused:
        raise typer.Exit(Exit.ERROR)


def _ingest(sink: Sink, kind: RecordKind, file: Path, progress: Progress) -> Sent:
    from lineage.cli.recordfile import read_records
    from lineage.cli.sending import send_all

    size = file.stat().st_size if file.is_file() else None
    task = progress.add_task(file.name, total=size, kept=0)
    kept = 0

    def told(sent: Sent) -> None:
        nonlocal kept
        kept += sent.kept + sent.duplicates
        progress.update(task, kept=kept)

    return send_all(sink, kind, read_records(file, lambda count: progress.advance(task, count)), told)


def _show(screen: Screen, file: Path, sent: Sent) -> None:
    name = "standard input" if str(file) == "-" else str(file)
    told = f"{name}: {sent.kept:,} new, {sent.duplicates:,} known before, {len(sent.refused):,} refused."
    screen.line(told + (f" {sent.warned:,} came with warnings." if sent.warned else ""))
    for refused in sent.refused[:SHOWN]:
        screen.line(f"  {refused.place}: {refused.reason}")
    if len(sent.refused) > SHOWN:
        screen.line(f"  … and {len(sent.refused) - SHOWN:,} more; `lineage rejected` shows them.")


@contextmanager
def _sink(url: str, data: Path | None, api_key: str | None) -> Iterator[Sink]:
    if data is not None:
        from lineage.cli.folder import open_sink
        from lineage.cli.progress import Steps

        with Steps() as steps, open_sink(data, steps.of("projected")) as sink:
            yield sink
        return
    from lineage.cli.remote import Server
    from lineage.cli.sending import ServerSink

    with Server(url, api_key) as server:
        yield ServerSink(server)
