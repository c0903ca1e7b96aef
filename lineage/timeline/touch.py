"""What one run does to one dataset: the only thing that timelines know of runs."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from lineage.flows.run import Rank
from lineage.model import Digest, Name

WriteId = tuple[str, str, str, int | None]
"""What keys a written version (R10): runId, job namespace, job name, and of a continuous run the moment."""


class Mode(StrEnum):
    """What a write does with what was there (R15)."""

    KEEPS = "KEEPS"
    REPLACES = "REPLACES"
    SILENT = "SILENT"
    CREATES = "CREATES"


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What was told of a read at one moment; of a batch run's, ``at`` is its start."""

    at: int
    versions: tuple[str, ...] = ()
    digests: tuple[Digest, ...] = ()


class TouchWrite(msgspec.Struct, frozen=True, array_like=True):
    """A write: which version it belongs to, when it was done, and what names it told."""

    id: WriteId
    written: int
    rank: Rank
    declared: str | None = None
    digests: tuple[Digest, ...] = ()
    certain: bool = True
    ended: bool = True
    mode: Mode = Mode.SILENT
    card: dict[str, object] = {}
    schema: bytes | None = None


class End(msgspec.Struct, frozen=True, array_like=True):
    """The end of the dataset's life: a DROP, or a RENAME to ``to`` (R16)."""

    at: int
    to: Name | None = None


class Touch(msgspec.Struct, frozen=True, array_like=True):
    """Everything one run does to one dataset.

    ``reads``: None if it does not read it; else what it told, () if nothing. ``until`` is the end of a continuous run's
    reading (None: open). ``parent`` is the run it was started by, ``nests`` that the dialect takes writes inside
    another's interval for the same write. ``renames_at`` is when the run took the last version under this, the old,
    name.
    """

    run: bytes
    run_id: str
    job: Name
    start: int
    end: int | None
    continuous: bool = False
    parent: tuple[str, Name] | None = None
    nests: bool = False
    reads: tuple[Told, ...] | None = None
    writes: tuple[TouchWrite, ...] = ()
    ends: tuple[End, ...] = ()
    renames_at: int | None = None

    @property
    def rank(self) -> Rank:
        """The rank of the run (R0)."""
        return Rank(self.start, self.run_id, *self.job)


DigestName = tuple[str, str, str, str]
"""(algorithm, scope, method, digest): digests compare only where the first three are the same."""


def digest_name(digest: Digest) -> DigestName:
    """The name under which a digest is found."""
    return (digest.algorithm, digest.scope, digest.method, digest.digest)


def comparable(one: tuple[Digest, ...], other: tuple[Digest, ...]) -> bool:
    """Whether any two of them compare at all."""
    classes = {(d.algorithm, d.scope, d.method) for d in one}
    return any((d.algorithm, d.scope, d.method) in classes for d in other)
