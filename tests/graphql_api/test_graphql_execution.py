"""One view per operation, few calls to the store, an end to the work, and the fast way that gives the same bytes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lineage.keys import Base, dataset_key, encode_id
from lineage.model import Name
from lineage_graphql.context import Operation
from lineage_graphql.executor import Executor
from lineage_graphql.router import dump

OPERATIONS = sorted((Path(__file__).parents[2] / "graphql" / "operations").glob("*.graphql"))


def ref(name: Any) -> dict[str, str]:
    return {"namespace": name.namespace, "name": name.name}


class Counting:
    """A store that counts what is asked of it, and may do something when its readers are asked."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.calls: Counter[str] = Counter()
        self.then: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    @contextmanager
    def reader(self) -> Iterator[Any]:
        self.calls["reader"] += 1
        with self.store.reader() as reader:
            yield CountingReader(reader, self)


class CountingReader:
    def __init__(self, reader: Any, store: Counting) -> None:
        self.reader = reader
        self.counting = store

    def __getattr__(self, name: str) -> Any:
        if callable(value := getattr(self.reader, name)):
            self.counting.calls[name] += 1
            self.counting.then()
        return value


@pytest.fixture
def counted(ask: Any, pipe: SimpleNamespace) -> Any:
    return pipe.asker(Counting(ask.store), ask.context.predictions)


def many_versions(ask: Any, pipe: SimpleNamespace, count: int) -> str:
    graph = pipe.graph()
    name = Name("n", "many")
    graph.dataset(name)
    graph.job(Name("n", "job"), [], [name])
    for number in range(count):
        graph.run(1000 + number, Name("n", "job"), [], [(name, {})])
    ask.write(graph.changes)
    return encode_id(Base.DATASET, dataset_key(*name))


DEEP = """query($id: ID!, $first: Int!) { node(id: $id) { ... on Dataset { versions(first: $first) { nodes {
    label dataset { name } writtenBy { runId job { name owners { name } runs(first: 2) { nodes { runId } } }
    writes(first: 5) { nodes { version { label dataset { name } } } } } readBy(first: 3) { totalCount } } } } } }"""


def test_calls_to_the_store_do_not_grow_with_the_rows(counted: Any, pipe: SimpleNamespace) -> None:
    id = many_versions(counted, pipe, 60)
    calls = []
    for first in (2, 50):
        counted.store.calls.clear()
        told = counted.data(DEEP, id=id, first=first)
        rows = told["node"]["versions"]["nodes"]
        assert len(rows) == first
        assert all(row["writtenBy"]["writes"]["nodes"][0]["version"]["label"] == row["label"] for row in rows)
        calls.append(dict(counted.store.calls))
    assert calls[0] == calls[1]


def test_all_root_fields_see_one_state_whatever_is_written_meanwhile(counted: Any, pipe: SimpleNamespace) -> None:
    added: list[int] = []

    def write() -> None:
        graph = pipe.graph()
        graph.dataset(Name("new", f"raw {len(added)}"))
        added.append(1)
        counted.write(graph.changes)

    counted.store.then = write
    query = """query($of: SubjectInput!) {
        a: search(text: "raw") { ledgerIndex behind hits { label } } i: impact(of: $of) { ledgerIndex behind }
        b: search(text: "raw") { ledgerIndex behind hits { label } } }"""
    told = counted.data(query, of={"dataset": ref(pipe.raw)})
    assert added
    assert told["a"] == told["b"]
    assert told["a"]["hits"] == [{"label": "raw.orders"}]
    assert (told["i"]["ledgerIndex"], told["i"]["behind"]) == (4, 0)
    assert counted.store.calls["reader"] == 1


def test_introspection_needs_no_reader(counted: Any) -> None:
    counted.data("{ __schema { queryType { name } } }")
    assert counted.store.calls["reader"] == 0


def test_question_waits_for_the_ledgers_head_as_of_its_arrival(ask: Any) -> None:
    ask.entries = 9
    told = ask.data('{ search(text: "raw") { ledgerIndex behind } }')
    assert told["search"] == {"ledgerIndex": 4, "behind": 4}
    assert ask.waited == [(9, 2.0)]


def test_a_projection_that_is_far_behind_is_not_waited_for(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ask.entries = 9
    asked: list[tuple[int, float]] = []
    monkeypatch.setattr(ask.context, "is_near", lambda *told: asked.append(told))
    assert ask.data('{ search(text: "raw") { behind } }')["search"]["behind"] == 4
    assert (asked, ask.waited) == ([(9, 2.0)], [(0, 2.0)])
    assert ask.data('{ search(text: "raw", minIndex: 3) { behind } }')["search"]["behind"] == 4
    assert ask.code('{ search(text: "raw", minIndex: 7) { behind } }') == "INDEX_AHEAD"
    assert ask.waited[1:] == [(4, 2.0), (8, 2.0)]


def test_work_stops_when_time_is_over(quick: Callable[..., Any], pipe: SimpleNamespace) -> None:
    ask = quick(timeout=0.15)
    id = many_versions(ask, pipe, 20)
    slow = "query($id: ID!) {" + " ".join(f"a{n}: node(id: $id) {{ ...F }}" for n in range(40)) + "}"
    fragment = " fragment F on Dataset { versions(first: 20) { nodes { writtenBy { label } } } }"
    original = Operation.fetch

    def dawdle(self: Operation, keys: Any) -> Any:
        time.sleep(0.02)
        return original(self, keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Operation, "fetch", dawdle)
        start = time.monotonic()
        assert ask.code(slow + fragment, id=id) == "TIMEOUT"
        assert time.monotonic() - start < 0.8
    assert "errors" not in ask("{ __typename }")


def test_question_that_ran_out_of_time_answers_with_what_it_has(
    quick: Callable[..., Any], pipe: SimpleNamespace
) -> None:
    ask = quick(question_share=-1.0)
    query = "query($of: SubjectInput!) { impact(of: $of) { complete cut { reason limit next } } }"
    told = ask.data(query, of={"dataset": ref(pipe.raw)})["impact"]
    assert told["complete"] is False
    assert told["cut"]["reason"] == "TIME"


def test_fast_way_gives_the_same_bytes(ask: Any, pipe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    variables: dict[str, dict[str, Any]] = {
        "TrainingData": {"of": {"prediction": {"deployment": ref(pipe.service), "id": "p-2"}}},
        "Impact": {"of": {"dataset": ref(pipe.raw)}},
        "Provenance": {"of": {"dataset": ref(pipe.log)}},
        "Path": {"from": {"dataset": ref(pipe.raw)}, "to": {"dataset": ref(pipe.log)}},
        "Diff": {"a": {"dataset": ref(pipe.model)}},
        "Search": {"text": "e"},
        "Node": {"id": encode_id(Base.DATASET, dataset_key(*pipe.raw))},
    }
    fast = {path.stem: dump(ask(path.read_text(), **variables[path.stem])) for path in OPERATIONS}
    monkeypatch.delattr(Executor, "complete_iterable_value")
    assert fast == {path.stem: dump(ask(path.read_text(), **variables[path.stem])) for path in OPERATIONS}


def test_fast_way_skips_includes_merges_and_names_types(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    query = """query($no: Boolean = false, $yes: Boolean = true) { search(text: "e", first: 100) { hits {
        __typename id @skip(if: $yes) label @include(if: $yes) name @include(if: $no) owners { name } owners { type }
        ... on Job { codeVersion } ...D } } } fragment D on Dataset { droppedAt description namespace ns: namespace }"""
    fast = dump(ask(query))
    monkeypatch.delattr(Executor, "complete_iterable_value")
    assert fast == dump(ask(query))
    assert b'"errors"' not in fast


def test_null_where_none_may_be_is_an_error_at_its_place(
    quick: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    ask = quick()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lineage_graphql.siblings.label", lambda thing: None if thing.name == "raw.orders" else "x")
        told = ask('{ search(text: "e", first: 100) { hits { id label } } other: __typename }')
    assert told["data"] == {"search": None, "other": "Query"}
    (error,) = told["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["path"][:2] == ["search", "hits"]
    assert caplog.records
