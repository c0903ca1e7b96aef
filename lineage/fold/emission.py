"""Rows of the graph by the unit that gives them, and the difference to what was given before: the change list.

A *unit* is what is computed at once: a run, a version, a dataset, a job, a column. Each row belongs to one unit, so
what a unit no longer gives can be deleted without asking anyone.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from lineage.fold.records import Records
from lineage.model import Changes, Edge, EdgeKey, EdgeKind, NameKey, NameScope, Node

_EDGE_CODES = {kind: bytes([number]) for number, kind in enumerate(EdgeKind)}
_EDGE_KINDS = {code: kind for kind, code in _EDGE_CODES.items()}
_SCOPE_CODES = {scope: bytes([number]) for number, scope in enumerate(NameScope)}
_SCOPES = {code: scope for scope, code in _SCOPE_CODES.items()}
_BARE_EDGES = frozenset({EdgeKind.HAS_RUN, EdgeKind.HAS_FLOW, EdgeKind.HAS_VERSION, EdgeKind.PARENT_OF})
"""Kinds that have no attributes of their own, so that two edges with one key are equal."""
_NODE, _EDGE, _NAME = b"N", b"E", b"M"
_KEY = 16


class Emission:
    """Collects the changes of one batch."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._encode = msgspec.msgpack.Encoder().encode
        self.changes = Changes()

    def take(self) -> Changes:
        """The changes so far, and begin anew."""
        changes, self.changes = self.changes, Changes()
        return changes

    def give(self, unit: bytes, nodes: Iterable[Node], edges: Iterable[Edge], names: Iterable[NameKey]) -> bool:
        """Have exactly these rows for ``unit``; whether anything differs from before."""
        before = self._records.rows(unit)
        now: dict[bytes, bytes] = {}
        for node in nodes:
            row = _NODE + node.key
            now[row] = self._digest(node)
            if before.get(row) != now[row]:
                self.changes.nodes[node.key] = node
        for edge in edges:
            row = _EDGE + _EDGE_CODES[edge.kind] + edge.source + edge.target
            now[row] = b"" if edge.kind in _BARE_EDGES else self._digest(edge)
            if before.get(row) != now[row]:
                self.changes.edges[edge.key] = edge
        for scope, value, key in names:
            row = _NAME + _SCOPE_CODES[scope] + key + value.encode()
            now[row] = b""
            if row not in before:
                self.changes.names[scope, value, key] = True
        if before == now:
            return False
        for row in before.keys() - now.keys():
            self._delete(row)
        self._records.set_rows(unit, now)
        return True

    def _digest(self, row: Node | Edge) -> bytes:
        return blake2b(self._encode(row), digest_size=8).digest()

    def _delete(self, row: bytes) -> None:
        if row[:1] == _NODE:
            self.changes.nodes[row[1:]] = None
        elif row[:1] == _EDGE:
            self.changes.edges[_edge_key(row)] = None
        else:
            scope, key, value = _SCOPES[row[1:2]], row[2 : 2 + _KEY], row[2 + _KEY :].decode()
            self.changes.names[scope, value, key] = False


def _edge_key(row: bytes) -> EdgeKey:
    return (_EDGE_KINDS[row[1:2]], row[2 : 2 + _KEY], row[2 + _KEY :])
