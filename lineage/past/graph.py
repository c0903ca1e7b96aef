"""The graph of the past: a reader that has folded what its answer depends on before it gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lineage.errors import TooCostlyError
from lineage.fold.postings import sought_commit, sought_digest
from lineage.key_array import KeyArray
from lineage.keys import Base
from lineage.model import Edge, EdgeKind, NameScope, Node
from lineage.past.folding import Folding, Needs
from lineage.past.index import Index
from lineage.past.need import Need
from lineage.past.search import PastSearch
from lineage.past.sightings import Sighting, adjacent_needs, name_needs, row_needs, sighting_of
from lineage.store import EVERYTHING, Direction, EdgeFilter, GraphReader, Level, Limits, Reach
from lineage.topology import are_latest

MOST_REPLAYED = 20_000
"""Entries that are folded to the last for one id."""

_ALWAYS_KNOWN = frozenset({Base.DATASET, Base.JOB, Base.FLOW})
"""What facts never forget, and what no answer shows."""


class PastGraph:
    """A :class:`~lineage.store.GraphReader` at an earlier ledger index.

    ``present`` and ``index`` only tell which things keys and names may mean; the present graph must reflect the ledger
    index, and may reflect more.
    """

    def __init__(self, folding: Folding, index: Index, present: GraphReader) -> None:
        self._folding = folding
        self._index = index
        self._present = present

    @property
    def ledger_size(self) -> int:
        """How many ledger entries this graph reflects."""
        return self._folding.until

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there was none."""
        self._have_rows(keys)
        return self._folding.reader.fetch(keys)

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        """All edges of ``kinds`` that left or entered any of ``keys``, ordered by (kind's value, source, target)."""
        self._have_edges(keys, kinds, direction)
        return self._folding.reader.neighbours(keys, kinds, direction)

    def reach(
        self,
        level: Level,
        seeds: Sequence[bytes],
        direction: Direction,
        edges: EdgeFilter = EVERYTHING,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
    ) -> Reach:
        """Everything that a path from any seed led to; see :meth:`lineage.store.GraphReader.reach`."""
        kinds = sorted(level.edge_kinds, key=lambda kind: kind.value)
        visited, near = set(seeds), list(dict.fromkeys(seeds))
        while near and len(visited) <= limits.nodes + len(seeds):
            found = (edge for edge in self.neighbours(near, kinds, direction) if edges.admits(edge))
            ends = {edge.target if direction is Direction.DOWNSTREAM else edge.source for edge in found}
            near = sorted(ends - visited)
            visited.update(near)
        return self._folding.reader.reach(level, seeds, direction, edges, limits)

    def are_latest(self, versions: KeyArray, as_of: int | None = None) -> NDArray[np.bool_]:
        """Which of ``versions`` was the latest certain version of its dataset."""
        return are_latest(versions, as_of, self.fetch, self.neighbours)

    def lookup(self, scope: NameScope, value: str) -> list[bytes]:
        """The keys of the nodes that had that name, ascending; empty if none did."""
        self._folding.fold(self._named(scope, value))
        if scope is NameScope.KEY:
            self._have_rows([bytes.fromhex(value), *self._present.lookup(scope, value)], whole=True)
        self._have_rows(self._folding.reader.lookup(scope, value))
        return self._folding.reader.lookup(scope, value)

    def search(self, text: str, bases: Sequence[Base], limit: int, *, names_only: bool = False) -> list[Node]:
        """Datasets, columns and jobs that ``text`` named in part; see :meth:`lineage.store.GraphReader.search`."""
        have = self._have_names if names_only else self._have_rows
        search = PastSearch(self._folding, self._present, self._index, have)
        return search.search(text, bases, limit)

    def seek(self, base: Base, key: bytes) -> None:
        """Have the node of ``key`` folded, if there was one: all else does so for what a key of now leads to, or a
        name, but an id may be of a version that later events withdrew without a trace. Then all must be folded. Raises
        TooCostlyError where that is too much."""
        if base in _ALWAYS_KNOWN or any(True for _ in self._seen([key])):
            return
        if self._folding.until > MOST_REPLAYED:
            raise TooCostlyError(
                f"Nothing has this id now. Whether anything had it at ledger index {self._folding.until - 1}, only all "
                "entries up to there can tell, and they are too many.",
                hint="Name what you mean: its dataset, job or run.",
                field="/id",
            )
        self._folding.replay()

    def count(self) -> dict[str, int]:
        """How many nodes and edges there were of each kind: folds all."""
        self._folding.replay()
        return self._folding.reader.count()

    def dump(self) -> Iterator[bytes]:
        """The whole graph as canonical lines: folds all."""
        self._folding.replay()
        return self._folding.reader.dump()

    # -- what an answer depends on

    def _have_rows(self, keys: Sequence[bytes], *, whole: bool = False) -> bool:
        """Have the rows of ``keys`` folded: those of what is not known yet when others show what it is."""
        return self._until_still(lambda: (need for each in self._seen(keys) for need in row_needs(each, whole=whole)))

    def _have_names(self, keys: Sequence[bytes]) -> bool:
        return self._until_still(lambda: (need for each in self._seen(keys) for need in name_needs(each)))

    def _have_edges(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> bool:
        return self._until_still(
            lambda: (need for each in self._seen(keys) for need in adjacent_needs(each, kinds, direction))
        )

    def _until_still(self, needs: Callable[[], Needs]) -> bool:
        folded = False
        while self._folding.fold(needs()):
            folded = True
        return folded

    def _seen(self, keys: Sequence[bytes]) -> Iterator[Sighting]:
        """What ``keys`` are, as past, present and facts know them."""
        unknown = dict.fromkeys(keys)
        for nodes in (self._folding.reader.fetch(keys), self._present.fetch(keys)):
            for node in nodes:
                if node is not None:
                    unknown.pop(node.key, None)
                    yield sighting_of(node, self._index)
        for key in unknown:
            yield from self._seen_in_facts(key)

    def _seen_in_facts(self, key: bytes) -> Iterator[Sighting]:
        """What a key is that now belongs to nothing, or to something else."""
        if (dataset := self._index.dataset(key)) is not None:
            yield Sighting(Base.DATASET, key, dataset)
        if (job := self._index.job(key)) is not None:
            yield Sighting(Base.JOB, key, job)
        if (run := self._index.run(key)) is not None:
            yield Sighting(Base.RUN, key, run[1], run[0])
        yield from (Sighting(Base.DATASET, key, carrier) for carrier in self._index.carriers_of(key))
        yield from (Sighting(Base.RUN, key, None, run_id) for run_id in self._index.once_silent(key))
        for node in self._present.fetch(self._present.lookup(NameScope.KEY, key.hex())):
            if node is not None:
                yield sighting_of(node, self._index)._replace(is_written=False)

    def _named(self, scope: NameScope, value: str) -> Needs:
        if scope is NameScope.RUN_ID:
            yield Need.SILENT, value
        elif scope is NameScope.COMMIT:
            for key in self._index.sought(sought_commit(value)):
                if (job := self._index.job(key)) is not None:
                    yield Need.JOB, job
        elif scope is NameScope.DIGEST:
            for key in self._index.sought(sought_digest(value)):
                if (dataset := self._index.dataset(key)) is not None:
                    yield Need.VERSIONS, dataset
