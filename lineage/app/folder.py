"""A data folder: the ledger, all that is made from it, and what a server keeps beside.

``ledger.sqlite`` is the truth and ``keys.json`` who may come in; ``cursors.key`` signs cursors. All else can be made
anew or be missed: ``facts.sqlite``, ``graph.sqlite`` with ``graph.topology``, ``predictions.sqlite``,
``rejected.sqlite``. With the store ``neo4j`` the graph is in a database elsewhere, which may be away; then ``renewal``
may stand here for a while, with what a graph is compared with.
"""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from lineage.access import KeyRing
from lineage.app.lock import FolderLock
from lineage.errors import DataFolderError, LineageError, UnavailableError, UnusableStoreError
from lineage.fold.sqlite import SQLiteFacts
from lineage.ledger import KeptRoot
from lineage.ledger.sqlite import SQLiteLedger
from lineage.memory import MemoryStore
from lineage.past import Pasts
from lineage.predictions.sqlite import PredictionIndex
from lineage.projector import Projector
from lineage.projector.apart import FactsApart, FoldProcess
from lineage.projector.batches import BATCH_RECORDS
from lineage.projector.check import CheckReport, Report, check_projection
from lineage.projector.projection import KEEP_SECONDS
from lineage.settings import Settings
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore
from lineage_ingest.intake import RejectedLog

_SECRET_BYTES = 32
_BATCH_RECORDS = {"neo4j": 300}
"""Of stores for which a transaction should be shorter than for the others."""
_KEEP_SECONDS = {"neo4j": 5.0}
"""Of stores for which to keep the facts is to wait for the database: each second, that cost a third of the rate."""

_log = logging.getLogger(__name__)


@runtime_checkable
class _Checked(Protocol):
    """A graph store of which it can be found out beforehand whether it can be used."""

    def check(self) -> None:
        """Raises UnavailableError where it is away, UnusableStoreError where it is there and can't be used."""


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
        """What ``fsck`` does; see :func:`lineage.projector.check.check_projection`. Raises UnavailableError, too, for a
        graph store that is away or can't be used."""
        if isinstance(self.store, _Checked):
            self.store.check()
        return check_projection(self.ledger, self.store, self.predictions, report, scratch, kept)

    def close(self) -> None:
        """Stop the projector and close all files; may be called twice."""
        self._closing.close()

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_folder(
    settings: Settings, *, read_only: bool = False, even_damaged: bool = False, adopt: bool = False
) -> Folder:
    """Open the data folder of ``settings``, and make it if it isn't there.

    With ``read_only`` it must exist, nothing in it is written, and a server may run on it meanwhile; what is not
    projected yet then stays so, save with the store ``memory``, which is made from the whole ledger on the spot. With
    ``even_damaged`` it is also opened to be read where the ledger's payloads can't be: for :meth:`Folder.check`. With
    ``adopt`` a Neo4j database is used also if it holds other data, or the graph of another ledger, which is replaced.
    A database that is away is no error, and noted in the log where the folder is opened to be written.

    Raises DataFolderError if another process owns the folder, and for files that are foreign or damaged;
    LedgerUnavailableError and UnavailableError where the disk refuses; UnusableStoreError for a database that is there
    and can't be used, of a folder that is opened to be written; LineageError where its driver is not installed.
    """
    with ExitStack() as closing:
        folder = (
            _open_to_read(settings, closing, even_damaged) if read_only else _open_to_write(settings, closing, adopt)
        )
        folder._closing = closing.pop_all()
        return folder


def _open_to_write(settings: Settings, closing: ExitStack, adopt: bool) -> Folder:
    path = settings.data
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(f"{path} can't be made: {error.strerror}.", hint="Name another folder.") from error
    lock = FolderLock(path)
    closing.callback(lock.close)
    process = _start_folding(settings, lock)
    if process is not None:
        closing.callback(process.close)
    ledger = SQLiteLedger(path / "ledger.sqlite")
    closing.callback(ledger.close)
    store = MemoryStore() if settings.store == "memory" else _open_store(settings, ledger.id, adopt=adopt)
    closing.callback(store.close)
    _warn_if_away(store)
    facts: SQLiteFacts | FactsApart = SQLiteFacts(_facts_file(settings))
    if process is not None:
        facts.close()  # whoever opens the folder has been told of a file that can't be used
        facts = FactsApart(process)
    closing.callback(facts.close)
    predictions = PredictionIndex(path / "predictions.sqlite")
    closing.callback(predictions.close)
    rejected = RejectedLog(
        path / "rejected.sqlite",
        records=settings.rejected_records,
        total_bytes=settings.rejected_bytes,
        body_bytes=settings.rejected_body_bytes,
    )
    closing.callback(rejected.close)
    projector = Projector(
        ledger,
        facts,
        store,
        predictions,
        kind=settings.store,
        batch_records=_BATCH_RECORDS.get(settings.store, BATCH_RECORDS),
        keep_seconds=_KEEP_SECONDS.get(settings.store, KEEP_SECONDS),
        scratch=path,
    )
    closing.callback(projector.stop)
    secret = _secret(path / "cursors.key")
    pasts = Pasts(ledger, _facts_file(settings), predictions)
    return Folder(path, ledger, store, predictions, KeyRing(path / "keys.json"), rejected, secret, projector, pasts)


def _start_folding(settings: Settings, lock: FolderLock) -> FoldProcess | None:
    """The process that folds, where that is to be one of its own: it gets ready while the rest is opened."""
    file = _facts_file(settings)
    return None if file is None or not settings.fold_apart else FoldProcess(file, lock.file)


def _open_store(settings: Settings, ledger: str, *, read_only: bool = False, adopt: bool = False) -> GraphStore:
    """The graph store that outlives this process, for the graph of ``ledger``."""
    if settings.store != "neo4j":
        return SQLiteStore(settings.data / "graph.sqlite", read_only=read_only)
    try:
        from lineage.neo4j import open_store
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "neo4j":
            raise
        raise LineageError(
            "The store neo4j needs Neo4j's driver, which is not installed.",
            hint="Run: pip install 'lineage-graph[server,neo4j]'",
        ) from error
    return open_store(settings, ledger, read_only=read_only, adopt=adopt)


def _warn_if_away(store: GraphStore) -> None:
    """Raises UnusableStoreError: what a person has to mend does not get better by waiting."""
    if isinstance(store, _Checked):
        try:
            store.check()
        except UnusableStoreError:
            raise
        except UnavailableError as error:
            _log.warning("The graph store is away, and records are taken all the same: %s", error)


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
        else _open_store(settings, ledger.id, read_only=True)
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
