"""``atIndex``: the answer as it would have been given when that ledger entry was the last."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lineage_graphql import Caps, GraphQLContext, build_schema, execute
from lineage_graphql.schema import Schema
from tests.unit.past.archive import Archive, archived, first
from tests.unit.past.test_past_cost import DAYS, STEPS, entries

_OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"
PIPELINES = 2
THEN = 2 * (DAYS - 1) * (1 + PIPELINES * STEPS)
"""The ledger index at which the last day's first run has just begun."""
SUBJECT = {"dataset": {"namespace": "db", "name": "p0.t0"}}
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("Impact", {"of": SUBJECT}),
    ("Provenance", {"of": {"version": {"namespace": "db", "name": "p0.t3"}}}),
    ("TrainingData", {"of": {"model": {"namespace": "db", "name": "p0.t3"}}}),
    ("Path", {"from": SUBJECT, "to": {"dataset": {"namespace": "db", "name": "p0.t2"}}}),
    ("Search", {"text": "p0"}),
    ("Impact", {"of": {"dataset": {"namespace": "db", "name": "none"}}}),
]
PAGED = """
query Paged($of: SubjectInput!, $at: Long, $after: String, $strict: Boolean! = false) {
  impact(of: $of, atIndex: $at, strict: $strict) {
    ledgerIndex recordedAt behind
    actual(first: 5, after: $after) {
      totalCount nodes { node { id label } distance } pageInfo { hasNextPage endCursor }
    }
  }
}"""


class Asker:
    """GraphQL over an archive, with its past."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.context = GraphQLContext(
            archive.store,
            archive.predictions,
            archive.ledger.size,
            lambda size, timeout: False,
            recorded_at=lambda index: 1_000_000 * index,
            at=lambda index, present, deadline: archive.pasts.view(index, present, deadline=deadline),
            caps=_CAPS,
        )

    def __call__(self, query: str, **variables: Any) -> dict[str, Any]:
        return execute(_schema(), self.context, query, variables)

    def page(self, **variables: Any) -> dict[str, Any]:
        told = self(PAGED, of=SUBJECT, **variables)
        assert "errors" not in told, told["errors"]
        found: dict[str, Any] = told["data"]["impact"]
        return found


_CAPS = Caps(timeout=120.0)


@cache
def _schema() -> Schema:
    return build_schema(_CAPS)


@pytest.fixture
def asker() -> Iterator[Asker]:
    with archived(entries(PIPELINES)) as archive:
        yield Asker(archive)


def _named(name: str) -> str:
    return (_OPERATIONS / f"{name}.graphql").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "variables"), ASKED)
def test_a_named_operation_answers_as_it_did_then(asker: Asker, name: str, variables: dict[str, Any]) -> None:
    then = first(entries(PIPELINES), THEN + 1)
    context = GraphQLContext(then.store, then.predictions, lambda: THEN + 1, lambda size, timeout: False, caps=_CAPS)
    expected = execute(_schema(), context, _named(name), variables)
    told = _without_cursors(asker(_named(name), **variables, atIndex=THEN))
    for error in told.get("errors", ()):
        error["message"] = error["message"].removeprefix(f"As of ledger entry {THEN}: ")
        hint = error["extensions"]["hint"].removesuffix("Later entries may tell of it: ask without `atIndex`.")
        error["extensions"] = error["extensions"] | {"hint": hint.rstrip()} if hint else {"code": "NOT_FOUND"}
    assert told == _without_cursors(expected)


def _without_cursors(value: Any) -> Any:
    """A cursor tells which question it is of: those of now and those about then differ."""
    if isinstance(value, list):
        return [_without_cursors(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_cursors(each) for key, each in value.items() if key != "endCursor"}
    return value


def test_an_answer_says_of_when_it_is(asker: Asker) -> None:
    page = asker.page(at=THEN)
    assert (page["ledgerIndex"], page["behind"]) == (THEN, 0)
    assert page["recordedAt"] == "1970-01-01T00:00:42.000000Z"


def test_pages_of_the_past_are_of_one_answer_kept_or_not(asker: Asker) -> None:
    whole, after = [], None
    page: dict[str, Any] = {}
    while after is None or page["pageInfo"]["hasNextPage"]:
        page = asker.page(at=THEN, after=after, strict=True)["actual"]
        whole += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        asker.context.kept.clear()
    assert len(whole) == page["totalCount"] > asker.page(at=THEN - 20)["actual"]["totalCount"]
    assert len({hit["node"]["id"] for hit in whole}) == len(whole)


def test_two_moments_are_asked_about_at_once(asker: Asker) -> None:
    told = asker(
        """query Two($of: SubjectInput!) {
        now: impact(of: $of) { ledgerIndex actual { totalCount } }
        then: impact(of: $of, atIndex: 20) { ledgerIndex actual { totalCount } }
        }""",
        of=SUBJECT,
    )["data"]
    assert (told["now"]["ledgerIndex"], told["then"]["ledgerIndex"]) == (asker.archive.ledger.size() - 1, 20)
    assert told["now"]["actual"]["totalCount"] > told["then"]["actual"]["totalCount"] > 0


@pytest.mark.parametrize(("index", "code"), [(-1, "BAD_INPUT"), (56, "INDEX_AHEAD"), (2**62, "INDEX_AHEAD")])
def test_an_index_that_no_entry_has_is_refused(asker: Asker, index: int, code: str) -> None:
    told = asker(PAGED, of=SUBJECT, at=index)
    assert [(error["extensions"]["code"], error["extensions"]["field"]) for error in told["errors"]] == [
        (code, "/atIndex")
    ]


def test_a_cursor_belongs_to_its_moment(asker: Asker) -> None:
    cursor = asker.page(at=THEN)["actual"]["pageInfo"]["endCursor"]
    for moment in (THEN + 1, None):
        told = asker(PAGED, of=SUBJECT, at=moment, after=cursor)
        assert [error["extensions"]["code"] for error in told["errors"]] == ["BAD_CURSOR"]


def test_what_was_not_there_yet_is_not_found(asker: Asker) -> None:
    told = asker(PAGED, of={"run": {"runId": f"01890000-0000-7000-8000-{THEN + 2:012d}"}}, at=THEN)
    (error,) = told["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert error["message"].startswith(f"As of ledger entry {THEN}: ")
    assert error["extensions"]["hint"].endswith("Later entries may tell of it: ask without `atIndex`.")


def test_where_nothing_of_the_past_is_known_that_is_said(asker: Asker) -> None:
    asker.context.at = None
    told = asker(PAGED, of=SUBJECT, at=THEN)
    assert [error["extensions"]["code"] for error in told["errors"]] == ["UNAVAILABLE"]
