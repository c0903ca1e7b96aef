"""asOf in GraphQL: a question, all of its pages and all that its rows show are of one moment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lineage.event.timestamp import format_time
from lineage.model import Name

IMPACT = """query($of: SubjectInput!, $asOf: DateTime, $since: DateTime, $first: Int! = 100, $after: String) {
  impact(of: $of, asOf: $asOf, since: $since) {
    complete ledgerIndex
    summary { kind actual standing }
    actual(first: $first, after: $after) {
      totalCount nodes { node { label kind ... on Run { runId state endedAt } } consequence standing }
      pageInfo { hasNextPage endCursor }
    }
    predictions { count }
  }
}"""
WRITER = """query($of: SubjectInput!, $asOf: DateTime) {
  provenance(of: $of, asOf: $asOf) {
    subjects(first: 9) {
      nodes { ... on Version { writtenBy { runId } dataset { versions(first: 9) { totalCount } } } }
    }
  }
}"""


def subject(name: Name) -> dict[str, Any]:
    return {"dataset": {"namespace": name.namespace, "name": name.name}}


def at(pipe: SimpleNamespace, minutes: float) -> str:
    return format_time(pipe.start + round(minutes * pipe.minute))


def rollouts(told: Any) -> dict[str, tuple[str, str | None]]:
    nodes = told["impact"]["actual"]["nodes"]
    found = [hit for hit in nodes if hit["node"]["kind"] == "ROLLOUT"]
    return {hit["node"]["runId"]: (hit["consequence"], hit["node"]["endedAt"]) for hit in found}


def test_a_rollout_that_ended_later_is_to_be_redeployed_then(ask: Any, pipe: SimpleNamespace) -> None:
    of = subject(pipe.raw)
    first = pipe.run_id(12)
    then = ask.data(IMPACT, of=of, asOf=at(pipe, 20))
    assert rollouts(then) == {first: ("REDEPLOY", None)}
    assert then["impact"]["predictions"] == {"count": 1}
    now = ask.data(IMPACT, of=of)
    assert rollouts(now)[first] == ("RESCORE", at(pipe, 22))
    assert now["impact"]["predictions"] == {"count": 3}


def test_several_moments_are_asked_in_one_query(ask: Any, pipe: SimpleNamespace) -> None:
    query = """query($of: SubjectInput!, $then: DateTime!, $later: DateTime!) {
      then: impact(of: $of, asOf: $then) { actual(first: 0) { totalCount } }
      later: impact(of: $of, asOf: $later) { actual(first: 0) { totalCount } }
      now: impact(of: $of) { actual(first: 0) { totalCount } }
    }"""
    told = ask.data(query, of=subject(pipe.raw), then=at(pipe, 11), later=at(pipe, 15))
    counts = [told[name]["actual"]["totalCount"] for name in ("then", "later", "now")]
    assert counts == sorted(set(counts))


def test_pages_of_a_moment_join_up(ask: Any, pipe: SimpleNamespace) -> None:
    asked = {"of": subject(pipe.raw), "asOf": at(pipe, 20)}
    whole = ask.data(IMPACT, **asked)["impact"]["actual"]
    page = ask.data(IMPACT, **asked, first=2)["impact"]["actual"]
    found = page["nodes"]
    while page["pageInfo"]["hasNextPage"]:
        page = ask.data(IMPACT, **asked, first=2, after=page["pageInfo"]["endCursor"])["impact"]["actual"]
        found = [*found, *page["nodes"]]
    assert found == whole["nodes"]
    assert whole["totalCount"] == len(found)


def test_a_cursor_of_one_moment_is_none_of_another(ask: Any, pipe: SimpleNamespace) -> None:
    of = subject(pipe.raw)
    page = ask.data(IMPACT, of=of, asOf=at(pipe, 20), first=1)["impact"]["actual"]
    assert ask.code(IMPACT, of=of, asOf=at(pipe, 21), after=page["pageInfo"]["endCursor"]) == "BAD_CURSOR"
    assert ask.code(IMPACT, of=of, after=page["pageInfo"]["endCursor"]) == "BAD_CURSOR"


def test_what_a_row_leads_to_is_of_the_moment_too(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(WRITER, of=subject(pipe.model), asOf=at(pipe, 12))["provenance"]["subjects"]["nodes"]
    assert told == [{"writtenBy": {"runId": pipe.run_id(11)}, "dataset": {"versions": {"totalCount": 1}}}]


@pytest.mark.parametrize("text", ["2026-05-01T10:00:00", "2026-05-01 10:00"])
def test_a_moment_without_zone_is_bad_input_that_names_the_field(ask: Any, pipe: SimpleNamespace, text: str) -> None:
    (error,) = ask(IMPACT, of=subject(pipe.raw), asOf=text)["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert error["extensions"]["field"] == "/asOf"
    assert "zone" in error["message"]


def test_a_moment_without_zone_inside_a_subject_is_named_by_its_path(ask: Any, pipe: SimpleNamespace) -> None:
    query = "query($of: ServedInput!) { trainingData(of: $of) { complete } }"
    window = {"deployment": pipe.service._asdict(), "from": at(pipe, 1), "to": "2026-05-01T10:00:00"}
    (error,) = ask(query, of={"served": window})["errors"]
    assert error["extensions"]["field"] == "/of/served/to"


def test_a_moment_without_zone_in_the_text_of_a_query_is_bad_input_at_its_place(ask: Any) -> None:
    (error,) = ask('{ impact(of: {id: "x"}, asOf: "2026-05-01T10:00:00") { complete } }')["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert error["locations"] == [{"line": 1, "column": 31}]


def test_what_was_not_there_yet_is_not_found(ask: Any, pipe: SimpleNamespace) -> None:
    (error,) = ask(IMPACT, of={"run": {"runId": pipe.run_id(10)}}, asOf=at(pipe, 1))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("NOT_FOUND", "/asOf")
    assert "is known since" in error["message"]


def test_since_after_as_of_is_bad_input(ask: Any, pipe: SimpleNamespace) -> None:
    (error,) = ask(IMPACT, of=subject(pipe.raw), asOf=at(pipe, 20), since=at(pipe, 21))["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_INPUT", "/since")
