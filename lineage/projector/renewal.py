"""How a graph that is outdated, and stays until it is right, is made that of a rebuild: by difference.

The ledger is folded into a scratch store, the dumps of both are compared, and what differs is written, all at watermark
0; the right watermark comes last. So a renewal that was broken off begins again, and of a graph that is right already
nothing is written. A graph that can't be read is emptied instead.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import Protocol

from lineage.errors import DataFolderError, UnavailableError
from lineage.model import Changes, Node
from lineage.projector.dumps import side_by_side
from lineage.projector.spool import Spool, halves_of, size_of
from lineage.projector.trouble import PASSING
from lineage.sqlite import SQLiteStore
from lineage.store import GraphStore

Advance = Callable[[int, int], None]
"""Told (how much is done, of how much) from time to time: entries that are projected or, while a graph is brought up to
date by difference, those that are folded, then nodes and edges compared, then differences written."""

_NAME = "renewal"
_LINES = 10_000
"""So many are compared in one step."""
_LEFT = 10_000
"""So many entries may be left to the ordinary way, of those that came meanwhile."""

_log = logging.getLogger(__name__)


class Folding(Protocol):
    """What brings the scratch store up to date: a :class:`lineage.projector.projection.Projection` of its own."""

    @property
    def reached(self) -> int:
        """How many ledger entries the scratch store reflects."""

    def step(self, until: int | None = None) -> bool:
        """Fold the next batch of entries, of those before ``until``; False if none is left."""

    def keep(self) -> None:
        """Commit the facts."""


class Renewal:
    """Brings ``store``, of watermark 0, to what the folding that ``begin`` gives for a store makes of the ledger.

    Scratch files stand in ``folder``, by default the system's for temporary files. ``rest`` is called between two
    pieces of work. For one thread at a time. Raises UnavailableError where the disk refuses.
    """

    def __init__(
        self,
        store: GraphStore,
        begin: Callable[[GraphStore], Folding],
        folder: Path | None,
        rest: Callable[[], None],
    ) -> None:
        self._store = store
        self._rest = rest
        with ExitStack() as opening:
            self._place = _new_place(folder)
            opening.callback(shutil.rmtree, self._place, ignore_errors=True)
            self._scratch = SQLiteStore(self._place / "graph.sqlite")
            opening.callback(self._scratch.close)
            self._folding = begin(self._scratch)
            self._closing = opening.pop_all()
        self._until = 0
        self._is_folded = False
        self._comparison: _Comparison | None = None
        self._writing: _Writing | None = None
        self.progress = 0, 0
        """How many ledger entries are folded, of how many; then how many nodes and edges are compared, of about how
        many; then how many differences are written."""

    def step(self, head: int) -> bool:
        """Do the next piece of what there is to do for the first ``head`` ledger entries, or a few less; False once the
        store reflects them, or is empty. It may be called again after an error."""
        if not self._is_folded:
            self._fold(head)
            return True
        return self._compare() if self._writing is None else self._write(self._writing)

    def look_again(self) -> None:
        """Compare anew, after an error: how much of the differences was written is not known, nor whether the graph is
        still the one that was compared."""
        self._end_comparison()
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def keep(self) -> None:
        """Commit the facts, as far as they are folded."""
        self._folding.keep()

    def close(self) -> None:
        """Remove what was there for the comparison."""
        try:
            self.look_again()
        finally:
            self._closing.close()

    def _fold(self, head: int) -> None:
        if not self._until or head < self._until or self._folding.reached == self._until < head - _LEFT:
            self._until = head
        try:
            if self._folding.step(self._until):
                self.progress = self._folding.reached, self._until
                return
        except DataFolderError:
            # At a damaged entry what stands before it is shown, and the ordinary way then says what is wrong.
            reached = self._scratch.watermark()
            if reached >= self._until or (not reached and not is_empty(self._scratch)):
                raise
        self._folding.keep()
        self._is_folded = True

    def _compare(self) -> bool:
        try:
            if self._comparison is None:
                self._comparison = _Comparison(self._store, self._scratch, self._place)
            spool = self._comparison.step(self._rest)
        except BaseException as error:
            self._end_comparison()
            if isinstance(error, PASSING) or not isinstance(error, Exception):
                raise
            _log.exception("The graph can't be read, and is emptied.")
            self._store.clear()
            return False
        self.progress = self._comparison.progress
        if spool is not None:
            # Its views are closed before the first write: a store may have commits wait for them.
            self._comparison = None
            self._writing = _Writing(spool, self._scratch)
        return True

    def _end_comparison(self) -> None:
        comparison, self._comparison = self._comparison, None
        if comparison is not None:
            comparison.close()

    def _write(self, writing: _Writing) -> bool:
        changes = writing.next()
        if changes is None:
            write_through(self._store, Changes(), self._scratch.watermark())
            return False
        try:
            write_through(self._store, changes, 0)
        except PASSING:
            raise
        except Exception:
            writing.halve()
        else:
            self.progress = writing.done()
        return True


class _Comparison:
    """The dumps of two stores, each read in one view, a piece at a time."""

    def __init__(self, kept: GraphStore, anew: GraphStore, folder: Path) -> None:
        with ExitStack() as opening:
            one, other = opening.enter_context(kept.reader()), opening.enter_context(anew.reader())
            self._total = sum(other.count().values())
            self._pairs = side_by_side(one.dump(), other.dump())
            self._spool = Spool(folder)
            self._closing = opening.pop_all()
        self._compared = 0

    @property
    def progress(self) -> tuple[int, int]:
        """How many places of the graph made anew are compared, of how many; names come on top."""
        return min(self._compared, self._total), self._total

    def step(self, rest: Callable[[], None]) -> Spool | None:
        """Compare some lines more; at the end the views are closed, and the differences are the caller's."""
        ended = True
        for kept, anew in islice(self._pairs, _LINES):
            ended = False
            rest()
            self._compared += anew is not None
            if kept != anew:
                self._spool.add(kept, anew)
        if not ended:
            return None
        self._closing.close()
        return self._spool

    def close(self) -> None:
        """Give up, whatever the views were."""
        try:
            with suppress(UnavailableError):
                self._closing.close()
        finally:
            self._spool.close()


class _Writing:
    """The differences as lists of changes, each given until it is :meth:`done`."""

    def __init__(self, spool: Spool, anew: GraphStore) -> None:
        self._spool = spool
        self._anew = anew
        self._lists: Iterator[Changes] | None = None
        self._due: list[Changes] = []
        self._written = 0

    def next(self) -> Changes | None:
        """The list that is to be written now, None if all are."""
        if self._lists is None:
            self._lists, self._written = self._spool.changes(self._fetch), 0
        try:
            self._due = self._due or [*islice(self._lists, 1)]
        except BaseException:
            self._lists = None
            raise
        return self._due[-1] if self._due else None

    def done(self) -> tuple[int, int]:
        """The list is written; how many changes are, of how many."""
        self._written += size_of(self._due.pop())
        return self._written, len(self._spool)

    def halve(self) -> None:
        """The store refuses the list: its halves come next, until what it refuses stands alone, and is left out."""
        refused = self._due.pop()
        if size_of(refused) > 1:
            self._due += reversed(halves_of(refused))
        else:
            _log.exception("The graph store refuses %r, which is left out.", refused)

    def close(self) -> None:
        """Remove the files of the differences."""
        self._spool.close()

    def _fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        with self._anew.reader() as reader:
            return reader.fetch(keys)


def write_through(store: GraphStore, changes: Changes, watermark: int) -> None:
    """Write ``changes``, and return when they are written. Raises what is wrong with them."""
    store.apply(changes, watermark)
    try:
        store.settle()
    except UnavailableError:
        store.apply(changes, watermark)
        store.settle()


def is_empty(store: GraphStore) -> bool:
    """Whether nothing stands in ``store``, not even a name of what is gone."""
    with store.reader() as reader:
        return not any(reader.count().values()) and next(reader.dump(), None) is None


def remove_leftovers(folder: Path | None) -> None:
    """Remove what a renewal left in ``folder``, if its process ended before it did."""
    if folder is not None:
        shutil.rmtree(folder / _NAME, ignore_errors=True)


def _new_place(folder: Path | None) -> Path:
    try:
        if folder is None:
            return Path(tempfile.mkdtemp(prefix="lineage-renewal-"))
        remove_leftovers(folder)
        place = folder / _NAME
        place.mkdir(mode=0o700)
    except OSError as error:
        raise UnavailableError(
            f"The graph can't be made anew: {error.strerror}.", hint="Check free space and permissions of the folder."
        ) from error
    return place
