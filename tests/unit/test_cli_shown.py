"""What a person reads of an answer."""

from __future__ import annotations

import io
from typing import Any

from lineage.cli.screen import Screen
from lineage.cli.show_impact import show_impact
from lineage.cli.show_paths import show_search

STANDING = {"complete": True, "cut": None, "ledgerIndex": 7, "behind": 0, "gaps": [], "score": 1.0}
NO_HITS = {"nodes": [], "totalCount": 0}


def impact(predictions: int) -> dict[str, Any]:
    told = {"count": predictions, "firstAt": None, "lastAt": None}
    return {**STANDING, "summary": [], "potential": NO_HITS, "actual": NO_HITS, "predictions": told}


def shown(show: Any, answer: dict[str, Any]) -> str:
    stream = io.StringIO()
    show(Screen(stream, terminal=False), answer)
    return stream.getvalue()


def test_an_impact_of_predictions_alone_does_not_say_that_nothing_is_affected() -> None:
    assert "the predictions below alone" in shown(show_impact, impact(3))
    assert "Nothing: no run read it" in shown(show_impact, impact(0))


def test_a_dataset_found_by_an_alias_says_which() -> None:
    hits = [
        {"id": name, "label": name, "kind": "DATASET", "namespace": "n", "name": name, "owners": []}
        for name in ("path", "orders")
    ]
    answer = {**STANDING, "hits": hits, "byAlias": [{"namespace": "hive", "name": "sales.orders"}, None]}
    told = shown(show_search, answer)
    assert "path (as sales.orders)" in told
    assert "orders (as" not in told
