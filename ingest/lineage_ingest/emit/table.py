"""Content hashes of rows (``lineageGraph_contentHash``, method ``table``), whatever the file
format.

A table is a multiset of rows over named columns: the order of rows and of columns does not count, duplicate rows do.
The digest is the SHA-256 of the line ``lineage-table/1\\n``, the number of columns (8 bytes, big-endian), each
column's name in the order of their UTF-8 bytes, and the SHA-256 of each row, sorted. A row is its values in the order
of the columns. A name or a value is one byte for its type, the length of its text (8 bytes, big-endian) and the text:

====  =====================================================================================================
 z    null, no text
 b    a boolean, ``true`` or ``false``
 n    a number that is whole, in decimal digits; 1, 1.0 and Decimal("1.00") are one value, 0 and -0.0 too
 f    any other float as ``float.hex`` has it, or ``inf``, ``-inf``, ``nan``; any other Decimal as the float it equals
 m    a Decimal that no float equals, in plain digits without trailing zeros
 s    text in UTF-8
 x    bytes
 t    a datetime in RFC 3339 with microseconds, in UTC where it has a zone
 d    a date, ``YYYY-MM-DD``
====  =====================================================================================================

Text is no number: rows read from a CSV file equal those of a Parquet file only once they are parsed.
"""

from __future__ import annotations

import csv
import hashlib
import heapq
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from lineage_ingest.emit.digest import Digest, Scope
from lineage_ingest.emit.errors import HashingError

MAGIC = b"lineage-table/1\n"
ROWS_IN_MEMORY = 500_000
"""Digests of rows kept in memory at a time (some 50 MB); past that, sorted runs of them go to temporary files."""

_SIZE = hashlib.sha256().digest_size


def hash_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, scope: Scope = "FULL") -> Digest:
    """SHA-256 of rows, each as long as ``columns``: method ``table``; ``rows`` counts them, ``bytes`` is None.

    Streaming. Raises HashingError for columns that share a name, a row of another length, and a value that is none of
    the types above (numpy's scalars count as what they hold).
    """
    if len(set(columns)) != len(columns):
        msg = "Two columns share a name; their values could be swapped without a trace."
        raise HashingError(msg)
    order = sorted(range(len(columns)), key=lambda position: columns[position].encode())
    whole = hashlib.sha256(MAGIC + len(columns).to_bytes(8))
    for position in order:
        whole.update(_encode(columns[position]))
    count = 0
    with ExitStack() as stack:
        for digest in _sorted(_row_digests(columns, order, rows), stack):
            whole.update(digest)
            count += 1
    return Digest(whole.hexdigest(), method="table", scope=scope, rows=count)


def hash_csv(path: str | os.PathLike[str], *, delimiter: str = ",") -> Digest:
    """:func:`hash_table` of a CSV file (RFC 4180, UTF-8) with a header, each value as text. Raises HashingError."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter=delimiter, strict=True)
            return hash_table(next(rows, []), (row for row in rows if row))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} can't be read as CSV: {error}."
        raise HashingError(msg) from error


def _row_digests(columns: Sequence[str], order: Sequence[int], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    for number, row in enumerate(rows):
        if len(row) != len(columns):
            msg = f"Row {number} has {len(row)} values, and the table {len(columns)} columns."
            raise HashingError(msg)
        try:
            encoded = b"".join([_encode(row[position]) for position in order])
        except (TypeError, ValueError) as error:
            msg = f"Row {number} can't be hashed: {error}"
            raise HashingError(msg) from error
        yield hashlib.sha256(encoded).digest()


def _sorted(digests: Iterable[bytes], stack: ExitStack) -> Iterator[bytes]:
    runs: list[BinaryIO] = []
    chunk: list[bytes] = []
    for digest in digests:
        chunk.append(digest)
        if len(chunk) == ROWS_IN_MEMORY:
            run = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            run.writelines(sorted(chunk))
            run.seek(0)
            runs.append(run)
            chunk = []
    return heapq.merge(sorted(chunk), *(iter(lambda run=run: run.read(_SIZE), b"") for run in runs))  # type: ignore[misc]


def _encode(value: object) -> bytes:
    kind, text = _text_of(value)
    return kind + len(text).to_bytes(8) + text


def _text_of(value: object) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"z", b""
        case bool():
            return b"b", b"true" if value else b"false"
        case int() | float() | Decimal():
            return _number(value)
        case str():
            return b"s", value.encode()
        case bytes() | bytearray() | memoryview():
            return b"x", bytes(value)
        case datetime():
            moment = value.astimezone(UTC) if value.tzinfo else value
            return b"t", moment.isoformat(timespec="microseconds").encode()
        case date():
            return b"d", value.isoformat().encode()
    held = value.item() if hasattr(value, "item") else value
    if type(held) is not type(value):
        return _text_of(held)
    msg = f"{type(value).__qualname__} has no canonical form; turn it into text, a number, a time or bytes first."
    raise TypeError(msg)


def _number(value: int | float | Decimal) -> tuple[bytes, bytes]:
    if math.isfinite(value) and value == int(value):
        return b"n", str(int(value)).encode()
    as_float = float(value)
    if as_float == value or not math.isfinite(value):
        return b"f", as_float.hex().encode()
    digits = format(Decimal(value), "f").rstrip("0")
    return b"m", digits.encode()
