"""Questions drawn at random, and their whole answers as plain values, so that two stores' answers can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lineage.answer import ImpactHit, Kind, View
from lineage.errors import LineageError
from lineage.event.timestamp import format_time
from lineage.keys import Base, encode_id
from lineage.model import Evidence
from lineage.predictions import PredictionReader
from lineage.questions import subjects
from lineage.questions.diff import diff
from lineage.questions.impact import impact
from lineage.questions.narrowing import Only
from lineage.questions.path import path
from lineage.questions.provenance import provenance
from lineage.questions.search import search
from lineage.questions.training_data import training_data
from lineage.store import EdgeFilter, GraphStore
from lineage_graphql import Caps, GraphQLContext, Schema, build_schema, execute
from tests.conformance.tellings import (
    BASE,
    COLUMNS,
    COMMITS,
    DIGESTS,
    HOSTILE,
    HOUR,
    NAMESPACE,
    PREDICTIONS,
    SECOND,
    VERSIONS,
    Choices,
    run_id,
)

Ask = Callable[[View], Any]
_OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"
_CAPS = Caps(timeout=600.0)
_PAGE = 10_000
_SUBJECTS = ("id", "id", "id", "dataset", "version", "column", "job", "run", "prediction", "code", "content")


def question(choices: Choices, nodes: Sequence[bytes]) -> Ask:
    """A question about what is, or could be, in a graph: ``nodes`` are the lines of its dump that show one."""
    of = subject(choices, nodes)
    edges = EdgeFilter(choices.of((Evidence.INFERRED, Evidence.COLUMN, Evidence.DECLARED)), choices.chance(20))
    kind = choices.of(("impact", "provenance", "training data", "path", "diff", "search"))
    if kind == "impact":
        since = choices.of((None, None, BASE, BASE + 5 * SECOND))
        return lambda view: impact(view, of, since=since, edges=edges)
    if kind == "provenance":
        return lambda view: provenance(view, of, edges=edges)
    if kind == "path":
        target = subject(choices, nodes)
        return lambda view: path(view, of, target, edges=edges)
    if kind == "diff":
        other = choices.of((None, subject(choices, nodes)))
        moment = choices.of((None, None, None, BASE + 5 * SECOND))
        return lambda view: diff(view, of, other, a_as_of=moment, edges=edges)
    if kind == "search":
        text, kinds, limit = (
            _text(choices),
            choices.of(((), (Kind.MODEL,), (Kind.COLUMN, Kind.JOB))),
            choices.of((20, 1)),
        )
        return lambda view: search(view, text, Only(kinds), limit)
    served = served_subject(choices)
    return lambda view: training_data(view, served, edges=edges)


def subject(choices: Choices, nodes: Sequence[bytes]) -> subjects.Subject:
    """What a question may be about."""
    kind = choices.of(_SUBJECTS)
    if kind == "id":
        return subjects.NodeRef(_id(choices, nodes))
    if kind == "version":
        return _version(choices, choices.name(True))
    if kind == "column":
        return subjects.ColumnRef(**choices.name(True), column=choices.of(COLUMNS))
    if kind == "job":
        return _deployment(choices)
    if kind == "run":
        return subjects.RunRef(run_id(choices.of(range(9))))
    if kind == "prediction":
        return _prediction(choices)
    if kind == "code":
        return subjects.CodeRef(choices.of((*COMMITS, "none")), choices.of((None, None, "git://a")))
    if kind == "content":
        return subjects.ContentRef(choices.of(DIGESTS), scope=choices.of((None, None, "SAMPLE")))
    return subjects.DatasetRef(**choices.name(True))


def served_subject(choices: Choices) -> subjects.ServedSubject:
    """What may have been served."""
    kind = choices.of(("prediction", "served", "model"))
    if kind == "prediction":
        return _prediction(choices)
    if kind == "model":
        return _version(choices, {"namespace": NAMESPACE, "name": "m"})
    start = BASE + choices.of((0, 5 * SECOND, 10 * SECOND, -HOUR))
    return subjects.ServedWindow(_deployment(choices), start, start + choices.of((0, SECOND, HOUR, 3 * HOUR, -1)))


def answer(store: GraphStore, predictions: PredictionReader, ask: Ask) -> Any:
    """The whole answer, every page of it, as plain values; or what was raised."""
    with store.reader() as reader:
        view = View(reader, predictions)
        try:
            return _whole(ask(view), view)
        except LineageError as error:
            return error.code, error.message, error.hint, error.field


def operation(choices: Choices, nodes: Sequence[bytes]) -> tuple[str, dict[str, Any]]:
    """A named operation and its variables."""
    name = choices.of(("Impact", "Provenance", "TrainingData", "Path", "Diff", "Search", "Node"))
    of = _input(subject(choices, nodes))
    as_of = {"asOf": choices.of((None, None, format_time(BASE), format_time(BASE + 5 * SECOND)))}
    if name == "Impact":
        return name, {"of": of, "since": choices.of((None, format_time(BASE))), **as_of}
    if name == "TrainingData":
        return name, {"of": _input(served_subject(choices)), **as_of}
    if name == "Path":
        return name, {"from": of, "to": _input(subject(choices, nodes)), **as_of}
    if name == "Diff":
        return name, {"a": of, "b": choices.of((None, _input(subject(choices, nodes))))}
    if name == "Search":
        return name, {"text": _text(choices), "first": choices.of((20, 1))}
    return name, {"id": _id(choices, nodes)} if name == "Node" else {"of": of, **as_of}


def response(store: GraphStore, predictions: PredictionReader, name: str, variables: Mapping[str, Any]) -> str:
    """What GraphQL answers, as JSON."""
    context = GraphQLContext(
        store, predictions, store.watermark, lambda size, timeout: False, caps=_CAPS, secret=b"the same for all stores"
    )
    told = execute(_schema(), context, _text_of(name), dict(variables))
    assert all(error["extensions"]["code"] != "INTERNAL" for error in told.get("errors", ())), told
    return json.dumps(told)


_LOOKED_UP = {ImpactHit: ("owners", "via", "standing", "remediated", "consequence")}


def _whole(value: Any, view: View) -> Any:
    if hasattr(value, "page"):
        return value.total, _whole(value.page(view, 0, _PAGE), view)
    if callable(value):
        return _whole(value(view), view)
    if is_dataclass(value):
        names = [*(field.name for field in fields(value) if field.compare), *_LOOKED_UP.get(type(value), ())]
        return type(value), {name: _whole(getattr(value, name), view) for name in names}
    if isinstance(value, list | tuple):
        return [_whole(item, view) for item in value]
    return value


def _text(choices: Choices) -> str:
    usual = (*DIGESTS, *COMMITS, run_id(3), "M", "a", "j", NAMESPACE, "x")
    return choices.of(HOSTILE if choices.chance(25) else usual)


def _id(choices: Choices, nodes: Sequence[bytes]) -> str:
    """The id of a node; seldom, or in an empty graph, one that no node has."""
    if not nodes or choices.chance(3):
        return encode_id(Base.VERSION, b"?" * 16)
    node = json.loads(choices.wide(nodes))
    return encode_id(Base(node["node"]), bytes.fromhex(node["key"]))


def _version(choices: Choices, name: dict[str, str]) -> subjects.VersionRef:
    by: dict[str, Sequence[str]] = {"version": VERSIONS, "run_id": [run_id(n) for n in range(8)], "digest": DIGESTS}
    told = choices.of(("", "version", "run_id", "digest"))
    return subjects.VersionRef(**name, **{told: choices.of(by[told])} if told else {})


def _deployment(choices: Choices) -> subjects.JobRef:
    return subjects.JobRef(NAMESPACE, choices.of(("d", "d", "d", "stream", "j0", "j1", "p", "none")))


def _prediction(choices: Choices) -> subjects.PredictionRef:
    run = run_id(3) if choices.chance(15) else None
    model = subjects.DatasetRef(NAMESPACE, "m") if choices.chance(15) else None
    return subjects.PredictionRef(subjects.JobRef(NAMESPACE, "d"), choices.of(PREDICTIONS), run, model)


def _input(of: subjects.Subject | subjects.ServedSubject) -> dict[str, Any]:
    """``of`` as GraphQL's SubjectInput or ServedInput."""
    if isinstance(of, subjects.NodeRef):
        return {"id": of.id}
    if isinstance(of, subjects.ServedWindow):
        window = {"from": format_time(of.start), "to": format_time(of.end)}
        return {"served": {"deployment": _plain(of.deployment), **window}}
    return {type(of).__name__.removesuffix("Ref").lower(): _plain(of)}


def _plain(of: Any) -> dict[str, Any]:
    told = {field.name: getattr(of, field.name) for field in fields(of)}
    names = {"run_id": "runId"}
    return {names.get(key, key): _plain(value) if is_dataclass(value) else value for key, value in told.items()}


@cache
def _schema() -> Schema:
    return build_schema(_CAPS)


@cache
def _text_of(name: str) -> str:
    return (_OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")
