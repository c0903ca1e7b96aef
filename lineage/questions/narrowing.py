"""Which hits a question lists: filters by kind, namespace, tag and owner.

They narrow what is listed and counted, never the traversal: a hit behind one that is left out is still found. Links,
gaps, score and predictions stay those of the whole answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lineage.answer import GraphThing, Kind, namespace_of
from lineage.keys import dataset_key, job_key
from lineage.kind import KIND_CODES
from lineage.model import Column, Dataset, Job, Run, Version
from lineage.questions.found import Found, Hits
from lineage.questions.spread import fetched, things
from lineage.store import GraphReader


@dataclass(frozen=True, slots=True)
class Only:
    """What is listed: hits of one of ``kinds``, in one of ``namespaces``, with one of ``tags`` and one of ``owners``,
    each of no account if empty. A tag is ``key``, whatever its value, or ``key=value``; one without value is true. A
    version, column or run has the namespace, tags and owners of its dataset or job."""

    kinds: tuple[Kind, ...] = ()
    namespaces: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    @property
    def looks_at_nodes(self) -> bool:
        """Whether more counts than the kind."""
        return bool(self.namespaces or self.tags or self.owners)

    def admits(self, thing: GraphThing, holder: GraphThing | None) -> bool:
        """Whether ``thing`` is listed, its kind apart; ``holder`` is the dataset or job that it belongs to."""
        told = holder if isinstance(holder, Dataset | Job) else None
        tags = {text for tag in told.tags for text in _spellings(tag)} if told else set()
        owners = {owner.name for owner in told.owners} if told else set()
        return (
            (not self.namespaces or namespace_of(thing) in self.namespaces)
            and (not self.tags or not tags.isdisjoint(self.tags))
            and (not self.owners or not owners.isdisjoint(self.owners))
        )


def _spellings(tag: str) -> tuple[str, str, str]:
    """What names ``tag``, as the fold keeps it: ``key=value``, or ``key`` where the value is true or none is told."""
    return (tag, tag.partition("=")[0], tag if "=" in tag else f"{tag}=true")


EVERY_HIT = Only()


def narrowed(graph: GraphReader, hits: Hits, only: Only) -> Hits:
    """Those of ``hits`` that ``only`` admits."""
    if only.kinds:
        hits = hits.where(np.isin(hits.kinds, [KIND_CODES[kind] for kind in only.kinds]))
    if only.looks_at_nodes:
        hits = hits.among(_admitted(graph, hits.all_keys(), only))
    return hits


def listed(graph: GraphReader, hits: Iterable[Found], only: Only) -> list[Found]:
    """The same of hits that are listed one by one, in their order."""
    of_kind = [hit for hit in hits if not only.kinds or hit.kind in only.kinds]
    if not only.looks_at_nodes:
        return of_kind
    admitted = set(_admitted(graph, [hit.key for hit in of_kind], only))
    return [hit for hit in of_kind if hit.key in admitted]


def holder_key(thing: GraphThing) -> bytes:
    """The key of the dataset or job that ``thing`` belongs to, whose owners and tags are its own."""
    match thing:
        case Dataset() | Job():
            return thing.key
        case Column():
            return dataset_key(thing.namespace, thing.name)
        case Version():
            return thing.dataset
        case Run():
            return job_key(*thing.job)


def admitted(graph: GraphReader, found: Iterable[GraphThing], only: Only) -> list[GraphThing]:
    """Those of ``found`` that ``only`` admits, in their order, their kind apart."""
    nodes = list(found)
    holders = things(graph, map(holder_key, nodes))
    return [node for node in nodes if only.admits(node, holders.get(holder_key(node)))]


def _admitted(graph: GraphReader, keys: Iterable[bytes], only: Only) -> list[bytes]:
    kept: list[bytes] = []
    for nodes in fetched(graph, keys):
        shown = (node for node in nodes if isinstance(node, GraphThing))
        kept += [node.key for node in admitted(graph, shown, only)]
    return kept
