"""The one interface that every graph store implements, and that questions are written on.

A store holds nodes, edges and names (:mod:`lineage.model`), and the *watermark*: the number of ledger entries that it
reflects. It is a projection: everything in it can be made anew from the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lineage.key_array import KeyArray
from lineage.keys import Base
from lineage.model import Changes, Edge, EdgeKind, Evidence, NameScope, Node


class Direction(Enum):
    """Downstream follows the data, upstream goes back."""

    DOWNSTREAM = "DOWNSTREAM"
    UPSTREAM = "UPSTREAM"


class Level(Enum):
    """Two graphs: how things are wired (FEEDS among datasets, job flows, columns) and what was truly read and written
    (READ_BY and WROTE among versions and run flows)."""

    LOGICAL = "LOGICAL"
    VERSION = "VERSION"

    @property
    def edge_kinds(self) -> frozenset[EdgeKind]:
        """The kinds of edge that a traversal of this graph follows."""
        return _LEVEL_EDGES[self]


_LEVEL_EDGES = {
    Level.LOGICAL: frozenset({EdgeKind.FEEDS}),
    Level.VERSION: frozenset({EdgeKind.READ_BY, EdgeKind.WROTE}),
}


@dataclass(frozen=True, slots=True)
class EdgeFilter:
    """Which edges count: those of at least ``evidence``; with ``certain_only`` no edge that only failed runs tell, with
    ``fresh_only`` none that is stale. ``as_of`` (UTC microseconds): those that were there at that moment, by
    :attr:`~lineage.model.Edge.at` and :attr:`~lineage.model.Edge.until`; without it, those that were not replaced. An
    edge without time was always there."""

    evidence: Evidence = Evidence.INFERRED
    certain_only: bool = False
    fresh_only: bool = False
    as_of: int | None = None

    def admits(self, edge: Edge) -> bool:
        """Whether a traversal may follow ``edge``."""
        return (
            EVIDENCE_CODES[edge.evidence] <= EVIDENCE_CODES[self.evidence]
            and (edge.certain or not self.certain_only)
            and not (edge.stale and self.fresh_only)
            and self._was_there(edge)
        )

    def admitted(self, edges: Iterable[Edge]) -> list[Edge]:
        """Those of ``edges`` that a traversal may follow."""
        if self == EVERYTHING:
            return [edge for edge in edges if edge.until is None]
        return [edge for edge in edges if self.admits(edge)]

    def _was_there(self, edge: Edge) -> bool:
        if self.as_of is None:
            return edge.until is None
        return (edge.at is None or edge.at <= self.as_of) and (edge.until is None or self.as_of < edge.until)


EVIDENCES = tuple(Evidence)
"""By code, the strongest first: what stands for an evidence in an array."""

EVIDENCE_CODES = {evidence: code for code, evidence in enumerate(EVIDENCES)}

EVERYTHING = EdgeFilter()


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a traversal stops: after ``nodes`` nodes found (seeds apart), or past ``deadline`` (time.monotonic
    seconds)."""

    nodes: int = 10_000_000
    deadline: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What a traversal found, seeds apart: columns of one length, a row for each node, in no particular order.

    ``distances`` (int32): the number of flows on the shortest path, a flow itself and a flow seed counted; of columns,
    the number of columns. ``things`` is what an answer names in place of the node: itself, of a flow its run or job
    (zeros if it has none); ``kinds`` (uint8) the code of its kind (:data:`lineage.kind.KINDS`). ``evidence`` (uint8,
    code in EVIDENCES), ``certain`` and ``stale`` (bool) say how strong the best path is: its weakest edge, whether some
    path is all certain, whether each path has a stale edge (R9).

    ``cut`` is None if that is all, else ``NODES`` or ``TIME``; what is there is then true, its distances right, and
    nothing nearer than the farthest is missing; strength may be told weaker than it is, never stronger.
    """

    keys: KeyArray
    things: KeyArray
    kinds: NDArray[np.uint8]
    distances: NDArray[np.int32]
    evidence: NDArray[np.uint8]
    certain: NDArray[np.bool_]
    stale: NDArray[np.bool_]
    cut: str | None = None

    def __len__(self) -> int:
        return len(self.keys)


class GraphReader(Protocol):
    """A consistent view: everything it answers holds at ``ledger_size``, whatever is written meanwhile.

    The caller guarantees that keys are 16 bytes. The store guarantees that nothing asked here writes.
    """

    @property
    def ledger_size(self) -> int:
        """The watermark of this view: how many ledger entries it reflects."""

    def fetch(self, keys: Sequence[bytes]) -> list[Node | None]:
        """The nodes of ``keys``, in that order; None where there is none. No name is resolved here."""

    def neighbours(self, keys: Sequence[bytes], kinds: Sequence[EdgeKind], direction: Direction) -> list[Edge]:
        """All edges of ``kinds`` that leave (DOWNSTREAM) or enter (UPSTREAM) any of ``keys``, ordered by (kind's value,
        source, target), each once."""

    def reach(
        self,
        level: Level,
        seeds: Sequence[bytes],
        direction: Direction,
        edges: EdgeFilter = EVERYTHING,
        limits: Limits = Limits(),
    ) -> Reach:
        """Everything that a path from any seed leads to, and how strong the best path to each is. A node is visited
        once: diamonds cost nothing, cycles end.

        Seeds that do not exist lead nowhere. A dataset, column or version that several paths reach has the least
        distance.
        """

    def are_latest(self, versions: KeyArray, as_of: int | None = None) -> NDArray[np.bool_]:
        """Which of ``versions`` is the latest certain version of its dataset, by (written, key), of those written at or
        before ``as_of`` (UTC microseconds)."""

    def lookup(self, scope: NameScope, value: str) -> list[bytes]:
        """The keys of the nodes with that name, ascending; empty if none."""

    def search(self, text: str, bases: Sequence[Base], limit: int, *, names_only: bool = False) -> list[Node]:
        """Datasets, columns and jobs of which a name or its namespace holds ``text`` (both casefolded), each once; at
        most ``limit``. A column's name is its column name, without a namespace; a dataset's aliases are names of it
        too. First those whose whole name it is, then those whose name holds it, then those of which the namespace alone
        does; of each the shortest name first, then by (name, namespace, key), of several that hold it by the first.
        With ``names_only`` the caller looks at nothing but kinds and names: what else a node tells need not be
        right."""

    def count(self) -> dict[str, int]:
        """How many nodes there are of each base kind (``DATASET``) and edges of each kind (``READ_BY``)."""

    def dump(self) -> Iterator[bytes]:
        """The whole graph as canonical lines (:func:`lineage.memory.canonical_lines` defines them): two stores with the
        same graph dump the same bytes. Watermark apart."""


class GraphStore(Protocol):
    """Holds the graph. One writer, many readers at once."""

    def watermark(self) -> int:
        """How many ledger entries the store reflects; 0 if new."""

    def apply(self, changes: Changes, watermark: int) -> None:
        """Write all changes and the watermark in one transaction. It may go on when this has returned, until
        :meth:`settle` has; where it then fails, the next call raises UnavailableError, and the next list is written
        before ``apply`` returns: given the same again it says what is wrong with it.

        The caller guarantees that lists are applied in the order in which the fold gave them; one may be applied again.
        Raises UnavailableError if the store is away; nothing is then written.
        """

    def settle(self) -> None:
        """Return once all that :meth:`apply` took is written, and outlives a crash of the machine. Raises
        UnavailableError where it could not be, whatever the reason."""

    def reader(self) -> AbstractContextManager[GraphReader]:
        """A consistent view, to be used by one thread. Readers don't wait for the writer, nor the writer for them, save
        in Neo4j (:mod:`lineage.neo4j.gate`)."""

    def outdate(self) -> bool:
        """Set the watermark to 0, for a rebuild. True: the graph stays until it is brought up to date by difference;
        False: everything was removed (as :meth:`clear` does).

        The caller guarantees that what it then applies ends in the graph of a rebuild, and that until then each
        watermark is 0. Raises UnavailableError if the store is away; nothing is then written, or all of it.
        """

    def clear(self) -> None:
        """Remove everything, watermark included."""

    def close(self) -> None:
        """Release what is held."""
