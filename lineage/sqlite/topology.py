"""The topology of one graph file: in step with each commit, consolidated and written down in the background.

A reader that sees the commit of some stamp gets the state of exactly that stamp, or none, and then walks in SQL: while
the topology is built (at the opening of a large file without a usable snapshot), and beside a process that writes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import apsw

from lineage.errors import LineageError
from lineage.model import Changes
from lineage.sqlite.changelog import length, stamp_of, told_since, trim
from lineage.sqlite.database import Database
from lineage.sqlite.scan import scan_base
from lineage.topology.base import Base, consolidated, empty_base
from lineage.topology.live import Topology
from lineage.topology.snapshot import DamagedSnapshotError, read_snapshot, snapshot_stamp, write_snapshot
from lineage.topology.state import State

_KEPT_STATES = 16
_SIZE = "SELECT coalesce(sum(number), 0) FROM tally"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """In nodes and edges. What is built or followed at once when a file is opened, more being left to a thread; and
    after how many changes, and what part of the whole, all is consolidated and a snapshot written."""

    at_once: int = 50_000
    changes: int = 50_000
    share: float = 0.25


class _AbandonedError(Exception):
    """The file no longer knows the commit that a base was made from, or is being closed."""


class FileTopology:
    """States of the file of ``database`` by stamp; the snapshot stands at ``path``."""

    def __init__(self, database: Database, path: Path, thresholds: Thresholds, *, read_only: bool) -> None:
        self._database = database
        self._path = path
        self._thresholds = thresholds
        self._read_only = read_only
        self._live: Topology | None = None
        self._stamp = 0
        self._states: dict[int, State] = {}
        self._prepared: int | None = None
        self._writing = threading.RLock()
        self._thread: threading.Thread | None = None
        self._scanned: apsw.Connection | None = None
        self._closing = False
        self._without = False
        self._lost = False

    # -- what readers ask

    def state(self, stamp: int) -> State | None:
        """The state of that commit, if it is one of the last."""
        return self._states.get(stamp)

    def followed(self, connection: apsw.Connection, stamp: int) -> State | None:
        """The state of the commit ``stamp``, which ``connection`` sees, where another process writes: by its snapshot,
        if little was changed since."""
        if not self._read_only or self._without:
            return None
        with self._writing:
            try:
                if self._live is None:
                    self._load(connection)
                elif stamp > self._stamp:
                    self._publish(self._live, _caught_up(connection, self._live, self._stamp))
            except _AbandonedError:
                self._live = None
            self._without = self._live is None
        return self._states.get(stamp)

    # -- what the writer tells, inside its transaction and after it

    def writing(self) -> AbstractContextManager[bool]:
        """To be held around a transaction that writes, and what is told after it."""
        return self._writing

    def prepare(self, connection: apsw.Connection, before: int, stamp: int, changes: Changes) -> None:
        """The transaction of ``connection``, which began at ``before``, tells ``changes`` and will be ``stamp``."""
        if self._live is None:
            return
        try:
            if before != self._stamp:
                changes = _told_since(connection, self._stamp)
            self._keep(stamp, self._live.prepare(changes))
            self._prepared = stamp
        except Exception:
            _log.exception("The topology can't follow a commit, and is built from the graph file.")
            self._live, self._lost = None, True

    def commit(self) -> None:
        """The transaction was committed."""
        if self._lost:
            self._start(self._build_lost)
        if self._prepared is not None and self._live is not None:
            self._live.commit()
            self._stamp, self._prepared = self._prepared, None
            if self._is_due(self._live, self._thresholds.share):
                self._start(self._consolidate)

    def rollback(self) -> None:
        """The transaction was rolled back, or nobody knows."""
        if self._prepared is not None and self._live is not None:
            self._states.pop(self._prepared, None)
            self._prepared = None
            self._live.rollback()

    # -- opening, clearing, closing

    def open(self) -> None:
        """Begin with the snapshot, or else with the file. A file that can't be read says so to who asks it."""
        try:
            with self._writing, self._database.reading() as connection:
                self._load(connection)
                if self._live is None and not self._works():
                    self._build(connection)
        except LineageError as error:
            _log.warning("There is no topology of %s: %s", self._database.path.name, error)

    def clear(self) -> None:
        """The file was emptied."""
        self._path.unlink(missing_ok=True)
        with self._database.reading() as connection:
            self._publish(Topology(empty_base()), stamp_of(connection))

    def settle(self) -> None:
        """Wait until no thread builds or consolidates."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Give up what is being built, and write a snapshot if much has changed since the last."""
        self._closing = True
        scanned = self._scanned
        if scanned is not None:
            scanned.interrupt()
        self.settle()
        with self._writing:
            if not self._read_only and self._live is not None and self._is_due(self._live, 0):
                self._guarded(self._consolidate)
            self._live = None
            self._states.clear()

    # -- how

    def _load(self, connection: apsw.Connection) -> None:
        """Begin with the snapshot, if it is whole and the file knows its commit."""
        try:
            stamp = snapshot_stamp(self._path)
            if stamp is None:
                return
            behind = length(connection, stamp)
            if behind is None:
                self._refuse("is of another history of the file")
                return
            base, stamp = read_snapshot(self._path)
        except (DamagedSnapshotError, OSError) as error:
            self._refuse(f"can't be used: {error}")
            return
        fresh = Topology(base)
        if behind <= self._thresholds.at_once:
            self._publish(fresh, _caught_up(connection, fresh, stamp))
        elif not self._read_only:
            self._start(lambda: self._install(fresh, stamp))

    def _refuse(self, why: str) -> None:
        if self._read_only:
            _log.info("The snapshot %s %s.", self._path.name, why)
        else:
            _log.warning("The snapshot %s %s; the topology is built from the graph file.", self._path.name, why)
            self._path.unlink(missing_ok=True)

    def _build(self, connection: apsw.Connection) -> None:
        """Begin with what ``connection`` sees, unless there is much of it."""
        size = connection.execute(_SIZE).get
        if size <= self._thresholds.at_once:
            self._publish(Topology(scan_base(connection) if size else empty_base()), stamp_of(connection))
        else:
            _log.info("The topology is built from %d nodes and edges of %s.", size, self._database.path.name)
            self._start(self._build_apart)

    def _build_lost(self) -> None:
        """Build what was lost since the thread began, or before."""
        if self._lost and not self._closing:
            self._lost = False
            self._build_apart()

    def _build_apart(self) -> None:
        with self._database.reading() as connection:
            self._scanned = connection
            try:
                stamp, base = stamp_of(connection), scan_base(connection)
            finally:
                self._scanned = None
        self._write_and_install(base, stamp)

    def _consolidate(self) -> None:
        with self._writing:
            state, stamp = None if self._live is None else self._live.state, self._stamp
        if state is not None:
            self._write_and_install(consolidated(state), stamp)

    def _write_and_install(self, base: Base, stamp: int) -> None:
        try:
            write_snapshot(self._path, base, stamp)
        except OSError as error:
            _log.warning("The snapshot %s can't be written: %s", self._path.name, error)
            self._install(Topology(base), stamp)
        else:
            self._install(Topology(base), stamp, written=stamp)

    def _install(self, fresh: Topology, stamp: int, written: int | None = None) -> None:
        """Bring ``fresh`` from ``stamp`` to the last commit and publish it; the log then begins at the stamp
        ``written`` in a snapshot. The writer waits only for what little came while the most was followed."""
        with self._database.reading() as connection:
            stamp = _caught_up(connection, fresh, stamp)
        with self._writing:
            with self._database.writing() if written is not None else self._database.reading() as connection:
                stamp = _caught_up(connection, fresh, stamp)
                if written is not None:
                    trim(connection, written)
            self._publish(fresh, stamp)

    def _publish(self, topology: Topology, stamp: int) -> None:
        """Older states are let go, with the arrays that only they have: who has one keeps it, who comes late walks."""
        self._live, self._stamp = topology, stamp
        self._states = {stamp: topology.state}

    def _keep(self, stamp: int, state: State) -> None:
        self._states[stamp] = state
        while len(self._states) > _KEPT_STATES:
            del self._states[next(iter(self._states))]

    def _is_due(self, live: Topology, share: float) -> bool:
        return live.changed > max(self._thresholds.changes, share * live.base_size)

    def _works(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _start(self, work: Callable[[], None]) -> None:
        if not self._works() and not self._closing:
            self._thread = threading.Thread(target=self._work, args=(work,), name="topology", daemon=True)
            self._thread.start()

    def _work(self, work: Callable[[], None]) -> None:
        self._guarded(work)
        self._guarded(self._build_lost)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except _AbandonedError:
            self._path.unlink(missing_ok=True)
        except Exception as error:
            if not (self._closing and isinstance(error, LineageError)):
                _log.exception("The topology of %s was not built; it goes on as it is.", self._database.path.name)


def _told_since(connection: apsw.Connection, stamp: int) -> Changes:
    told = told_since(connection, stamp)
    if told is None:
        raise _AbandonedError
    return told


def _caught_up(connection: apsw.Connection, topology: Topology, stamp: int) -> int:
    """Bring ``topology`` from ``stamp`` to the commit that ``connection`` sees; the stamp of that."""
    now = stamp_of(connection)
    if now != stamp:
        topology.prepare(_told_since(connection, stamp))
        topology.commit()
    return now
