"""The ledger read back, for exports: by a server's feed, or from a data folder's files."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.cli.remote import Server

if TYPE_CHECKING:
    from lineage.app import Folder

_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")


def server_events(url: str, api_key: str | None) -> Iterator[bytes]:
    """Every event that the server received, in order, each on one line."""
    with Server(url, api_key) as server:
        for entry in server_entries(server):
            if entry["kind"] == "lineage":
                yield from map(one_line, known_records(entry))


def folder_events(data: Path) -> Iterator[bytes]:
    """Every event that the data folder's ledger holds, in order, each on one line."""
    from lineage.cli.folder import open_read_only

    with open_read_only(data) as folder:
        for entry in folder.ledger.entries():
            if entry.kind == "lineage":
                yield from (one_line(record) for record in entry.records if record is not None)


def one_line(record: bytes) -> bytes:
    """The same JSON on one line: a line break can only stand between its tokens, where a space means the same."""
    return record.translate(_LINE_BREAKS)


def server_entries(server: Server) -> Iterator[dict[str, Any]]:
    """All entries of the feed, as they stand when it comes to its end."""
    after = -1
    while True:
        entries = [json.loads(line) for line in server.entries(after).content.splitlines()]
        if not entries:
            return
        yield from entries
        after = entries[-1]["index"]


def known_records(entry: dict[str, Any]) -> list[bytes]:
    """The exact bytes of an entry's records, those that were erased apart."""
    told = [record for record in entry["records"] if record is not None]
    return [record.encode() if isinstance(record, str) else base64.b64decode(record["base64"]) for record in told]


@contextmanager
def mirror(url: str, api_key: str | None) -> Iterator[Folder]:
    """A data folder, gone with the block, that holds what the server's ledger holds."""
    import tempfile

    from lineage.cli.folder import open_to_write
    from lineage.cli.progress import Steps
    from lineage.ledger import Submission

    with tempfile.TemporaryDirectory(prefix="lineage-export-") as place, open_to_write(Path(place), "sqlite") as folder:
        with Server(url, api_key) as server, Steps() as steps:
            for entry in server_entries(server):
                records = tuple(known_records(entry))
                if records:
                    folder.ledger.append([Submission(entry["kind"], records)])
                steps.report("read", entry["index"] + 1, 0)
            assert folder.projector is not None
            folder.projector.catch_up(steps.of("projected"))
        yield folder
