"""It worked on Tuesday: what changed?

Two histories, each all that one side came from on the version level, aligned by what their parts are, and compared:
which data by version and content, code, parameters, environment, columns, wiring and metrics; and where they part,
upstream of which nothing differs. Sides: :mod:`lineage.questions.states`. Alignment:
:mod:`lineage.questions.alignment`. What follows from what: :mod:`lineage.questions.drafts`. The work is linear in both
closures; nodes are loaded only of what one side alone has, and of what that is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable

from lineage.answer import View
from lineage.answer.difference import Aspect, Diff, Told
from lineage.questions.assessment import assess
from lineage.questions.comparison import compare
from lineage.questions.drafts import Draft
from lineage.questions.hunk_pages import HunkPages
from lineage.questions.pages import ThingPages
from lineage.questions.states import Moment, states
from lineage.questions.subjects import Subject
from lineage.store import EVERYTHING, EdgeFilter, Limits


def diff(
    view: View,
    a: Subject,
    b: Subject | None = None,
    *,
    a_as_of: int | None = None,
    b_as_of: int | None = None,
    edges: EdgeFilter = EVERYTHING,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
) -> Diff:
    """What differs between the histories of ``a`` and ``b`` over edges that ``edges`` admits; each side has ``limits``.
    The moments (UTC microseconds) say when a dataset, model, job or deployment is meant, without them the last of it.
    Without ``b``, ``a`` is compared at two moments or, without ``a_as_of``, with what stood before it.

    Raises NotFoundError, InvalidSubjectError, BadInputError (:func:`lineage.questions.states.states`).
    """
    graph = view.graph
    one, other = states(view, a, b, Moment(a_as_of, "/aAsOf"), Moment(b_as_of, "/bAsOf"))
    compared = compare(graph, one, other, edges, limits)
    hunks = tuple(draft for draft in compared.drafts if draft.differences)
    origins = tuple(sorted((draft for draft in hunks if draft.origin), key=lambda draft: draft.rank_among_origins))
    holding, paths = compared.holding(), compared.paths(one, other)
    return Diff(
        cut=compared.cut,
        ledger_index=graph.ledger_size - 1,
        behind=view.behind,
        assess=lambda later: assess(later, holding),
        a=ThingPages(one.subjects),
        b=ThingPages(other.subjects),
        compared=compared.counts(),
        summary=_summary(hunks),
        origins=HunkPages(origins, paths),
        hunks=HunkPages(hunks, paths),
    )


def _summary(hunks: Iterable[Draft]) -> tuple[Told, ...]:
    told = [each for draft in hunks for each in draft.differences]
    counts = ((aspect, [each.derived for each in told if each.aspect is aspect]) for aspect in Aspect)
    return tuple(Told(aspect, len(derived), sum(derived)) for aspect, derived in counts if derived)
