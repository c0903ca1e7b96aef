"""What reads and tellings say of versions: the names and hashes of those that no recorded run wrote, hashes of the
others."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from lineage.fold.context import Context
from lineage.fold.store import Table
from lineage.model import Digest, Name


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """One teller of one version: ``at`` is when it first named it, ``declared`` or ``digest`` what keys the version
    (R10), ``made`` whether it then told it as what was made, not as what something was made from."""

    dataset: Name
    at: int
    declared: str | None = None
    digest: Digest | None = None
    digests: tuple[Digest, ...] = ()
    card: dict[str, object] = {}
    made: bool = False


_DECODER = msgspec.msgpack.Decoder(Reference)
_encode = msgspec.msgpack.Encoder().encode


class References:
    """Keeps who tells of which version."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def set(self, teller: bytes, before: list[bytes], now: Mapping[bytes, Reference]) -> None:
        """Replace what ``teller`` tells; ``before`` (the versions it told of) is updated in place."""
        facts = self._context.records.facts
        for version in set(before) - now.keys():
            known = facts.linked(Table.REFERENCES, version, teller)
            if known is not None:
                self._context.work.versions[version] = _DECODER.decode(known).dataset
            facts.link(Table.REFERENCES, version, teller, None)
        for version, reference in now.items():
            value = _encode(reference)
            if facts.linked(Table.REFERENCES, version, teller) != value:
                facts.link(Table.REFERENCES, version, teller, value)
                self._context.work.versions[version] = reference.dataset
        before[:] = sorted(now)

    def dataset_of(self, version: bytes) -> Name | None:
        """The public name of the dataset whose version this is, as its tellers have it."""
        told = self.of(version)
        return told[0][1].dataset if told else None

    def of(self, version: bytes) -> list[tuple[bytes, Reference]]:
        """All tellers of ``version``, by (at, teller)."""
        found = [
            (teller, _DECODER.decode(value))
            for teller, value in self._context.records.facts.links(Table.REFERENCES, version)
        ]
        return sorted(found, key=lambda item: (item[1].at, item[0]))
