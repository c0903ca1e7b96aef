"""What a text names: a content hash, a commit or a runId exactly; a dataset, column or job by any part of its name, a
dataset also of its aliases (R2). An answer that has room for fewer than match is cut: NODES, at ``limit``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lineage.answer import Cut, GraphThing, Kind, Search, View, kind_of
from lineage.errors import BadInputError
from lineage.keys import Base
from lineage.label import labels_of
from lineage.model import Dataset, Flow, Name, NameScope
from lineage.questions.assessment import Holding, assess
from lineage.questions.narrowing import EVERY_HIT, Only, admitted
from lineage.questions.spread import things
from lineage.questions.subjects import is_text
from lineage.store import GraphReader

MOST = 10_000

_SEARCHED = {
    Base.DATASET: frozenset({Kind.DATASET, Kind.MODEL}),
    Base.COLUMN: frozenset({Kind.COLUMN}),
    Base.JOB: frozenset({Kind.JOB, Kind.DEPLOYMENT}),
}
_EXACT = (NameScope.DIGEST, NameScope.COMMIT, NameScope.RUN_ID)


def search(view: View, text: str, only: Only = EVERY_HIT, limit: int = 20) -> Search:
    """Up to ``limit`` (1 to 10,000) things that ``text`` names, of those that ``only`` admits.

    First those whose content hash (also written ``sha256:…``), commit or runId it is, by key; then datasets, columns
    and jobs whose name or namespace holds it, in the store's order: whose name it is, whose name holds it, whose
    namespace alone does, of each the shortest name first; a dataset once, under its public name, whichever of its names
    that is. One more is looked for than is given, to tell whether more match. Raises BadInputError.
    """
    if not 1 <= limit <= MOST:
        raise BadInputError(f"first is {limit}; it goes from 1 to {MOST}.", field="/first")
    if not is_text(text):
        raise BadInputError("The text holds a lone surrogate, as no name does.", field="/text")
    exact = {node.key: node for node in _wanted(view.graph, _exact(view.graph, text), only)}
    parts = {node.key: node for node in _parts(view.graph, text, only, limit + 1)}
    found = tuple({**exact, **parts}.values())
    hits = found[:limit]
    return Search(
        cut=Cut("NODES", limit, 0) if len(found) > limit else None,
        ledger_index=view.graph.ledger_size - 1,
        behind=view.behind,
        assess=lambda later: assess(later, Holding({hit.key: 0 for hit in hits}, ())),
        hits=hits,
        by_alias={hit.key: alias for hit in hits if hit.key not in exact and (alias := _alias(hit, text)) is not None},
    )


def _alias(hit: GraphThing, text: str) -> Name | None:
    """The alias of ``hit`` by which ``text`` finds it, if its public name does not hold it: the shortest of those whose
    name does, or else of those whose namespace does."""
    if not isinstance(hit, Dataset):
        return None
    folded = text.casefold()
    public, *others = labels_of(hit)
    held = [label for label in others if label.holds(folded)]
    if public.holds(folded) or not held:
        return None
    alias = min(held, key=lambda each: (folded not in each.name.casefold(), len(each.name), each.name, each.namespace))
    return Name(alias.namespace, alias.name)


def _exact(graph: GraphReader, text: str) -> Iterator[GraphThing]:
    values = dict.fromkeys((text, text.lower(), text.lower().rpartition(":")[2]))
    keys = {key for scope in _EXACT for value in values if value for key in graph.lookup(scope, value)}
    yield from things(graph, sorted(keys)).values()


def _parts(graph: GraphReader, text: str, only: Only, limit: int) -> list[GraphThing]:
    """What filters the store knows nothing of: it is asked for more until enough are wanted."""
    bases = [base for base, kinds in _SEARCHED.items() if not only.kinds or kinds.intersection(only.kinds)]
    asked = limit
    while bases:
        nodes = [node for node in graph.search(text, bases, asked) if not isinstance(node, Flow)]
        meant = _wanted(graph, nodes, only)
        if len(meant) >= limit or len(nodes) < asked:
            return meant
        asked *= 4
    return []


def _wanted(graph: GraphReader, nodes: Iterable[GraphThing], only: Only) -> list[GraphThing]:
    of_kind = [node for node in nodes if not only.kinds or kind_of(node) in only.kinds]
    return admitted(graph, of_kind, only) if only.looks_at_nodes else of_kind
