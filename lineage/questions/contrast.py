"""In what two versions or two runs differ: pure comparisons of what was told of each.

What only one side told at all (a commit, an environment, a schema) can't be compared and is no difference: the answer's
gaps say so. Numbers compare by value, all other JSON by kind and value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lineage.answer import label
from lineage.answer.difference import Aspect, Change, Content, Difference
from lineage.model import Dataset, Digest, Edge, EdgeKind, Run, Version
from lineage.questions.alignment import Wiring
from lineage.questions.histories import History

_SCOPES = ("FULL", "SAMPLE", "METADATA")
_ENDOGENOUS = ("features", "explainability")
"""Of a model card, what training finds out and nobody sets."""

Entries = Mapping[str, object]


def contents(a: Version, b: Version) -> tuple[Content, Digest | None, Digest | None]:
    """What the content hashes of two versions say, and by which two: of the widest scope in which any compare, the
    content is the same if any two agree (R13)."""
    classes = {(told.algorithm, told.scope, told.method): told for told in a.digests}
    pairs = [
        (classes[told.algorithm, told.scope, told.method], told)
        for told in b.digests
        if (told.algorithm, told.scope, told.method) in classes
    ]
    if not pairs:
        return Content.UNKNOWN, None, None
    widest = min(_breadth(told) for _, told in pairs)
    deciding = sorted((pair for pair in pairs if _breadth(pair[1]) == widest), key=lambda pair: _class(pair[1]))
    for one, other in deciding:
        if one.digest == other.digest:
            return Content.SAME, one, other
    return Content.OTHER, *deciding[0]


def _breadth(told: Digest) -> int:
    return _SCOPES.index(told.scope) if told.scope in _SCOPES else len(_SCOPES)


def _class(told: Digest) -> tuple[str, str, str]:
    return told.algorithm, told.scope, told.method


def of_versions(a: Version, b: Version, datasets: Mapping[bytes, Dataset]) -> Iterator[Difference]:
    """DATA unless the content is the same, SCHEMA column by column, CARD entry by entry."""
    content, one, other = contents(a, b)
    if content is not Content.SAME:
        yield Difference(Aspect.DATA, Change.CHANGED, b.name, _digest(one), _digest(other), content)
    columns_a, columns_b = columns(a, datasets.get(a.dataset)), columns(b, datasets.get(b.dataset))
    if columns_a is not None and columns_b is not None:
        changes = _entries(Aspect.SCHEMA, columns_a, columns_b)
        yield from (each for each in changes if each.change is not Change.CHANGED or None not in (each.a, each.b))
    if a.card and b.card:
        yield from _entries(Aspect.CARD, _card(a.card), _card(b.card))


def _digest(told: Digest | None) -> str | None:
    return None if told is None else f"{told.algorithm}:{told.digest}"


def _card(card: Entries) -> dict[str, object]:
    return flat({name: value for name, value in card.items() if name not in _ENDOGENOUS})


def columns(version: Version, dataset: Dataset | None) -> Entries | None:
    """The columns of ``version`` and their types, nested ones by their dotted path; None if not told."""
    schemas = dataset.schemas if dataset is not None else ()
    return next((dict(schema.fields) for schema in schemas if schema.digest == version.schema), None)


def of_runs(a: Run, b: Run) -> Iterator[Difference]:
    """CODE, PARAMETER, ENVIRONMENT (the run facets lineageGraph_environment and processing_engine, and what a rollout
    told of itself) and METRIC."""
    for name, one, other in (("commit", a.commit, b.commit), ("repository", a.repository, b.repository)):
        if one is not None and other is not None and one != other:
            yield Difference(Aspect.CODE, Change.CHANGED, name, one, other)
    yield from _entries(Aspect.PARAMETER, flat(a.parameters), flat(b.parameters))
    for prefix, mine, theirs in (
        ("", a.environment, b.environment),
        ("processing_engine.", _engine(a), _engine(b)),
        ("rollout.", a.rollout, b.rollout),
    ):
        if mine and theirs:
            yield from _entries(Aspect.ENVIRONMENT, flat(mine, prefix), flat(theirs, prefix))
    yield from _entries(Aspect.METRIC, _metrics(a), _metrics(b))


def _engine(run: Run) -> dict[str, object]:
    facet = run.facets.get("processing_engine")
    told = facet if isinstance(facet, dict) else {}
    return {name: value for name, value in told.items() if not name.startswith("_")}


def _metrics(run: Run) -> dict[str, object]:
    """By name, with its split and dataset; of several that bear one name the last."""
    found: dict[str, object] = {}
    for told in run.metrics:
        dataset = told.get("dataset")
        of = [told.get("split"), dataset.get("name") if isinstance(dataset, dict) else None]
        where = ", ".join(str(word) for word in of if word)
        found[f"{told.get('name')} ({where})" if where else str(told.get("name"))] = told.get("value")
    return found


def of_reads(wiring: Wiring, a: History, b: History) -> Iterator[Difference]:
    """INPUT, and ROLE and BINDING of the reads that correspond."""
    for change, history, edges in ((Change.REMOVED, a, wiring.only_a), (Change.ADDED, b, wiring.only_b)):
        for version in (history.version(edge.source) for edge in edges if edge.kind is EdgeKind.READ_BY):
            if version is not None:
                yield of_side(Aspect.INPUT, change, version.name, label(version))
    for one, other in wiring.both:
        version = b.version(other.source)
        if version is not None and other.kind is EdgeKind.READ_BY:
            yield from _of_read(version, one, other)


def _of_read(version: Version, a: Edge, b: Edge) -> Iterator[Difference]:
    for aspect, one, other in ((Aspect.ROLE, a.role, b.role), (Aspect.BINDING, a.binding, b.binding)):
        if one is not other:
            change = Change.ADDED if one is None else Change.REMOVED if other is None else Change.CHANGED
            yield Difference(aspect, change, version.name, one and one.value, other and other.value)


def of_producers(wiring: Wiring, a: History, b: History) -> Iterator[Difference]:
    """PRODUCER: the jobs that wrote the one version and not the other; INPUT where it was told without a run."""
    for change, history, edges in ((Change.REMOVED, a, wiring.only_a), (Change.ADDED, b, wiring.only_b)):
        for flow in (edge.source for edge in edges if edge.kind is EdgeKind.WROTE):
            run = history.run(flow)
            if run is not None:
                yield of_side(Aspect.PRODUCER, change, run.job.name, label(run))
                continue
            for version in (history.version(edge.source) for edge in history.into(flow)):
                if version is not None:
                    yield of_side(Aspect.INPUT, change, version.name, label(version))


def of_side(aspect: Aspect, change: Change, name: str, value: object) -> Difference:
    """What only one side has."""
    return Difference(aspect, change, name, *((value, None) if change is Change.REMOVED else (None, value)))


def flat(told: Entries, prefix: str = "") -> dict[str, object]:
    """The entries of ``told`` by name, those of objects within it by their dotted path; an empty object stands for
    itself."""
    found: dict[str, object] = {}
    for name, value in told.items():
        if isinstance(value, dict) and value:
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = value
    return found


def _entries(aspect: Aspect, a: Entries, b: Entries) -> Iterator[Difference]:
    for name in sorted(a.keys() | b.keys()):
        if name not in a:
            yield Difference(aspect, Change.ADDED, name, None, b[name])
        elif name not in b:
            yield Difference(aspect, Change.REMOVED, name, a[name], None)
        elif not alike(a[name], b[name]):
            yield Difference(aspect, Change.CHANGED, name, a[name], b[name])


def alike(a: object, b: object) -> bool:
    """Whether two JSON values are the same: 1 is 1.0, and neither is true."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[name], b[name]) for name in a)
    return a == b
