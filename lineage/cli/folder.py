"""A data folder as the command line uses it: asked read-only beside a server, or written while no server has it.

What only needs the API keys loads nothing of the server; all else does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.access import KeyRing
from lineage.errors import DataFolderError, RefusedError

if TYPE_CHECKING:
    from lineage.app import Folder
    from lineage.cli.options import RecordKind
    from lineage.cli.recordfile import Record
    from lineage.cli.sending import Refused, Sent
    from lineage_graphql import GraphQLContext
    from lineage_ingest.intake import Rejection

Advance = Callable[[int, int], None]
"""Told (how many ledger entries are projected, of how many)."""

TRANSPORT = "file"
_PATIENCE_SECONDS = 86_400.0


def key_ring(data: Path) -> KeyRing:
    """The API keys of the data folder."""
    return KeyRing(data / "keys.json")


@contextmanager
def open_read_only(data: Path) -> Iterator[Folder]:
    """The data folder, to be read; a server may run on it. Raises DataFolderError."""
    from lineage.app import open_folder
    from lineage.settings import read_settings

    _check_there(data)
    with open_folder(read_settings({"data": data}), read_only=True) as folder:
        yield folder


def _check_there(data: Path) -> None:
    if not (data / "ledger.sqlite").is_file():
        raise DataFolderError(
            f"{data} holds no ledger.", hint="Name the folder that `lineage serve` writes: --data DIR."
        )


@contextmanager
def open_to_write(data: Path, store: str | None = None, *, adopt: bool = False) -> Iterator[Folder]:
    """The data folder, to be written; made if it isn't there. Raises DataFolderError when a server runs on it."""
    from lineage.app import open_folder
    from lineage.settings import read_settings

    with open_folder(read_settings({"data": data, "store": store}), adopt=adopt) as folder:
        yield folder


@contextmanager
def open_context(data: Path) -> Iterator[GraphQLContext]:
    """What GraphQL asks of the data folder."""
    from lineage.app import graphql_context

    with open_read_only(data) as folder:
        yield graphql_context(folder)


@contextmanager
def open_past(data: Path) -> Iterator[GraphQLContext]:
    """As :func:`open_context`, for questions about the past: with as much time as they take, and a bar that shows how
    far they are."""
    from lineage.app import graphql_context
    from lineage.cli.progress import Steps
    from lineage_graphql import Caps

    with open_read_only(data) as folder, Steps() as steps:
        yield graphql_context(folder, Caps(timeout=_PATIENCE_SECONDS), steps.of("events of the past"))


def rejections(data: Path, first: int) -> list[tuple[Rejection, dict[str, Any]]]:
    """The newest refusals that the data folder keeps, newest first, each also as JSON values."""
    from lineage_ingest.intake import RejectedLog

    _check_there(data)
    log = RejectedLog(data / "rejected.sqlite")
    return [(rejection, _described(rejection)) for rejection in log.list(first)]


@contextmanager
def open_sink(data: Path, advance: Advance) -> Iterator[FolderSink]:
    """Takes records into the data folder; when the block ends, they are projected."""
    with open_to_write(data) as folder:
        yield FolderSink(folder)
        if folder.projector is not None:
            folder.projector.catch_up(advance)


class FolderSink:
    """Checks records as the server does, and appends them to the ledger of an open data folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def take(self, kind: RecordKind, records: list[Record]) -> Sent:
        """Append one batch as one entry. Raises LedgerUnavailableError."""
        from lineage.cli.sending import Sent
        from lineage.ledger import Envelope, Submission
        from lineage_ingest.intake.records import CHECKS

        check = CHECKS[kind.value]
        taken: list[bytes] = []
        refused: list[Refused] = []
        warned = 0
        for record in records:
            try:
                warned += bool(check(record.data))
                taken.append(record.data)
            except RefusedError as error:
                refused.append(self._refuse(kind, record, error))
        if not taken:
            return Sent(refused=tuple(refused))
        submission = Submission(kind.value, tuple(taken), Envelope(transport=TRANSPORT))
        (receipts,) = self._folder.ledger.append([submission])
        duplicates = sum(receipt.duplicate for receipt in receipts)
        return Sent(len(receipts) - duplicates, duplicates, warned, tuple(refused))

    def _refuse(self, kind: RecordKind, record: Record, error: RefusedError) -> Refused:
        from lineage.cli.sending import Refused
        from lineage_ingest.intake import Rejection

        reason = str(error)
        self._folder.rejected.add(
            Rejection(
                time=time.time_ns() // 1000,
                code=error.code,
                reason=reason,
                field=error.field,
                sender=None,
                target=f"{TRANSPORT}:{kind.value}",
                content_type=None,
                element=record.place,
                size=len(record.data),
                body=record.data,
            )
        )
        return Refused(record.place, reason)


def _described(rejection: Rejection) -> dict[str, Any]:
    from lineage.proof.leaf import timestamp

    return {
        "time": timestamp(rejection.time),
        "code": rejection.code,
        "reason": rejection.reason,
        "field": rejection.field,
        "sender": rejection.sender,
        "target": rejection.target,
        "contentType": rejection.content_type,
        "element": rejection.element,
        "size": rejection.size,
        "body": rejection.body.decode(errors="backslashreplace"),
    }
