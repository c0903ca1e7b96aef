"""Which places of a file may hold something: a look in memory instead of one on disk for what is not there.

Most of what the fold asks for first is new: each run, each version, whatever is named after them. One bit stands for
a place (Bloom 1970, with one hash): where it is not set, the file holds nothing there; where it is, the file is asked.
A sixteenth of the bits at most are set, so that one in sixteen is asked for in vain. When a layer is full, one of twice
its size is put beside it.

>>> presence = Presence()
>>> presence.add([(1, b"orders")])
>>> presence.may_hold(1, b"orders"), presence.may_hold(2, b"orders")
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import apsw
import numpy as np

_MIX = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio (Knuth 6.4): multiplied by it, what differs anywhere differs in the highest bits."""
_MASK = (1 << 64) - 1
_TAIL = 8
"""Bytes at the end of a key that count: all of them as random as SHA-256, or the last digits of a runId."""
_SPARSE = 16
"""Bits for each place."""
_LEAST_BITS = 20

_COUNT = "SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM links)"
_TAILS = """
SELECT tbl, group_concat(substr('0000000000000000' || hex(substr(key, -8)), -16), '')
FROM (SELECT tbl, key FROM records UNION ALL SELECT tbl, key FROM links) GROUP BY tbl"""
"""By table, the last eight bytes of each key, in hexadecimal digits."""


class _Layer:
    """2**``exponent`` bits."""

    __slots__ = ("bits", "room", "shift")

    def __init__(self, exponent: int) -> None:
        self.bits = bytearray(1 << exponent - 3)
        self.shift = 64 - exponent
        self.room = (1 << exponent) // _SPARSE


class Presence:
    """Places by table and key. What was added is always told to be there; all else hardly ever."""

    def __init__(self, expected: int = 0) -> None:
        """With room for ``expected`` places in the first layer."""
        self._newest = _Layer(max(_LEAST_BITS, (expected * _SPARSE).bit_length()))
        self._layers = [self._newest]

    def add(self, places: Iterable[tuple[int, bytes]]) -> None:
        """Note that the file holds something under each (table, key)."""
        layer = self._newest
        older = self._layers[:-1]
        for table, key in places:
            number = (int.from_bytes(key[-_TAIL:]) + table) * _MIX & _MASK
            at = number >> layer.shift
            byte, bit = at >> 3, 1 << (at & 7)
            if layer.bits[byte] & bit or (older and _is_in(older, number)):
                continue
            if not layer.room:
                layer = self._newest = _Layer(65 - layer.shift)
                self._layers.append(layer)
                older = self._layers[:-1]
                at = number >> layer.shift
                byte, bit = at >> 3, 1 << (at & 7)
            layer.room -= 1
            layer.bits[byte] |= bit

    def add_tails(self, table: int, tails: bytes) -> None:
        """As :meth:`add` for many keys at once: of each the last eight bytes, with zeros before where it has fewer."""
        numbers = (np.frombuffer(tails, ">u8") + np.uint64(table)) * np.uint64(_MIX)
        layer = self._newest
        places = numbers >> np.uint64(layer.shift)
        bits = np.frombuffer(layer.bits, np.uint8)
        np.bitwise_or.at(bits, places >> np.uint64(3), np.uint8(1) << (places & np.uint64(7)).astype(np.uint8))
        layer.room = max(0, layer.room - len(numbers))

    def may_hold(self, table: int, key: bytes) -> bool:
        """False only where nothing was added under ``key``."""
        return _is_in(self._layers, (int.from_bytes(key[-_TAIL:]) + table) * _MIX & _MASK)


def _is_in(layers: Sequence[_Layer], number: int) -> bool:
    for layer in layers:
        at = number >> layer.shift
        if layer.bits[at >> 3] >> (at & 7) & 1:
            return True
    return False


def learn(db: apsw.Connection) -> Presence:
    """What the tables ``records`` and ``links`` hold now: a third of a second for a million rows. Raises apsw.Error."""
    presence = Presence(int(db.execute(_COUNT).get))
    for table, tails in db.execute(_TAILS):
        presence.add_tails(table, bytes.fromhex(tails))
    return presence
