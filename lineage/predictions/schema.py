"""The tables of ``predictions.sqlite``.

``term`` gives a small number to each deployment, model, run and model version told. ``telling`` stands for one
(deployment, run told, model told, version told), and keeps the times of its first and last record; ``slot`` for one
hour of it, and keeps its count. A record names its slot and the moment within the hour (microseconds from the middle of
the hour: four bytes). ``finger`` leads from 32 bits of a keyed hash of (deployment, id) to records; it is cut into
segments, so that what is inserted now touches few pages however many records there are, and a look-up probes each.
"""

from __future__ import annotations

from hashlib import blake2b
from zlib import crc32

from lineage.sqlite.database import Layout

HOUR = 3_600_000_000
"""Microseconds."""

MIDDLE = HOUR // 2

SEGMENT_RECORDS = 1 << 20

POSITION_BITS = 22
"""A record's place is index << 22 | position: an entry of a request's records has far fewer than four million."""

DEPLOYMENT, MODEL, RUN, VERSION = range(4)
"""Kinds of terms."""

NO_TERM = 0
"""Nothing told."""

_CREATE = """
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), watermark INTEGER NOT NULL, records INTEGER NOT NULL,
    hash_key BLOB NOT NULL);
INSERT INTO state VALUES (1, 0, 0, randomblob(16));
CREATE TABLE term (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, first NOT NULL, second NOT NULL,
    UNIQUE (first, second, kind));
CREATE TABLE telling (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL, deployment INTEGER NOT NULL, model INTEGER NOT NULL, version INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, UNIQUE (run, deployment, model, version)
);
CREATE TABLE slot (
    id INTEGER PRIMARY KEY,
    telling INTEGER NOT NULL, hour INTEGER NOT NULL, deployment INTEGER NOT NULL,
    records INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, UNIQUE (telling, hour)
);
CREATE INDEX slot_by_time ON slot (deployment, hour);
CREATE TABLE prediction (
    place INTEGER PRIMARY KEY, slot INTEGER NOT NULL, moment INTEGER NOT NULL, id NOT NULL, input, output
);
CREATE INDEX prediction_by_time ON prediction (slot, moment);
CREATE TABLE finger (segment INTEGER NOT NULL, hash INTEGER NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (segment, hash, place)) WITHOUT ROWID;
"""

_TABLES = ("state", "term", "telling", "slot", "prediction", "finger")

_APPLICATION_ID = 0x4C696E50

LAYOUT = Layout(
    _APPLICATION_ID, crc32(repr((_CREATE, SEGMENT_RECORDS, POSITION_BITS)).encode()) & 0x7FFFFFFF, _CREATE, _TABLES
)


def finger_of(hash_key: bytes, deployment: int, packed_id: str | bytes) -> int:
    """32 bits (signed) of BLAKE2b over deployment and id, keyed so that nobody outside can make ids that collide."""
    data = packed_id if isinstance(packed_id, bytes) else packed_id.encode()
    digest = blake2b(data, digest_size=4, key=hash_key, salt=deployment.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big", signed=True)
