"""Parts of events that come again are the same objects, and nothing else is taken for them."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.event import parser
from lineage.event.blocks import Blocks, derived
from lineage.event.model import EventDataset, Name
from lineage.event.parser import parse_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def event(*inputs: dict[str, Any], outputs: list[dict[str, Any]] | None = None, **told: Any) -> bytes:
    whole = {
        "eventTime": "2026-05-01T10:00:00Z",
        "producer": "urn:p",
        "schemaURL": "urn:s",
        "job": {"namespace": "n", "name": "j"},
        "inputs": inputs,
        "outputs": outputs or [],
    }
    return json.dumps(whole | told).encode()


def dataset(name: str, **facets: Any) -> dict[str, Any]:
    return {"namespace": "db", "name": name, "facets": facets}


@given(one=st.dictionaries(st.text(max_size=3), JSON, max_size=3), other=st.dictionaries(st.text(max_size=3), JSON))
def test_what_is_shared_is_the_same_json(one: dict[str, Any], other: dict[str, Any]) -> None:
    blocks = Blocks()
    for value in (one, other, json.loads(json.dumps(one))):
        assert json.dumps(blocks.shared(value)) == json.dumps(value)


def test_datasets_that_are_told_alike_are_one_object() -> None:
    first = parse_event(event(dataset("a", schema={"fields": [{"name": "x"}]})))
    again = parse_event(event(dataset("a", schema={"fields": [{"name": "x"}]}), eventTime="2026-05-02T10:00:00Z"))
    assert first.inputs[0] is again.inputs[0]
    assert first.time != again.time


@pytest.mark.parametrize("value", [1, 1.0, True, "1"])
def test_facets_that_python_takes_for_equal_are_told_apart(value: object) -> None:
    parse_event(event(dataset("b", f={"v": 1}), dataset("b", f={"v": 1.0}), dataset("b", f={"v": True})))
    (found,) = parse_event(event(dataset("b", f={"v": value}))).inputs
    assert type(found.facets["f"]["v"]) is type(value)


def test_facets_that_are_the_same_are_shared_where_the_dataset_is_not() -> None:
    first, second = parse_event(event(dataset("c", f={"v": 1}), dataset("d", f={"v": 1}, g={}))).inputs
    assert first.facets["f"] is second.facets["f"]


def test_an_input_and_an_output_are_no_block_of_each_other() -> None:
    told = dataset("e") | {"inputFacets": {"i": {}}, "outputFacets": {"o": {}}}
    both = parse_event(event(told, outputs=[told]))
    assert (both.inputs[0].io_facets, both.outputs[0].io_facets) == ({"i": {}}, {"o": {}})


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = Blocks(capacity=1000)
    monkeypatch.setattr(parser, "_BLOCKS", blocks)
    for number in range(1000):
        parse_event(event(dataset(f"t{number}")))
    assert len(blocks._young) + len(blocks._old) < 100


def test_what_is_remembered_takes_little_more_than_its_bytes() -> None:
    blocks, capacity = Blocks(capacity=200_000), 200_000
    parts = [{"number": number, "text": "x" * 100} for number in range(4_000)]
    tracemalloc.start()
    try:
        for part in parts:
            blocks.shared(part)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 6 * capacity


def test_a_block_that_is_used_stays_while_others_come_and_go() -> None:
    blocks = Blocks(capacity=1000)
    kept = blocks.shared({"stays": 1})
    for number in range(1000):
        blocks.shared({"passes": number})
        assert blocks.shared({"stays": 1}) is kept


def test_what_is_derived_is_derived_once_for_each_object() -> None:
    asked: list[EventDataset] = []

    @derived
    def nothing(dataset: EventDataset) -> None:
        asked.append(dataset)

    one, other = EventDataset(Name("n", "a"), {}, {}), EventDataset(Name("n", "a"), {}, {})
    for each in (one, one, other):
        nothing(each)
    assert one == other
    assert [id(each) for each in asked] == [id(one), id(other)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_facet_and_a_dataset_of_the_same_bytes_are_two_things(order: tuple[int, int]) -> None:
    head = {"eventTime": "2026-05-01T10:00:00Z", "producer": "p", "schemaURL": "s"}
    block = {"namespace": "same", "name": "bytes"}
    bodies = [
        json.dumps(head | {"job": {"namespace": "n", "name": "j", "facets": {"mine": block}}}),
        json.dumps(head | {"dataset": block}),
    ]
    for at in order:
        event = parse_event(bodies[at].encode())
        if at:
            assert event.dataset is not None
            assert event.dataset.name == Name("same", "bytes")
        else:
            assert event.job_facets == {"mine": block}
