"""Queries that are refused before they run, each in bounded time, and what honest ones cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from lineage_graphql.caps import Caps
from lineage_graphql.cost import check_cost
from lineage_graphql.schema import build_schema

BOUND = 2.0
"""CPU seconds; each takes some 50 ms at most on the machine that these were measured on, which was busy."""


def cpu(call: Callable[[], Any]) -> float:
    """CPU seconds that this thread spends on ``call``."""
    start = time.thread_time()
    call()
    return time.thread_time() - start


def chain(links: int) -> str:
    """Fragments of which each spreads the next twice: 2 to the power of ``links`` fields from some hundred bytes."""
    middle = "".join(f" fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(links))
    return f"query{{...F0}}{middle} fragment F{links} on Query{{__typename}}"


def fan(fragments: int, fields: int) -> str:
    """Fragments that all meet in one place: validation compares each with each."""
    body = " ".join(f"f{n}" for n in range(fields))
    parts = "".join(f' fragment F{n} on Query{{search(text:"x"){{{body}}}}}' for n in range(fragments))
    return "{" + " ".join(f"...F{n}" for n in range(fragments)) + "}" + parts


NESTED = "{node(id:1)" + "{...on Dataset{versions{nodes{dataset" * 8 + "{id}" + "}}}}" * 8 + "}"
WIDE = "{__schema{types{" + "fields{type{" * 12 + "name" + "}}" * 12 + "}}}"
ALIASES = "{" + " ".join(f'a{n}:search(text:"x"){{ledgerIndex}}' for n in range(100)) + "}"
PAGES = "{search(text:1){hits{...on Dataset{versions(first:1000){nodes{dataset{versions(first:1000){nodes{id}}}}}}}}}"
BOMBS = {
    "chained fragments": (chain(14), "fields with all fragments spread"),
    "chained fragments, longer": (chain(28), "fields with all fragments spread"),
    "fragments that meet": (fan(29, 80), "meet in one place"),
    "aliases": (ALIASES, "aliases"),
    "nesting": (NESTED, "levels"),
    "nesting beyond the parser": ("{a" * 3000 + "}" * 3000, "nested too deeply"),
    "nested lists": ("{search(text:" + "[" * 20_000, "nested too deeply"),
    "nested inline fragments": ("{" + "...{" * 700 + "__typename" + "}" * 701, "nested too deeply"),
    "wide introspection": (WIDE, "levels"),
    "directives": ("{__typename " + "@skip(if:false)" * 100 + "}", "directives"),
    "tokens": ("{" + "a " * 16_000 + "}", "tokens"),
    "comments": ("#\n" * 16_000 + "{__typename}", "tokens"),
    "characters": ("{__typename}" + " " * 1_000_000, "characters"),
    "repeated fields": ("{" + "__typename " * 2_900 + "}", "repeated"),
    "list arguments": ("{nodes(ids:[" + '"x" ' * 1_400 + "]){id}}", "items in lists"),
    "fragments": ("{...F0}" + "".join(f" fragment F{n} on Query{{__typename}}" for n in range(100)), "fragments"),
    "operations": (" ".join(f"query Q{n}{{__typename}}" for n in range(100)), "operations"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_refused_in_bounded_time_and_the_next_query_is_answered(quick: Callable[..., Any], name: str) -> None:
    ask, (query, reason) = quick(), BOMBS[name]
    told: list[Any] = []
    assert cpu(lambda: told.append(ask(query))) < BOUND
    (error,) = told[0]["errors"]
    assert error["extensions"]["code"] == "TOO_COSTLY"
    assert reason in error["message"]
    assert told[0]["data"] is None
    assert ask("{__typename}") == {"data": {"__typename": "Query"}}


def test_pages_within_pages_are_refused_with_figure_and_limit(quick: Callable[..., Any]) -> None:
    ask = quick()
    (error,) = ask(PAGES.replace("text:1", 'text:"x"'))["errors"]
    assert error["extensions"]["code"] == "TOO_COSTLY"
    assert "8016514 fields; the limit is 1000000" in error["message"]
    assert "first" in error["extensions"]["hint"]


def test_page_sizes_in_variables_and_their_defaults_count(quick: Callable[..., Any]) -> None:
    ask = quick(cost=50_000)
    query = 'query($n: Int! = 10) {search(text:"x"){hits{...on Dataset{versions(first:$n){nodes{id}}}}}}'
    big = query.replace("= 10", "= 10000")
    assert "errors" not in ask(query)
    assert ask.code(query, n=10_000) == "TOO_COSTLY"
    assert ask.code(big) == "TOO_COSTLY"
    assert "errors" not in ask(big, n=10)


@pytest.mark.parametrize("figures", ["first: -5", "first: 99999", "first: 99999999999999999999"])
def test_page_sizes_out_of_range_do_not_make_a_query_cheap(quick: Callable[..., Any], figures: str) -> None:
    ask = quick(cost=1_000)
    (error, *_) = ask(f'{{search(text:"e"){{hits{{...on Dataset{{versions({figures}){{nodes{{id}}}}}}}}}}}}')["errors"]
    assert error["extensions"]["code"] in ("TOO_COSTLY", "BAD_INPUT")


def test_fragment_circle_is_refused(quick: Callable[..., Any]) -> None:
    ask = quick()
    assert ask.code("{...A} fragment A on Query{...B} fragment B on Query{...A}") == "BAD_INPUT"
    assert ask.code("{__typename} fragment A on Query{...A}") == "BAD_INPUT"


def test_cost_of_chained_fragments_is_counted_once_per_fragment() -> None:
    schema = build_schema()._schema
    document = parse(chain(60))
    cost = check_cost(schema, document, document.definitions[0], {}, Caps(cost=2**70))  # type: ignore[arg-type]
    assert cost == 2**60


def test_cost_multiplies_pages_and_not_what_stands_beside_them() -> None:
    schema = build_schema()._schema

    def cost(first: int) -> int:
        text = f"{{node(id:1){{...on Dataset{{versions(first:{first}){{totalCount nodes{{id label}}}}}}}}}}"
        document = parse(text)
        return check_cost(schema, document, document.definitions[0], {}, Caps())  # type: ignore[arg-type]

    assert cost(11) - cost(10) == 3


def test_introspection_of_types_within_types_is_refused(quick: Callable[..., Any]) -> None:
    assert quick().code("{__schema{types{" + "fields{type{" * 5 + "name" + "}}" * 5 + "}}}") == "BAD_INPUT"


def test_introspection_is_answered_unless_it_is_off(quick: Callable[..., Any]) -> None:
    assert "errors" not in quick()(get_introspection_query())
    closed = quick(introspection=False)
    assert closed.code(get_introspection_query()) == "FORBIDDEN"
    assert closed.code('{__type(name:"Query"){name}}') == "FORBIDDEN"
    assert "errors" not in closed('{__typename search(text: "__schema") {behind}}')


def test_same_text_is_parsed_and_validated_once_and_the_cache_is_bounded(quick: Callable[..., Any]) -> None:
    from lineage_graphql.prepare import Documents

    documents = Documents(Caps(documents=3))
    first = documents.get("{__typename}")
    assert documents.get("{__typename}") is first
    for n in range(3):
        documents.get(f"{{a{n}:__typename}}")
    assert documents.get("{__typename}") is not first
