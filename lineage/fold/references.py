"""What reads and tellings say of versions: the names and hashes of those that no recorded run wrote, hashes of the
others."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from lineage.fold import order
from lineage.fold.context import Context
from lineage.fold.store import Table
from lineage.model import Digest, Name

_CONTENT = 8
"""Bytes of a place that stand for what is told; eight for when and sixteen for by whom follow."""
_TIME = _CONTENT + order.SIZE


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """What one teller tells of one version: ``at`` is when it first named it, ``declared`` or ``digest`` what keys the
    version (R10), ``made`` whether it then told it as what was made, not as what something was made from, ``schema``
    the fields that it then had."""

    dataset: Name
    at: int
    declared: str | None = None
    digest: Digest | None = None
    digests: tuple[Digest, ...] = ()
    card: dict[str, object] = {}
    made: bool = False
    schema: bytes | None = None


_DECODER = msgspec.msgpack.Decoder(Reference)
_encode = msgspec.msgpack.Encoder().encode


class References:
    """Keeps who tells of which version.

    Thousands of runs may read one version and tell the same of it: only the first and the last of these count, so links
    are sorted by what is told, then by when.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def set(self, teller: bytes, before: dict[bytes, bytes], now: Mapping[bytes, Reference], *, is_run: bool) -> None:
        """Replace what ``teller`` tells; ``before`` (by version, the place of what it told) is updated in place."""
        facts, versions = self._context.records.facts, self._context.work.versions
        alone = b"" if is_run else teller
        told = {version: (*_placed(reference, teller, alone), reference.dataset) for version, reference in now.items()}
        for version, known in before.items():
            if version not in told or told[version][0] != known:
                value = facts.linked(Table.REFERENCES, version, known)
                if value is not None:
                    versions[version] = _DECODER.decode(value).dataset
                facts.link(Table.REFERENCES, version, known, None)
        for version, (place, value, dataset) in told.items():
            if before.get(version) != place:
                facts.link(Table.REFERENCES, version, place, value)
                versions[version] = dataset
        before.clear()
        before.update((version, told[version][0]) for version in sorted(told))

    def dataset_of(self, version: bytes) -> Name | None:
        """The public name of the dataset whose version this is, as its tellers have it."""
        told = self.of(version)
        return told[0][1].dataset if told else None

    def of(self, version: bytes) -> list[tuple[bytes, Reference]]:
        """Tellers of ``version``, by (at, teller): all of them, or of many runs that tell the same at least the first
        two and the last two."""
        found = [
            (place[_CONTENT:], msgspec.structs.replace(_DECODER.decode(value), at=order.time_of(place[_CONTENT:])))
            for place, value in self._context.records.facts.sparse_links(Table.REFERENCES, version, _CONTENT)
        ]
        return [(place[_TIME - _CONTENT :], reference) for place, reference in sorted(found, key=lambda item: item[0])]


def _placed(reference: Reference, teller: bytes, alone: bytes) -> tuple[bytes, bytes]:
    """The link that says that ``teller`` tells ``reference``, and its value: what is told, whenever it is. Nobody else
    shares the content of one who stands ``alone``."""
    value = _encode(msgspec.structs.replace(reference, at=0))
    place = blake2b(value + alone, digest_size=_CONTENT).digest() + order.by_time(reference.at, teller)
    return place, value
