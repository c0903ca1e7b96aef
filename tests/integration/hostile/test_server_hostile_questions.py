"""Questions that are bombs or broken are refused at once."""

from __future__ import annotations

import json

import pytest

from tests.integration.hostile.answers import (
    IMPACT,
    timed,
)
from tests.integration.server_process import ServerProcess


def fragments() -> str:
    """2 to the power of 28 fields."""
    middle = "".join(f" fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(28))
    return f"query{{...F0}}{middle} fragment F28 on Query{{__typename}}"


QUERIES = {
    "fragment bomb": fragments(),
    "circle of fragments": "{...A} fragment A on Query{...B} fragment B on Query{...A}",
    "alias bomb": "{" + " ".join(f'a{n}: search(text: "x") {{ ledgerIndex }}' for n in range(1_000)) + "}",
    "deep query": "{" + "a{" * 5_000 + "b" + "}" * 5_001,
    "deep list": "{search(text:" + "[" * 20_000,
    "deep introspection": "{__schema{types{" + "fields{type{" * 30 + "name" + "}}" * 30 + "}}}",
    "many directives": "{__typename " + "@skip(if:false)" * 5_000 + "}",
    "large query": "{__typename}" + " " * 500_000,
}


@pytest.mark.parametrize("what", QUERIES)
def test_a_costly_query_is_refused_at_once(server: ServerProcess, what: str) -> None:
    answer = timed(lambda: server.client.post("/graphql", json={"query": QUERIES[what]}))
    assert answer.status_code in (200, 400, 413)
    assert answer.json()["errors"][0]["extensions"]["code"] in ("TOO_COSTLY", "BAD_INPUT", "TOO_LARGE")
    assert len(answer.content) < 5_000


@pytest.mark.parametrize(
    "body", [b"[" * 1_000_000, b"{" * 100, b'{"query": 7}', b"[]", b"NaN", b"", b'{"query": "\xff"}']
)
def test_a_broken_question_is_refused(server: ServerProcess, body: bytes) -> None:
    answer = timed(lambda: server.post("/graphql", body))
    assert 400 <= answer.status_code < 500
    assert answer.json()["errors"][0]["extensions"]["code"] in ("NOT_JSON", "BAD_INPUT", "TOO_LARGE")


@pytest.mark.parametrize("name", ["x' OR '1'='1", "MATCH (n) RETURN n", "\ud83d", "\0", "x" * 100_000, "%"])
def test_a_name_that_was_never_seen_is_not_found(server: ServerProcess, name: str) -> None:
    body = json.dumps({"query": IMPACT, "variables": {"of": {"dataset": {"namespace": "never", "name": name}}}})
    answer = timed(lambda: server.post("/graphql", body.encode()))
    assert answer.json()["errors"][0]["extensions"]["code"] in ("NOT_FOUND", "NOT_JSON", "BAD_INPUT")
