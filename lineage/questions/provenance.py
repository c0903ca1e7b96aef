"""All that a thing came from, as nodes and links: W3C PROV's view of the graph.

On the version level: of a version, that version; of a dataset, all its versions; of a run its reads, of a job those of
all its runs; of a commit, a content hash or a prediction, of what these mean. A column came from columns, along column
lineage, and where that ends from datasets (:mod:`lineage.questions.column_sources`). What has no version or run yet is
answered on the logical level: datasets, jobs, and FEEDS among them.
"""

from __future__ import annotations

from collections.abc import Mapping

from lineage.answer import GraphThing, Provenance, View
from lineage.model import Column
from lineage.questions.assessment import Holding, assess
from lineage.questions.column_sources import spread_sources, undivided_sources
from lineage.questions.moment import of_moment
from lineage.questions.narrowing import EVERY_HIT, Only, narrowed
from lineage.questions.pages import FoundPages, ThingPages
from lineage.questions.seeds import logical_seeds, subjects_of, version_seeds
from lineage.questions.spread import Spread, found, spread
from lineage.questions.subjects import Subject
from lineage.questions.ties import Held, LinkPages, held_edges, ties_of
from lineage.store import EVERYTHING, Direction, EdgeFilter, GraphReader, Level, Limits


def provenance(
    view: View,
    of: Subject,
    *,
    edges: EdgeFilter = EVERYTHING,
    only: Only = EVERY_HIT,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
) -> Provenance:
    """Everything upstream of ``of`` over edges that ``edges`` admits, within ``limits``; its nodes are those that
    ``only`` admits. Its ``subjects`` are what the
    traversal began from: versions and runs (logical level: datasets, columns and jobs).

    Raises NotFoundError, InvalidSubjectError (a prediction of which no rollout is known).
    """
    graph, subjects, edges = view.graph, subjects_of(view, of), of_moment(view, edges)
    upstream = _upstream(graph, subjects, of, edges, limits)
    held = _with_taken(held_edges(graph, upstream), upstream)
    hits = found(upstream)
    began = sorted(set(upstream.entry.values()))
    distances = {**dict.fromkeys(began, 0), **{hit.key: hit.distance for hit in hits}}
    shown = narrowed(graph, hits, only)
    return Provenance(
        cut=upstream.cut,
        ledger_index=graph.ledger_size - 1,
        behind=view.behind,
        left_out=len(hits) - len(shown),
        assess=lambda later: assess(later, _holding(later.graph, distances, held, upstream)),
        subjects=ThingPages(tuple(began)),
        nodes=FoundPages(upstream, shown),
        links=LinkPages(ties_of(held)),
    )


def _upstream(
    graph: GraphReader, subjects: Mapping[bytes, GraphThing], of: Subject, edges: EdgeFilter, limits: Limits
) -> Spread:
    columns = [key for key, thing in subjects.items() if isinstance(thing, Column)]
    if columns:
        return spread_sources(graph, columns, edges, limits)
    seeds = version_seeds(graph, subjects, of)
    if seeds:
        return spread(graph, Level.VERSION, seeds, Direction.UPSTREAM, edges, limits)
    return spread(graph, Level.LOGICAL, logical_seeds(graph, subjects), Direction.UPSTREAM, edges, limits)


def _with_taken(held: Held, upstream: Spread) -> Held:
    """Flows that were taken up for columns feed these, in place of their datasets."""
    taken = upstream.columns.taken
    if not taken:
        return held
    out = (edge for flow, edges in taken.items() if upstream.holds(flow) for edge in edges)
    return Held(held.into, (*held.out, *out), held.direct, {**held.owners, **upstream.columns.jobs})


def _holding(graph: GraphReader, distances: Mapping[bytes, int], held: Held, upstream: Spread) -> Holding:
    found = undivided_sources(graph, upstream) if upstream.columns.taken else ()
    return Holding(distances, (*held.into, *held.out, *held.direct), asked=set(upstream.entry.values()), found=found)
