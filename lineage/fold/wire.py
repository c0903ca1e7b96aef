"""What ties one thing to another on the logical level, as it is told: a job's wires, and the lineage of columns."""

from __future__ import annotations

import msgspec

from lineage.facts.claims import Source
from lineage.facts.history import Span
from lineage.model import Evidence, Name, Role

Wire = tuple[Name | None, Name | None]
"""(input, output) of a logical flow, under public names; None: nothing is read, or nothing is written."""

WireKind = tuple[Evidence, bool, bool, Role | None]
"""(evidence, certain, undivided, role) of one run's contribution to a wire."""


JobWire = tuple[Name | None, Name | None, WireKind]
"""A wire with what one run tells of it."""

ToldColumns = tuple[Name, bytes]
"""(output under its public name, digest of the column lineage that is told of it)."""

_NOTHING = Name("", "")


def wire_order(wire: Wire) -> tuple[Name, Name]:
    """A key to sort wires by."""
    return wire[0] or _NOTHING, wire[1] or _NOTHING


class ToldWire(msgspec.Struct, array_like=True):
    """A wire as a job's runs tell it: the least start of these, and how many tell it of each kind."""

    at: int
    kinds: dict[WireKind, int] = {}


class ColumnLineage(msgspec.Struct, array_like=True):
    """Column lineage that ``tellers`` jobs and datasets tell alike, when any first did, and until when (None: still)
    the last one does."""

    tellers: int
    span: Span
    sources: list[Source]
