"""A change list into the database: a statement for each kind of node and edge, all rows of it at once.

Two marks on the state node save work at reading: ``weakKinds`` are those of which some edge was ever less than
declared, certain and fresh, ``replacedKinds`` those of which one ever ended. They come with the first such edge, and go
with the graph.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neo4j import AsyncManagedTransaction

from lineage.keys import Base
from lineage.model import Changes, Dataset, Edge, EdgeKey, EdgeKind, Flow, Node, base_of
from lineage.neo4j.connection import rows
from lineage.neo4j.properties import (
    EDGE_TIMES,
    FLOW,
    LABELS,
    OF_FLOW,
    OF_NOBODY,
    SUBLABELS,
    TIMES,
    Properties,
    alias_rows,
    edge_properties,
    flow_code,
    found_bytes,
    is_weak,
    name_key,
    node_properties,
    with_times,
)

_PIECE = 5_000
"""Rows of one statement."""

_KEEP_PLAN = "CYPHER replan=skip "
"""All that is written is found by key, whatever the graph is like (a test asks for the plans in an empty one). While it
grows fast, to plan each statement anew would take as long as to write."""

_ALL_LABELS = ":".join(("LineageMissing", *dict.fromkeys(each for pair in LABELS.values() for each in pair if each)))

_DROP_NODES = f"""
UNWIND $rows AS key MATCH (n:Lineage {{key: key}})
SET n = {{key: key}} REMOVE n:{_ALL_LABELS} SET n:LineageMissing"""
_DROP_ALIASES = """
UNWIND $rows AS r MATCH (m:LineageAlias {of: r.of}) WHERE NOT m.key IN r.kept DETACH DELETE m"""
_PUT_ALIASES = """
UNWIND $rows AS r MATCH (n:Lineage {key: r.of})
MERGE (m:LineageAlias {key: r.key}) SET m = r MERGE (m)-[:ALIAS_OF]->(n)"""
_OF_OWNERS = """
UNWIND $rows AS r MATCH (f:Flow {owner: r.key}) WHERE f.code <> r.code RETURN f.key, f.owner, r.code"""
_OWNERS_OF = """
UNWIND $rows AS r MATCH (o:Lineage {key: r.owner}) WHERE o.code IS NOT NULL RETURN r.key, r.owner, o.code + $flow"""
_SET_CODES = "UNWIND $rows AS r MATCH (f:Lineage {key: r.key}) SET f.code = r.code, f.found = r.found"
_MISSING = "UNWIND $rows AS key MERGE (n:Lineage {key: key}) ON CREATE SET n:LineageMissing"
_UNNEEDED = """
UNWIND $rows AS key MATCH (n:Lineage {key: key}) WHERE n:LineageMissing AND NOT EXISTS { (n)--() } DELETE n"""
_PUT_NAMES = """
UNWIND $rows AS r MATCH (n:Lineage {key: r.node})
MERGE (m:LineageName {key: r.key}) ON CREATE SET m.scope = r.scope, m.value = r.value
MERGE (m)-[:NAMES]->(n) RETURN count(*)"""
_DROP_NAMES = """
UNWIND $rows AS r MATCH (m:LineageName {key: r.key})-[x:NAMES]->(n:Lineage {key: r.node}) DELETE x"""
_UNUSED_NAMES = "UNWIND $rows AS r MATCH (m:LineageName {key: r.key}) WHERE NOT EXISTS { (m)--() } DELETE m"
_REACHED = """
MATCH (p:LineageState {gate: 'open'})
SET p.watermark = $watermark,
    p.weakKinds = coalesce(p.weakKinds, []) + [k IN $weak WHERE NOT k IN coalesce(p.weakKinds, [])],
    p.replacedKinds = coalesce(p.replacedKinds, []) + [k IN $replaced WHERE NOT k IN coalesce(p.replacedKinds, [])]"""

Row = Any
_MOST_KNOWN = 200_000


class Known:
    """What this writer has written before, so that it need not be written again: of jobs and runs the code
    that stands on their flows, of datasets the aliases. Forgotten when it grows too large, and when a commit failed."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.aliases: dict[str, list[Properties]] = {}

    def learn(self, told: ChangeList) -> None:
        """Take what a list says that is about to be committed; where that fails, :meth:`forget` it."""
        if len(self.codes) + len(self.aliases) > _MOST_KNOWN:
            self.forget()
        self.codes.update((row["key"], row["code"]) for row in told.owners)
        self.aliases.update(told.datasets)
        for key in told.gone:
            self.codes.pop(key, None)
            self.aliases.pop(key, None)

    def forget(self) -> None:
        """Know nothing."""
        self.codes.clear()
        self.aliases.clear()


class ChangeList:
    """A change list as rows, made before the transaction begins; :meth:`write` may be called again.

    ``owners``, ``datasets`` and ``gone`` are what :class:`Known` learns from: codes of jobs and runs, aliases by
    dataset, keys of what was removed.
    """

    def __init__(self, changes: Changes, watermark: int, known: Known) -> None:
        nodes = [node for node in changes.nodes.values() if node is not None]
        self.gone = [key.hex() for key, node in changes.nodes.items() if node is None]
        self.datasets = {node.key.hex(): alias_rows(node) for node in nodes if isinstance(node, Dataset)}
        self._set_aliases(known)
        codes = {node.key.hex(): flow_code(node) for node in nodes if base_of(node) in (Base.JOB, Base.RUN)}
        codes.update(dict.fromkeys(self.gone, OF_NOBODY))
        self.owners: list[Properties] = [
            {"key": key, "code": code} for key, code in codes.items() if known.codes.get(key) != code
        ]
        self._nodes = _by_kind(nodes, ChainMap(codes, known.codes))
        self._flows = [
            {"key": row["key"], "owner": row["owner"]}
            for row in self._nodes.get(FLOW, ())
            if row["owner"] is not None and row["code"] == OF_NOBODY
        ]
        edges = [edge for edge in changes.edges.values() if edge is not None]
        self._edges = _edges_by_kind(edges)
        self._gone_edges = _keys_by_kind(key for key, edge in changes.edges.items() if edge is None)
        self._names = [_name_row(name) for name, present in changes.names.items() if present]
        self._gone_names = [_name_row(name) for name, present in changes.names.items() if not present]
        self._ended = {
            "watermark": watermark,
            "weak": sorted({edge.kind.value for edge in edges if is_weak(edge)}),
            "replaced": sorted({edge.kind.value for edge in edges if edge.until is not None}),
        }

    def _set_aliases(self, known: Known) -> None:
        changed = {key: found for key, found in self.datasets.items() if known.aliases.get(key) != found}
        self._aliases = [row for found in changed.values() for row in found]
        kept = [{"of": key, "kept": [row["key"] for row in found]} for key, found in changed.items()]
        self._kept_aliases = [*kept, *({"of": key, "kept": []} for key in self.gone)]

    @property
    def size(self) -> int:
        """How many rows there are, about."""
        kinds = (self._nodes, self._edges, self._gone_edges)
        return len(self.gone) + len(self._names) + sum(len(told) for kind in kinds for told in kind.values())

    async def write(self, transaction: AsyncManagedTransaction) -> None:
        """Write it all and the watermark."""
        for kind, told in self._nodes.items():
            await _each(transaction, _put_nodes(kind), told)
        await _each(transaction, _DROP_NODES, self.gone)
        await _each(transaction, _DROP_ALIASES, self._kept_aliases)
        await _each(transaction, _PUT_ALIASES, self._aliases)
        await self._write_edges(transaction)
        await self._write_names(transaction)
        await _set_codes(transaction, _OF_OWNERS, self.owners)
        await _set_codes(transaction, _OWNERS_OF, self._flows)
        await _each(transaction, _UNNEEDED, self._perhaps_unneeded())
        await _run(transaction, _REACHED, self._ended)

    async def _write_edges(self, transaction: AsyncManagedTransaction) -> None:
        for kind, keys in self._gone_edges.items():
            await _each(transaction, _drop_edges(kind), keys)
        for kind, told in self._edges.items():
            if await _count(transaction, _put_edges(kind), told) < len(told):
                ends = sorted({end for row in told for end in (row["s"], row["t"])})
                await _each(transaction, _MISSING, ends)
                await _each(transaction, _put_edges(kind), told)

    async def _write_names(self, transaction: AsyncManagedTransaction) -> None:
        await _each(transaction, _DROP_NAMES, self._gone_names)
        await _each(transaction, _UNUSED_NAMES, self._gone_names)
        if await _count(transaction, _PUT_NAMES, self._names) < len(self._names):
            await _each(transaction, _MISSING, sorted({row["node"] for row in self._names}))
            await _each(transaction, _PUT_NAMES, self._names)

    def _perhaps_unneeded(self) -> list[str]:
        ends = {row[end] for keys in self._gone_edges.values() for row in keys for end in ("s", "t")}
        return sorted(ends.union(self.gone, (row["node"] for row in self._gone_names)))


async def _run(transaction: AsyncManagedTransaction, query: str, told: dict[str, Any]) -> Sequence[Sequence[Any]]:
    return await rows(transaction, _KEEP_PLAN + query, told)


async def _each(transaction: AsyncManagedTransaction, query: str, told: Sequence[Row]) -> None:
    for start in range(0, len(told), _PIECE):
        await _run(transaction, query, {"rows": told[start : start + _PIECE]})


async def _set_codes(transaction: AsyncManagedTransaction, query: str, told: Sequence[Row]) -> None:
    """Put on flows what ``query`` returns: key, owner and code."""
    for start in range(0, len(told), _PIECE):
        found = await _run(transaction, query, {"rows": told[start : start + _PIECE], "flow": OF_FLOW})
        flows = [
            {"key": key, "code": code, "found": found_bytes(bytes.fromhex(key), bytes.fromhex(owner), code)}
            for key, owner, code in found
        ]
        await _each(transaction, _SET_CODES, flows)


async def _count(transaction: AsyncManagedTransaction, query: str, told: Sequence[Row]) -> int:
    """How many rows were written: those whose ends are there."""
    written = 0
    for start in range(0, len(told), _PIECE):
        ((count,),) = await _run(transaction, query, {"rows": told[start : start + _PIECE]})
        written += count
    return written


def _put_nodes(kind: str) -> str:
    label, own = LABELS[kind]
    other = SUBLABELS.get(label)
    turned = f" SET n:{own}" if own else f" REMOVE n:{other}" if other else ""
    return (
        f"UNWIND $rows AS r MERGE (n:Lineage {{key: r.key}}) SET n = {with_times('r', TIMES.get(kind, ()))} "
        f"SET n:{label}{turned} REMOVE n:LineageMissing"
    )


def _put_edges(kind: EdgeKind) -> str:
    return (
        "UNWIND $rows AS r MATCH (a:Lineage {key: r.s}) MATCH (b:Lineage {key: r.t}) WITH a, b, r.p AS p "
        f"MERGE (a)-[x:{kind.value}]->(b) SET x = {with_times('p', EDGE_TIMES)} RETURN count(*)"
    )


def _drop_edges(kind: EdgeKind) -> str:
    return (
        "UNWIND $rows AS r MATCH (a:Lineage {key: r.s}) MATCH (b:Lineage {key: r.t}) "
        f"CALL (a, b) {{ MATCH (a)-[x:{kind.value}]->(b) DELETE x }}"
    )


def _by_kind(nodes: Iterable[Node], codes: Mapping[str, int]) -> dict[str, list[Properties]]:
    """What stands on the nodes, by their kind; ``codes`` are those of flows, by their owners, as far as known."""
    found: dict[str, list[Properties]] = {}
    for node in nodes:
        owner = node.owner if isinstance(node, Flow) else None
        told = node_properties(node, codes.get(owner.hex(), OF_NOBODY) if owner else OF_NOBODY)
        found.setdefault(told["kind"], []).append(told)
    return found


def _edges_by_kind(edges: Iterable[Edge]) -> dict[EdgeKind, list[Properties]]:
    found: dict[EdgeKind, list[Properties]] = {}
    for edge in edges:
        row = {"s": edge.source.hex(), "t": edge.target.hex(), "p": edge_properties(edge)}
        found.setdefault(edge.kind, []).append(row)
    return found


def _keys_by_kind(keys: Iterable[EdgeKey]) -> dict[EdgeKind, list[Properties]]:
    found: dict[EdgeKind, list[Properties]] = {}
    for kind, source, target in keys:
        found.setdefault(kind, []).append({"s": source.hex(), "t": target.hex()})
    return found


def _name_row(name: Any) -> Properties:
    scope, value, node = name
    return {"key": name_key(name), "scope": scope.value, "value": value, "node": node.hex()}
