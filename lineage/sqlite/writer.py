"""A change list into rows: ids for new keys, then nodes, labels, edges and names, each with one prepared statement.

Only rows that differ are written. What is counted is counted as it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from operator import itemgetter

import apsw

from lineage.body import encode_edge_body, encode_node
from lineage.label import Label, labels_of
from lineage.model import Changes, Dataset, Edge, EdgeKey, Flow, NameKey, Node, Run, Version, base_of
from lineage.sqlite.changelog import EdgeId, record
from lineage.sqlite.rows import (
    BASE_CODES,
    BASES,
    EDGE_KIND_CODES,
    EDGE_KINDS,
    SCOPE_CODES,
    encode_flags,
)
from lineage.sqlite.text import pack

_KNOWN_KEYS = 200_000

_FIND = "SELECT n.key, n.id, n.base FROM carray(?) c CROSS JOIN node n ON n.key = c.value"
_ADD_NODE = "INSERT INTO node (id, key, base, body) VALUES (?, ?, ?, ?)"
_SET_NODE = "UPDATE node SET base = ?2, body = ?3 WHERE id = ?1 AND (base IS NOT ?2 OR body IS NOT ?3)"
_SET_LABEL = """
INSERT INTO label (id, place, length, name, namespace, key, base, folded, also) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id, place) DO UPDATE SET length = excluded.length, name = excluded.name, namespace = excluded.namespace,
    base = excluded.base, folded = excluded.folded, also = excluded.also
WHERE name <> excluded.name OR namespace <> excluded.namespace OR base <> excluded.base"""
_DROP_LABELS = "DELETE FROM label WHERE id = ? AND place >= ?"
_ADD_EDGE = "INSERT OR IGNORE INTO edge (source, kind, target, flags, at, until, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SET_EDGE = """
UPDATE edge SET flags = ?4, at = ?5, until = ?6, body = ?7
WHERE source = ?1 AND kind = ?2 AND target = ?3
    AND (flags <> ?4 OR at IS NOT ?5 OR until IS NOT ?6 OR body IS NOT ?7)"""
_DROP_EDGE = "DELETE FROM edge WHERE source = ? AND kind = ? AND target = ?"
_ADD_NAME = "INSERT OR IGNORE INTO name (value, scope, node) VALUES (?, ?, ?)"
_DROP_NAME = "DELETE FROM name WHERE value = ? AND scope = ? AND node = ?"
_TALLY = """
INSERT INTO tally (what, number) VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET number = number + excluded.number"""

_Known = tuple[int, int | None]
"""Id and base code of a key in the file; the code is None while the node is only named."""

_EdgeRow = tuple[int, int, int, int, int | None, int | None, bytes | None]


class Writer:
    """Writes change lists; remembers the keys it met last, and must be told to ``forget`` them after a rollback."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}
        self._next_id = 0

    def forget(self) -> None:
        """Drop what is remembered of the file."""
        self._known.clear()
        self._next_id = 0

    def write(self, connection: apsw.Connection, changes: Changes, watermark: int) -> int:
        """Write ``changes`` and the watermark; the stamp of the commit. The caller holds the transaction."""
        tally: Counter[str] = Counter()
        self._recall(connection, changes)
        self._write_nodes(connection, changes, tally)
        _write_labels(connection, [(self._known[key][0], node) for key, node in self._labelled(changes)])
        edges, gone = self._edge_rows(changes.edges), list(self._edge_ids(changes.edges))
        _write_edges(connection, edges, tally)
        _drop_edges(connection, gone, tally)
        self._write_names(connection, changes.names)
        connection.executemany(_TALLY, [entry for entry in tally.items() if entry[1]])
        nodes = (self._known[key][0] for key in changes.nodes if key in self._known)
        return record(connection, watermark, nodes, chain((row[:3] for row in edges), gone))

    def _recall(self, connection: apsw.Connection, changes: Changes) -> None:
        """Know each key of ``changes`` that the file holds."""
        if len(self._known) > _KNOWN_KEYS:
            self._known.clear()
        if not self._next_id:
            self._next_id = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM node").get
        keys = set(changes.nodes)
        for _, source, target in changes.edges:
            keys.add(source)
            keys.add(target)
        keys.update(key for _, _, key in changes.names)
        unknown = tuple(key for key in keys if key not in self._known)
        if unknown:
            rows = connection.execute(_FIND, (apsw.carray(unknown),))
            self._known.update((key, (id, base)) for key, id, base in rows)

    def _write_nodes(self, connection: apsw.Connection, changes: Changes, tally: Counter[str]) -> None:
        """Write the nodes, and an id for each key that an edge or a name needs."""
        added, changed = [], []
        for key, node in changes.nodes.items():
            known = self._known.get(key)
            if node is None and known is None:
                continue
            base = None if node is None else BASE_CODES[base_of(node)]
            body = None if node is None else encode_node(node)
            if known is None:
                added.append((self._new_id(key, base), key, base, body))
            else:
                changed.append((known[0], base, body))
                self._known[key] = (known[0], base)
            _count_base(tally, None if known is None else known[1], -1)
            _count_base(tally, base, 1)
        for key in _needed(changes):
            if key not in self._known:
                added.append((self._new_id(key, None), key, None, None))
        connection.executemany(_ADD_NODE, added)
        connection.executemany(_SET_NODE, changed)

    def _new_id(self, key: bytes, base: int | None) -> int:
        id = self._next_id
        self._next_id += 1
        self._known[key] = (id, base)
        return id

    def _labelled(self, changes: Changes) -> Iterator[tuple[bytes, Node | None]]:
        for key, node in changes.nodes.items():
            if key in self._known and not isinstance(node, Run | Flow | Version):
                yield key, node

    def _edge_rows(self, edges: Mapping[EdgeKey, Edge | None]) -> list[_EdgeRow]:
        known = self._known
        rows = [
            (
                known[source][0],
                EDGE_KIND_CODES[kind],
                known[target][0],
                encode_flags(edge),
                edge.at,
                edge.until,
                encode_edge_body(edge),
            )
            for (kind, source, target), edge in edges.items()
            if edge is not None
        ]
        rows.sort(key=itemgetter(1, 0, 2))
        return rows

    def _edge_ids(self, edges: Mapping[EdgeKey, Edge | None]) -> Iterator[EdgeId]:
        for (kind, source, target), edge in edges.items():
            if edge is None and source in self._known and target in self._known:
                yield self._known[source][0], EDGE_KIND_CODES[kind], self._known[target][0]

    def _write_names(self, connection: apsw.Connection, names: Mapping[NameKey, bool]) -> None:
        rows: dict[bool, list[tuple[str | bytes, int, int]]] = {True: [], False: []}
        for (scope, value, key), present in names.items():
            if key in self._known:
                rows[present].append((pack(value), SCOPE_CODES[scope], self._known[key][0]))
        connection.executemany(_ADD_NAME, rows[True])
        connection.executemany(_DROP_NAME, rows[False])


def _needed(changes: Changes) -> Iterator[bytes]:
    for (_, source, target), edge in changes.edges.items():
        if edge is not None:
            yield source
            yield target
    for (_, _, key), present in changes.names.items():
        if present:
            yield key


def _count_base(tally: Counter[str], base: int | None, by: int) -> None:
    if base is not None:
        tally[BASES[base].value] += by


def _write_labels(connection: apsw.Connection, nodes: Iterable[tuple[int, Node | None]]) -> None:
    for id, node in nodes:
        labels = () if node is None else labels_of(node)
        if node is not None:
            connection.executemany(_SET_LABEL, [_label_row(id, at, label, node) for at, label in enumerate(labels)])
        if node is None or isinstance(node, Dataset):
            connection.execute(_DROP_LABELS, (id, len(labels)))


def _label_row(id: int, place: int, label: Label, node: Node) -> tuple[int | str | bytes | None, ...]:
    name, namespace = label.name, label.namespace
    folded, also = name.casefold(), namespace.casefold() if label.by_namespace else ""
    row = (id, place, len(name), name, namespace, node.key, BASE_CODES[base_of(node)])
    return (*row, None if folded == name else folded, None if also == namespace else also)


def _write_edges(connection: apsw.Connection, rows: list[_EdgeRow], tally: Counter[str]) -> None:
    """Add the edges that are new; where not all were, bring the others up to date. ``rows`` come by kind."""
    for kind, group in groupby(rows, key=itemgetter(1)):
        batch = list(group)
        before = connection.total_changes()
        connection.executemany(_ADD_EDGE, batch)
        added = connection.total_changes() - before
        tally[EDGE_KINDS[kind].value] += added
        if added < len(batch):
            connection.executemany(_SET_EDGE, batch)


def _drop_edges(connection: apsw.Connection, ids: Iterable[EdgeId], tally: Counter[str]) -> None:
    for edge in ids:
        connection.execute(_DROP_EDGE, edge)
        tally[EDGE_KINDS[edge[1]].value] -= connection.changes()
