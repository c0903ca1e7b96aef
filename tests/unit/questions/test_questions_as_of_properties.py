"""asOf against a slow reference: drop by hand what came after the moment, and ask that graph how it is now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from lineage.answer import Thing, View
from lineage.errors import LineageError
from lineage.event.parser import parse_event
from lineage.event.prediction import parse_prediction
from lineage.fold.fold import Fold, MemoryFacts
from lineage.memory import MemoryStore
from lineage.model import (
    Changes,
    Column,
    Dataset,
    Edge,
    EdgeKind,
    Evidence,
    Job,
    Node,
    Run,
    RunState,
    Version,
)
from lineage.predictions import Prediction
from lineage.questions.impact import impact
from lineage.questions.moment import AsOf, PredictionsUntil
from lineage.questions.path import path
from lineage.questions.provenance import provenance
from lineage.questions.resolution import resolve
from lineage.questions.subjects import ServedWindow, Subject
from lineage.questions.training_data import training_data
from lineage.store import EdgeFilter, GraphReader
from tests.conformance.asking import answer, served_subject, subject
from tests.conformance.tellings import BASE, FEATURES, HOUR, SECOND, Choices, Teller, served
from tests.unit.questions.conftest import Records

Ask = Callable[[View], Any]
TOLD = tuple(feature for feature in FEATURES if feature not in ("hostile", "wild"))


class StoreAsOf:
    """A store whose readers show a moment."""

    def __init__(self, store: MemoryStore, as_of: int) -> None:
        self._store = store
        self._as_of = as_of

    @contextmanager
    def reader(self) -> Iterator[GraphReader]:
        with self._store.reader() as reader:
            yield AsOf(reader, self._as_of)


def dropped_after(changes: Changes, moment: int, asked: Sequence[Thing]) -> Changes:
    """What is left of a whole graph without what came after ``moment``, and of what was asked without what was not
    there yet."""
    nodes = {key: _then(node, moment) for key, node in changes.nodes.items() if node and _known_by(node, moment)}
    for thing in asked:
        if isinstance(thing, Dataset | Job | Column) and not is_there(thing, changes, moment):
            del nodes[thing.key]
    edges = {
        edge.key: msgspec.structs.replace(edge, until=None)
        for edge in changes.edges.values()
        if edge and _was_there(edge, moment) and edge.source in nodes and edge.target in nodes
    }
    return Changes(nodes, edges, {name: True for name in changes.names if name[2] in nodes})


def is_there(thing: Thing, changes: Changes, moment: int) -> bool:
    """Whether a version, run or wire of it was there by then, or it has none at all."""
    if isinstance(thing, Prediction):
        return thing.time <= moment
    if isinstance(thing, Version | Run):
        return _known_by(thing, moment)
    edges = [edge for edge in changes.edges.values() if edge]
    own = {thing.key, *(home.key for home in _homes(changes, thing))}
    own |= {edge.target for edge in edges if edge.kind is EdgeKind.HAS_FLOW and edge.source == thing.key}
    of = [n for e in edges if e.source in own and (n := changes.nodes[e.target]) and _has_time(n)]
    wires = [edge for edge in edges if edge.kind is EdgeKind.FEEDS and own & {edge.source, edge.target}]
    began = any(_known_by(node, moment) for node in of) or any(wire.at is None or wire.at <= moment for wire in wires)
    return began or not (of or wires)


def _was_there(edge: Edge, moment: int) -> bool:
    return (edge.at is None or edge.at <= moment) and (edge.until is None or edge.until > moment)


def _known_by(node: Node, moment: int) -> bool:
    if isinstance(node, Version):
        return node.written_at <= moment
    return not isinstance(node, Run) or node.started_at is None or node.started_at <= moment


def _has_time(node: Node) -> bool:
    return isinstance(node, Version) or (isinstance(node, Run) and node.started_at is not None)


def _then(node: Node, moment: int) -> Node:
    if isinstance(node, Run):
        told = tuple(each for each in node.serves if each[0] <= moment)
        node = msgspec.structs.replace(node, serves=told)
        if node.ended_at is not None and node.ended_at > moment:
            gaps = tuple(gap for gap in node.gaps if gap.code != "ROLLOUT_NOT_ENDED")
            node = msgspec.structs.replace(node, ended_at=None, state=RunState.RUNNING, error=None, gaps=gaps)
    if isinstance(node, Dataset) and (node.dropped_at or moment) > moment:
        node = msgspec.structs.replace(node, dropped_at=None)
    return node


def _homes(changes: Changes, node: Node) -> list[Node]:
    if not isinstance(node, Column):
        return []
    datasets = (each for each in changes.nodes.values() if isinstance(each, Dataset))
    return [each for each in datasets if (each.namespace, each.name) == (node.namespace, node.name)]


def question(choices: Choices, nodes: Sequence[bytes], moment: int) -> tuple[Ask, list[Subject]]:
    """A question, and what it is about."""
    of = subject(choices, nodes)
    edges = EdgeFilter(choices.of((Evidence.INFERRED, Evidence.COLUMN, Evidence.DECLARED)), choices.chance(20))
    kind = choices.of(("impact", "provenance", "path", "training data"))
    if kind == "impact":
        since = choices.of((None, None, BASE))
        since = since if since and since <= moment else None
        return lambda view: impact(view, of, since=since, edges=edges), [of]
    if kind == "provenance":
        return lambda view: provenance(view, of, edges=edges), [of]
    if kind == "path":
        target = subject(choices, nodes)
        return lambda view: path(view, of, target, edges=edges), [of, target]
    meant = served_subject(choices)
    return (
        lambda view: training_data(view, meant, edges=edges),
        [meant.deployment if isinstance(meant, ServedWindow) else meant],
    )


def resolved(store: MemoryStore, records: Records, of: Subject) -> tuple[Thing, ...]:
    """What a subject means in the whole graph."""
    with store.reader() as reader:
        try:
            return resolve(View(reader, records), of)
        except LineageError:
            return ()


def stored(changes: Changes) -> MemoryStore:
    store = MemoryStore()
    store.apply(changes, 7)
    return store


def without_words(told: Any) -> Any:
    """An answer as it is; of a refusal its code, as a refusal of what was not there yet says more."""
    return told[0] if isinstance(told[0], str) else told


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    features=st.integers(0, 2 ** len(TOLD) - 1),
    many=st.lists(st.binary(min_size=64, max_size=64), min_size=1, max_size=14),
    predicted=st.lists(st.binary(min_size=16, max_size=16), max_size=4),
    moment=st.sampled_from(
        [BASE - 1, BASE, BASE + SECOND, *(BASE + at * SECOND for at in (3, 5, 6, 10, 12, 25)), BASE + 2 * HOUR]
    ),
    asked=st.lists(st.binary(min_size=16, max_size=16), min_size=3, max_size=8),
)
def test_an_answer_as_of_a_moment_is_that_of_the_graph_without_what_came_later(
    features: int, many: list[bytes], predicted: list[bytes], moment: int, asked: list[bytes]
) -> None:
    teller = Teller(frozenset(feature for bit, feature in enumerate(TOLD) if features >> bit & 1))
    *trained, record = served()
    events = list(dict.fromkeys([*trained, *(teller.event(data) for data in many)]))
    for event in events:
        note(event.decode())
    changes = Fold(MemoryFacts()).take([(at, 0, parse_event(event)) for at, event in enumerate(events)])
    records = predictions_of([record, *(teller.prediction(data) for data in predicted)])
    now = stored(changes)
    with now.reader() as reader:
        nodes = [line for line in reader.dump() if b'"node":' in line and b'"node":"FLOW"' not in line]
    for data in asked:
        ask, subjects = question(Choices(data), nodes, moment)
        told = answer(StoreAsOf(now, moment), PredictionsUntil(Records(records), moment), ask)  # type: ignore[arg-type]
        found = [resolved(now, Records(records), of) for of in subjects]
        if any(things and not any(is_there(thing, changes, moment) for thing in things) for things in found):
            assert told[0] in ("NOT_FOUND", "BAD_INPUT", "INVALID_SUBJECT")
        elif told[-1] != "/served/from":
            then = stored(dropped_after(changes, moment, [thing for things in found for thing in things]))
            expected = answer(then, Records([each for each in records if each.time <= moment]), ask)
            assert without_words(told) == without_words(expected)


def predictions_of(told: list[bytes]) -> list[Prediction]:
    parsed = [parse_prediction(record) for record in told]
    return [
        Prediction(at, 0, one.deployment, one.id, one.time, one.run_id, one.model, one.model_version)
        for at, one in enumerate(parsed)
    ]
