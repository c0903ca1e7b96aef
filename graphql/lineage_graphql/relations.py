"""What belongs to things and lies elsewhere in the graph, loaded for many at once.

Each function takes the things of a group, of whatever kind, and gives by key what it finds: two or three calls to the
store in all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lineage.answer import Thing
from lineage.keys import column_key, dataset_key, job_key
from lineage.model import Binding, Column, Dataset, Edge, EdgeKind, Evidence, Flow, Job, Role, Run, Version
from lineage.predictions import Prediction
from lineage.store import Direction
from lineage_graphql.context import Operation

_CHUNK = 2_000
_T = TypeVar("_T")
_UP, _DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


@dataclass(frozen=True, slots=True)
class Access:
    """One version that a run read or wrote; of several flows that did, the first told of by (flow)."""

    version: Version
    evidence: Evidence
    certain: bool
    binding: Binding | None
    role: Role | None
    at: int | None


def datasets(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Thing]]:
    """The datasets of versions and columns, by the dataset's key."""
    return _at(operation, (_dataset_key(thing) for thing in things if isinstance(thing, Version | Column)))


def _dataset_key(thing: Version | Column) -> bytes:
    return thing.dataset if isinstance(thing, Version) else dataset_key(thing.namespace, thing.name)


def jobs(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Thing]]:
    """The jobs of runs and the deployments of predictions, by the job's key."""
    names = [thing.job for thing in things if isinstance(thing, Run)]
    names += [thing.deployment for thing in things if isinstance(thing, Prediction)]
    return _at(operation, (job_key(*name) for name in names))


def writers(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Thing]]:
    """The runs that wrote versions, by the run's key."""
    return _at(operation, (thing.run for thing in things if isinstance(thing, Version) and thing.run is not None))


def versions(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Version]]:
    """The versions of datasets, the newest first."""
    found = _beyond(operation, _keys(things, Dataset), EdgeKind.HAS_VERSION, _DOWN)
    return _sorted(found, Version, _newest_version)


def _newest_version(version: Version) -> tuple[int, bytes]:
    return -version.written_at, version.key


def runs(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Run]]:
    """The runs of jobs, the newest first."""
    found = _beyond(operation, _keys(things, Job), EdgeKind.HAS_RUN, _DOWN)
    return _sorted(found, Run, _newest_run)


def _newest_run(run: Run) -> tuple[int, bytes]:
    return -(run.started_at or 0), run.key


def parents(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Run]]:
    """The parent runs of runs, the newest first."""
    found = _beyond(operation, _keys(things, Run), EdgeKind.PARENT_OF, _UP)
    return _sorted(found, Run, _newest_run)


def children(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Run]]:
    """The runs that name runs as their parent, the newest first."""
    found = _beyond(operation, _keys(things, Run), EdgeKind.PARENT_OF, _DOWN)
    return _sorted(found, Run, _newest_run)


def readers(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Run]]:
    """The runs that read versions, the newest first."""
    found = _owners(operation, _keys(things, Version), EdgeKind.READ_BY, _DOWN)
    return _sorted(found, Run, _newest_run)


def producers(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Job]]:
    """The jobs wired to write datasets, by name."""
    found = _owners(operation, _keys(things, Dataset), EdgeKind.FEEDS, _UP)
    return _sorted(found, Job, _by_name)


def consumers(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Job]]:
    """The jobs wired to read datasets, by name."""
    found = _owners(operation, _keys(things, Dataset), EdgeKind.FEEDS, _DOWN)
    return _sorted(found, Job, _by_name)


def inputs(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Dataset]]:
    """The datasets wired into jobs, by name."""
    return _wired(operation, things, _UP)


def outputs(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Dataset]]:
    """The datasets wired out of jobs, by name."""
    return _wired(operation, things, _DOWN)


def _wired(operation: Operation, things: Sequence[Thing], direction: Direction) -> dict[bytes, list[Dataset]]:
    flows = _flows(operation, _keys(things, Job))
    found = _gather(flows, _beyond(operation, flows, EdgeKind.FEEDS, direction))
    return _sorted(found, Dataset, _by_name)


def _by_name(thing: Dataset | Job) -> tuple[str, str]:
    return thing.namespace, thing.name


def reads(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Access]]:
    """What runs read, by (dataset, time of writing, key)."""
    return _accesses(operation, things, EdgeKind.READ_BY, _UP)


def writes(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Access]]:
    """What runs wrote, by (dataset, time of writing, key)."""
    return _accesses(operation, things, EdgeKind.WROTE, _DOWN)


def _accesses(
    operation: Operation, things: Sequence[Thing], kind: EdgeKind, direction: Direction
) -> dict[bytes, list[Access]]:
    flows = _flows(operation, _keys(things, Run))
    edges = list(_edges(operation, flows, kind, direction))
    nodes = _nodes(operation, (_far(edge, direction) for edge in edges))
    found: dict[bytes, dict[bytes, Access]] = defaultdict(dict)
    for edge in edges:
        version = nodes.get(_far(edge, direction))
        if isinstance(version, Version):
            access = Access(version, edge.evidence, edge.certain, edge.binding, edge.role, edge.at)
            found[flows[_near(edge, direction)]].setdefault(version.key, access)
    return {key: sorted(accesses.values(), key=_by_version) for key, accesses in found.items()}


def _by_version(access: Access) -> tuple[str, str, int, bytes]:
    version = access.version
    return version.namespace, version.name, version.written_at, version.key


def columns(operation: Operation, things: Sequence[Thing]) -> dict[bytes, list[Column]]:
    """The columns of datasets as their schema lists them, nested ones by their path after the one they are part of."""
    told = {thing.key: list(_described(thing)) for thing in things if isinstance(thing, Dataset)}
    known = _nodes(operation, (column.key for listed in told.values() for column in listed))
    return {key: [_known(known.get(column.key), column) for column in listed] for key, listed in told.items()}


def _known(node: Thing | None, column: Column) -> Column:
    return node if isinstance(node, Column) else column


def _described(dataset: Dataset) -> Iterator[Column]:
    schema = dataset.facets.get("schema")
    yield from _fields(dataset, schema.get("fields") if isinstance(schema, dict) else None, "", 0)


def _fields(dataset: Dataset, fields: object, prefix: str, depth: int) -> Iterator[Column]:
    for field in fields if isinstance(fields, list) and depth < 32 else ():
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            continue
        path = prefix + field["name"]
        key = column_key(dataset.namespace, dataset.name, path)
        yield Column(
            key, dataset.namespace, dataset.name, path, _text(field.get("type")), _text(field.get("description"))
        )
        yield from _fields(dataset, field.get("fields"), f"{path}.", depth + 1)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _keys(things: Sequence[Thing], kind: type[Dataset] | type[Job] | type[Run] | type[Version]) -> list[bytes]:
    return [thing.key for thing in things if isinstance(thing, kind)]


def _sorted(
    found: dict[bytes, list[Thing]], kind: type[_T], order: Callable[[_T], tuple[Any, ...]]
) -> dict[bytes, list[_T]]:
    return {key: sorted((node for node in nodes if isinstance(node, kind)), key=order) for key, nodes in found.items()}


def _at(operation: Operation, keys: Iterable[bytes]) -> dict[bytes, list[Thing]]:
    return {key: [node] for key, node in _nodes(operation, keys).items()}


def _nodes(operation: Operation, keys: Iterable[bytes]) -> dict[bytes, Thing]:
    wanted = list(dict.fromkeys(keys))
    pairs = zip(wanted, operation.fetch(wanted), strict=True)
    return {key: node for key, node in pairs if node is not None and not isinstance(node, Flow)}


def _edges(operation: Operation, keys: Iterable[bytes], kind: EdgeKind, direction: Direction) -> Iterator[Edge]:
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), _CHUNK):
        operation.check_time()
        yield from operation.view.graph.neighbours(wanted[start : start + _CHUNK], [kind], direction)


def _near(edge: Edge, direction: Direction) -> bytes:
    return edge.source if direction is _DOWN else edge.target


def _far(edge: Edge, direction: Direction) -> bytes:
    return edge.target if direction is _DOWN else edge.source


def _beyond(
    operation: Operation, keys: Iterable[bytes], kind: EdgeKind, direction: Direction
) -> dict[bytes, list[Thing]]:
    """The nodes one edge away from each of ``keys``."""
    edges = list(_edges(operation, keys, kind, direction))
    nodes = _nodes(operation, (_far(edge, direction) for edge in edges))
    found: dict[bytes, list[Thing]] = defaultdict(list)
    for edge in edges:
        if (node := nodes.get(_far(edge, direction))) is not None:
            found[_near(edge, direction)].append(node)
    return found


def _flows(operation: Operation, keys: Iterable[bytes]) -> dict[bytes, bytes]:
    """The owner's key by the key of each flow of ``keys``."""
    return {edge.target: edge.source for edge in _edges(operation, keys, EdgeKind.HAS_FLOW, _DOWN)}


def _gather(owners: dict[bytes, bytes], found: dict[bytes, list[Thing]]) -> dict[bytes, list[Thing]]:
    gathered: dict[bytes, dict[object, Thing]] = defaultdict(dict)
    for key, nodes in found.items():
        gathered[owners[key]].update((node if isinstance(node, Prediction) else node.key, node) for node in nodes)
    return {key: list(nodes.values()) for key, nodes in gathered.items()}


def _owners(
    operation: Operation, keys: Iterable[bytes], kind: EdgeKind, direction: Direction
) -> dict[bytes, list[Thing]]:
    """The runs or jobs whose flows lie one edge away from each of ``keys``."""
    edges = list(_edges(operation, keys, kind, direction))
    flows = dict.fromkeys(_far(edge, direction) for edge in edges)
    owner_of = {
        key: flow.owner
        for key, flow in zip(flows, operation.fetch(list(flows)), strict=True)
        if isinstance(flow, Flow) and flow.owner is not None
    }
    nodes = _nodes(operation, owner_of.values())
    found: dict[bytes, dict[bytes, Thing]] = defaultdict(dict)
    for edge in edges:
        owner = owner_of.get(_far(edge, direction))
        if owner in nodes:
            found[_near(edge, direction)][owner] = nodes[owner]
    return {key: list(owners.values()) for key, owners in found.items()}
