"""Search over GraphQL: by which alias a dataset was found."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

SEARCH = (Path(__file__).parents[2] / "graphql" / "operations" / "Search.graphql").read_text(encoding="utf-8")


def test_a_dataset_found_by_an_alias_says_which(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(SEARCH, text="/TMP/feat")["search"]
    assert [hit["name"] for hit in told["hits"]] == [pipe.features.name]
    assert told["byAlias"] == [{"namespace": "file", "name": "/tmp/features"}]


def test_what_its_own_name_finds_has_no_alias_beside_it(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(SEARCH, text="features")["search"]
    assert ([hit["name"] for hit in told["hits"]], told["byAlias"]) == ([pipe.features.name], [None])


def test_a_search_that_has_no_room_for_all_says_where_it_was_cut(ask: Any, pipe: SimpleNamespace) -> None:
    told = ask.data(SEARCH, text="a", first=1)["search"]
    assert (told["complete"], told["cut"], len(told["hits"])) == (False, {"reason": "NODES", "limit": 1}, 1)
    told = ask.data(SEARCH, text="a", first=1000)["search"]
    assert (told["complete"], told["cut"], len(told["hits"]) > 1) == (True, None, True)
