"""Each error code, what it carries, and that one failing field spares its siblings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lineage.keys import Base, dataset_key, encode_id

IMPACT = "query($of: SubjectInput!) { impact(of: $of) { ledgerIndex } }"
SERVED = "query($of: ServedInput!) { trainingData(of: $of) { ledgerIndex } }"


def ref(name: Any) -> dict[str, str]:
    return {"namespace": name.namespace, "name": name.name}


def test_subject_never_seen_is_not_found_and_the_nearest_are_named(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask(IMPACT, of={"dataset": {"namespace": "s3://lake", "name": "raw.order"}})
    (error,) = told["errors"]
    assert told["data"] == {"impact": None}
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert "raw.orders" in error["message"] + error["extensions"].get("hint", "")
    assert error["path"] == ["impact"]
    assert error["locations"]


@pytest.mark.parametrize(
    "of",
    [
        {"version": {"namespace": "mlflow", "name": "churn", "version": "99"}},
        {"column": {"namespace": "s3://lake", "name": "raw.orders", "column": "nope"}},
        {"job": {"namespace": "airflow", "name": "nope"}},
        {"run": {"runId": "00000000-0000-0000-0000-00000000ffff"}},
        {"prediction": {"deployment": {"namespace": "k8s://prod", "name": "fraud-api"}, "id": "nope"}},
        {"code": {"commit": "nope"}},
        {"content": {"digest": "nope"}},
        {"id": encode_id(Base.DATASET, b"0" * 16)},
    ],
    ids=lambda of: next(iter(of)),
)
def test_every_kind_of_subject_is_not_found_when_never_seen(ask: Any, of: Any) -> None:
    assert ask.code(IMPACT, of=of) == "NOT_FOUND"


@pytest.mark.parametrize("id", ["", "x", "é", "A" * 4000, "UFJFRElDVElPTjpb", encode_id(Base.FLOW, b"0" * 16)])
def test_id_that_no_node_has_is_no_subject(ask: Any, id: str) -> None:
    assert ask.code(IMPACT, of={"id": id}) in ("INVALID_SUBJECT", "NOT_FOUND")
    assert ask.code("query($id: ID!) { node(id: $id) { id } }", id=id) in ("INVALID_SUBJECT", "NOT_FOUND")


@pytest.mark.parametrize("of", [{}, {"id": None}, {"id": "x", "run": {"runId": "y"}}, {"nope": 1}, None, 5, [], "x"])
def test_subject_that_is_not_exactly_one_is_bad_input(ask: Any, of: Any) -> None:
    assert ask.code(IMPACT, of=of) == "BAD_INPUT"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{", {}),
        ("", {}),
        ("{ nope }", {}),
        ('{ search(text: "\\ud800") { behind } }', {}),
        ("query A { __typename } query A { __typename }", {}),
        (IMPACT, {}),
        ("query($s: DateTime) { impact(of: {id: 1}, since: $s) { behind } }", {"s": "yesterday"}),
        ("query($s: DateTime) { impact(of: {id: 1}, since: $s) { behind } }", {"s": 17}),
        ("query($i: Long) { impact(of: {id: 1}, minIndex: $i) { behind } }", {"i": 2**63}),
        ("query($i: Long) { impact(of: {id: 1}, minIndex: $i) { behind } }", {"i": True}),
        ('{ impact(of: {id: 1}, minIndex: "1") { behind } }', {}),
        ("mutation { x }", {}),
        ("subscription { x }", {}),
        ("fragment A on Query { __typename }", {}),
        ('{ a: search(text: "x") { behind } a: search(text: "y") { behind } }', {}),
    ],
)
def test_query_that_is_wrong_is_bad_input(ask: Any, query: str, variables: dict[str, Any]) -> None:
    told = ask(query, **variables)
    assert {error["extensions"]["code"] for error in told["errors"]} == {"BAD_INPUT"}
    assert told["data"] is None


def test_names_that_are_too_long_are_bad_input_and_long_ones_are_not(ask: Any) -> None:
    assert ask.code(IMPACT, of={"dataset": {"namespace": "n", "name": "x" * 100_000}}) == "BAD_INPUT"
    assert ask.code(IMPACT, of={"dataset": {"namespace": "n", "name": "ü" * 4_000}}) == "NOT_FOUND"


def test_message_does_not_repeat_more_than_a_thousand_characters(ask: Any) -> None:
    (error,) = ask("{" + "x" * 30_000 + "}")["errors"]
    assert len(error["message"]) <= 1_000


def test_window_that_ends_before_it_begins_is_bad_input(ask: Any, pipe: SimpleNamespace) -> None:
    window = {"deployment": ref(pipe.service), "from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}
    assert ask.code(SERVED, of={"served": window}) in ("BAD_INPUT", "INVALID_SUBJECT")


def test_what_serves_nothing_has_no_training_data(ask: Any, pipe: SimpleNamespace) -> None:
    of = {"prediction": {"deployment": ref(pipe.etl), "id": "p-1"}}
    assert ask.code(SERVED, of=of) in ("INVALID_SUBJECT", "NOT_FOUND")


def test_index_ahead_of_the_ledger_and_ahead_of_the_graph(ask: Any, pipe: SimpleNamespace) -> None:
    query = "query($i: Long!, $of: SubjectInput!) { impact(of: $of, minIndex: $i) { ledgerIndex behind } }"
    of = {"dataset": ref(pipe.raw)}
    assert ask.data(query, i=4, of=of)["impact"] == {"ledgerIndex": 4, "behind": 0}
    assert ask.code(query, i=5, of=of) == "INDEX_AHEAD"
    ask.entries = 7
    assert ask.data(query, i=4, of=of)["impact"] == {"ledgerIndex": 4, "behind": 2}
    assert ask.code(query, i=6, of=of) == "INDEX_AHEAD"
    assert ask.code(query, i=7, of=of) == "INDEX_AHEAD"


def test_failing_field_spares_its_siblings(ask: Any, pipe: SimpleNamespace) -> None:
    query = """query($a: SubjectInput!, $b: SubjectInput!) {
        good: impact(of: $a) { ledgerIndex } bad: impact(of: $b) { ledgerIndex }
        also: search(text: "raw") { hits { label } }
    }"""
    told = ask(query, a={"dataset": ref(pipe.raw)}, b={"job": {"namespace": "?", "name": "?"}})
    assert told["data"]["good"] == {"ledgerIndex": 4}
    assert told["data"]["bad"] is None
    assert [hit["label"] for hit in told["data"]["also"]["hits"]] == ["raw.orders"]
    assert [error["path"] for error in told["errors"]] == [["bad"]]


def test_unexpected_error_is_masked_and_logged(
    quick: Callable[..., Any], pipe: SimpleNamespace, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = quick()

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("lineage_graphql.query.ask_impact", fail)
    with caplog.at_level(logging.ERROR, "lineage.graphql"):
        told = ask(IMPACT, of={"dataset": ref(pipe.raw)})
    (error,) = told["errors"]
    assert error["extensions"] == {"code": "INTERNAL"}
    assert "swordfish" not in str(told)
    assert "swordfish" in caplog.text


def test_errors_raised_on_purpose_are_not_logged(ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask.code(IMPACT, of={"id": "x"})
        ask.code("{ nope }")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_timeout_ends_the_operation_with_its_code(quick: Callable[..., Any], pipe: SimpleNamespace) -> None:
    ask = quick(timeout=0.0)
    assert ask.code(IMPACT, of={"dataset": ref(pipe.raw)}) == "TIMEOUT"


def test_id_of_a_node_answers_as_its_name_does(ask: Any, pipe: SimpleNamespace) -> None:
    query = "query($of: SubjectInput!) { impact(of: $of) { potential(first: 100) { nodes { node { id } distance } } } }"
    by_id = ask.data(query, of={"id": encode_id(Base.DATASET, dataset_key(*pipe.raw))})
    assert by_id == ask.data(query, of={"dataset": ref(pipe.raw)})
