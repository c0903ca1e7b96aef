"""A data folder: the ledger, all that is made from it, and what a server keeps beside.

``ledger.sqlite`` is the truth and ``keys.json`` who may come in; ``cursors.key`` signs cursors. All else can be made
anew or be missed: ``facts.sqlite``, ``graph.sqlite`` with ``graph.topology``, ``predictions.sqlite``,
``rejected.sqlite``.
"""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lineage.access import KeyRing
from lineage.app.lock import FolderLock
from lineage.errors import DataFolderError
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import KeptRoot
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.past import Pasts
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projector
from lineage.projector.check import CheckReport, Report, check_projection
from lineage.settings import Settings
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore
from lineage_ingest.intake import RejectedLog

_SECRET_BYTES = 32


@dataclass(slots=True)
class Folder:
    """An open data folder. ``projector`` is not started, and None where the folder was opened to be read only."""

    path: Path
    ledger: SQLiteLedger
    store: GraphStore
    predictions: PredictionIndex
    keys: KeyRing
    rejected: RejectedLog
    secret: bytes
    projector: Projector | None
    pasts: Pasts
    _closing: ExitStack = field(default_factory=ExitStack)

    def check(
        self,
        report: Report = lambda what, done, of: None,
        scratch: Path | None = None,
        kept: KeptRoot | None = None,
    ) -> CheckReport:
        """What ``fsck`` does; see :func:`lineage.projector.check.check_projection`."""
        return check_projection(self.ledger, self.store, self.predictions, report, scratch, kept)

    def close(self) -> None:
        """Stop the projector and close all files; may be called twice."""
        self._closing.close()

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_folder(settings: Settings, *, read_only: bool = False, even_damaged: bool = False) -> Folder:
    """Open the data folder of ``settings``, and make it if it isn't there.

    With ``read_only`` it must exist, nothing in it is written, and a server may run on it meanwhile; what is not
    projected yet then stays so, save with the store ``memory``, which is made from the whole ledger on the spot. With
    ``even_damaged`` it is also opened to be read where the ledger's payloads can't be: for :meth:`Folder.check`.
    Raises DataFolderError if another process owns the folder, and for files that are foreign or damaged;
    LedgerUnavailableError and UnavailableError where the disk refuses.
    """
    with ExitStack() as closing:
        folder = _open_to_read(settings, closing, even_damaged) if read_only else _open_to_write(settings, closing)
        folder._closing = closing.pop_all()
        return folder


def _open_to_write(settings: Settings, closing: ExitStack) -> Folder:
    path = settings.data
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(f"{path} can't be made: {error.strerror}.", hint="Name another folder.") from error
    closing.callback(FolderLock(path).close)
    ledger = SQLiteLedger(path / "ledger.sqlite")
    closing.callback(ledger.close)
    facts, store, graph = _projection_files(settings, path)
    closing.callback(facts.close)
    closing.callback(store.close)
    predictions = PredictionIndex(path / "predictions.sqlite")
    closing.callback(predictions.close)
    rejected = RejectedLog(
        path / "rejected.sqlite",
        records=settings.rejected_records,
        total_bytes=settings.rejected_bytes,
        body_bytes=settings.rejected_body_bytes,
    )
    closing.callback(rejected.close)
    projector = Projector(ledger, facts, store, predictions, harden=lambda: _sync(graph))
    closing.callback(projector.stop)
    secret = _secret(path / "cursors.key")
    pasts = Pasts(ledger, _facts_file(settings), predictions)
    return Folder(path, ledger, store, predictions, KeyRing(path / "keys.json"), rejected, secret, projector, pasts)


def _projection_files(settings: Settings, path: Path) -> tuple[SQLiteFacts, GraphStore, Path | None]:
    """Facts and graph store; the graph's write-ahead log, where it has one."""
    if settings.store == "memory":
        return SQLiteFacts(None), MemoryStore(), None
    return SQLiteFacts(path / "facts.sqlite"), SQLiteStore(path / "graph.sqlite"), path / "graph.sqlite-wal"


def _facts_file(settings: Settings) -> Path | None:
    """The file of facts; None where they are in memory, for nobody else to read."""
    return None if settings.store == "memory" else settings.data / "facts.sqlite"


def _open_to_read(settings: Settings, closing: ExitStack, even_damaged: bool) -> Folder:
    path = settings.data
    ledger = SQLiteLedger(path / "ledger.sqlite", read_only=True, even_damaged=even_damaged)
    closing.callback(ledger.close)
    predictions = PredictionIndex(path / "predictions.sqlite", read_only=True)
    closing.callback(predictions.close)
    store = (
        _in_memory(ledger, even_damaged)
        if settings.store == "memory"
        else SQLiteStore(path / "graph.sqlite", read_only=True)
    )
    closing.callback(store.close)
    rejected = RejectedLog(path / "rejected.sqlite")
    keys = KeyRing(path / "keys.json")
    pasts = Pasts(ledger, _facts_file(settings), predictions)
    return Folder(path, ledger, store, predictions, keys, rejected, _random_secret(), None, pasts)


def _in_memory(ledger: SQLiteLedger, even_damaged: bool) -> GraphStore:
    store = MemoryStore()
    with suppress(*[DataFolderError] * even_damaged):
        Projector(ledger, SQLiteFacts(None), store, _NoPredictions()).catch_up()
    return store


class _NoPredictions:
    """Takes predictions and keeps none: they have an index of their own already."""

    def watermark(self) -> int:
        return 0

    def apply(self, records: object, watermark: int) -> None:
        return None

    def clear(self) -> None:
        return None


def _sync(path: Path | None) -> None:
    """Have the system write a file through, if it is there."""
    if path is None or not path.exists():
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(file)
    finally:
        os.close(file)


def _random_secret() -> bytes:
    return secrets.token_bytes(_SECRET_BYTES)


def _secret(path: Path) -> bytes:
    """The secret in the file, which is made if it is not there or not whole."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = b""
    if len(found) == _SECRET_BYTES:
        return found
    made = _random_secret()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(made)
    return made
