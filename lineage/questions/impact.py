"""What is affected by a change.

Two radii. *Potential*: what is wired downstream of the subject's dataset, column or job (logical level). *Actual*:
which runs really read the changed versions, what they wrote, which rollouts served it (version level). The subjects
themselves are no hits.

| subject | potential from | actual from |
|---|---|---|
| dataset, model | it | its versions |
| version | its dataset | it |
| column | it (:mod:`lineage.questions.columns`) | its dataset's versions, with gap UNDIVIDED |
| job, deployment | it | all its runs |
| run, rollout | its job | it |
| commit | the jobs and runs that told it | these; of a job that told it, the runs that told no other |
| content hash | the datasets of the versions with it | these versions |

A prediction is refused: nothing is made of it. With ``since`` the actual radius starts from versions that were written,
or first seen, at or after it: of a run or job, from what it wrote then. A version hit is *standing* if it is the latest
certain version of its dataset or is served now, a rollout while it is live. A hit is *remediated* if a later certain
version of its dataset exists and the latest one was not reached; a run, if all that it wrote is. In a cut answer
nothing is called remediated. Gaps and score are those of the nearest 10,000 nodes of the actual radius; of a column
also the gaps of what is taken for its dataset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lineage.answer import GraphThing, Impact, Kind, Summary, View
from lineage.errors import BadInputError
from lineage.key_array import KeyArray, pack, unpack
from lineage.kind import KIND_CODES
from lineage.model import Column, GapCode, Run, RunType, Version
from lineage.predictions import Count
from lineage.questions.assessment import Concluded, Holding, assess
from lineage.questions.columns import spread_columns, undivided
from lineage.questions.found import Hits, are_among
from lineage.questions.moment import of_moment
from lineage.questions.narrowing import EVERY_HIT, Only, narrowed
from lineage.questions.pages import ThingPages
from lineage.questions.radius import Radius
from lineage.questions.rollouts import is_live
from lineage.questions.seeds import changed_by, logical_seeds, version_seeds
from lineage.questions.spread import Spread, found, spread, things
from lineage.questions.standing import readers_of, served_now
from lineage.questions.subjects import Subject
from lineage.questions.tally import tally
from lineage.questions.ties import held_edges
from lineage.store import EVERYTHING, Direction, EdgeFilter, GraphReader, Level, Limits

_ASSESSED = 10_000


def impact(
    view: View,
    of: Subject,
    *,
    since: int | None = None,
    edges: EdgeFilter = EVERYTHING,
    only: Only = EVERY_HIT,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
) -> Impact:
    """Both radii of a change of ``of``, over edges that ``edges`` admits, each radius within ``limits``; hits and
    summary are of what ``only`` admits.

    ``since``: UTC microseconds. Raises NotFoundError, InvalidSubjectError (a prediction), BadInputError for ``since``
    after the view's moment.
    """
    edges = of_moment(view, edges)
    if since is not None and edges.as_of is not None and since > edges.as_of:
        raise BadInputError("since is after asOf: nothing can have been written.", field="/since")
    graph, subjects = view.graph, changed_by(view, of)
    logical = _potential(graph, subjects, edges, limits)
    seeds = version_seeds(graph, subjects, of, since)
    actual = spread(graph, Level.VERSION, seeds, Direction.DOWNSTREAM, edges, limits)
    reached = found(actual)
    led = found(logical)
    wired = Radius(logical, narrowed(graph, led, only))
    ran = Radius(actual, narrowed(graph, reached, only))
    return Impact(
        cut=logical.cut or actual.cut,
        ledger_index=graph.ledger_size - 1,
        behind=view.behind,
        left_out=len(led) - wired.total + len(reached) - ran.total,
        assess=lambda later: assess(later, _holding(later.graph, logical, actual, reached, subjects)),
        subjects=ThingPages(tuple(subjects)),
        potential=wired,
        actual=ran,
        summary=lambda later: _summary(later.graph, wired, ran, reached.keys_of(Kind.ROLLOUT)),
        predictions=lambda later: _predictions(later, actual, reached.keys_of(Kind.ROLLOUT), since),
    )


def _potential(graph: GraphReader, subjects: Mapping[bytes, GraphThing], edges: EdgeFilter, limits: Limits) -> Spread:
    columns = [key for key, thing in subjects.items() if isinstance(thing, Column)]
    if columns:
        return spread_columns(graph, columns, edges, limits)
    return spread(graph, Level.LOGICAL, logical_seeds(graph, subjects), Direction.DOWNSTREAM, edges, limits)


def _summary(graph: GraphReader, wired: Radius, ran: Radius, rollouts: list[bytes]) -> tuple[Summary, ...]:
    standing = _standing(graph, ran, rollouts)
    counts = ((kind, wired.hits.count(kind), ran.hits.count(kind)) for kind in Kind)
    return tuple(
        Summary(kind, potential, actual, standing.get(kind, 0))
        for kind, potential, actual in counts
        if potential or actual
    )


def _standing(graph: GraphReader, ran: Radius, reached: list[bytes]) -> dict[Kind, int]:
    """How many hits stand; ``reached`` are all rollouts that were."""
    versions = ran.hits.keys[ran.hits.kinds == KIND_CODES[Kind.VERSION]]
    stand = graph.are_latest(versions)
    stand |= are_among(versions, pack(list(served_now(graph, _readers(graph, ran.spread, reached, versions)))))
    rollouts = things(graph, ran.hits.keys_of(Kind.ROLLOUT)).values()
    live = sum(isinstance(run, Run) and is_live(run) for run in rollouts)
    return {Kind.VERSION: int(stand.sum()), Kind.ROLLOUT: live}


def _readers(graph: GraphReader, actual: Spread, rollouts: list[bytes], versions: KeyArray) -> Iterable[bytes]:
    """The rollouts that may serve any of ``versions``: those that were reached, unless some edges did not count."""
    if actual.cut is None and actual.edges == EdgeFilter(as_of=actual.edges.as_of):
        return {*rollouts, *actual.entry.values()}
    nodes = things(graph, unpack(versions))
    return readers_of(graph, [key for key, node in nodes.items() if isinstance(node, Version) and node.is_model])


def _predictions(view: View, actual: Spread, reached: list[bytes], since: int | None) -> Count:
    changed = frozenset(actual.entry.values())
    found = things(view.graph, sorted({*changed, *reached})).values()
    rollouts = [run for run in found if isinstance(run, Run) and run.type is RunType.SERVICE]
    return tally(view, rollouts, actual.holds, since, changed)


def _holding(
    graph: GraphReader, logical: Spread, actual: Spread, reached: Hits, subjects: Mapping[bytes, GraphThing]
) -> Holding:
    nearest = actual.marks.nearest(_ASSESSED)
    held = held_edges(graph, actual, nearest)
    distances = dict.fromkeys(sorted(actual.entry.values()), 0)
    distances.update(reached.distances_of({*nearest, *held.owners.values()}))
    coarse = tuple(
        Concluded(
            GapCode.UNDIVIDED.value, 0, key, "What its dataset's versions reached: versions are not told by column."
        )
        for key, thing in subjects.items()
        if isinstance(thing, Column)
    )
    return Holding(distances, (*held.into, *held.out), found=(*coarse, *undivided(graph, logical)))
