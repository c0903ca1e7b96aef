"""Cursors: pages that join up, what they are good for, and what becomes of them when the graph moves on."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import BadCursorError, UnavailableError
from lineage.keys import Base, dataset_key, encode_id
from lineage.model import Name
from lineage_graphql.cursor import Cursor, decode_cursor, digest_of, encode_cursor
from lineage_graphql.kept import KeptAnswers

QUERY = """query($of: SubjectInput!, $first: Int!, $after: String, $strict: Boolean! = false) {
  impact(of: $of, strict: $strict) {
    ledgerIndex moved behind
    potential(first: $first, after: $after) {
      totalCount nodes { node { label } } edges { cursor node { node { label } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}"""


def subject(name: Name) -> dict[str, Any]:
    return {"dataset": {"namespace": name.namespace, "name": name.name}}


def labels(told: Any) -> list[str]:
    return [hit["node"]["label"] for hit in told["impact"]["potential"]["nodes"]]


def pages(ask: Any, of: Any, size: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        told = ask.data(QUERY, of=of, first=size, after=after)
        page = told["impact"]["potential"]
        assert page["pageInfo"]["hasPreviousPage"] == bool(found)
        assert [edge["node"]["node"]["label"] for edge in page["edges"]] == labels(told)
        found += labels(told)
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(found)
            return found
        after = page["pageInfo"]["endCursor"]


@pytest.mark.parametrize("size", [1, 2, 4, 100])
def test_pages_join_up_to_the_whole(ask: Any, pipe: SimpleNamespace, size: int) -> None:
    whole = labels(ask.data(QUERY, of=subject(pipe.raw), first=1000))
    assert len(whole) == 6
    assert pages(ask, subject(pipe.raw), size) == whole


def test_an_edges_own_cursor_goes_on_after_it(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(QUERY, of=subject(pipe.raw), first=6)
    for place, edge in enumerate(told["impact"]["potential"]["edges"], start=1):
        after = ask.data(QUERY, of=subject(pipe.raw), first=6, after=edge["cursor"])
        assert labels(after) == labels(told)[place:]


def test_first_of_nothing_and_past_the_end(ask: Any, pipe: SimpleNamespace) -> None:
    none = ask.data(QUERY, of=subject(pipe.raw), first=0)["impact"]["potential"]
    assert (none["totalCount"], none["nodes"], none["pageInfo"]["endCursor"]) == (6, [], None)
    assert none["pageInfo"]["hasNextPage"]
    last = ask.data(QUERY, of=subject(pipe.raw), first=6)["impact"]["potential"]["pageInfo"]["endCursor"]
    past = ask.data(QUERY, of=subject(pipe.raw), first=6, after=last)["impact"]["potential"]
    assert (past["nodes"], past["pageInfo"]["hasNextPage"], past["pageInfo"]["hasPreviousPage"]) == ([], False, True)


@pytest.mark.parametrize("first", [-1, 10_001])
def test_first_out_of_range_is_bad_input(ask: Any, pipe: SimpleNamespace, first: int) -> None:
    (error,) = ask(QUERY, of=subject(pipe.raw), first=first)["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert error["extensions"]["field"] == "/first"
    assert error["path"] == ["impact", "potential"]
    assert ask.code('query { search(text: "x", first: -1) { ledgerIndex } }') == "BAD_INPUT"


def cursor_after_two(ask: Any, pipe: SimpleNamespace) -> str:
    page = ask.data(QUERY, of=subject(pipe.raw), first=2)["impact"]["potential"]
    return str(page["pageInfo"]["endCursor"])


def test_cursor_of_another_question_or_list_is_refused(ask: Any, pipe: SimpleNamespace) -> None:
    cursor = cursor_after_two(ask, pipe)
    assert ask.code(QUERY, of=subject(pipe.features), first=2, after=cursor) == "BAD_CURSOR"
    other = QUERY.replace("potential(", "potential: actual(")
    assert ask.code(other, of=subject(pipe.raw), first=2, after=cursor) == "BAD_CURSOR"
    weaker = QUERY.replace("strict: $strict", "strict: $strict, evidence: DECLARED")
    assert ask.code(weaker, of=subject(pipe.raw), first=2, after=cursor) == "BAD_CURSOR"


@pytest.mark.parametrize("bad", ["", "x", "ä", "A" * 500, "AAAA", "====", "0" * 60])
def test_what_is_no_cursor_is_refused(ask: Any, pipe: SimpleNamespace, bad: str) -> None:
    assert ask.code(QUERY, of=subject(pipe.raw), first=2, after=bad) == "BAD_CURSOR"


def test_altered_cursor_is_refused(ask: Any, pipe: SimpleNamespace) -> None:
    cursor = cursor_after_two(ask, pipe)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for place in range(len(raw)):
        altered = bytearray(raw)
        altered[place] ^= 1
        text = base64.urlsafe_b64encode(altered).rstrip(b"=").decode()
        assert ask.code(QUERY, of=subject(pipe.raw), first=2, after=text) == "BAD_CURSOR"


def test_cursor_of_another_server_is_refused(ask: Any, pipe: SimpleNamespace) -> None:
    cursor = cursor_after_two(ask, pipe)
    other = pipe.asker(ask.store, pipe.records())
    assert other.code(QUERY, of=subject(pipe.raw), first=2, after=cursor) == "BAD_CURSOR"


def grow(ask: Any, pipe: SimpleNamespace, count: int = 3) -> None:
    """Datasets that come between the others: fed by jobs that read what the etl reads."""
    graph = pipe.graph()
    for number in range(count):
        made = Name("grown", f"made {number}")
        graph.dataset(made)
        graph.job(Name("grown", f"job {number}"), [pipe.raw], [made])
    ask.write(graph.changes)


def test_kept_answer_goes_on_as_it_was_while_the_graph_moves(ask: Any, pipe: SimpleNamespace) -> None:
    before = labels(ask.data(QUERY, of=subject(pipe.raw), first=100))
    cursor = cursor_after_two(ask, pipe)
    grow(ask, pipe)
    told = ask.data(QUERY, of=subject(pipe.raw), first=100, after=cursor, strict=True)
    assert labels(told) == before[2:]
    assert (told["impact"]["ledgerIndex"], told["impact"]["moved"], told["impact"]["behind"]) == (4, False, 1)
    fresh = ask.data(QUERY, of=subject(pipe.raw), first=100)
    assert (fresh["impact"]["ledgerIndex"], fresh["impact"]["behind"]) == (5, 0)


def test_answer_of_a_view_that_did_not_hold_is_neither_given_nor_kept(
    ask: Any, pipe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = cursor_after_two(ask, pipe)
    ask.context.kept.clear()
    holding = ask.store.reader

    @contextmanager
    def lost() -> Iterator[Any]:
        with holding() as reader:
            yield reader
        raise UnavailableError("The view was lost.")

    with monkeypatch.context() as patched:
        patched.setattr(ask.store, "reader", lost)
        assert ask.code(QUERY, of=subject(pipe.raw), first=2) == "UNAVAILABLE"
    assert ask.code(QUERY, of=subject(pipe.raw), first=2, after=cursor, strict=True) == "SNAPSHOT_GONE"


def test_answer_no_longer_kept_is_made_anew_after_the_same_place(ask: Any, pipe: SimpleNamespace) -> None:
    cursor = cursor_after_two(ask, pipe)
    last = labels(ask.data(QUERY, of=subject(pipe.raw), first=2))[-1]
    ask.context.kept.clear()
    grow(ask, pipe)
    told = ask.data(QUERY, of=subject(pipe.raw), first=100, after=cursor)
    whole = labels(ask.data(QUERY, of=subject(pipe.raw), first=100))
    assert labels(told) == whole[whole.index(last) + 1 :]
    assert (told["impact"]["ledgerIndex"], told["impact"]["moved"]) == (5, True)


def test_strict_refuses_what_is_no_longer_kept(ask: Any, pipe: SimpleNamespace) -> None:
    cursor = cursor_after_two(ask, pipe)
    ask.context.kept.clear()
    assert ask.code(QUERY, of=subject(pipe.raw), first=2, after=cursor, strict=True) == "SNAPSHOT_GONE"
    assert not ask.data(QUERY, of=subject(pipe.raw), first=2, strict=True)["impact"]["moved"]


def test_cursor_is_found_in_fragments_and_as_a_literal(ask: Any, pipe: SimpleNamespace) -> None:
    cursor = cursor_after_two(ask, pipe)
    grow(ask, pipe)
    query = """query($of: SubjectInput!) { impact(of: $of) { ledgerIndex ... on Impact { ...P } } }
    fragment P on Impact { potential(first: 1, after: "CURSOR") { nodes { node { label } } } }"""
    assert ask.data(query.replace("CURSOR", cursor), of=subject(pipe.raw))["impact"]["ledgerIndex"] == 4


def test_cursors_of_two_states_are_not_mixed(ask: Any, pipe: SimpleNamespace) -> None:
    earlier = cursor_after_two(ask, pipe)
    grow(ask, pipe)
    later = cursor_after_two(ask, pipe)
    query = """query($of: SubjectInput!, $a: String, $b: String) { impact(of: $of) {
        potential(first: 1, after: $a) { totalCount } other: potential(first: 1, after: $b) { totalCount } } }"""
    assert ask.code(query, of=subject(pipe.raw), a=earlier, b=later) == "BAD_CURSOR"


def test_lists_of_a_node_go_on_after_the_same_item_when_newer_ones_came(ask: Any, pipe: SimpleNamespace) -> None:
    query = """query($id: ID!, $after: String) { node(id: $id) { ... on Dataset {
        versions(first: 1, after: $after) { nodes { version } pageInfo { endCursor } } } } }"""
    id = encode_id(Base.DATASET, dataset_key(*pipe.raw))
    first = ask.data(query, id=id)["node"]["versions"]
    assert first["nodes"] == [{"version": "v2"}]
    graph = pipe.graph()
    graph.version(pipe.raw, None, pipe.start + 999 * pipe.minute, declared=("v3",))
    ask.write(graph.changes)
    assert ask.data(query, id=id)["node"]["versions"]["nodes"] == [{"version": "v3"}]
    then = ask.data(query, id=id, after=first["pageInfo"]["endCursor"])["node"]["versions"]
    assert then["nodes"] == [{"version": "v1"}]


def test_gaps_go_on_by_cursor_also_in_an_answer_made_anew(ask: Any, pipe: SimpleNamespace) -> None:
    query = """query($of: SubjectInput!, $after: String, $first: Int!) { provenance(of: $of) {
        gaps(first: $first, after: $after) { nodes { kind message } pageInfo { endCursor } }
        links(first: 1) { pageInfo { endCursor } } } }"""
    whole = ask.data(query, of=subject(pipe.model), first=100)["provenance"]["gaps"]["nodes"]
    end = ask.data(query, of=subject(pipe.model), first=1)["provenance"]["gaps"]["pageInfo"]["endCursor"]
    for _ in range(2):
        told = ask.data(query, of=subject(pipe.model), first=100, after=end)["provenance"]["gaps"]["nodes"]
        assert told == whole[1:]
        ask.context.kept.clear()
        grow(ask, pipe)


@given(st.binary(min_size=8, max_size=8), st.integers(-1, 2**62), st.integers(0, 2**62), st.binary(max_size=64))
def test_cursor_survives_the_way_out_and_back(question: bytes, index: int, passed: int, place: bytes) -> None:
    cursor = Cursor(question, index, passed, place)
    assert decode_cursor(encode_cursor(cursor, b"s"), b"s") == cursor
    with pytest.raises(BadCursorError):
        decode_cursor(encode_cursor(cursor, b"s"), b"other")


def test_digest_tells_questions_apart() -> None:
    assert digest_of("a", ("b", None)) != digest_of("a", "b", None)
    assert digest_of("\ud800") == digest_of("\ud800")


def test_kept_answers_are_bounded_in_number_size_and_time(quick: Callable[..., Any], pipe: SimpleNamespace) -> None:
    from lineage.questions.search import search

    ask = quick()
    with ask.store.reader() as graph:
        from lineage.answer import View

        answer = search(View(graph, ask.context.predictions), "e")
    now = [0.0]
    size = 1 + len(answer.hits)
    kept = KeptAnswers(600, 3, size * 2, clock=lambda: now[0])
    for name in (b"a", b"b", b"c"):
        kept.put(name, answer)
    assert [kept.get(name, 4) is not None for name in (b"a", b"b", b"c")] == [False, True, True]
    now[0] = 500
    assert kept.get(b"b", 4) is answer
    now[0] = 700
    assert [kept.get(name, 4) is not None for name in (b"b", b"c")] == [True, False]
    kept.put(b"d", replace(answer, hits=answer.hits * 10))
    assert kept.get(b"d", 4) is None
    assert kept.get(b"b", 5) is None
