"""The answer to "what changed?" for people, like a diff of code: - and + lines under what they are about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from lineage.cli.screen import Screen
from lineage.cli.show_answer import Data, file_name, moment, show_gaps, show_rest, show_standing, thing_label

_SAID = {
    "DATA": "content",
    "SCHEMA": "column",
    "CARD": "model card",
    "PRODUCER": "written by",
    "METRIC": "metric",
    "INPUT": "reads",
    "ROLE": "role of",
    "BINDING": "binding of",
}
_NAMELESS = frozenset({"DATA", "PRODUCER", "RUN", "INPUT", "CODE"})
"""Aspects of which the value says it all, or the name stands before it alone."""
_STYLES = {"-": "red", "+": "green"}
_DIGEST_SHOWN = 19


def show_diff(screen: Screen, answer: Data) -> None:
    """Write ``answer``, the field ``diff`` of the operation Diff."""
    for sign, side in (("---", answer["a"]), ("+++", answer["b"])):
        for thing in side["nodes"]:
            screen.line(f"{sign} {_side(thing)}", "bold")
    screen.line(_summary(answer))
    origins, hunks = answer["origins"]["nodes"], answer["hunks"]["nodes"]
    shown = {_key(hunk) for hunk in origins}
    rest = [hunk for hunk in hunks if _key(hunk) not in shown]
    apart = [hunk for hunk in rest if not _follows(hunk)]
    following = [hunk for hunk in rest if _follows(hunk)]
    for title, found in (("Where the histories part", origins), ("What else differs by itself", apart)):
        if found:
            screen.heading(title)
        for hunk in found:
            _show_hunk(screen, hunk)
    if following:
        _show_following(screen, following)
    show_rest(screen, len(hunks), answer["hunks"]["totalCount"])
    if hunks or answer["gaps"]["totalCount"]:
        show_gaps(screen, answer)
    show_standing(screen, answer)


def _side(thing: Data) -> str:
    which = f"version {thing['version']}" if thing.get("version") is not None else thing.get("runId") or ""
    written = moment(thing.get("writtenAt") or thing.get("startedAt"))
    name = file_name(thing["label"].rpartition(" @ ")[0] or thing["label"])
    return "  ".join(word for word in (name, which, f"{written} UTC" if written else "") if word)


def _summary(answer: Data) -> str:
    counts = [(each["aspect"].lower(), each["count"]) for each in answer["summary"]]
    derived = sum(each["derived"] for each in answer["summary"])
    total = sum(count for _, count in counts)
    alike = _compared(answer["compared"], "same", "the same") + _compared(answer["compared"], "alike", "alike")
    same = f" {'; '.join(alike)}." if alike else ""
    if not total:
        return f"Nothing differs.{same}"
    told = ", ".join(f"{count:,} {aspect}" for aspect, count in counts)
    follow = f", of which {derived:,} follow from others" if derived else ""
    return f"{total:,} difference{'s' if total > 1 else ''}: {told}{follow}.{same}"


def _compared(counts: Iterable[Data], field: str, said: str) -> list[str]:
    found = [
        f"{each[field]:,} {each['kind'].lower()}{'s' if each[field] > 1 else ''}" for each in counts if each[field]
    ]
    return [f"{' and '.join(found)} {said}"] if found else []


def _key(hunk: Data) -> tuple[str | None, str | None]:
    return hunk["a"] and hunk["a"]["id"], hunk["b"] and hunk["b"]["id"]


def _follows(hunk: Data) -> bool:
    return all(each["derived"] for each in hunk["differences"])


def _show_hunk(screen: Screen, hunk: Data) -> None:
    path = " ← ".join(_bare(thing) for thing in hunk["path"])
    screen.line(f"@@ {_bare(hunk['b'] or hunk['a'])} @@{f'  {path} ←' if path else ''}", "cyan")
    for note in _notes(hunk):
        screen.line(f"  {note}", "dim")
    for sign, text in (line for each in hunk["differences"] for line in _lines(hunk, each, screen.terminal)):
        screen.line(f"{sign} {text}", _STYLES[sign])


def _notes(hunk: Data) -> Iterator[str]:
    if not hunk["sure"]:
        yield "Another version; nothing tells whether its content is other."
    if hunk["absorbed"]:
        yield "All that was made of it has the same content: not why the two sides differ."


def _lines(hunk: Data, each: Data, short: bool) -> Iterator[tuple[str, str]]:
    for sign, side in (("-", "a"), ("+", "b")):
        value = each[side]
        if each["aspect"] == "DATA" and each["change"] == "CHANGED":
            yield sign, f"content {_digest(value, short)}  {_when(hunk[side])}".rstrip()
        elif value is not None or each["change"] in ("CHANGED", "REMOVED" if side == "a" else "ADDED"):
            yield sign, _line(each, value)


def _line(each: Data, value: Any) -> str:
    aspect = each["aspect"]
    said = "" if aspect in ("CODE", "DATA", "RUN") else _SAID.get(aspect, aspect.lower())
    if aspect in _NAMELESS:
        named = each["name"] if aspect == "CODE" else ""
        return " ".join(word for word in (said, named, _written(value)) if word)
    return f"{said} {each['name']} = {_written(value)}"


def _show_following(screen: Screen, hunks: list[Data]) -> None:
    screen.heading("What follows from that")
    rows = [
        (_bare(hunk["b"] or hunk["a"]), _brief(each, screen.terminal)) for hunk in hunks for each in hunk["differences"]
    ]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        screen.line(f"  {name:<{width}}  {text}", "dim")


def _brief(each: Data, short: bool) -> str:
    if each["change"] != "CHANGED":
        return (
            f"{'+' if each['change'] == 'ADDED' else '-'} {_line(each, each['b'] if each['a'] is None else each['a'])}"
        )
    if each["aspect"] == "DATA":
        return f"content {_digest(each['a'], short)} → {_digest(each['b'], short)}" if each["a"] else "content unknown"
    return f"{_line(each, each['a'])} → {_written(each['b'])}"


def _digest(value: Any, short: bool) -> str:
    text = "unknown" if value is None else str(value)
    return f"{text[:_DIGEST_SHOWN]}…" if short and len(text) > _DIGEST_SHOWN else text


def _when(thing: Data | None) -> str:
    return "" if thing is None else moment(thing.get("writtenAt"))


def _bare(thing: Data) -> str:
    """The label of a thing, its path shortened, without its time."""
    return thing_label(thing).partition(" @ ")[0]


def _written(value: Any) -> str:
    return file_name(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
