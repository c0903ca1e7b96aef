"""What others than its writers tell of the content of a dataset's declared versions (R10)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterator, Mapping

from lineage.model import Digest

Content = tuple[int, tuple[Digest, ...]]
"""When a content was told, and its hashes."""

_Tellings = list[tuple[int, bytes]]
"""(when, teller), sorted."""


class Contents:
    """By declared version and content, who tells it: many readers tell the same of one version."""

    def __init__(self) -> None:
        self._told: dict[str, dict[tuple[Digest, ...], _Tellings]] = {}

    def add(self, teller: bytes, told: Mapping[str, Content]) -> None:
        """Take what ``teller`` tells of versions, each once."""
        for version, (at, digests) in told.items():
            insort(self._told.setdefault(version, {}).setdefault(digests, []), (at, teller))

    def remove(self, teller: bytes, told: Mapping[str, Content]) -> None:
        """Forget what :meth:`add` took."""
        for version, (at, digests) in told.items():
            contents = self._told[version]
            tellings = contents[digests]
            del tellings[bisect_left(tellings, (at, teller))]
            if not tellings:
                del contents[digests]
            if not contents:
                del self._told[version]

    def of(self, version: str, but: Collection[bytes]) -> Iterator[tuple[int, bytes, tuple[Digest, ...]]]:
        """Each content once, with its last telling by anyone else than ``but``."""
        for digests, tellings in self._told.get(version, {}).items():
            last = next(((at, teller) for at, teller in reversed(tellings) if teller not in but), None)
            if last is not None:
                yield (*last, digests)
