"""What one event claims, as facts: the shape in which events are kept for the fold.

A run's facts are the *set* of its events' claims, so their join is set union: associative, commutative, idempotent. All
that depends on order is computed from the set, sorted by (eventTime, hash of the event) as R0 says. Each claim carries
the ledger index and position of its record.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lineage.model import Digest, Name, Transformation


class Source(msgspec.Struct, frozen=True, array_like=True):
    """A dataset, or a field of it, that feeds an output (``output_field`` None: the whole of it)."""

    name: Name
    field: str | None = None
    output_field: str | None = None
    transformations: tuple[Transformation, ...] = ()


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One entry of a ``lineage`` facet (R5): what feeds ``target``, or the event's own job if ``target`` is None.

    ``own_job`` says that the event's own job is among the inputs.
    """

    target: Name | None
    sources: tuple[Source, ...]
    own_job: bool = False


class Read(msgspec.Struct, frozen=True, array_like=True):
    """An input as one event names it; ``schema`` is the digest of the fields that it then had."""

    name: Name
    version: str | None = None
    digests: tuple[Digest, ...] = ()
    role: str | None = None
    schema: bytes | None = None


class Write(msgspec.Struct, frozen=True, array_like=True):
    """An output as one event names it. ``columns`` is what its columnLineage claims, () if it tells nothing.

    ``appends``, ``part_of_model`` and ``unproven`` are what a dialect knows: that silence about the mode means append;
    that this is a part of a model saved by the parent's process; that only statistics would prove the write.
    """

    name: Name
    version: str | None = None
    digests: tuple[Digest, ...] = ()
    lifecycle: str | None = None
    previous: Name | None = None
    card: dict[str, Any] = {}
    columns: tuple[Source, ...] = ()
    appends: bool = False
    part_of_model: bool = False
    unproven: bool = False
    schema: bytes | None = None


class Parent(msgspec.Struct, frozen=True, array_like=True):
    """The parent run as a child names it. ``single_process``: a dialect knows the parent as one process (R8)."""

    run_id: str
    job: Name
    single_process: bool = False
    root: tuple[str, Name] | None = None


class Traffic(msgspec.Struct, frozen=True, array_like=True):
    """One line of a rollout's traffic."""

    name: Name
    version: str | None
    percent: float


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """Everything that one RunEvent claims of its run, or one JobEvent of its job."""

    time: int
    hash: bytes
    index: int
    position: int
    type: str | None = None
    run_type: str | None = None
    reads: tuple[Read, ...] = ()
    writes: tuple[Write, ...] = ()
    entries: tuple[Entry, ...] = ()
    parent: Parent | None = None
    traffic: tuple[Traffic, ...] | None = None
    environment: str | None = None
    facets: dict[str, Any] = {}
    commit: str | None = None
    repository: str | None = None
    dialect: str | None = None

    @property
    def stamp(self) -> tuple[int, bytes]:
        """What orders events (R0)."""
        return (self.time, self.hash)

    def wiring(self) -> Claims:
        """What of it says which input feeds which output, whenever and in whatever order it is told."""
        reads = sorted(self.reads, key=lambda read: read.name)
        writes = sorted(self.writes, key=lambda write: write.name)
        return Claims(
            time=0,
            hash=b"",
            index=0,
            position=0,
            reads=tuple(Read(read.name, role=read.role) for read in reads),
            writes=tuple(Write(each.name, lifecycle=each.lifecycle, columns=each.columns) for each in writes),
            entries=self.entries,
            dialect=self.dialect,
        )


class Telling(msgspec.Struct, frozen=True, array_like=True):
    """What a DatasetEvent, or a JobEvent about an output, tells of one version (R3). ``reads``: what it was made from,
    with the versions told of that; None if the event doesn't tell."""

    time: int
    hash: bytes
    version: str | None
    digests: tuple[Digest, ...]
    card: dict[str, Any] = {}
    reads: tuple[Read, ...] | None = None
    schema: bytes | None = None
