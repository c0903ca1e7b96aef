"""A base in a file beside the store that it was made from, so that opening need not read the store.

A line that names the format, the length and the checksum of a JSON header, the header, then the arrays, each from a
multiple of 64 bytes on. The header has the stamp of the store's commit that the base reflects and, for each array, its
place, type, shape and checksum (CRC-32, which finds every error of a bit and of any burst up to 32 bits).
"""

from __future__ import annotations

import json
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineage.kind import KINDS
from lineage.topology import marks, nodes
from lineage.topology.base import Base
from lineage.topology.nodes import NodeRows
from lineage.topology.run import Run, Side

_MAGIC = b"lineage-topology/1\n"
_FRAME = struct.Struct("<QI")
_ALIGNMENT = 64
_MEANING = (
    sys.byteorder,
    [str(kind) for kind in KINDS],
    [sorted(layer) for layer in marks.LAYERS],
    (marks.EVIDENCE_MASK, marks.UNCERTAIN, marks.STALE, marks.WROTE, marks.TIMED, marks.REPLACED),
    (nodes.KIND_MASK, nodes.COSTLY, nodes.ABSENT, nodes.DOUBTED),
)
_LAYOUT = zlib.crc32(repr(_MEANING).encode())
"""What the bytes of the arrays mean: a release that changes it can't read the file."""

_Arrays = dict[str, NDArray[Any]]


class DamagedSnapshotError(Exception):
    """The file is not what was written; the message says in which way."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array stands: ``offset`` from the end of the header's frame."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    checksum: int


def write_snapshot(path: Path, base: Base, stamp: int) -> None:
    """Write ``base``, which reflects the commit ``stamp``, to ``path``, in place of what is there: durably, all or
    nothing. Raises OSError."""
    arrays = {name: np.ascontiguousarray(array) for name, array in _arrays(base)}
    places, offset = [], 0
    for name, array in arrays.items():
        places.append([name, array.dtype.str, array.shape, offset, zlib.crc32(_octets(array))])
        offset = _aligned(offset + array.nbytes)
    header = json.dumps({"stamp": stamp, "layout": _LAYOUT, "size": offset, "arrays": places}).encode()
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("wb") as file:
            file.write(_MAGIC + _FRAME.pack(len(header), zlib.crc32(header)) + header)
            for array in arrays.values():
                file.write(bytes(_aligned(file.tell()) - file.tell()))
                file.write(_octets(array))
            file.write(bytes(_aligned(file.tell()) - file.tell()))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def snapshot_stamp(path: Path) -> int | None:
    """The stamp of the file at ``path``, of which the header alone is read; None if there is none. Raises as
    :func:`read_snapshot`."""
    try:
        with path.open("rb") as file:
            return _read_header(file)[0]
    except FileNotFoundError:
        return None


def read_snapshot(path: Path) -> tuple[Base, int]:
    """The base at ``path``, and the stamp of the commit that it reflects. Raises OSError, and DamagedSnapshotError for
    a file that is not as it was written, or was by another release."""
    with path.open("rb") as file:
        stamp, places, size = _read_header(file)
        start = _aligned(file.tell())
        if os.fstat(file.fileno()).st_size != start + size:
            raise DamagedSnapshotError("it is not as long as it was")
        return _base({place.name: _read_array(file, start, place) for place in places}), stamp


def _read_header(file: BufferedReader) -> tuple[int, list[_Place], int]:
    frame = file.read(len(_MAGIC) + _FRAME.size)
    if len(frame) != len(_MAGIC) + _FRAME.size or not frame.startswith(_MAGIC):
        raise DamagedSnapshotError("it does not begin as a snapshot does")
    length, checksum = _FRAME.unpack(frame[len(_MAGIC) :])
    header = file.read(min(length, os.fstat(file.fileno()).st_size))
    if len(header) != length or zlib.crc32(header) != checksum:
        raise DamagedSnapshotError("its header is damaged")
    told = json.loads(header)
    if told["layout"] != _LAYOUT:
        raise DamagedSnapshotError("another release or another machine wrote it")
    places = [_Place(name, dtype, tuple(shape), *rest) for name, dtype, shape, *rest in told["arrays"]]
    return told["stamp"], places, told["size"]


def _read_array(file: BufferedReader, start: int, place: _Place) -> NDArray[Any]:
    array: NDArray[Any] = np.empty(place.shape, place.dtype)
    octets = _octets(array)
    file.seek(start + place.offset)
    if file.readinto(octets) != len(octets) or zlib.crc32(octets) != place.checksum:
        raise DamagedSnapshotError(f"its array {place.name} is damaged")
    return array


def _arrays(base: Base) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "keys", base.keys
    yield from (("traits", base.nodes.traits), ("owners", base.nodes.owners), ("times", base.nodes.times))
    for layer, run in enumerate(base.runs):
        yield f"{layer}.marks", run.marks
        for name, times in (("at", run.at), ("until", run.until)):
            if times is not None:
                yield f"{layer}.{name}", times
        for way, side in enumerate(run.sides):
            yield f"{layer}.{way}.starts", side.starts
            yield f"{layer}.{way}.ends", side.ends
            if side.places is not None:
                yield f"{layer}.{way}.places", side.places


def _base(arrays: _Arrays) -> Base:
    keys = arrays["keys"]
    rows = NodeRows(np.arange(len(keys)), arrays["traits"], arrays["owners"], arrays["times"])
    return Base(keys, rows, tuple(_run(arrays, layer) for layer in range(len(marks.LAYERS))))


def _run(arrays: _Arrays, layer: int) -> Run:
    down, up = (
        Side(
            None,
            arrays[f"{layer}.{way}.starts"],
            arrays[f"{layer}.{way}.ends"],
            arrays.get(f"{layer}.{way}.places"),
        )
        for way in (0, 1)
    )
    own = arrays[f"{layer}.marks"]
    at, until = arrays.get(f"{layer}.at"), arrays.get(f"{layer}.until")
    return Run((down, up), own, at, until, np.zeros(len(own), np.uint32))


def _octets(array: NDArray[Any]) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
