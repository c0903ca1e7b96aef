"""``minIndex``: an answer that reflects that ledger entry, or an error that says by how much the graph lags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lineage.errors import UnavailableError
from lineage.model import Changes

QUERY = 'query($i: Long) { search(text: "raw", minIndex: $i) { ledgerIndex behind } }'


def error(told: dict[str, Any]) -> tuple[str, str, str]:
    (one,) = told["errors"]
    extensions = one["extensions"]
    return extensions["code"], one["message"], extensions.get("hint", "")


def test_an_entry_that_is_reflected_is_answered_at_once(ask: Any) -> None:
    assert ask.data(QUERY, i=4)["search"] == {"ledgerIndex": 4, "behind": 0}
    assert ask.waited == [(5, 2.0)]


def test_a_lagging_graph_is_waited_for_and_then_said_to_lag(ask: Any) -> None:
    ask.entries = 200
    assert error(ask(QUERY, i=149)) == (
        "INDEX_AHEAD",
        "The graph reflects 5 entries; entry 149 was asked for: 145 behind.",
        "Ask again in a moment.",
    )
    assert ask.waited == [(200, 2.0)]


def test_an_entry_that_the_ledger_does_not_hold_yet_is_waited_for(ask: Any) -> None:
    code, message, hint = error(ask(QUERY, i=149))
    assert (code, message) == ("INDEX_AHEAD", "The graph reflects 5 entries; entry 149 was asked for: 145 behind.")
    assert hint == ("The ledger has no such entry yet (its last is 4): take the index from a receipt of this server.")
    assert ask.waited == [(150, 2.0)]


def test_an_entry_that_arrives_while_it_is_waited_for_is_in_the_answer(ask: Any, monkeypatch: Any) -> None:
    def wait(size: int, most: float) -> bool:
        while ask.entries < size:
            ask.write(Changes())
        return True

    monkeypatch.setattr(ask.context, "wait_for", wait)
    assert ask.data(QUERY, i=8)["search"] == {"ledgerIndex": 8, "behind": 0}


def test_an_entry_that_was_taken_and_is_not_to_be_seen_yet_is_waited_for(ask: Any, monkeypatch: Any) -> None:
    """A store may go on writing when it has taken changes."""

    def wait(size: int, most: float) -> bool:
        ask.waited.append((size, most))
        if len(ask.waited) == 3:
            ask.write(Changes())
        return True

    monkeypatch.setattr(ask.context, "wait_for", wait)
    assert ask.data(QUERY, i=5)["search"] == {"ledgerIndex": 5, "behind": 0}
    assert [size for size, _ in ask.waited] == [6, 6, 6]
    assert ask.waited[2][1] < ask.waited[0][1]


def test_the_wait_is_as_long_as_the_caps_allow(quick: Callable[..., Any]) -> None:
    ask = quick(read_wait=0.25)
    assert ask.code(QUERY, i=10**15) == "INDEX_AHEAD"
    assert ask.waited == [(10**15 + 1, 0.25)]


def test_the_past_waits_for_the_entry_too(ask: Any) -> None:
    query = 'query($i: Long) { search(text: "raw", atIndex: 2, minIndex: $i) { ledgerIndex } }'
    assert ask.code(query, i=149) == "INDEX_AHEAD"
    assert ask.waited == [(150, 2.0)]


def test_a_store_that_is_away_says_so_itself(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise UnavailableError("The store is away.")

    monkeypatch.setattr(ask.store, "reader", away)
    assert error(ask(QUERY, i=4))[:2] == ("UNAVAILABLE", "The store is away.")
