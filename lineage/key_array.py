"""Many store keys as one array: rows of two 64-bit numbers, big-endian halves, so that numbers order as the bytes do.

>>> keys = [bytes(range(16)), bytes(16)]
>>> unpack(pack(keys)) == keys
True
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

KeyArray = NDArray[np.uint64]
"""Shape (n, 2)."""

_KEY_BYTES = 16


def pack(keys: Sequence[bytes]) -> KeyArray:
    """``keys``, of 16 bytes each, as an array."""
    return np.frombuffer(b"".join(keys), dtype=">u8").reshape(-1, 2).astype(np.uint64)


def order_of(keys: KeyArray) -> NDArray[np.intp]:
    """The rows of ``keys`` in their order; of equal ones, in any. Halves of different keys hardly ever are the same, so
    that sorting one of them, in a fifth of the time, is nearly always enough."""
    order = np.argsort(keys[:, 0])
    first, second = keys[order].T
    if ((first[1:] == first[:-1]) & (second[1:] != second[:-1])).any():
        order = np.lexsort((keys[:, 1], keys[:, 0]))
    return order


def unpack(keys: KeyArray) -> list[bytes]:
    """The keys of an array, in its order."""
    whole = keys.astype(">u8").tobytes()
    return [whole[at : at + _KEY_BYTES] for at in range(0, len(whole), _KEY_BYTES)]
