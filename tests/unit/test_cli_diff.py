"""`lineage diff`: from words to sides, and what a person reads."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lineage.cli.screen import Screen
from lineage.cli.show_diff import show_diff
from lineage.cli.sides import sides
from lineage.errors import BadInputError, LineageError, NotFoundError

NAMED = {"namespace": "db", "name": "t"}
NO_GAPS = {"totalCount": 0, "nodes": []}
STANDING = {"complete": True, "cut": None, "ledgerIndex": 7, "behind": 0, "gaps": NO_GAPS, "score": 1.0}


def asked(name: str, variables: dict[str, Any]) -> dict[str, Any]:
    if name == "Node":
        raise NotFoundError("No such id.")
    hit = {"id": f"id of {variables['text']}", "label": variables["text"], "name": variables["text"]}
    return {"search": {"hits": [hit]}}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dataset", "db", "t"], {"a": {"dataset": NAMED}}),
        (["dataset", "db", "t", "db", "t"], {"a": {"dataset": NAMED}, "b": {"dataset": NAMED}}),
        (["version", "db", "t", "1"], {"a": {"version": NAMED | {"version": "1"}}}),
        (
            ["version", "db", "t", "1", "run:2"],
            {"a": {"version": NAMED | {"version": "1"}}, "b": {"version": NAMED | {"runId": "2"}}},
        ),
        (["run", "r1", "r2"], {"a": {"run": {"runId": "r1"}}, "b": {"run": {"runId": "r2"}}}),
        (["commit", "c1", "c2"], {"a": {"code": {"commit": "c1"}}, "b": {"code": {"commit": "c2"}}}),
        (["one", "other"], {"a": {"id": "id of one"}, "b": {"id": "id of other"}}),
        (["one"], {"a": {"id": "id of one"}}),
        (["run"], {"a": {"id": "id of run"}}),
    ],
)
def test_words_name_one_side_or_two(words: list[str], expected: dict[str, Any]) -> None:
    assert sides(asked, words) == expected


@pytest.mark.parametrize("words", [["run", "a", "b", "c"], ["dataset", "db"], ["a", "b", "c"]])
def test_too_many_or_too_few_words_are_refused(words: list[str]) -> None:
    with pytest.raises(LineageError) as told:
        sides(asked, words)
    assert isinstance(told.value, BadInputError)


def thing(label: str, **told: Any) -> dict[str, Any]:
    return {
        "id": label,
        "label": f"{label} @ 2026-05-01 10:00",
        "kind": "VERSION",
        "namespace": "n",
        "name": label,
    } | told


def difference(aspect: str, name: str, a: Any, b: Any, **told: Any) -> dict[str, Any]:
    change = "ADDED" if a is None else "REMOVED" if b is None else "CHANGED"
    return {"aspect": aspect, "change": change, "name": name, "a": a, "b": b, "content": None, "derived": False} | told


def hunk(name: str, *differences: dict[str, Any], **told: Any) -> dict[str, Any]:
    own = {"a": thing(name), "b": thing(name), "kind": "RUN", "distance": 1, "at": None, "path": [thing("top")]}
    return own | {"differences": list(differences), "origin": False, "sure": True, "absorbed": False} | told


def answer(*hunks: dict[str, Any]) -> dict[str, Any]:
    found = [each for hunk in hunks for each in hunk["differences"]]
    aspects = sorted({each["aspect"] for each in found})
    counts = [[each["derived"] for each in found if each["aspect"] == aspect] for aspect in aspects]
    return {
        **STANDING,
        "a": {"totalCount": 1, "nodes": [thing("m", version="1", writtenAt="2026-05-01T10:00:00.000000Z")]},
        "b": {"totalCount": 1, "nodes": [thing("m", version="2", writtenAt="2026-05-02T10:00:00.000000Z")]},
        "compared": [
            {"kind": "VERSION", "same": 2, "alike": 0, "changed": 0, "unknown": 0, "added": 0, "removed": 0},
            {"kind": "RUN", "same": 1, "alike": 1, "changed": 0, "unknown": 0, "added": 0, "removed": 0},
        ],
        "summary": [
            {"aspect": aspect, "count": len(derived), "derived": sum(derived)}
            for aspect, derived in zip(aspects, counts, strict=True)
        ],
        "origins": {"totalCount": 0, "nodes": [hunk for hunk in hunks if hunk["origin"]]},
        "hunks": {"totalCount": len(hunks), "nodes": list(hunks)},
    }


def shown(told: dict[str, Any], *, terminal: bool = False) -> str:
    stream = io.StringIO()
    show_diff(Screen(stream, terminal=terminal), told)
    return stream.getvalue()


def test_a_diff_reads_like_one_of_code() -> None:
    told = answer(
        hunk("train", difference("PARAMETER", "depth", 3, 4), difference("CODE", "commit", "old", "new"), origin=True),
        hunk("load", difference("INPUT", "raw", None, "raw @ 2026-05-02 10:00")),
        hunk("m", difference("DATA", "m", "sha256:aa", "sha256:bb", content="OTHER", derived=True)),
    )
    assert shown(told).splitlines()[:18] == [
        "--- m  version 1  2026-05-01 10:00:00 UTC",
        "+++ m  version 2  2026-05-02 10:00:00 UTC",
        "4 differences: 1 code, 1 data, 1 input, 1 parameter, of which 1 follow from others. "
        "2 versions and 1 run the same; 1 run alike.",
        "",
        "Where the histories part",
        "@@ train @@  top ←",
        "- parameter depth = 3",
        "+ parameter depth = 4",
        "- commit old",
        "+ commit new",
        "",
        "What else differs by itself",
        "@@ load @@  top ←",
        "+ reads raw @ 2026-05-02 10:00",
        "",
        "What follows from that",
        "  m  content sha256:aa → sha256:bb",
        "",
    ]


def test_added_and_removed_lines_have_their_colours_on_a_terminal() -> None:
    text = shown(answer(hunk("train", difference("CODE", "commit", "old", "new"), origin=True)), terminal=True)
    assert "\x1b[31m- commit old" in text
    assert "\x1b[32m+ commit new" in text


def test_no_difference_is_said_in_a_line() -> None:
    assert "Nothing differs. 2 versions and 1 run the same; 1 run alike." in shown(answer())


def test_unknown_content_and_what_is_absorbed_are_said() -> None:
    unknown = difference("DATA", "raw", None, None, change="CHANGED", content="UNKNOWN")
    text = shown(answer(hunk("raw", unknown, origin=True, sure=False, absorbed=True)))
    assert "Another version; nothing tells whether its content is other." in text
    assert "All that was made of it has the same content" in text
    assert "- content unknown" in text
    assert "+ content unknown" in text


def test_a_value_that_is_null_is_shown_where_the_entry_is_there() -> None:
    text = shown(answer(hunk("train", difference("PARAMETER", "depth", None, None, change="ADDED"), origin=True)))
    assert "+ parameter depth = null" in text
    assert "- parameter" not in text
