"""The tables of ``graph.sqlite``.

Keys are 16 bytes and stand in ``node`` alone; all else knows nodes by a dense integer id, and is a few bytes a row. A
key that is only named (by an edge or a name, while its node was not told or was deleted) has an id, and no base and no
body; it keeps that id until the store is cleared. ``edge`` is walked forward by its primary key and backward by
``edge_up``. ``label`` is what search reads, in the order in which it answers: the public name of a node at ``place`` 0,
its aliases from 1 on; ``folded`` and ``also`` are name and namespace casefolded, NULL where that is the same, and
``also`` is empty where the namespace is not searched. ``tally`` counts, so that nothing need be scanned for it.

``state.stamp`` names what the last commit left: it grows by a random step, so that no two histories of a file (one may
go on from a backup) give the same stamp to different graphs. ``changed`` says of each stamp, from that of the last
snapshot of the topology on, which nodes and edges its commit told (:mod:`lineage.sqlite.changelog`).
"""

from __future__ import annotations

from zlib import crc32

from lineage.sqlite import rows
from lineage.sqlite.database import Layout

_CREATE = """
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), watermark INTEGER NOT NULL, stamp INTEGER NOT NULL);
INSERT INTO state VALUES (1, 0, abs(random() / 4));
CREATE TABLE changed (stamp INTEGER PRIMARY KEY, nodes BLOB NOT NULL, edges BLOB NOT NULL);
INSERT INTO changed SELECT stamp, x'', x'' FROM state;
CREATE TABLE node (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, base INTEGER, body BLOB);
CREATE TABLE edge (
    source INTEGER NOT NULL, kind INTEGER NOT NULL, target INTEGER NOT NULL,
    flags INTEGER NOT NULL, at INTEGER, until INTEGER, body BLOB,
    PRIMARY KEY (source, kind, target)
) WITHOUT ROWID;
CREATE INDEX edge_up ON edge (target, kind, source, flags);
CREATE TABLE name (scope INTEGER NOT NULL, value NOT NULL, node INTEGER NOT NULL, PRIMARY KEY (value, scope, node))
    WITHOUT ROWID;
CREATE TABLE label (
    id INTEGER NOT NULL, place INTEGER NOT NULL, length INTEGER NOT NULL, name TEXT NOT NULL, namespace TEXT NOT NULL,
    key BLOB NOT NULL, base INTEGER NOT NULL, folded TEXT, also TEXT,
    PRIMARY KEY (id, place)
) WITHOUT ROWID;
CREATE INDEX label_order ON label (length, name, namespace, key, base, folded, also);
CREATE TABLE tally (what TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""

_TABLES = ("state", "changed", "node", "edge", "name", "label", "tally")

_APPLICATION_ID = 0x4C696E47

LAYOUT = Layout(_APPLICATION_ID, crc32(repr((_CREATE, rows.LAYOUT)).encode()) & 0x7FFFFFFF, _CREATE, _TABLES)
"""The version follows from the tables and from the model's fields: either changes, and the file is made anew."""
