"""What changed, by GraphQL: the named operation, pages, sides and refusals."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lineage_graphql.whole import WholeAnswer

DIFF = (Path(__file__).parents[2] / "graphql" / "operations" / "Diff.graphql").read_text(encoding="utf-8")


def ref(name: Any) -> dict[str, str]:
    return {"namespace": name.namespace, "name": name.name}


def versions(pipe: SimpleNamespace, *names: str) -> dict[str, Any]:
    return {side: {"version": ref(pipe.model) | {"version": name}} for side, name in zip("ab", names, strict=False)}


def by_name(hunks: dict[str, Any]) -> dict[str, Any]:
    return {(hunk["b"] or hunk["a"])["name"]: hunk for hunk in hunks["nodes"]}


def test_two_versions_of_a_model_differ_in_what_they_came_from(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(DIFF, **versions(pipe, "1", "2"))["diff"]
    assert (told["complete"], told["ledgerIndex"], told["behind"]) == (True, 4, 0)
    assert [thing["version"] for side in "ab" for thing in told[side]["nodes"]] == ["1", "2"]
    hunks = by_name(told["hunks"])
    assert set(hunks) == {"churn", "train", "sales.features", "etl", "raw.orders"}
    train = {each["name"]: each for each in hunks["train"]["differences"]}
    assert (train["commit"]["a"], train["commit"]["b"], train["commit"]["aspect"]) == ("t1", "t2", "CODE")
    assert (train["max_depth"]["a"], train["max_depth"]["b"]) == (2**60 + 1, 2**60 + 2)
    assert "eta" not in train
    (origin,) = told["origins"]["nodes"]
    assert origin["b"]["name"] == "raw.orders"
    assert [thing["label"].partition(" @ ")[0] for thing in origin["path"]] == [
        "churn", "train", "sales.features", "etl"
    ]  # fmt: skip
    assert origin["differences"][0]["content"] == "OTHER"
    assert hunks["sales.features"]["differences"][0]["content"] == "UNKNOWN"
    assert {gap["kind"] for gap in told["gaps"]["nodes"]} == {"NO_PRODUCER", "NO_CONTENT_HASH"}
    assert told["compared"] == [
        {"kind": "VERSION", "same": 0, "alike": 0, "changed": 2, "unknown": 1, "added": 0, "removed": 0},
        {"kind": "RUN", "same": 0, "alike": 0, "changed": 2, "unknown": 0, "added": 0, "removed": 0},
    ]
    counts = {each["aspect"]: (each["count"], each["derived"]) for each in told["summary"]}
    assert counts == {"DATA": (3, 2), "CODE": (2, 0), "PARAMETER": (1, 0)}


def test_one_subject_alone_is_compared_with_what_stood_before_it(ask: Any, pipe: SimpleNamespace) -> None:
    whole = DIFF.replace("pageInfo { hasNextPage endCursor }", "")
    both = ask.data(whole, **versions(pipe, "1", "2"))["diff"]
    for a in ({"dataset": ref(pipe.model)}, versions(pipe, "2")["a"]):
        assert ask.data(whole, a=a)["diff"] == both
    moments = {"aAsOf": "2026-05-01T10:15:00Z", "bAsOf": "2026-05-01T11:00:00Z"}
    assert ask.data(whole, a={"dataset": ref(pipe.model)}, **moments)["diff"] == both


@pytest.mark.parametrize("served", [False, True])
def test_runs_deployments_and_predictions_are_sides_too(ask: Any, pipe: SimpleNamespace, served: bool) -> None:
    sides: dict[str, Any] = {"a": {"job": ref(pipe.service)}}
    if not served:
        sides = {"a": {"run": {"runId": pipe.run_id(11)}}, "b": {"run": {"runId": pipe.run_id(21)}}}
    told = ask.data(DIFF, **sides)["diff"]
    assert [hunk["b"]["name"] for hunk in told["origins"]["nodes"]] == ["raw.orders"]
    assert ("churn" in by_name(told["hunks"])) is served


def test_hunks_come_in_pages_that_go_on_also_after_the_ledger_did(ask: Any, pipe: SimpleNamespace) -> None:
    page = (
        "query($a: SubjectInput!, $b: SubjectInput, $after: String) { diff(a: $a, b: $b) { moved "
        "hunks(first: 2, after: $after) { totalCount nodes { b { id } } pageInfo { endCursor hasNextPage } } } }"
    )
    sides, seen, after = versions(pipe, "1", "2"), [], None
    for _ in range(3):
        hunks = ask.data(page, **sides, after=after)["diff"]["hunks"]
        seen += [hunk["b"]["id"] for hunk in hunks["nodes"]]
        after = hunks["pageInfo"]["endCursor"]
        ask.context.kept.clear()
        ask.write(pipe.graph().changes)
    assert not hunks["pageInfo"]["hasNextPage"]
    assert len(set(seen)) == len(seen) == hunks["totalCount"] == 5


@pytest.mark.parametrize(
    ("sides", "code"),
    [
        ({"a": {"run": {"runId": "nobody"}}}, "NOT_FOUND"),
        ({"a": {"column": {"namespace": "s3://lake", "name": "raw.orders", "column": "amount"}}}, "INVALID_SUBJECT"),
        ({"a": {"dataset": {"namespace": "mlflow", "name": "churn"}}, "aAsOf": "2020-01-01T00:00:00Z"}, "NOT_FOUND"),
    ],
)
def test_what_can_not_be_compared_has_its_code(ask: Any, sides: dict[str, Any], code: str) -> None:
    assert ask.code(DIFF, **sides) == code


def test_a_moment_of_what_is_always_the_same_names_its_argument(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask(DIFF, **versions(pipe, "1", "2"), bAsOf="2026-05-01T11:00:00Z")
    (error,) = told["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_INPUT", "/bAsOf")


def test_a_whole_diff_goes_out_line_by_line(ask: Any, pipe: SimpleNamespace) -> None:
    lines = list(WholeAnswer(ask.schema, {"diff": versions(pipe, "1", "2")}).lines(ask.context))
    assert [line.get("list") for line in lines] == ["origins", *["hunks"] * 5, None]
    assert lines[0]["b"]["name"] == "raw.orders"
    assert lines[-1]["verdict"]["complete"]
    assert {each["aspect"] for each in lines[-1]["verdict"]["summary"]} == {"DATA", "CODE", "PARAMETER"}
