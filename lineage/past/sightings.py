"""What a key is, and what its row and its edges need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lineage.keys import Base
from lineage.model import Column, Dataset, EdgeKind, Flow, Job, Name, Node, Run, Version
from lineage.past.index import Index
from lineage.past.need import Need
from lineage.store import Direction


class Sighting(NamedTuple):
    """A thing: its key, the dataset or job that it is or belongs to. ``run_id``: of a run. ``is_written``: of a
    version, whether a run is known that wrote it. A flow is of ``run``, or of the job ``name`` if ``of_job``, or of
    what tells of the dataset ``name``."""

    base: Base
    key: bytes
    name: Name | None
    run_id: str = ""
    is_written: bool = False
    run: bytes | None = None
    of_job: bool = False


def sighting_of(node: Node, index: Index) -> Sighting:
    """The thing that ``node`` is a row of."""
    match node:
        case Dataset():
            return Sighting(Base.DATASET, node.key, Name(node.namespace, node.name))
        case Column():
            return Sighting(Base.COLUMN, node.key, Name(node.namespace, node.name))
        case Job():
            return Sighting(Base.JOB, node.key, Name(node.namespace, node.name))
        case Run():
            return Sighting(Base.RUN, node.key, node.job, node.run_id)
        case Version():
            name = Name(node.namespace, node.name)
            return Sighting(Base.VERSION, node.key, name, is_written=node.run is not None)
        case Flow():
            job = index.job(node.owner) if node.owner is not None else None
            run = node.owner if job is None else None
            return Sighting(Base.FLOW, node.key, job or node.output, run=run, of_job=job is not None)


def row_needs(seen: Sighting, *, whole: bool = False) -> Iterator[tuple[Need, object]]:
    """What the row of a thing needs; with ``whole`` also the names that lead to it."""
    name = seen.name
    match seen.base:
        case Base.DATASET:
            yield Need.DATASET, name
        case Base.COLUMN:
            yield from ((need, name) for need in (Need.DATASET, Need.INTO, Need.OUT_OF))
        case Base.JOB:
            yield from ((need, name) for need in (Need.JOB, Need.SILENT_RUNS))
        case Base.RUN:
            yield from ((Need.ROWS, seen.key), (Need.SILENT, seen.run_id))
        case Base.VERSION:
            yield Need.VERSIONS if seen.is_written and not whole else Need.READERS, name
        case Base.FLOW:
            yield from _flow_needs(seen)


def name_needs(seen: Sighting) -> Iterator[tuple[Need, object]]:
    """What the names and the kind of a thing need."""
    if seen.base is Base.DATASET:
        yield Need.EXISTS, seen.name
    else:
        yield from row_needs(seen)


def adjacent_needs(seen: Sighting, kinds: Sequence[EdgeKind], direction: Direction) -> Iterator[tuple[Need, object]]:
    """What the edges of ``kinds`` need that leave or enter a thing."""
    down = direction is Direction.DOWNSTREAM
    match seen.base:
        case Base.DATASET | Base.COLUMN if EdgeKind.FEEDS in kinds:
            yield Need.OUT_OF if down else Need.INTO, seen.name
        case Base.FLOW:
            yield from _flow_needs(seen)
    match seen.base:
        case Base.DATASET if EdgeKind.HAS_VERSION in kinds and down:
            yield Need.READERS, seen.name
        case Base.VERSION if EdgeKind.READ_BY in kinds and down:
            yield Need.READERS, seen.name
        case Base.VERSION:
            yield from row_needs(seen)
        case Base.JOB if down:
            yield from row_needs(seen)
            if EdgeKind.HAS_FLOW in kinds:
                yield Need.WIRES, seen.name
        case Base.RUN:
            yield from row_needs(seen)


def _flow_needs(seen: Sighting) -> Iterator[tuple[Need, object]]:
    if seen.run is not None:
        yield Need.ROWS, seen.run
    elif seen.of_job:
        yield Need.WIRES, seen.name
    elif seen.name is not None:
        yield from ((need, seen.name) for need in (Need.VERSIONS, Need.INTO))
