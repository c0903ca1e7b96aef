"""Questions about what is in a graph, drawn at random and named in every way that a subject can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from lineage.answer import View
from lineage.keys import encode_id
from lineage.memory import MemoryReader
from lineage.model import Column, Dataset, Flow, Job, Node, Run, Version, base_of
from lineage.questions.impact import impact
from lineage.questions.path import path
from lineage.questions.provenance import provenance
from lineage.questions.search import search
from lineage.questions.subjects import (
    CodeRef,
    ColumnRef,
    ContentRef,
    DatasetRef,
    JobRef,
    NodeRef,
    RunRef,
    ServedSubject,
    ServedWindow,
    Subject,
    VersionRef,
)
from lineage.questions.training_data import training_data

Ask = Callable[[View], Any]
_HOUR = 3_600_000_000


def question(random: Random, nodes: Sequence[Node]) -> tuple[Ask, list[str]]:
    """A question about one of ``nodes``, or two, and the ids in it."""
    node = random.choice(nodes)
    of, target = _subject(random, node), _subject(random, random.choice(nodes))
    return _about(random, node, of, target, nodes), [each.id for each in (of, target) if isinstance(each, NodeRef)]


def _about(random: Random, node: Node, of: Subject, target: Subject, nodes: Sequence[Node]) -> Ask:
    match random.choice(("impact", "impact", "provenance", "provenance", "path", "search", "training data")):
        case "impact":
            since = random.choice((None, None, _time(random, nodes)))
            return lambda view: impact(view, of, since=since)
        case "provenance":
            return lambda view: provenance(view, of)
        case "path":
            return lambda view: path(view, of, target)
        case "search":
            text = random.choice(_texts(node))
            limit = random.choice((1, 3, 20))
            return lambda view: search(view, text, limit=limit)
        case _:
            served = _served(random, node, nodes)
            return lambda view: training_data(view, served)


def shown(reader: MemoryReader, keys: Sequence[bytes]) -> list[Node]:
    """The nodes of ``keys`` that an answer can show."""
    return [node for node in reader.fetch(keys) if node is not None and not isinstance(node, Flow)]


def _subject(random: Random, node: Node) -> Subject:
    told: list[Subject] = [NodeRef(encode_id(base_of(node), node.key))]
    match node:
        case Dataset():
            names = [(node.namespace, node.name), *node.aliases]
            told += [DatasetRef(*random.choice(names)), VersionRef(*random.choice(names))]
        case Column():
            told.append(ColumnRef(node.namespace, node.name, node.column))
        case Job():
            told += [JobRef(node.namespace, node.name), *([CodeRef(node.commit)] if node.commit else [])]
        case Run():
            told += [RunRef(node.run_id), *([CodeRef(node.commit)] if node.commit else [])]
        case Version():
            told += [VersionRef(node.namespace, node.name, version=version) for version in node.declared]
            told += [ContentRef(digest.digest) for digest in node.digests]
            told += [VersionRef(node.namespace, node.name, digest=digest.digest) for digest in node.digests]
    return random.choice(told)


def _served(random: Random, node: Node, nodes: Sequence[Node]) -> ServedSubject:
    if isinstance(node, Job):
        start = _time(random, nodes)
        return ServedWindow(JobRef(node.namespace, node.name), start, start + random.choice((0, _HOUR)))
    if isinstance(node, Run):
        return ServedWindow(JobRef(*node.job), node.started_at or 0, (node.ended_at or node.started_at or 0))
    name = (node.namespace, node.name) if isinstance(node, Dataset | Version | Column) else ("n", "none")
    return VersionRef(*name)


def _time(random: Random, nodes: Sequence[Node]) -> int:
    times = [node.written_at for node in nodes if isinstance(node, Version)]
    times += [node.started_at for node in nodes if isinstance(node, Run) and node.started_at is not None]
    return random.choice(times) if times else 0


def _texts(node: Node) -> list[str]:
    match node:
        case Column():
            return [node.column, node.name]
        case Run():
            return [node.run_id, node.job.name]
        case Version():
            return [node.name, *(digest.digest for digest in node.digests)]
        case Flow():
            return ["ds"]
    return [node.name, node.name[:3], node.name[-2:]]
